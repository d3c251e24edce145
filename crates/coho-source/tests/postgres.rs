//! PostgreSQL, against a real server: each `fixtures/postgres/*.sql` as the rows it gives or the error that a user reads,
//! and what only a running server shows. One test, because each test process starts a server of its own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use coho_source::{Connection, PostgresConnection, PostgresError, ReadScope, SourceError};
use coho_testkit::Postgres;

#[path = "support/queries.rs"]
mod queries;
#[path = "support/marks.rs"]
mod marks;
#[path = "support/shown.rs"]
mod shown;

use marks::{marked, sums_are_those_of_rows};
use queries::{fixtures_match, model, shown_at};

type Failure = Box<dyn std::error::Error>;

#[test]
fn postgres_gives_exact_rows_and_clear_errors() {
    let test = "coho-source: postgres_gives_exact_rows_and_clear_errors";
    let Some(mut server) = Postgres::start_or_skip(test).unwrap() else { return };
    server.psql(include_str!("postgres/setup.sql")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        fixtures_match("postgres", server.port(), &Connection::Postgres(connection(server.url())))
            .await
            .unwrap();
        columns_are_known_without_rows(&server).await.unwrap();
        rights_are_asked_for_without_rows(&server).await.unwrap();
        what_nobody_reads_fails_nothing(&server).await.unwrap();
        connections_fail_clearly(&server).await.unwrap();
        values_that_differ_have_other_fingerprints(&server).await.unwrap();
        sums_are_those_of_the_rows_that_are_given(&server).await.unwrap();
        a_slow_query_is_ended(&server).await.unwrap();
        a_scope_stops_a_long_query(&server).await.unwrap();
        a_dropped_reading_ends_its_query(&server).await.unwrap();
        a_lost_server_is_not_the_end(&mut server).await.unwrap();
    });
}

fn connection(url: String) -> PostgresConnection {
    PostgresConnection { url: url.into(), statement_timeout: None }
}

async fn columns_are_known_without_rows(server: &Postgres) -> Result<(), Failure> {
    let source = Connection::Postgres(connection(server.url()));
    let outline =
        coho_source::outline(&source, &model("SELECT pg_sleep(3600)::text AS slept, 1 AS one")).await?;
    assert_eq!(outline.columns().names().collect::<Vec<_>>(), ["slept", "one"]);
    // What has columns and no plan is asked too.
    assert!(coho_source::outline(&source, &model("SHOW server_encoding")).await.is_ok());
    Ok(())
}

/// The server prepares a query for whom it will not run it.
async fn rights_are_asked_for_without_rows(server: &Postgres) -> Result<(), Failure> {
    let reader = Connection::Postgres(connection(server.url().replace("postgres@", "reader@")));
    let mut seen = String::new();
    for sql in ["SELECT id FROM secrets -- all of them", "-- table: secrets", "SELECT 1 AS one"] {
        let outline = coho_source::outline(&reader, &model(sql)).await;
        let text = outline.map_or_else(|error| shown::failure(&error), |_| "may be read\n".to_owned());
        writeln!(seen, "{sql}:\n{text}")?;
    }
    let seen = seen.replace(&format!("127.0.0.1:{}", server.port()), "SERVER");
    shown::snapshot(Path::new("fixtures/postgres/rights.txt"), &seen)
}

async fn what_nobody_reads_fails_nothing(server: &Postgres) -> Result<(), Failure> {
    let source = Connection::Postgres(connection(server.url()));
    let sql = "SELECT 1 AS id, 2 AS twice, 3 AS twice, 'x'::bytea AS photo, 'infinity'::date AS until, \
               '12:00'::time AS opens, 'Ada' AS name";
    let seen = shown::only(&source, &model(sql), ReadScope::All, Some(&["id", "name"])).await;
    shown::snapshot(Path::new("fixtures/postgres/what-nobody-reads.txt"), &seen)
}

async fn connections_fail_clearly(server: &Postgres) -> Result<(), Failure> {
    let protected = |word: &str| format!("postgres://protected:{word}@127.0.0.1:{}/postgres", server.port());
    let mut seen = String::new();
    for (case, url) in [
        ("nobody listens", "postgres://u:hunter2@127.0.0.1:1/d".to_owned()),
        ("wrong password", protected("hunter2")),
        ("right password", protected("correct%20horse")),
        ("no such database", server.url_of("nowhere")),
        ("no such role", format!("postgres://nobody@127.0.0.1:{}/postgres", server.port())),
        ("no TLS there", server.url().replace("disable", "require")),
        ("no TLS there, none required", server.url().replace("disable", "prefer")),
        ("not a URL", "hunter2".to_owned()),
    ] {
        let result = coho_source::test(&Connection::Postgres(connection(url))).await;
        let text = result.map_or_else(|error| shown::failure(&error), |()| "connected\n".to_owned());
        writeln!(seen, "{case}:\n{text}")?;
    }
    let reader = connection(server.url().replace("postgres@", "reader@"));
    seen += "no permission:\n";
    seen += &shown_at(server.port(), &Connection::Postgres(reader), "SELECT * FROM secrets").await;
    assert!(!seen.contains("hunter2"));
    let seen = seen.replace(&format!("127.0.0.1:{}", server.port()), "SERVER");
    shown::snapshot(Path::new("fixtures/postgres/connections.txt"), &seen)
}

/// Values of each type of which Coho tells each from the others, next to each other or with one text in some setting.
const NEAR: [(&str, &[&str]); 16] = [
    ("boolean", &["true", "false"]),
    ("int8", &["0", "1", "9007199254740992", "9007199254740993"]),
    ("float4", &["0", "-0", "1", "1.0000001"]),
    ("float8", &["0", "-0", "0.1", "0.10000000000000002", "1e300", "1.0000000000000002e300"]),
    ("numeric", &["0", "1", "10", "1.000000000000000000001", "-1"]),
    ("text", &["", "null", "NULL", "a", "a ", "A", "a,b", "a\",\"b", "(a)", "{}", "é", "e\u{301}", "a\nb"]),
    ("char(4)", &["", "a", "b"]),
    ("uuid", &["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]),
    ("timestamptz", &["2026-03-29 00:59:59.999999Z", "2026-03-29 01:00:00Z", "2026-03-29 01:00:00.000001Z"]),
    ("timestamp", &["2026-01-01 00:00:00", "2026-01-01 00:00:00.000001", "0001-01-01 00:00:00"]),
    ("date", &["2026-01-02", "2026-02-01", "2001-02-26"]),
    ("json", &["{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "{\"a\":1.0}", "1", "\"1\"", "[1,2]", "\"null\""]),
    ("jsonb", &["{\"a\":1,\"b\":2}", "{\"a\":12}", "1", "\"1\"", "[1,2]", "[12]"]),
    ("text[]", &["{}", "{NULL}", "{\"NULL\"}", "{a,b}", "{\"a,b\"}", "{\"\"}", "{b,a}"]),
    ("float8[]", &["{0}", "{-0}", "{0.1}", "{0.10000000000000002}"]),
    ("int4[]", &["{1,2}", "{12}", "{2,1}"]),
];

/// Two values are never taken for the same, whatever the settings of the session are; and those change nothing.
async fn values_that_differ_have_other_fingerprints(server: &Postgres) -> Result<(), Failure> {
    let settings = "extra_float_digits = -15|DateStyle = 'German, DMY'|TimeZone = 'Asia/Kolkata'|bytea_output = 'escape'";
    let source = Connection::Postgres(connection(server.url()));
    for (kind, values) in NEAR {
        let rows: Vec<_> = values.iter().map(|value| format!("('k', '{value}'::{kind}, 1)")).collect();
        // Null, and a value that moves to the next column.
        let sql = format!(
            "SELECT * FROM (VALUES {}, ('k', NULL, 1), ('k', NULL, NULL)) AS v (id, value, next)",
            rows.join(", ")
        );
        let before = marked(&source, &sql, None).await?;
        for setting in settings.split('|') {
            server.psql(&format!("ALTER ROLE postgres SET {setting}"))?;
        }
        let after = marked(&source, &sql, None).await?;
        server.psql("ALTER ROLE postgres RESET ALL")?;
        assert_eq!(before, after, "{kind}");
        let different: BTreeSet<_> = before.1.iter().map(|row| row.halves).collect();
        assert_eq!(different.len(), values.len() + 2, "{kind}: {sql}");
    }
    let two = "SELECT * FROM (VALUES ('k', 'a', 'b,c'), ('k', 'a,b', 'c'), ('k', NULL, 'a'), ('k', 'a', NULL), ('k', '', 'a')) AS v";
    let (_, rows) = marked(&source, two, None).await?;
    assert_eq!(rows.iter().map(|row| row.halves).collect::<BTreeSet<_>>().len(), 5);
    Ok(())
}

async fn sums_are_those_of_the_rows_that_are_given(server: &Postgres) -> Result<(), Failure> {
    let sql =
        "SELECT CASE WHEN n % 10 > 0 THEN 'é' || n % 200 END AS id, n FROM generate_series(1, 1000) AS n";
    sums_are_those_of_rows(&Connection::Postgres(connection(server.url())), sql, 100).await
}

async fn a_slow_query_is_ended(server: &Postgres) -> Result<(), Failure> {
    let limit = Some(Duration::from_millis(50));
    let settings = PostgresConnection { statement_timeout: limit, ..connection(server.url()) };
    let seen = shown_at(
        server.port(),
        &Connection::Postgres(settings),
        "SELECT 1 AS one, pg_sleep(60)::text AS slept",
    )
    .await;
    shown::snapshot(Path::new("fixtures/postgres/slow-query.txt"), &seen)
}

/// Far more rows than could ever be read. In the select list the series is streamed; in FROM the server would first store it.
const ENDLESS: &str = "SELECT generate_series(1, 1000000000000) AS i, repeat('x', 1000) AS text";

async fn a_scope_stops_a_long_query(server: &Postgres) -> Result<(), Failure> {
    let source = Connection::Postgres(connection(server.url()));
    let mut reading = coho_source::read(&source, &model(ENDLESS), ReadScope::First(2_500)).await?;
    let mut rows = 0;
    while let Some(batch) = reading.next().await? {
        rows += batch.len();
    }
    assert_eq!(rows, 2_500);
    Ok(())
}

async fn a_dropped_reading_ends_its_query(server: &Postgres) -> Result<(), Failure> {
    let source = Connection::Postgres(connection(server.url()));
    let sleeper = model("SELECT 'the sleeper' AS name, pg_sleep(3600)::text AS slept");
    let mut reading = coho_source::read(&source, &sleeper, ReadScope::All).await?;
    reading.need(&[0, 1])?;
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name = 'coho:model=m'";
    let until = async |wanted: &str| -> Result<(), Failure> {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while server.psql(running)? != wanted {
            assert!(std::time::Instant::now() < deadline, "there are not {wanted} queries");
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    until("1").await?;
    drop(reading);
    until("0").await
}

async fn a_lost_server_is_not_the_end(server: &mut Postgres) -> Result<(), Failure> {
    let source = Connection::Postgres(connection(server.url()));
    let mut reading = coho_source::read(&source, &model(ENDLESS), ReadScope::All).await?;
    assert!(reading.next().await?.is_some());
    server.stop()?;
    let error = loop {
        match reading.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return Err("a reading that was cut off said that it was whole".into()),
            Err(error) => break error,
        }
    };
    let lost = matches!(&error, SourceError::Postgres(PostgresError::Lost(_) | PostgresError::Refused(_)));
    assert!(lost, "{error:?}");
    Ok(())
}
