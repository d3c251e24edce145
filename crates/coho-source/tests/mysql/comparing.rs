//! What MariaDB says of rows without giving them: fingerprints that tell apart all that Coho tells apart, and sums of them.

use std::collections::BTreeSet;

use coho_core::row::{Cell, Row as _, RowBuf};
use coho_source::ReadScope;
use coho_testkit::MariaDb;

use super::marks::{asked, marked, sums_are_those_of_rows};
use super::queries::model;
use super::source;

type Failure = Box<dyn std::error::Error>;

/// All of it.
pub(crate) async fn all(server: &MariaDb) -> Result<(), Failure> {
    values_that_differ_have_other_fingerprints(server).await?;
    cells_are_framed(server).await?;
    no_two_floats_are_taken_for_one(server).await?;
    a_row_beyond_the_largest_packet_differs_each_time(server).await?;
    rows_are_those_of_a_full_read(server).await?;
    keys_are_told_as_coho_writes_them(server).await?;
    what_cannot_be_compared_says_why(server).await?;
    let sql = "SELECT IF(seq % 10 > 0, CONCAT('é', seq % 200), NULL) AS id, seq FROM seq_1_to_1000";
    sums_are_those_of_rows(&source(server), sql, 100).await
}

/// Values of each type of which Coho tells each from the others, next to each other or with one text in some setting.
const NEAR: [(&str, &[&str]); 22] = [
    ("boolean", &["true", "false"]),
    ("bit(1)", &["b'0'", "b'1'"]),
    ("int(8) zerofill", &["1", "10", "100"]),
    ("bigint", &["0", "1", "9007199254740992", "9007199254740993", "-1"]),
    ("bigint unsigned", &["0", "9223372036854775806", "9223372036854775807"]),
    ("year", &["0", "1999", "2026"]),
    ("float", &["0", "1", "1.0000001", "16777215", "16777216", "1e-45", "3.4028234e38", "-1"]),
    ("double", &["0", "0.1", "0.10000000000000002", "1e300", "1.0000000000000002e300", "5e-324", "-0.1"]),
    ("decimal(65,30)", &["0", "1", "10", "1.000000000000000000000000000001", "-1"]),
    ("varchar(20)", TEXTS),
    ("varchar(20) COLLATE utf8mb4_bin", TEXTS),
    ("longtext", TEXTS),
    ("varchar(20) CHARACTER SET latin1", &["'é'", "'É'", "'e'", "'ÿ'", "'?'"]),
    ("varchar(20) CHARACTER SET utf16", &["'é'", "'e\\u0301'", "'🦜'", "'?'", "''", "' '"]),
    ("char(6)", &["''", "'a'", "'A'", "'b'"]),
    ("enum('a', 'A', 'null', '1', '2') COLLATE utf8mb4_bin", &["'a'", "'A'", "'null'", "'1'", "'2'"]),
    ("set('a', 'b', 'ab')", &["''", "'a'", "'b'", "'a,b'", "'ab'"]),
    (
        "timestamp(6) NULL",
        &["'2026-03-29 00:59:59.999999'", "'2026-03-29 01:00:00'", "'2026-03-29 01:00:00.000001'"],
    ),
    (
        "datetime(6)",
        &["'2026-01-01'", "'2026-01-01 00:00:00.000001'", "'0001-01-01'", "'2026-01-01 12:00:00'"],
    ),
    ("datetime", &["'2026-01-01'", "'2026-01-01 00:00:01'", "'2026-01-10'"]),
    ("date", &["'2026-01-02'", "'2026-02-01'", "'2001-02-26'"]),
    (
        "json",
        &[
            "'{\"a\":1,\"b\":2}'",
            "'{\"b\":2,\"a\":1}'",
            "'{\"a\":1.0}'",
            "'1'",
            "'\"1\"'",
            "'[1,2]'",
            "'null'",
        ],
    ),
];

/// To most collations, some of these are equal.
const TEXTS: &[&str] = &[
    "''",
    "' '",
    "'a'",
    "'a '",
    "'A'",
    "'á'",
    "'null'",
    "'NULL'",
    "'-'",
    "'a,b'",
    "'a,-,b'",
    "'61'",
    "'é'",
    "CONVERT(x'65CC81' USING utf8mb4)",
    "'a\nb'",
    "CHAR(0)",
    "'🦜'",
];

/// Settings of the server for sessions to come that change the text of values, or what SQL means.
const SETTINGS: &str = "SET GLOBAL time_zone = 'SYSTEM', collation_connection = utf8mb4_unicode_ci, \
     sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE,ONLY_FULL_GROUP_BY,REAL_AS_FLOAT,HIGH_NOT_PRECEDENCE', \
     div_precision_increment = 0, lc_time_names = 'de_DE', group_concat_max_len = 4, sql_select_limit = 3";

const DEFAULTS: &str = "SET GLOBAL time_zone = '+05:00', collation_connection = DEFAULT, sql_mode = DEFAULT, \
     div_precision_increment = DEFAULT, lc_time_names = DEFAULT, group_concat_max_len = DEFAULT, sql_select_limit = DEFAULT";

/// Two values are never taken for the same, whatever the settings of the session are; and those change nothing.
async fn values_that_differ_have_other_fingerprints(server: &MariaDb) -> Result<(), Failure> {
    let source = source(server);
    for (kind, values) in NEAR {
        let rows: Vec<_> = values.iter().map(|value| format!("('k', {value}, 1)")).collect();
        // Null, and a value that moves to the next column.
        server.sql(&format!(
            "SET time_zone = '+00:00'; CREATE OR REPLACE TABLE near (id varchar(9), value {kind}, next int) CHARACTER SET utf8mb4;
             INSERT INTO near VALUES {}, ('k', NULL, 1), ('k', NULL, NULL)",
            rows.join(", ")
        ))?;
        let before = marked(&source, "-- table: near", None).await?;
        server.sql(SETTINGS)?;
        let after = marked(&source, "-- table: near", None).await?;
        server.sql(DEFAULTS)?;
        assert_eq!(before, after, "{kind}");
        let seen: BTreeSet<_> = before.1.iter().map(|row| row.row.as_bytes().to_vec()).collect();
        assert_eq!(seen.len(), values.len() + 2, "{kind}: Coho tells these values apart");
        let different: BTreeSet<_> = before.1.iter().map(|row| row.halves).collect();
        assert_eq!(different.len(), values.len() + 2, "{kind}");
    }
    Ok(())
}

async fn cells_are_framed(server: &MariaDb) -> Result<(), Failure> {
    let rows =
        [("'a'", "'b,c'"), ("'a,b'", "'c'"), ("NULL", "'a'"), ("'a'", "NULL"), ("''", "'a'"), ("'-'", "'a'")];
    let rows: Vec<_> =
        rows.iter().map(|(one, other)| format!("SELECT 'k', {one} AS a, {other} AS b")).collect();
    let (_, marks) = marked(&source(server), &rows.join(" UNION ALL "), None).await?;
    assert_eq!(marks.iter().map(|row| row.halves).collect::<BTreeSet<_>>().len(), rows.len());
    Ok(())
}

/// Numbers all over the range, each with its neighbours: the text of each `DOUBLE` and `FLOAT` stands for it alone.
async fn no_two_floats_are_taken_for_one(server: &MariaDb) -> Result<(), Failure> {
    let mut doubles: Vec<f64> = vec![0.0, f64::MIN_POSITIVE, f64::MAX, f64::from_bits(1)];
    let mut singles: Vec<f32> = vec![0.0, f32::MIN_POSITIVE, f32::MAX, f32::from_bits(1)];
    let mut seed = 7_u64;
    for _ in 0..1_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(seed ^ (seed >> 33));
        let single = f32::from_bits(u32::try_from(seed >> 32).unwrap_or_default());
        doubles.extend([double, double.next_up()].into_iter().filter(|number| number.is_normal()));
        singles.extend([single, single.next_up()].into_iter().filter(|number| number.is_normal()));
    }
    let row = |number: &f64| format!("('k', {number:e})");
    let doubles: Vec<_> = doubles.iter().map(row).collect();
    let singles: Vec<_> = singles.iter().map(|number| row(&f64::from(*number))).collect();
    for (kind, rows) in [("double", doubles), ("float", singles)] {
        server.sql(&format!(
            "CREATE OR REPLACE TABLE near (id varchar(9), value {kind}); INSERT INTO near VALUES {}",
            rows.join(", ")
        ))?;
        let (_, marks) = marked(&source(server), "-- table: near", None).await?;
        let cells: BTreeSet<_> = marks.iter().map(|row| row.row.as_bytes().to_vec()).collect();
        let different: BTreeSet<_> = marks.iter().map(|row| row.halves).collect();
        assert!(cells.len() > 1_500, "{kind}: {}", cells.len());
        assert_eq!(different.len(), cells.len(), "{kind}");
    }
    Ok(())
}

/// `CONCAT` gives null for it. Nothing else has a share in that: not a row with a null in its place, and not the other rows.
async fn a_row_beyond_the_largest_packet_differs_each_time(server: &MariaDb) -> Result<(), Failure> {
    server.sql("SET GLOBAL max_allowed_packet = 1048576")?;
    let sql = "SELECT 'long' AS id, REPEAT('x', 700000) AS text UNION ALL SELECT 'other', REPEAT('y', 700000) \
               UNION ALL SELECT 'null', NULL UNION ALL SELECT 'short', 'x'";
    let (one, other) =
        (marked(&source(server), sql, Some(6)).await, marked(&source(server), sql, Some(6)).await);
    server.sql("SET GLOBAL max_allowed_packet = DEFAULT")?;
    let ((told, one), (later, other)) = (one?, other?);
    let halves =
        |rows: &[coho_source::buckets::MarkedRow]| rows.iter().map(|row| row.halves).collect::<Vec<_>>();
    let (one, other) = (halves(&one), halves(&other));
    assert_eq!(one.iter().chain(&other).take(2).chain(&other[..2]).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(one[2..], other[2..]);
    assert_eq!(told.sums.iter().filter(|sum| !later.sums.contains(sum)).count(), 2);
    Ok(())
}

/// Whatever the server does with a query within another one: merge it, or keep its rows in a table.
const QUERIES: &[&str] = &[
    "-- table: numbers",
    "-- table: texts",
    "-- table: times",
    "SELECT 1 AS id, decimals.* FROM decimals",
    "-- table: customers",
    "SELECT DISTINCT * FROM numbers",
    "SELECT DISTINCT * FROM texts",
    "SELECT * FROM times GROUP BY id ORDER BY id DESC LIMIT 2",
    "SELECT id, COUNT(*) AS n, AVG(large) AS mean, SUM(single) AS total FROM numbers GROUP BY id",
    "WITH coho AS (SELECT id, moment FROM times) SELECT * FROM coho UNION ALL SELECT 7, NULL -- the end",
    "(SELECT id, plan = 'free' AS is_free FROM texts) UNION (SELECT 9, NULL)",
    "SELECT id, 1 / 3 AS third, 2.50 AS money, id * 0.1e0 AS float_one, COALESCE(plan, 'none') AS plan, NOW(6) IS NULL AS never FROM texts;",
    "SELECT id, (SELECT GROUP_CONCAT(t.id ORDER BY t.id) FROM texts AS t) AS ids, ROW_NUMBER() OVER (ORDER BY id) AS n FROM texts",
    "SELECT id, local + INTERVAL 1 MICROSECOND AS later, CAST(moment AS CHAR) AS text, day - INTERVAL 1 DAY AS before_it FROM times",
];

async fn rows_are_those_of_a_full_read(server: &MariaDb) -> Result<(), Failure> {
    let source = source(server);
    for sql in QUERIES {
        let (told, rows) = marked(&source, sql, Some(6)).await.map_err(|error| format!("{sql}: {error}"))?;
        assert_eq!(told.sums.iter().map(|(_, sum)| sum.rows).sum::<u64>() + told.nameless, rows.len() as u64);
        let mut plain = Vec::new();
        let mut reading = coho_source::read(&source, &model(sql), ReadScope::All).await?;
        while let Some(batch) = reading.next().await? {
            plain.extend(batch);
        }
        assert_eq!(reading.moved().rows, plain.len() as u64);
        let sorted =
            |rows: Vec<RowBuf>| rows.into_iter().map(|row| row.as_bytes().to_vec()).collect::<BTreeSet<_>>();
        assert!(!plain.is_empty(), "{sql}");
        assert_eq!(sorted(rows.into_iter().map(|row| row.row).collect()), sorted(plain), "{sql}");
    }
    Ok(())
}

async fn keys_are_told_as_coho_writes_them(server: &MariaDb) -> Result<(), Failure> {
    server.sql("CREATE TABLE keyed (filled int(8) zerofill, large bigint unsigned, year year, fixed char(6), latin varchar(9) CHARACTER SET latin1,
                  plan enum('a', 'B') ); INSERT INTO keyed VALUES (42, 9223372036854775807, 1999, 'a ', 'é', 'B')")?;
    for column in ["filled", "large", "year", "fixed", "latin", "plan"] {
        let (_, rows) =
            marked(&source(server), &format!("SELECT {column}, 1 AS one FROM keyed"), None).await?;
        let cell = rows[0].row.cell(0);
        let key = if let Cell::Text(text) = cell {
            text.to_owned()
        } else {
            coho_core::json::write(&cell.to_value())
        };
        assert_eq!(rows[0].key, Some(coho_source::buckets::key_digest(&key)), "{column}: {key}");
    }
    Ok(())
}

async fn what_cannot_be_compared_says_why(server: &MariaDb) -> Result<(), Failure> {
    let source = source(server);
    for (sql, expected) in [
        ("SELECT 1.5 AS id, 1 AS one", "the primary key column `id` has the type `decimal`"),
        ("SELECT flag AS id FROM numbers", "the primary key column `id` has the type `boolean`"),
        (
            "SELECT id, CAST(large AS DOUBLE(10, 2)) AS money FROM numbers",
            "the column `money` is a float with 2 decimals",
        ),
        (
            "SELECT id, MAX(flag) AS flag FROM numbers GROUP BY id",
            "the column `flag` has another type where the query is a subquery",
        ),
        (
            "SELECT DISTINCT id, NULL AS nothing FROM numbers",
            "the column `nothing` has another type where the query is a subquery",
        ),
        (
            "SELECT id FROM numbers; -- the end",
            "MySQL cannot run the query as a subquery: syntax error near '; -- the end'",
        ),
        ("SHOW TABLES", "MySQL cannot run the query as a subquery: syntax error near"),
    ] {
        let why = asked(&source, sql, Some(6)).await?.err().unwrap_or_default();
        assert!(why.starts_with(expected), "{sql}: {why:?}");
    }
    server.sql("SET GLOBAL sql_mode = 'ORACLE'")?;
    let asked = asked(&source, "SELECT id FROM numbers", None).await;
    server.sql("SET GLOBAL sql_mode = DEFAULT")?;
    let why = asked?.err().unwrap_or_default();
    assert!(why.contains("its `sql_mode` changes what `CONCAT` gives"), "{why:?}");
    Ok(())
}
