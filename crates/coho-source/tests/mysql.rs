//! MySQL, against a real MariaDB server: each `fixtures/mysql/*.sql` as the rows it gives or the error that a user reads, and what
//! only a running server shows. One test a kind of server, because each starts a server of its own.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use coho_core::row::Cell;
use coho_source::{Connection, MysqlConnection, MysqlError, ReadScope, SourceError};
use coho_testkit::MariaDb;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

#[path = "support/queries.rs"]
mod queries;
#[path = "support/marks.rs"]
mod marks;
#[path = "support/shown.rs"]
mod shown;
#[path = "mysql/comparing.rs"]
mod comparing;

use queries::{fixtures_match, model, shown_at};

type Failure = Box<dyn std::error::Error>;

#[test]
fn mysql_gives_exact_rows_and_clear_errors() {
    let test = "coho-source: mysql_gives_exact_rows_and_clear_errors";
    let Some(mut server) = MariaDb::start_or_skip(test).unwrap() else { return };
    server.sql(include_str!("mysql/setup.sql")).unwrap();
    runtime().unwrap().block_on(async {
        fixtures_match("mysql", server.port(), &source(&server)).await.unwrap();
        columns_are_known_without_rows(&server).await.unwrap();
        rights_are_asked_for_without_rows(&server).await.unwrap();
        what_nobody_reads_fails_nothing(&server).await.unwrap();
        connections_fail_clearly(&server).await.unwrap();
        comparing::all(&server).await.unwrap();
        rows_are_one_state(&server).await.unwrap();
        nobody_writes(&server).await.unwrap();
        a_slow_query_is_ended(&server).await.unwrap();
        a_scope_stops_a_long_query(&server).await.unwrap();
        a_dropped_reading_ends_its_query(&server).await.unwrap();
        a_killed_connection_is_not_the_end(&server).await.unwrap();
        a_lost_server_is_not_the_end(&mut server).await.unwrap();
    });
}

#[test]
fn only_a_server_that_is_trusted_is_spoken_to() {
    let test = "coho-source: only_a_server_that_is_trusted_is_spoken_to";
    let Some(server) = MariaDb::start_with_tls_or_skip(test).unwrap() else { return };
    let mut seen = String::new();
    for mode in ["prefer", "require", "verify-full", "disable"] {
        let url = server.url().replace("disable", mode);
        let result = runtime().unwrap().block_on(coho_source::test(&Connection::Mysql(connection(url))));
        let words = result.map_or_else(|error| shown::failure(&error), |()| "connected\n".to_owned());
        // What is wrong with a certificate that nobody trusts depends on whom else this machine trusts.
        let lines = words.lines().map(|line| match line.split_once("invalid peer certificate: ") {
            Some((before, _)) => format!("{before}invalid peer certificate: …\n"),
            None => format!("{line}\n"),
        });
        writeln!(seen, "{mode}:\n{}", lines.collect::<Vec<_>>().concat()).unwrap();
    }
    let seen = seen.replace(&format!("127.0.0.1:{}", server.port()), "SERVER");
    shown::snapshot(Path::new("fixtures/mysql/encryption.txt"), &seen).unwrap();
}

/// Behind one address there may be several servers, and the second connection comes to another one than the first. That one has a
/// connection of the same number, which is somebody else's.
#[test]
fn a_query_is_ended_on_its_own_server_only() {
    let test = "coho-source: a_query_is_ended_on_its_own_server_only";
    let Some(own) = MariaDb::start_or_skip(test).unwrap() else { return };
    let Some(other) = MariaDb::start_or_skip(test).unwrap() else { return };
    runtime().unwrap().block_on(async {
        let number = connected(&other).await.unwrap().id();
        while connected(&own).await.unwrap().id() < number + 100 {}
        let (port, ended) = shared_address(own.port(), other.port()).await.unwrap();
        let shared = MysqlConnection {
            url: own.url().replace(&own.port().to_string(), &port.to_string()).into(),
            statement_timeout: None,
        };
        let shared = Connection::Mysql(shared);
        let mut reading = coho_source::read(&shared, &model(ENDLESS), ReadScope::All).await.unwrap();
        assert!(reading.next().await.unwrap().is_some());
        let number: u32 = own.sql(&RUNNING.replace("info FROM", "id FROM")).unwrap().parse().unwrap();
        let mut bystander = connected(&other).await.unwrap();
        while bystander.id() < number {
            bystander = connected(&other).await.unwrap();
        }
        assert_eq!(bystander.id(), number);
        drop(reading);
        until(|| Ok(ended.load(Ordering::Relaxed))).await.unwrap();
        bystander.ping().await.unwrap();
        nothing_is_left(&own).await.unwrap();
    });
}

async fn connected(server: &MariaDb) -> Result<Conn, Failure> {
    let options = OptsBuilder::default().tcp_port(server.port()).user(Some("root")).prefer_socket(false);
    Ok(Conn::new(options.ip_or_hostname("127.0.0.1")).await?)
}

/// A port of which the first connection comes to one server, and further ones to another. Says too whether one of these has ended.
async fn shared_address(first: u16, others: u16) -> Result<(u16, Arc<AtomicBool>), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let ended = Arc::new(AtomicBool::new(false));
    let say = Arc::clone(&ended);
    tokio::spawn(async move {
        let mut to = first;
        while let Ok((mut client, _)) = listener.accept().await {
            let (port, say) = (std::mem::replace(&mut to, others), Arc::clone(&say));
            tokio::spawn(async move {
                let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                let copied = copy_bidirectional(&mut client, &mut server).await;
                say.fetch_or(port == others, Ordering::Relaxed);
                copied
            });
        }
    });
    Ok((port, ended))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn connection(url: String) -> MysqlConnection {
    MysqlConnection { url: url.into(), statement_timeout: None }
}

fn source(server: &MariaDb) -> Connection {
    Connection::Mysql(connection(server.url()))
}

async fn columns_are_known_without_rows(server: &MariaDb) -> Result<(), Failure> {
    let slow = model("SELECT SLEEP(3600) AS slept, 1 AS one");
    let outline = coho_source::outline(&source(server), &slow).await?;
    assert_eq!(outline.columns().names().collect::<Vec<_>>(), ["slept", "one"]);
    let none = coho_source::read(&source(server), &slow, ReadScope::First(0)).await?.next().await?;
    assert!(none.is_none());
    Ok(())
}

async fn rights_are_asked_for_without_rows(server: &MariaDb) -> Result<(), Failure> {
    let reader = Connection::Mysql(connection(server.url().replace("root@", "reader@")));
    let mut seen = String::new();
    for sql in ["SELECT id FROM secrets -- all of them", "-- table: secrets", "SELECT id FROM numbers"] {
        let outline = coho_source::outline(&reader, &model(sql)).await;
        let text = outline.map_or_else(|error| shown::failure(&error), |_| "may be read\n".to_owned());
        writeln!(seen, "{sql}:\n{text}")?;
    }
    let seen = seen.replace(&format!("127.0.0.1:{}", server.port()), "SERVER");
    shown::snapshot(Path::new("fixtures/mysql/rights.txt"), &seen)
}

async fn what_nobody_reads_fails_nothing(server: &MariaDb) -> Result<(), Failure> {
    let sql = "SELECT 1 AS id, 2 AS twice, 3 AS twice, x'ff' AS photo, CAST('0000-00-00' AS DATE) AS until, \
               CAST('12:00' AS TIME) AS opens, 'Ada' AS name";
    let seen = shown::only(&source(server), &model(sql), ReadScope::All, Some(&["id", "name"])).await;
    shown::snapshot(Path::new("fixtures/mysql/what-nobody-reads.txt"), &seen)
}

async fn connections_fail_clearly(server: &MariaDb) -> Result<(), Failure> {
    let protected = |word: &str| format!("mysql://protected:{word}@127.0.0.1:{}/shop", server.port());
    let socket = server.socket().display().to_string();
    let mut seen = String::new();
    for (case, url) in [
        ("nobody listens", "mysql://u:hunter2@127.0.0.1:1/d".to_owned()),
        ("wrong password", protected("hunter2")),
        ("right password", protected("correct%20horse")),
        ("password that is not encoded", protected("hunt@r2")),
        ("no such database", server.url().replace("/shop", "/nowhere")),
        ("a database of others", server.url().replace("root@", "reader@").replace("/shop", "/mysql")),
        ("no such user", server.url().replace("root@", "nobody@")),
        ("no TLS there", server.url().replace("disable", "require")),
        ("no TLS there, none required", server.url().replace("disable", "prefer")),
        ("a socket", format!("mysql://root@localhost/shop?socket={socket}")),
        ("not a URL", "hunter2".to_owned()),
        ("a URL of PostgreSQL", "postgres://u:hunter2@127.0.0.1/d".to_owned()),
        ("a setting of others", server.url() + "&charset=hunter2"),
        ("a value that is not one", server.url().replace("disable", "hunter2")),
    ] {
        let result = coho_source::test(&Connection::Mysql(connection(url))).await;
        let text = result.map_or_else(|error| shown::failure(&error), |()| "connected\n".to_owned());
        writeln!(seen, "{case}:\n{text}")?;
    }
    seen += "no database named:\n";
    let nowhere = connection(server.url().replace("/shop", ""));
    seen += &shown_at(server.port(), &Connection::Mysql(nowhere), "SELECT id FROM numbers").await;
    assert!(!seen.contains("hunter2"));
    let seen = seen.replace(&format!("127.0.0.1:{}", server.port()), "SERVER");
    shown::snapshot(Path::new("fixtures/mysql/connections.txt"), &seen)
}

/// What others write while rows are read is not seen.
async fn rows_are_one_state(server: &MariaDb) -> Result<(), Failure> {
    server.sql("CREATE TABLE state (id int); INSERT INTO state VALUES (1)")?;
    let mut reading =
        coho_source::read(&source(server), &model("SELECT COUNT(*) AS n FROM state"), ReadScope::All).await?;
    server.sql("INSERT INTO state VALUES (2)")?;
    let rows = reading.next().await?.unwrap_or_default();
    assert_eq!(rows.first().map(|row| row.cells().next()), Some(Some(Cell::Int(1))));
    Ok(())
}

/// Not even what has columns, or a function that writes.
async fn nobody_writes(server: &MariaDb) -> Result<(), Failure> {
    server.sql(
        "CREATE TABLE written (id int);
         DELIMITER //
         CREATE FUNCTION writes() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO written VALUES (1); RETURN 1; END //",
    )?;
    for sql in ["SELECT writes() AS one", "INSERT INTO written VALUES (1) RETURNING id"] {
        let reading = coho_source::read(&source(server), &model(sql), ReadScope::All).await;
        let error = match reading {
            Ok(mut reading) => reading.next().await.err(),
            Err(error) => Some(error),
        };
        assert!(error.as_ref().is_some_and(SourceError::is_of_query), "{sql}: {error:?}");
    }
    assert_eq!(server.sql("SELECT COUNT(*) FROM written")?, "0");
    Ok(())
}

async fn a_slow_query_is_ended(server: &MariaDb) -> Result<(), Failure> {
    let limit = Some(Duration::from_millis(50));
    let settings = MysqlConnection { statement_timeout: limit, ..connection(server.url()) };
    let slow =
        "SELECT COUNT(*) AS n FROM seq_1_to_1000000000 a, seq_1_to_1000000000 b WHERE a.seq <> b.seq + 1";
    let seen = shown_at(server.port(), &Connection::Mysql(settings), slow).await;
    shown::snapshot(Path::new("fixtures/mysql/slow-query.txt"), &seen)
}

/// Far more rows than could ever be read.
const ENDLESS: &str = "SELECT seq AS i, REPEAT('x', 1000) AS text FROM seq_1_to_1000000000000";

async fn a_scope_stops_a_long_query(server: &MariaDb) -> Result<(), Failure> {
    let mut reading = coho_source::read(&source(server), &model(ENDLESS), ReadScope::First(2_500)).await?;
    let mut rows = 0;
    while let Some(batch) = reading.next().await? {
        rows += batch.len();
    }
    assert_eq!(rows, 2_500);
    nothing_is_left(server).await
}

async fn a_dropped_reading_ends_its_query(server: &MariaDb) -> Result<(), Failure> {
    for sql in ["SELECT 'the sleeper' AS name, SLEEP(3600) AS slept", ENDLESS] {
        let mut reading = coho_source::read(&source(server), &model(sql), ReadScope::All).await?;
        reading.need(&[0])?;
        until(|| Ok(server.sql(RUNNING)?.contains("/* coho:model=m **/"))).await?;
        drop(reading);
        nothing_is_left(server).await?;
    }
    Ok(())
}

/// What the server does for others than the one who asks.
const RUNNING: &str =
    "SELECT info FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info IS NOT NULL";

async fn nothing_is_left(server: &MariaDb) -> Result<(), Failure> {
    let others =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'root'";
    until(|| Ok(server.sql(others)? == "0")).await
}

async fn until(mut is_so: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so()? {
        if Instant::now() > deadline {
            return Err("waited for twenty seconds".into());
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn a_killed_connection_is_not_the_end(server: &MariaDb) -> Result<(), Failure> {
    for kill in ["KILL CONNECTION", "KILL QUERY"] {
        let mut reading = coho_source::read(&source(server), &model(ENDLESS), ReadScope::All).await?;
        assert!(reading.next().await?.is_some());
        let number = server.sql(&RUNNING.replace("info FROM", "id FROM"))?;
        server.sql(&format!("{kill} {number}"))?;
        let error = end_of(&mut reading).await?;
        let is_told = matches!(&error, SourceError::Mysql(MysqlError::Lost(_) | MysqlError::Refused(_)));
        assert!(is_told, "{kill}: {error:?}");
    }
    nothing_is_left(server).await
}

async fn a_lost_server_is_not_the_end(server: &mut MariaDb) -> Result<(), Failure> {
    let mut reading = coho_source::read(&source(server), &model(ENDLESS), ReadScope::All).await?;
    assert!(reading.next().await?.is_some());
    server.stop()?;
    let error = end_of(&mut reading).await?;
    assert!(matches!(&error, SourceError::Mysql(MysqlError::Lost(_))), "{error:?}");
    Ok(())
}

/// The error that ends a reading.
async fn end_of(reading: &mut coho_source::Reading) -> Result<SourceError, Failure> {
    loop {
        match reading.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return Err("a reading that was cut off said that it was whole".into()),
            Err(error) => return Ok(error),
        }
    }
}
