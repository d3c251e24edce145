//! Files in object storage: the same rows as from a folder, from one version of each object, or an error. A stream that breaks is
//! continued or told, and is never the object's end.

#![expect(clippy::unwrap_used, reason = "what a test is made of must be there")]

use std::fmt::Write as _;
use std::time::Duration;

use coho_core::model::{Csv, FileFormat, Model, Relation, Undeclared};
use coho_core::place::Place;
use coho_core::storage::{StorageAddress, StorageOption};
use coho_source::{
    Connection, FileError, FileFault, ReadScope, SourceError, StorageConnection, StorageFault,
};

#[path = "support/object_server.rs"]
mod object_server;
#[path = "support/parquet_file.rs"]
mod parquet_file;
#[path = "support/shown.rs"]
mod shown;

use object_server::{Answer, ObjectServer};

type Failure = Box<dyn std::error::Error>;

/// What no message may hold.
const SECRET: &str = "hush-hush-hush";

const ROWS: &str = "id,name\n1,Ada\n2,Bo\n3,Cy\n";

/// S3's. A refused call is made again only where a test is about that.
fn connection(endpoint: &str, path: &str) -> Connection {
    with_patience(endpoint, path, Duration::ZERO)
}

fn with_patience(endpoint: &str, path: &str, patience: Duration) -> Connection {
    let option = |option, value: &str| (option, value.to_owned().into());
    Connection::Storage(StorageConnection {
        address: StorageAddress::parse(path).unwrap(),
        options: vec![
            option(StorageOption::Endpoint, endpoint),
            option(StorageOption::Region, "eu-central-1"),
            option(StorageOption::AccessKeyId, "key-of-the-test"),
            option(StorageOption::SecretAccessKey, SECRET),
            option(StorageOption::SessionToken, SECRET),
        ],
        temporary: std::env::temp_dir(),
        patience,
    })
}

/// The same in Google's storage, without its tokens.
fn google(endpoint: &str) -> Connection {
    let key = format!(
        r#"{{"private_key":"{SECRET}","private_key_id":"id","client_email":"a@b","disable_oauth":true}}"#
    );
    let option = |option, value: &str| (option, value.to_owned().into());
    Connection::Storage(StorageConnection {
        address: StorageAddress::parse("gs://exports").unwrap(),
        options: vec![option(StorageOption::Endpoint, endpoint), option(StorageOption::ServiceAccount, &key)],
        temporary: std::env::temp_dir(),
        patience: Duration::ZERO,
    })
}

/// The same in Azure's, with an address that is signed.
fn azure(endpoint: &str) -> Connection {
    let option = |option, value: &str| (option, value.to_owned().into());
    Connection::Storage(StorageConnection {
        address: StorageAddress::parse("az://exports").unwrap(),
        options: vec![
            option(StorageOption::Endpoint, endpoint),
            option(StorageOption::Account, "acme"),
            option(StorageOption::SasToken, &format!("sv=2024-01-01&sig={SECRET}")),
        ],
        temporary: std::env::temp_dir(),
        patience: Duration::ZERO,
    })
}

fn model(file: &str) -> Model {
    let format = match file.rsplit('.').next() {
        Some("csv") => FileFormat::Csv(Csv::default()),
        Some("ndjson") => FileFormat::Ndjson { types: Vec::new() },
        _ => FileFormat::Parquet,
    };
    Model {
        name: "fixture".to_owned(),
        source: "files".to_owned(),
        key: Vec::new(),
        masked: Vec::new(),
        relation: Relation::File { path: file.to_owned(), format },
        place: Place::default(),
    }
}

fn texts(file: &str) -> Model {
    let csv = Csv { undeclared: Undeclared::Text, ..Csv::default() };
    let relation = Relation::File { path: file.to_owned(), format: FileFormat::Csv(csv) };
    Model { relation, ..model(file) }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What a user reads of a model in this bucket.
fn seen(connection: &Connection, model: &Model) -> String {
    let seen = block_on(shown::shown(connection, model, ReadScope::All));
    assert!(!seen.contains(SECRET), "{seen}");
    seen
}

/// The rows that came, and how it ended.
fn read(connection: &Connection, model: &Model) -> (usize, Result<(), SourceError>) {
    block_on(async {
        let mut rows = 0;
        let mut reading = match coho_source::read(connection, model, ReadScope::All).await {
            Ok(reading) => reading,
            Err(error) => return (0, Err(error)),
        };
        loop {
            match reading.next().await {
                Ok(Some(batch)) => rows += batch.len(),
                Ok(None) => return (rows, Ok(())),
                Err(error) => return (rows, Err(error)),
            }
        }
    })
}

fn fault(result: Result<(), SourceError>) -> StorageFault {
    match result {
        Err(SourceError::File(FileError { fault: FileFault::Object(fault), .. })) => fault,
        Ok(()) | Err(_) => panic!("{result:?}"),
    }
}

#[test]
fn a_stream_that_breaks_is_continued_in_the_same_version() {
    for model in [model("a.csv"), texts("a.csv")] {
        let server = ObjectServer::start(ROWS.as_bytes(), &[Answer::Cut(12), Answer::Cut(3)]).unwrap();
        let (rows, end) = read(&connection(&server.url(), "s3://exports"), &model);
        end.unwrap();
        assert_eq!(rows, 3);
        let calls = server.calls();
        let ranges: Vec<_> = calls.iter().map(|call| call.range.as_deref()).collect();
        assert_eq!(ranges, [None, Some("bytes=12-23"), Some("bytes=15-23")], "each byte is asked for once");
        assert!(calls[1..].iter().all(|call| call.if_match.as_deref() == Some("\"one\"")), "{calls:?}");
    }
}

#[test]
fn a_stream_that_stays_broken_is_not_the_objects_end() {
    let mut answers = vec![Answer::Cut(19)];
    answers.resize(40, Answer::Cut(0));
    let server = ObjectServer::start(ROWS.as_bytes(), &answers).unwrap();
    let (_, end) = read(&connection(&server.url(), "s3://exports"), &texts("a.csv"));
    let fault = fault(end);
    assert!(matches!(fault, StorageFault::Cut { arrived: 19, length: 24 }), "{fault:?}");
}

#[test]
fn two_versions_are_never_mixed() {
    for other in [Answer::Replaced, Answer::ReplacedUnasked] {
        let server = ObjectServer::start(ROWS.as_bytes(), &[Answer::Cut(12), other]).unwrap();
        let (_, end) = read(&connection(&server.url(), "s3://exports"), &texts("a.csv"));
        let fault = fault(end);
        assert!(matches!(fault, StorageFault::Changed), "{fault:?}");
    }
    let file = parquet_file::wide(200_000).unwrap();
    for other in [Answer::Replaced, Answer::ReplacedUnasked] {
        let server = ObjectServer::start(&file, &[Answer::Whole, Answer::Whole, other]).unwrap();
        let (_, end) = read(&connection(&server.url(), "s3://exports"), &model("a.parquet"));
        let fault = fault(end);
        assert!(matches!(fault, StorageFault::Changed), "{fault:?}");
    }
}

#[test]
fn each_storage_is_read_in_one_version() {
    for open in [google, azure] {
        let server = ObjectServer::start(ROWS.as_bytes(), &[Answer::Cut(12)]).unwrap();
        let (rows, end) = read(&open(&server.url()), &model("a.csv"));
        end.unwrap();
        let calls = server.calls();
        assert_eq!((rows, calls.len()), (3, 2), "{calls:?}");
        assert_eq!(calls[1].if_match.as_deref(), Some("\"one\""));

        let server = ObjectServer::start(ROWS.as_bytes(), &[Answer::Cut(12), Answer::Replaced]).unwrap();
        let fault = fault(read(&open(&server.url()), &texts("a.csv")).1);
        assert!(matches!(fault, StorageFault::Changed), "{fault:?}");

        let refused = Answer::Refused(403, "AuthenticationFailed", ("x-test", "1"));
        let server = ObjectServer::start(ROWS.as_bytes(), &[refused]).unwrap();
        assert!(seen(&open(&server.url()), &model("a.csv")).contains("were refused (AuthenticationFailed)"));

        let file = parquet_file::wide(3_000).unwrap();
        let server = ObjectServer::start(&file, &[Answer::Cut(100)]).unwrap();
        let (rows, end) = read(&open(&server.url()), &model("a.parquet"));
        end.unwrap();
        assert_eq!(rows, 3_000);
    }
}

#[test]
fn a_server_that_is_overloaded_is_asked_again() {
    let slow = Answer::Refused(503, "SlowDown", ("x-test", "1"));
    let server = ObjectServer::start(ROWS.as_bytes(), &[slow]).unwrap();
    let (rows, end) =
        read(&with_patience(&server.url(), "s3://exports", StorageConnection::PATIENCE), &texts("a.csv"));
    end.unwrap();
    assert_eq!((rows, server.calls().len()), (3, 2));
}

#[test]
fn only_needed_columns_of_a_parquet_file_are_brought() {
    let file = parquet_file::wide(200_000).unwrap();
    let server = ObjectServer::start(&file, &[]).unwrap();
    let connection = connection(&server.url(), "s3://exports");
    let rows = block_on(async {
        let mut reading = coho_source::read(&connection, &model("a.parquet"), ReadScope::All).await?;
        reading.need_only(&[0])?;
        let mut rows = 0;
        while let Some(batch) = reading.next().await? {
            rows += batch.len();
        }
        Ok::<_, SourceError>(rows)
    });
    assert_eq!(rows.unwrap(), 200_000);
    let sent: usize = server.calls().iter().map(|call| call.sent).sum();
    assert!(file.len() > 4_000_000 && sent < file.len() / 2, "{sent} of {}", file.len());
    assert!(server.calls().len() <= 4, "{:?}", server.calls());
}

#[test]
fn a_parquet_file_that_breaks_off_is_continued() {
    let file = parquet_file::wide(3_000).unwrap();
    let server = ObjectServer::start(&file, &[Answer::Cut(10), Answer::Cut(100), Answer::Cut(1)]).unwrap();
    let (rows, end) = read(&connection(&server.url(), "s3://exports"), &model("a.parquet"));
    end.unwrap();
    assert_eq!(rows, 3_000);
}

#[test]
fn refusals_say_what_to_do() {
    let none = ("x-test", "1");
    let refusals = [
        (404, "NoSuchBucket", none),
        (404, "NoSuchKey", none),
        (403, "AccessDenied", none),
        (403, "", none),
        (403, "InvalidAccessKeyId", none),
        (400, "ExpiredToken", none),
        (403, "RequestTimeTooSkewed", none),
        (301, "PermanentRedirect", ("x-amz-bucket-region", "eu-west-3")),
        (301, "", none),
        (503, "SlowDown", none),
        (418, "", none),
    ];
    let mut seen_all = String::new();
    for (status, code, header) in refusals {
        let server = ObjectServer::start(b"", &[Answer::Refused(status, code, header); 9]).unwrap();
        let text = seen(&connection(&server.url(), "s3://exports/crm"), &model("customers.csv"));
        write!(seen_all, "{status} {code}\n{text}\n").unwrap();
    }
    let server = ObjectServer::start(ROWS.as_bytes(), &[Answer::With("Content-Encoding", "gzip")]).unwrap();
    let text = seen(&connection(&server.url(), "s3://exports/crm"), &model("customers.csv"));
    write!(seen_all, "gzip\n{text}\n").unwrap();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let text =
        seen(&connection(&format!("http://127.0.0.1:{port}"), "s3://exports/crm"), &model("customers.csv"));
    let text = text.replace(&port.to_string(), "PORT");
    write!(seen_all, "nobody\n{text}").unwrap();
    shown::snapshot(std::path::Path::new("fixtures/objects/refusals.txt"), &seen_all).unwrap();
}

#[path = "objects/served.rs"]
mod served;
