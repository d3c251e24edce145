//! Object storage as a real server serves it: moto, which imitates S3. One test, because it starts a server.

use std::path::Path;
use std::time::Duration;

use coho_core::model::Model;
use coho_core::storage::{StorageAddress, StorageOption};
use coho_source::{Connection, SourceError, StorageConnection};
use coho_testkit::{Azurite, S3Server};

use super::{Failure, block_on, connection, fault, model, read, seen, texts};
use crate::shown;

#[test]
fn objects_are_read_as_files_are() {
    let test = "coho-source: objects_are_read_as_files_are";
    let Some(server) = S3Server::start_or_skip(test).unwrap() else { return };
    server.put("exports", b"").unwrap();
    every_fixture_is_read_as_from_a_folder(&server).unwrap();
    patterns_name_several_objects(&server).unwrap();
    what_is_missing_is_told(&server).unwrap();
    a_large_object_is_read_in_a_stream(&server).unwrap();
    access_is_tested(&server).unwrap();
}

/// The same in Azure's storage, as Azurite imitates it.
#[test]
fn objects_of_azure_are_read_as_files_are() {
    let test = "coho-source: objects_of_azure_are_read_as_files_are";
    let Some(server) = Azurite::start_or_skip(test).unwrap() else { return };
    server.make("exports").unwrap();
    server.put("exports/crm/b.csv", b"id,name\n2,Bo\n").unwrap();
    server.put("exports/crm/a.csv", b"id,name\n1,Ada\n").unwrap();
    server.put("exports/crm/a.ndjson", b"{\"id\":1}\n").unwrap();
    server.put("exports/crm/a.parquet", &super::parquet_file::wide(20_000).unwrap()).unwrap();
    let connection = |path: &str, key: &str| {
        let option = |option, value: &str| (option, value.to_owned().into());
        Connection::Storage(StorageConnection {
            address: StorageAddress::parse(path).unwrap(),
            options: vec![
                option(StorageOption::Endpoint, &server.url()),
                option(StorageOption::Account, server.account()),
                option(StorageOption::AccountKey, key),
            ],
            temporary: std::env::temp_dir(),
            patience: Duration::ZERO,
        })
    };
    let crm = connection("az://exports/crm", server.key());
    block_on(coho_source::test(&crm)).unwrap();
    let (rows, end) = read(&crm, &model("a.parquet"));
    end.unwrap();
    assert_eq!(rows, 20_000);
    let wrong = server.key().replace("Eby8", "Ebz8");
    let all = [
        seen(&crm, &model("*.csv")),
        seen(&crm, &model("a.ndjson")),
        seen(&crm, &model("gone.csv")),
        seen(&connection("az://elsewhere", server.key()), &model("a.csv")),
        seen(&connection("az://exports", &wrong), &model("a.csv")),
    ];
    shown::snapshot(Path::new("fixtures/objects/azure.txt"), &all.join("\n")).unwrap();
}

/// What a folder gives, and the bucket with the same files.
fn agree(server: &S3Server, folder: &Path, model: &Model) {
    let here = seen(&Connection::Files { folder: folder.to_owned() }, model);
    let there = seen(&connection(&server.url(), "s3://exports/fixtures"), model);
    assert_eq!(there.replace("s3://exports/fixtures/", ""), here);
}

fn every_fixture_is_read_as_from_a_folder(server: &S3Server) -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    let mut compared = 0;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a fixture has no name")?;
        if [".csv", ".ndjson"].iter().any(|ending| name.ends_with(ending)) {
            server.put(&format!("exports/fixtures/{name}"), &std::fs::read(&path)?)?;
            agree(server, &folder, &model(name));
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared}");
    Ok(())
}

/// Several files: in a bucket and in a folder the same, in the order of their names.
fn patterns_name_several_objects(server: &S3Server) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let files: [(&str, &[u8]); 10] = [
        ("parts/b.csv", b"id,name\n3,Cy\n"),
        ("parts/a.csv", b"id,name\n1,Ada\n2,\"n/a\"\n"),
        ("parts/_SUCCESS.csv", b"no,part\n"),
        ("parts/deep/c.csv", b"id,name\n4,Di\n"),
        ("other/a.csv", b"id,name\n1,Ada\n"),
        ("other/b.csv", b"id,plan\n2,pro\n"),
        ("lines/a.ndjson", b"{\"id\":1}\n"),
        ("lines/b.ndjson", b"{\"id\":2,\"name\":\"Bo\"}\n"),
        ("delta/a.csv", b"id\n1\n"),
        ("delta/_delta_log/00.json", b"{}\n"),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().ok_or("a file has no folder")?)?;
        std::fs::write(path, bytes)?;
        server.put(&format!("exports/several/{name}"), bytes)?;
    }
    let wide = [super::parquet_file::wide(2)?, super::parquet_file::wide(4)?];
    for (name, bytes) in ["wide/a.parquet", "wide/b.parquet"].iter().zip(&wide) {
        std::fs::create_dir_all(folder.path().join("wide"))?;
        std::fs::write(folder.path().join(name), bytes)?;
        server.put(&format!("exports/several/{name}"), bytes)?;
    }
    let models = [
        model("parts/*.csv"),
        texts("parts/?.csv"),
        model("parts/**/*.csv"),
        model("**/c.csv"),
        model("other/*.csv"),
        model("lines/*.ndjson"),
        model("wide/*.parquet"),
        model("delta/*.csv"),
        model("parts/*.parquet"),
    ];
    let mut all = String::new();
    for model in &models {
        let here = seen(&Connection::Files { folder: folder.path().to_owned() }, model);
        let there = seen(&connection(&server.url(), "s3://exports/several"), model);
        let plain =
            |text: &str| text.replace("s3://exports/several/", "").replace("s3://exports/several", "DIR");
        let here = here.replace(&folder.path().display().to_string(), "DIR");
        assert_eq!(plain(&there), here);
        all += &there;
        all += "\n";
    }
    shown::snapshot(Path::new("fixtures/objects/patterns.txt"), &all)
}

fn what_is_missing_is_told(server: &S3Server) -> Result<(), Failure> {
    let mut all = String::new();
    for (path, file) in [
        ("s3://exports/crm", "gone.csv"),
        ("s3://exports/crm", "gone.parquet"),
        ("s3://exports/crm", "../other.csv"),
        ("s3://elsewhere/crm", "a.csv"),
        ("s3://elsewhere/crm", "*.csv"),
    ] {
        let text = seen(&connection(&server.url(), path), &model(file));
        all.extend([path, " ", file, "\n", text.as_str(), "\n"]);
    }
    shown::snapshot(Path::new("fixtures/objects/missing.txt"), &all)
}

fn a_large_object_is_read_in_a_stream(server: &S3Server) -> Result<(), Failure> {
    let rows: Vec<String> = (0..40_000).map(|row| format!("{row},the name of row {row}\n")).collect();
    server.put("exports/large.csv", format!("id,name\n{}", rows.concat()).as_bytes())?;
    let (count, end) = read(&connection(&server.url(), "s3://exports"), &model("large.csv"));
    end?;
    assert_eq!(count, 40_000);
    server.put("exports/wide.parquet", &super::parquet_file::wide(100_000)?)?;
    let (count, end) = read(&connection(&server.url(), "s3://exports"), &model("wide.parquet"));
    end?;
    assert_eq!(count, 100_000);
    Ok(())
}

fn access_is_tested(server: &S3Server) -> Result<(), Failure> {
    let test = |path| block_on(coho_source::test(&connection(&server.url(), path)));
    test("s3://exports/fixtures")?;
    let error: Result<(), SourceError> = test("s3://elsewhere");
    assert!(matches!(fault(error), coho_source::StorageFault::NoBucket));
    Ok(())
}
