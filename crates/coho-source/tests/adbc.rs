//! ADBC, with real drivers of real engines: DuckDB, SQLite, PostgreSQL and Spark. What drivers do that are not there, crash or hang is done by
//! a shell in their place.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use coho_core::row::Row as _;
use coho_core::value::Value;
use coho_source::buckets::CompareQuery;
use coho_source::{AdbcConnection, AdbcError, Connection, DriverHost, ReadScope, SourceError};
use coho_testkit::{BigQuery, Fakesnow, Postgres, Spark, adbc_driver_or_skip, engine_driver_or_skip};
use secrecy::SecretString;

#[path = "adbc/comparing.rs"]
mod comparing;
#[path = "support/marks.rs"]
mod marks;
#[path = "support/queries.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod queries;
#[path = "support/shown.rs"]
mod shown;

use queries::model;

/// The program that holds drivers.
const HOST: &str = env!("CARGO_BIN_EXE_coho-driver");

fn host(program: &str, arguments: &[&str]) -> DriverHost {
    let arguments = arguments.iter().map(OsString::from).collect();
    DriverHost { program: PathBuf::from(program), arguments }
}

fn source(driver: &Path, options: &[(&str, &str)]) -> AdbcConnection {
    let option = |(name, value): &(&str, &str)| ((*name).to_owned(), SecretString::from(*value));
    AdbcConnection {
        driver: driver.display().to_string(),
        options: options.iter().map(option).collect(),
        statement_timeout: None,
        folder: None,
        host: host(HOST, &[]),
        compares: false,
    }
}

/// A driver whose process runs a shell's command.
fn played(command: &str) -> AdbcConnection {
    AdbcConnection { host: host("/bin/sh", &["-c", command]), ..source(Path::new("played"), &[]) }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn shown_of(source: &AdbcConnection, sql: &str) -> String {
    let text = shown::shown(&Connection::Adbc(source.clone()), &model(sql), ReadScope::All).await;
    text.replace(&source.driver, "DRIVER")
}

/// Each expression with the type and the value that Coho gives it, or the refusal.
async fn types(source: &AdbcConnection, expressions: &str) -> String {
    let mut seen = String::new();
    for expression in expressions.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let text = shown_of(source, &format!("SELECT {expression} AS c")).await;
        let told = match text
            .strip_prefix("c (mixed)\nerror ")
            .or_else(|| text.split_once("\nerror ").map(|(_, it)| it))
        {
            Some(error) => error.trim_end().replace("\nhelp: in the model's SQL, write", " →"),
            None => text.trim_end().replacen("c (", "", 1).replacen(")\n", ": ", 1),
        };
        writeln!(seen, "{expression}\n    {told}").unwrap();
    }
    seen
}

const DUCKDB_TYPES: &str = "
    true
    (-128)::TINYINT
    (-32768)::SMALLINT
    (-2147483648)::INTEGER
    (-9223372036854775808)::BIGINT
    255::UTINYINT
    65535::USMALLINT
    4294967295::UINTEGER
    18446744073709551615::UBIGINT
    sum(1::BIGINT)
    99999999999999999999::HUGEINT
    (-170141183460469231731687303715884105728)::HUGEINT
    340282366920938463463374607431768211455::UHUGEINT
    0.1::FLOAT
    0.1::DOUBLE
    1e300::DOUBLE
    'NaN'::DOUBLE
    'inf'::FLOAT
    1.50::DECIMAL(4,2)
    0.000000001::DECIMAL(18,9)
    12345678901234567890123456789012345678::DECIMAL(38,0)
    -0.01::DECIMAL(4,2)
    'é😀 '
    ''
    NULL
    NULL::INTEGER
    'a'::BLOB
    '101'::BIT
    '0b7a1c3e-1b2c-4d5e-8f90-a1b2c3d4e5f6'::UUID
    '2026-11-24'::DATE
    '0044-03-15 (BC)'::DATE
    'infinity'::DATE
    '9999-12-31'::DATE
    '2026-11-24 10:00:00.123456'::TIMESTAMP
    '1969-07-20 20:17:39.999999'::TIMESTAMP
    '2026-11-24 10:00:00'::TIMESTAMP_S
    '2026-11-24 10:00:00.123'::TIMESTAMP_MS
    '2026-11-24 10:00:00.123456789'::TIMESTAMP_NS
    '2026-11-24 10:00:00.123456+02'::TIMESTAMPTZ
    'infinity'::TIMESTAMP
    '10:00:00'::TIME
    '10:00:00+02'::TIMETZ
    INTERVAL 3 DAYS
    'happy'::ENUM('sad', 'happy')
    NULL::ENUM('sad', 'happy')
    [1, 2, NULL]
    []
    [[1], NULL, []]
    ['a', 'b']::VARCHAR[2]
    {'a': 1.50, 'b': '2026-11-24'::DATE, 'c': {'d': [true]}}
    MAP {'a': 1, 'b': NULL}
    MAP {1: 'x'}
    ['x'::BLOB]
    [99999999999999999999::HUGEINT, true]
    [true, false]
    '{\"b\": 1.0, \"a\": [12345678901234567890]}'::JSON
    1::BIGNUM
    union_value(num := 2)
";

const SQLITE_TYPES: &str = "
    1
    9223372036854775807
    0.5
    'é'
    ''
    NULL
    x'00ff'
    9e999
    true
    date('2026-11-24')
";

const POSTGRES_TYPES: &str = "
    true
    (-32768)::int2
    2147483647::int4
    9223372036854775807::int8
    0.1::float4
    0.1::float8
    'NaN'::float8
    12345678901234567890.10::numeric
    1.50::numeric(4,2)
    'NaN'::numeric
    'é'::text
    'é'::varchar(4)
    'a'::char(3)
    'happy'::name
    NULL::text
    'x'::bytea
    1::money
    '0b7a1c3e-1b2c-4d5e-8f90-a1b2c3d4e5f6'::uuid
    '2026-11-24'::date
    '0044-03-15 BC'::date
    '2026-11-24 10:00:00.123456'::timestamp
    '2026-11-24 10:00:00.123456+02'::timestamptz
    'infinity'::timestamp
    '10:00'::time
    '1 day'::interval
    '{\"a\": 1.0, \"b\": [1]}'::json
    '{\"a\": 1.0}'::jsonb
    ARRAY[1, 2, NULL]
    ARRAY['a', 'b']
    '::1'::inet
    1::oid
    ROW(1, 'x')
";

/// In a session in Berlin.
const SPARK_TYPES: &str = "
    true
    -128Y
    32767S
    2147483647
    9223372036854775807L
    CAST(0.1 AS FLOAT)
    0.1D
    1e300D
    CAST('-0' AS DOUBLE)
    CAST('NaN' AS DOUBLE)
    CAST('Infinity' AS FLOAT)
    1.50BD
    CAST('0.000000001' AS DECIMAL(18, 9))
    CAST('12345678901234567890123456789012345678' AS DECIMAL(38, 0))
    CAST('1e-38' AS DECIMAL(38, 38))
    'é😀 '
    ''
    'A' COLLATE UTF8_LCASE
    CAST('a' AS VARCHAR(3))
    NULL
    CAST(NULL AS INT)
    X'00ff'
    CAST(X'ff' AS STRING)
    array(CAST(X'ff' AS STRING))
    DATE '2026-11-24'
    DATE '0001-01-01'
    DATE '12026-01-01'
    TIMESTAMP '2026-11-24 10:00:00.123456'
    TIMESTAMP '2026-10-25 00:30:00.123456Z'
    TIMESTAMP '2026-10-25 01:30:00.123456Z'
    TIMESTAMP '0001-01-01 00:00:00Z'
    TIMESTAMP_NTZ '2026-03-29 02:30:00.123456'
    TIME '10:00:00'
    INTERVAL 3 DAYS
    INTERVAL '1-2' YEAR TO MONTH
    array(1, 2, NULL)
    array()
    array(array(1), NULL)
    array(X'00')
    array(CAST('NaN' AS DOUBLE))
    named_struct('a', 1.50BD, 'b', DATE '2026-11-24', 'c', named_struct('d', array(true)))
    named_struct('a', TIMESTAMP '2026-10-25 00:30:00.123456Z', 'b', TIMESTAMP_NTZ '2026-10-25 00:30:00.123456')
    map('a', 1, 'b', NULL)
    map(1, 'x')
    parse_json('{}')
    to_json(parse_json('{}'))
";

/// Models that are read, and ones that are refused before or by the engine.
const SPARK_MODELS: [&str; 14] = [
    "SELECT 1 AS id, 'Ada' AS name; -- one",
    "FROM range(3)",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT id FROM range(3) -- the last word",
    "SELECT 1 AS twice, 2 AS twice, 3 AS id",
    "-- table: nobody.has_this",
    "SELECT 1 AS one; DELETE FROM t",
    "CREATE TABLE t AS SELECT 1",
    "WITH x AS (SELECT 1 AS id) INSERT INTO t SELECT * FROM x",
    "FROM range(3) INSERT INTO t SELECT *",
    "SELEKT 1",
    "SELECT nmae FROM range(3)",
    "SELECT id, raise_error('boom') AS c FROM range(3)",
    "SHOW NAMESPACES",
];

/// As an emulator has them.
const BIGQUERY_TYPES: &str = "
    true
    -9223372036854775807
    CAST('1.50' AS NUMERIC)
    CAST('12345678901234567890123456789.000000001' AS NUMERIC)
    CAST('0.1' AS FLOAT64)
    CAST('1e300' AS FLOAT64)
    CAST('NaN' AS FLOAT64)
    CAST('inf' AS FLOAT64)
    'é😀 '
    ''
    CAST(NULL AS STRING)
    b'a'
    DATE '2026-11-24'
    DATE '0001-01-01'
    DATETIME '2026-11-24 10:00:00.123456'
    TIMESTAMP '2026-10-25 00:30:00.123456+00'
    TIMESTAMP '2026-10-25 03:30:00.123456+02'
    TIME '10:00:00'
    INTERVAL 3 DAY
    [1, 2]
    ARRAY<INT64>[]
    ['a', 'b']
    [b'a']
    [TIME '10:00:00']
    STRUCT('1.50' AS a, DATE '2026-11-24' AS b, STRUCT([true] AS d) AS c)
    STRUCT(TIMESTAMP '2026-10-25 00:30:00.123456+00' AS a, DATETIME '2026-10-25 00:30:00.123456' AS b)
    JSON '{\"b\": 1.0, \"a\": [12345678901234567890]}'
";

/// Models that are read, and ones that are refused before or by the engine; and one whose rows are lost on their way, of which the driver
/// says nothing.
const BIGQUERY_MODELS: [&str; 15] = [
    "SELECT 1 AS id, 'Ada' AS name; -- one",
    "SELECT n AS id FROM UNNEST([1, 2, 3]) AS n -- the last word",
    "SELECT n AS id FROM UNNEST([1, 2, 3]) AS n # don't",
    "WITH coho_counted AS (SELECT 1 AS id) SELECT * FROM coho_counted",
    "SELECT 1 AS id, [1] AS list, JSON '{}' AS json LIMIT 0",
    "-- table: nobody.has_this",
    "SELECT 1 AS one; DELETE FROM t",
    "SELECT 1 AS one # don't\n; DELETE FROM t -- '",
    "CREATE TABLE t AS SELECT 1",
    "SELEKT 1",
    "SELECT nmae FROM UNNEST([1]) AS id",
    "SELECT id, ERROR('boom') AS c FROM UNNEST([1]) AS id",
    "SELECT ';' AS a, \"it's; it\" AS b, '''a ' ; ''' AS c",
    "SELECT n AS id, 1 AS broken_stream FROM UNNEST([1, 2, 3]) AS n",
    "SELECT n AS id, 1 AS broken_stream FROM UNNEST([1]) AS n",
];

#[test]
fn types_of_duckdb_are_exact_or_refused() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "types_of_duckdb").unwrap() else { return };
    let seen = block_on(types(&source(&driver, &[]), DUCKDB_TYPES));
    shown::snapshot(Path::new("fixtures/adbc/types-of-duckdb.txt"), &seen).unwrap();
}

#[test]
fn types_of_sqlite_are_exact_or_refused() {
    let Some(driver) = adbc_driver_or_skip("sqlite", "types_of_sqlite").unwrap() else { return };
    let seen = block_on(types(&source(&driver, &[]), SQLITE_TYPES));
    shown::snapshot(Path::new("fixtures/adbc/types-of-sqlite.txt"), &seen).unwrap();
}

#[test]
fn types_of_postgresql_are_exact_or_refused() {
    let test = "types_of_postgresql";
    let Some(driver) = adbc_driver_or_skip("postgresql", test).unwrap() else { return };
    let Some(server) = Postgres::start_or_skip(test).unwrap() else { return };
    let source = source(&driver, &[("uri", &server.url())]);
    let seen = block_on(types(&source, POSTGRES_TYPES));
    shown::snapshot(Path::new("fixtures/adbc/types-of-postgresql.txt"), &seen).unwrap();
    block_on(async {
        assert!(
            shown_of(&source, "WITH d AS (DELETE FROM pg_am RETURNING 1) TABLE d")
                .await
                .contains("read-only")
        );
        let slow = AdbcConnection { statement_timeout: Some(Duration::from_millis(200)), ..source.clone() };
        let error = shown_of(&slow, "SELECT pg_sleep(3600)::text AS c").await;
        assert!(error.contains("statement timeout") || error.contains("not done after 0.2 s"), "{error}");
        // The pattern is in two parts, so that it does not find itself.
        let listed = "SELECT query LIKE '%/* coho:' || 'model=m */ SELECT%' AS c FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        assert_eq!(shown_of(&source, listed).await, "c (boolean)\ntrue\n");
        let wrong = self::source(&driver, &[("uri", &server.url().replace("postgres@", "nobody:hunter2@"))]);
        let error = shown_of(&wrong, "SELECT 1 AS c").await;
        assert!(error.contains("nobody") && !error.contains("hunter2"), "{error}");
    });
}

/// Models that are read, and ones that are refused before or by the engine.
#[test]
fn models_of_duckdb_are_one_query() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "models_of_duckdb").unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.duckdb");
    let path = file.display().to_string();
    let seen = block_on(async {
        let mut seen = String::new();
        let source = source(&driver, &[]);
        for sql in [
            "SELECT 1 AS id, 'Ada' AS name; -- one",
            "FROM range(3) AS t(id)",
            "SELECT i AS id FROM range(3) AS t(i) -- the last word",
            "-- table: information_schema.schemata_of_nobody",
            "-- table: memory.information_schema.character_sets",
            "SELECT 1 AS one; DELETE FROM t",
            "DELETE FROM t",
            "CREATE TABLE t AS SELECT 1",
            "-- nothing",
            "SELEKT 1",
            "SELECT nmae FROM range(3) AS t(id)",
            "SELECT id FROM {{ source('shop', 'photos') }}",
            "SELECT 1 AS twice, 2 AS twice",
            "SELECT 10 / (i - 2) AS id, error('boom') AS c FROM range(5) AS t(i)",
            "SELECT ?::INT AS c",
            "SELECT 'a; b' AS \"it's\", $$ ; $$ AS d",
        ] {
            writeln!(seen, "{sql}\n{}", shown_of(&source, sql).await).unwrap();
        }
        let missing = self::source(&driver, &[("path", &path)]);
        let told = shown_of(&missing, "SELECT 1 AS c").await.replace(&path, "FILE");
        writeln!(seen, "a file that is not there\n{told}").unwrap();
        let odd = self::source(&driver, &[("acess_mode", "READ_ONLY")]);
        writeln!(seen, "an option that it does not know\n{}", shown_of(&odd, "SELECT 1 AS c").await).unwrap();
        seen
    });
    assert!(!file.exists(), "a file that is not there is not made");
    shown::snapshot(Path::new("fixtures/adbc/models-of-duckdb.txt"), &seen).unwrap();
}

#[test]
fn what_nobody_reads_fails_nothing() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "what_nobody_reads").unwrap() else { return };
    let source = Connection::Adbc(source(&driver, &[]));
    let sql = "SELECT 1 AS id, 2 AS twice, 3 AS twice, 'x'::BLOB AS photo, 'infinity'::DATE AS until, 'Ada' AS name";
    let read = |needed| block_on(shown::only(&source, &model(sql), ReadScope::All, Some(needed)));
    let columns = "id (integer) | twice (integer) | photo (mixed) | until (date) | name (text)\n";
    assert_eq!(read(&["id", "name"]), format!("{columns}1 | 2 | null | null | \"Ada\"\n"));
    assert!(read(&["id", "twice"]).contains("two columns named `twice`"));
    assert!(read(&["until"]).contains("column `until` contains a date outside the years 1 to 9999"));
}

#[test]
fn many_rows_arrive_once_and_in_their_order() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "many_rows").unwrap() else { return };
    let source = Connection::Adbc(source(&driver, &[]));
    let model = model("SELECT i AS id, 'row ' || i AS name FROM range(100000) AS t(i)");
    block_on(async {
        for (scope, wanted) in
            [(ReadScope::All, 100_000), (ReadScope::First(2_500), 2_500), (ReadScope::First(0), 0)]
        {
            let mut reading = coho_source::read(&source, &model, scope).await.unwrap();
            let mut ids = Vec::new();
            while let Some(rows) = reading.next().await.unwrap() {
                ids.extend(rows.iter().map(|row| row.cell(0).to_value()));
            }
            assert_eq!(ids, (0..i64::try_from(wanted).unwrap()).map(Value::Int).collect::<Vec<_>>());
            assert_eq!(reading.moved().rows, wanted);
        }
    });
}

#[test]
fn columns_are_known_without_rows() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "columns_are_known").unwrap() else { return };
    let source = Connection::Adbc(source(&driver, &[]));
    let endless = model("SELECT count(*) AS n, error('run') AS c FROM range(1000000000000)");
    let outline = block_on(coho_source::outline(&source, &endless)).unwrap();
    assert_eq!(outline.columns().names().collect::<Vec<_>>(), ["n", "c"]);
    block_on(coho_source::test(&source)).unwrap();
}

const ENDLESS: &str = "SELECT count(*) AS n FROM range(100000000000000) AS t(i) WHERE i % 7 = 9";

#[test]
fn a_query_beyond_its_limit_is_ended() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "a_query_beyond_its_limit").unwrap() else { return };
    let source =
        AdbcConnection { statement_timeout: Some(Duration::from_millis(300)), ..source(&driver, &[]) };
    let seen = block_on(shown_of(&source, ENDLESS));
    assert!(seen.contains("the query of the ADBC driver `DRIVER` was not done after 0.3 s"), "{seen}");
    assert!(seen.contains("raise the source's `statement_timeout`"), "{seen}");
}

/// The process holds a pipe open as long as it lives.
#[test]
fn a_dropped_reading_ends_its_process() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "a_dropped_reading").unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let command = format!("exec 3>'{}'; exec '{HOST}'", pipe.display());
    let source = AdbcConnection { host: host("/bin/sh", &["-c", &command]), ..source(&driver, &[]) };
    let ended =
        std::thread::spawn(move || std::fs::File::open(pipe).unwrap().read_to_end(&mut Vec::new()).unwrap());
    block_on(async {
        let rows = model("SELECT i AS id FROM range(100000000000000) AS t(i)");
        let mut reading = coho_source::read(&Connection::Adbc(source), &rows, ReadScope::All).await.unwrap();
        reading.next().await.unwrap().unwrap();
        drop(reading);
        tokio::task::spawn_blocking(move || ended.join().unwrap()).await.unwrap();
    });
}

/// The same engine in two zones: its driver takes the zone of its process.
#[test]
fn what_duckdb_says_of_rows_tells_them_apart() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "what_duckdb_says_of_rows").unwrap() else { return };
    let zone = |zone: &str| AdbcConnection {
        host: host("/usr/bin/env", &[&format!("TZ={zone}"), HOST]),
        compares: true,
        ..source(&driver, &[])
    };
    block_on(comparing::all_of_duckdb(&[zone("UTC"), zone("Europe/Berlin")])).unwrap();
}

#[test]
fn what_snowflakes_emulator_says_of_rows_tells_them_apart() {
    let test = "what_snowflakes_emulator_says_of_rows";
    let Some(driver) = engine_driver_or_skip("snowflake", test).unwrap() else { return };
    let Some(server) = Fakesnow::start_or_skip(test).unwrap() else { return };
    let options = server.options();
    let options: Vec<_> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let source = AdbcConnection { compares: true, ..source(&driver, &options) };
    block_on(comparing::all_of_snowflake(&source)).unwrap();
}

/// One server for all that is asked of it: it takes a while to start.
#[test]
fn bigquerys_emulator_is_read_exactly_and_what_it_says_of_rows_tells_them_apart() {
    let test = "what_bigquerys_emulator_says_of_rows";
    let Some(driver) = engine_driver_or_skip("bigquery", test).unwrap() else { return };
    let Some(server) = BigQuery::start_or_skip(test).unwrap() else { return };
    let options = server.options();
    let options: Vec<_> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let arguments = server.environment().into_iter().chain([HOST.into()]).collect();
    let host = DriverHost { program: "/usr/bin/env".into(), arguments };
    let full = AdbcConnection { host, ..source(&driver, &options) };
    let seen = block_on(types(&full, BIGQUERY_TYPES));
    let models = block_on(async {
        let mut seen = String::new();
        for sql in BIGQUERY_MODELS {
            writeln!(seen, "{sql}\n{}", shown_of(&full, sql).await).unwrap();
        }
        seen
    });
    block_on(comparing::all_of_bigquery(&AdbcConnection { compares: true, ..full })).unwrap();
    shown::snapshot(Path::new("fixtures/adbc/types-of-bigquery.txt"), &seen).unwrap();
    shown::snapshot(Path::new("fixtures/adbc/models-of-bigquery.txt"), &models).unwrap();
}

/// One cluster for all that is asked of it: it takes a while to start.
#[test]
fn spark_is_read_exactly_and_what_it_says_of_rows_tells_them_apart() {
    let test = "what_spark_says_of_rows";
    let Some(driver) = engine_driver_or_skip("spark", test).unwrap() else { return };
    let Some(cluster) = Spark::start_or_skip(test).unwrap() else { return };
    let full = source(&driver, &[("uri", &cluster.uri())]);
    let seen = block_on(types(&full, SPARK_TYPES));
    let models = block_on(async {
        let mut seen = String::new();
        for sql in SPARK_MODELS {
            writeln!(seen, "{sql}\n{}", shown_of(&full, sql).await).unwrap();
        }
        seen
    });
    block_on(comparing::all_of_spark(&AdbcConnection { compares: true, ..full })).unwrap();
    shown::snapshot(Path::new("fixtures/adbc/types-of-spark.txt"), &seen).unwrap();
    shown::snapshot(Path::new("fixtures/adbc/models-of-spark.txt"), &models).unwrap();
}

#[test]
fn an_engine_that_is_not_known_is_read_in_full() {
    let Some(driver) = adbc_driver_or_skip("sqlite", "an_engine_that_is_not_known").unwrap() else { return };
    let source = Connection::Adbc(AdbcConnection { compares: true, ..source(&driver, &[]) });
    let why = block_on(marks::asked(&source, "SELECT 'a' AS id", None)).unwrap().map(drop);
    assert_eq!(why.unwrap_err(), "Coho cannot compare rows in `SQLite` through its ADBC driver");
}

/// Where the sums take too long, another process reads all rows.
#[test]
fn sums_beyond_the_limit_leave_the_rows_to_be_read() {
    let Some(driver) = adbc_driver_or_skip("duckdb", "sums_beyond_the_limit").unwrap() else { return };
    let limited = AdbcConnection {
        statement_timeout: Some(Duration::from_secs(3)),
        compares: true,
        ..source(&driver, &[])
    };
    let sql = "WITH n AS \
               (SELECT unnest(range(CASE WHEN contains(current_query(), 'md' || '5') THEN 1000000 ELSE 1 END)) AS i) \
               SELECT 'a' AS id FROM range(3) WHERE (SELECT count(*) FROM n AS a, n AS b WHERE (a.i + b.i) % 7 = 9) = 0";
    block_on(async {
        let mut reading =
            coho_source::read(&Connection::Adbc(limited), &model(sql), ReadScope::All).await.unwrap();
        let ask = CompareQuery { key: vec![0], reads: vec![0], bits: Some(6), cache: None };
        let why = reading.compare(&[0], ask).await.unwrap().unwrap_err();
        assert!(why.starts_with("DuckDB's time limit ended the comparison: "), "{why}");
        assert_eq!(reading.next().await.unwrap().unwrap().len(), 3);
        assert_eq!(reading.next().await.unwrap(), None);
    });
}

#[test]
fn a_driver_that_crashes_is_a_message() {
    let mut seen = String::new();
    for (case, command) in [
        ("a fault of memory", "kill -SEGV $$"),
        ("killed", "kill -KILL $$"),
        ("a runtime of Go", "printf 'panic: boom\\n\\ngoroutine 1 [running]:\\n' >&2; exit 2"),
        ("after a part of an answer", "printf 'R\\377\\000\\000\\000abc'; kill -ABRT $$"),
        ("something else", "echo this is no driver"),
        ("it ends", "exit 0"),
    ] {
        writeln!(seen, "{case}:\n{}", block_on(shown_of(&played(command), "SELECT 1 AS c"))).unwrap();
    }
    let nobody = AdbcConnection { host: host("/nowhere/coho", &[]), ..played("") };
    writeln!(seen, "no such program:\n{}", block_on(shown_of(&nobody, "SELECT 1 AS c"))).unwrap();
    shown::snapshot(Path::new("fixtures/adbc/crashes.txt"), &seen).unwrap();
}

#[test]
fn a_missing_driver_says_where_it_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let text = folder.path().join("notes.so");
    std::fs::write(&text, "this is no library").unwrap();
    let manifest = "[Driver]\nshared = \"/nowhere/libvertica.so\"\n";
    std::fs::write(folder.path().join("vertica.toml"), manifest).unwrap();
    let home = format!("HOME={place}");
    let path = format!("ADBC_DRIVER_PATH={place}");
    let host = host("/usr/bin/env", &["-i", &home, &path, HOST]);
    let mut seen = String::new();
    for driver in ["snowflake", "vertica", "nothing-known", "/nowhere/libduckdb.so", text.to_str().unwrap()] {
        let source = AdbcConnection { host: host.clone(), ..source(Path::new(driver), &[]) };
        let error = block_on(coho_source::test(&Connection::Adbc(source))).unwrap_err();
        let is_missing = matches!(error, SourceError::Adbc(AdbcError::Missing { .. }));
        assert_eq!(is_missing, !driver.ends_with("notes.so"), "{driver}");
        writeln!(seen, "{driver}:\n{}", shown::failure(&error)).unwrap();
    }
    shown::snapshot(Path::new("fixtures/adbc/missing.txt"), &seen.replace(&place, "HOME")).unwrap();
}
