//! What engines say of rows through their drivers without giving them: fingerprints that tell apart all that Coho tells apart, and sums
//! of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use coho_core::key::Key;
use coho_core::row::{Cell, Row as _, RowBuf};
use coho_source::buckets::{Chosen, CompareQuery, MarkedRow, Wanted, bucket, key_digest};
use coho_source::{AdbcConnection, Connection, ReadScope};

use super::marks::{asked, marked, sums_are_those_of_rows};
use super::queries::model;

type Failure = Box<dyn std::error::Error>;

/// Types of an engine, each with values of which Coho tells each from the others.
type Near = [(&'static str, &'static [&'static str])];

/// To `NOCASE` and `NOACCENT`, some of these are equal; others look like parts of a fingerprint.
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
    "',-'",
    "',1:a'",
    "'1:a'",
    "'a,b'",
    "'a,-,b'",
    "'61'",
    "'é'",
    "'e' || chr(769)",
    "'a' || chr(10) || 'b'",
    "chr(0)",
    "chr(0) || 'a'",
    "'🦜'",
];

/// Moments, some of which have one text in Berlin, but for the offset.
const MOMENTS: &[&str] = &[
    "'2026-01-01 00:00:00Z'",
    "'2026-01-01 00:00:00.000001Z'",
    "'2026-10-25 00:30:00Z'",
    "'2026-10-25 01:30:00Z'",
    "'0001-01-01 00:00:00Z'",
    "'9999-12-31 23:59:59.999999Z'",
];

const DUCKDB: &Near = &[
    ("BOOLEAN", &["true", "false"]),
    ("TINYINT", &["0", "1", "-1"]),
    ("BIGINT", &["0", "1", "10", "9007199254740992", "9007199254740993", "-1", "-9223372036854775808"]),
    ("UBIGINT", &["0", "18446744073709551614", "18446744073709551615"]),
    (
        "HUGEINT",
        &["0", "170141183460469231731687303715884105726", "170141183460469231731687303715884105727", "-1"],
    ),
    (
        "UHUGEINT",
        &["0", "340282366920938463463374607431768211454", "340282366920938463463374607431768211455"],
    ),
    ("DECIMAL(4, 2)", &["0", "1", "1.01", "10", "-1"]),
    ("DECIMAL(38, 37)", &["0", "1", "1.0000000000000000000000000000000000001", "-1"]),
    ("DECIMAL(38, 0)", &["12345678901234567890123456789012345678", "12345678901234567890123456789012345679"]),
    ("FLOAT", &["0", "1", "1.0000001", "16777215", "16777216", "1e-45", "3.4028234e38", "-1"]),
    ("DOUBLE", &["0", "0.1", "0.10000000000000002", "1e300", "1.0000000000000002e300", "5e-324", "-0.1"]),
    ("VARCHAR", TEXTS),
    ("VARCHAR COLLATE NOCASE", TEXTS),
    ("VARCHAR COLLATE NOACCENT", TEXTS),
    ("ENUM('a', 'A', 'null', '1', '2')", &["'a'", "'A'", "'null'", "'1'", "'2'"]),
    ("UUID", &["'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"]),
    ("DATE", &["'2026-01-02'", "'2026-02-01'", "'2001-02-26'", "'0001-01-01'"]),
    (
        "TIMESTAMP",
        &["'2026-01-01'", "'2026-01-01 00:00:00.000001'", "'2026-03-29 02:30:00'", "'2026-03-29 01:30:00'"],
    ),
    ("TIMESTAMP_S", &["'2026-01-01'", "'2026-01-01 00:00:01'"]),
    ("TIMESTAMP_MS", &["'2026-01-01'", "'2026-01-01 00:00:00.001'"]),
    ("TIMESTAMP_NS", &["'2026-01-01'", "'2026-01-01 00:00:00.000001'"]),
    ("TIMESTAMPTZ", MOMENTS),
    (
        "JSON",
        &[
            "'{\"a\":1,\"b\":2}'",
            "'{\"b\":2,\"a\":1}'",
            "'{\"a\":1.0}'",
            "'{\"a\":1.00}'",
            "'1'",
            "'\"1\"'",
            "'[1,2]'",
        ],
    ),
    ("BIGINT[]", &["[]", "[1, 2]", "[12]", "[1, NULL]", "[NULL]", "[NULL, NULL]"]),
    (
        "VARCHAR[]",
        &[
            "[]",
            "['']",
            "['a', 'b']",
            "['a, b']",
            "['a', 'b, c']",
            "['a, b', 'c']",
            "['NULL']",
            "[NULL]",
            "['null']",
            "[chr(0)]",
            "['''a''']",
            "['a']",
            "['A']",
            "['[a]']",
            "['\"a\"']",
        ],
    ),
    (
        "DOUBLE[]",
        &["[0.1]", "[0.10000000000000002]", "[1e300]", "[1.0000000000000002e300]", "[5e-324]", "[0]"],
    ),
    ("FLOAT[]", &["[1]", "[1.0000001]", "[16777215]", "[16777216]"]),
    (
        "HUGEINT[]",
        &["[170141183460469231731687303715884105726]", "[170141183460469231731687303715884105727]"],
    ),
    ("DECIMAL(38, 20)[]", &["[1]", "[1.00000000000000000001]", "[10]"]),
    ("TIMESTAMPTZ[]", &["['2026-10-25 00:30:00Z'::TIMESTAMPTZ]", "['2026-10-25 01:30:00Z'::TIMESTAMPTZ]"]),
    ("UUID[]", &["['00000000-0000-0000-0000-000000000001']", "['00000000-0000-0000-0000-000000000002']"]),
    ("ENUM('a', 'b', 'a, b')[]", &["['a', 'b']", "['a, b']", "['b', 'a']", "[NULL]"]),
    ("VARCHAR[2]", &["['a', 'b']", "['a, b', NULL]", "['a', NULL]"]),
    (
        "STRUCT(a VARCHAR, b VARCHAR)",
        &[
            "{'a': 'x', 'b': 'y'}",
            "{'a': 'x, b: y', 'b': NULL}",
            "{'a': 'x'', ''b'': ''y', 'b': NULL}",
            "{'a': NULL, 'b': NULL}",
            "{'a': 'NULL', 'b': NULL}",
            "{'a': '', 'b': NULL}",
        ],
    ),
    (
        "STRUCT(a BOOLEAN[])[]",
        &["[{'a': [true]}]", "[{'a': []}]", "[{'a': NULL}]", "[NULL]", "[]", "[{'a': [NULL]}]"],
    ),
    (
        "MAP(VARCHAR, VARCHAR)",
        &[
            "MAP {}",
            "MAP {'a': 'b'}",
            "MAP {'a': 'b', 'c': 'd'}",
            "MAP {'a': 'b, c=d'}",
            "MAP {'c': 'd', 'a': 'b'}",
            "MAP {'a': NULL}",
        ],
    ),
    (
        "JSON[]",
        &[
            "['1'::JSON]",
            "['1.0'::JSON]",
            "['\"1\"'::JSON]",
            "['{\"a\":1,\"b\":2}'::JSON]",
            "['{\"b\":2,\"a\":1}'::JSON]",
        ],
    ),
];

/// What an emulator has of them: it gives a null moment as 1970, and a number of more than 64 bits not at all.
const SNOWFLAKE: &Near = &[
    ("BOOLEAN", &["true", "false"]),
    ("NUMBER(38, 0)", &["0", "1", "10", "9007199254740992", "9007199254740993", "-1"]),
    ("NUMBER(20, 10)", &["0", "1", "1.0000000001", "-1"]),
    ("FLOAT", &["0", "0.1", "0.10000000000000002", "1e300", "1.0000000000000002e300", "-0.1"]),
    (
        "VARCHAR",
        &[
            "''", "' '", "'a'", "'a '", "'A'", "'á'", "'null'", "'NULL'", "'-'", "'a,b'", "'a,-,b'", "'61'",
            "'é'", "'🦜'",
        ],
    ),
    ("DATE", &["'2026-01-02'", "'2026-02-01'", "'2001-02-26'"]),
    ("TIMESTAMP_NTZ", &["'2026-01-01 00:00:00'", "'2026-01-01 00:00:00.000001'", "'2026-03-29 02:30:00'"]),
    (
        "TIMESTAMP_TZ",
        &["'2026-10-25 00:30:00+00:00'", "'2026-10-25 01:30:00+00:00'", "'2026-10-25 00:30:00.000001+00:00'"],
    ),
    ("TIMESTAMP_LTZ", &["'2026-01-01 00:00:00'", "'2026-01-01 00:00:00.000001'"]),
    (
        "VARIANT",
        &[
            "PARSE_JSON('{\"a\":1}')",
            "PARSE_JSON('{\"a\":\"1\"}')",
            "PARSE_JSON('{\"b\":1}')",
            "PARSE_JSON('1')",
            "PARSE_JSON('\"1\"')",
            "PARSE_JSON('[1,2]')",
            "PARSE_JSON('[12]')",
        ],
    ),
];

/// What a real Spark has of them, in a session in Berlin.
const SPARK: &Near = &[
    ("BOOLEAN", &["true", "false"]),
    ("TINYINT", &["0", "1", "-1"]),
    ("BIGINT", &["0", "1", "10", "9007199254740992", "9007199254740993", "-1", "'-9223372036854775808'"]),
    ("DECIMAL(4, 2)", &["0", "1", "1.01", "10", "-1"]),
    ("DECIMAL(38, 37)", &["0", "1", "1.0000000000000000000000000000000000001", "1e-37", "-1"]),
    ("DECIMAL(38, 0)", &["12345678901234567890123456789012345678", "12345678901234567890123456789012345679"]),
    ("FLOAT", &["0", "'1'", "'1.0000001'", "'16777215'", "'16777216'", "'1.4e-45'", "'3.4028234e38'", "-1"]),
    (
        "DOUBLE",
        &[
            "0",
            "'0.1'",
            "'0.10000000000000002'",
            "'1e300'",
            "'1.0000000000000002e300'",
            "'4.9e-324'",
            "'-0.1'",
        ],
    ),
    ("STRING", TEXTS),
    ("STRING COLLATE UTF8_LCASE", TEXTS),
    ("STRING COLLATE UNICODE_CI_AI", TEXTS),
    ("VARCHAR(9)", &["'a'", "'a '", "'A'", "''"]),
    ("DATE", &["'2026-01-02'", "'2026-02-01'", "'2001-02-26'", "'0001-01-01'", "'9999-12-31'"]),
    (
        "TIMESTAMP_NTZ",
        &[
            "'2026-01-01'",
            "'2026-01-01 00:00:00.000001'",
            "'2026-01-01 00:00:00.00001'",
            "'2026-03-29 02:30:00'",
            "'2026-03-29 01:30:00'",
            "'0001-01-01 00:00:00'",
        ],
    ),
    ("TIMESTAMP", MOMENTS),
    (
        "ARRAY<STRING>",
        &[
            "array()",
            "array('')",
            "array('a', 'b')",
            "array('a,b')",
            "array('a\",\"b')",
            "array('null')",
            "array(NULL)",
            "array(NULL, NULL)",
            "array(chr(0))",
            "array('a')",
            "array('A')",
            "array('[a]')",
        ],
    ),
    ("ARRAY<STRING COLLATE UTF8_LCASE>", &["array('a')", "array('A')", "array('a', 'A')", "array('A', 'a')"]),
    (
        "ARRAY<DOUBLE>",
        &[
            "array('0.1')",
            "array('0.10000000000000002')",
            "array('1e300')",
            "array('4.9e-324')",
            "array('0')",
        ],
    ),
    ("ARRAY<FLOAT>", &["array('1')", "array('1.0000001')", "array('16777215')", "array('16777216')"]),
    ("ARRAY<DECIMAL(38, 20)>", &["array('1')", "array('1.00000000000000000001')", "array('10')"]),
    (
        "ARRAY<TIMESTAMP>",
        &[
            "array(TIMESTAMP '2026-10-25 00:30:00Z')",
            "array(TIMESTAMP '2026-10-25 01:30:00Z')",
            "array(TIMESTAMP '2026-10-25 00:30:00.001Z')",
            "array(TIMESTAMP '2026-10-25 00:30:00.002Z')",
        ],
    ),
    (
        "ARRAY<TIMESTAMP_NTZ>",
        &[
            "array(TIMESTAMP_NTZ '2026-03-29 02:30:00.001')",
            "array(TIMESTAMP_NTZ '2026-03-29 02:30:00.002')",
            "array(TIMESTAMP_NTZ '2026-03-29 03:30:00.001')",
        ],
    ),
    ("ARRAY<DATE>", &["array(DATE '2026-01-02')", "array(DATE '2026-02-01')", "array(NULL)"]),
    (
        "STRUCT<a: STRING, b: STRING>",
        &[
            "named_struct('a', 'x', 'b', 'y')",
            "named_struct('a', 'x\",\"b\":\"y', 'b', NULL)",
            "named_struct('a', NULL, 'b', NULL)",
            "named_struct('a', 'null', 'b', NULL)",
            "named_struct('a', NULL, 'b', 'null')",
            "named_struct('a', '', 'b', NULL)",
        ],
    ),
    (
        "ARRAY<STRUCT<a: ARRAY<BOOLEAN>>>",
        &[
            "array(named_struct('a', array(true)))",
            "array(named_struct('a', array()))",
            "array(named_struct('a', NULL))",
            "array(NULL)",
            "array()",
            "array(named_struct('a', array(NULL)))",
        ],
    ),
];

/// The same of Spark, whose maps are read in full.
pub(crate) async fn all_of_spark(connection: &AdbcConnection) -> Result<(), Failure> {
    let zones = std::slice::from_ref(connection);
    for (kind, values) in SPARK {
        near(zones, kind, &rows_of_spark(kind, values), values.len()).await?;
    }
    let source = Connection::Adbc(connection.clone());
    cells_are_framed(&source).await?;
    no_two_floats_are_taken_for_one(&source, "DOUBLE", "FLOAT").await?;
    let sql = "SELECT IF(n % 10 > 0, 'é' || CAST(n % 200 AS STRING), NULL) AS id, n FROM (SELECT explode(sequence(0, 999)) AS n)";
    sums_are_those_of_rows(&source, sql, 100).await?;
    only_rows_of_chosen_buckets_come(&source, sql).await?;
    keys_are_told_as_coho_writes_them(&source, KEYS_OF_SPARK).await?;
    moments_in_lists_are_told_apart_to_the_microsecond(&source).await?;
    members_in_another_order_are_another_column(&source).await?;
    text_that_is_not_utf_8_is_told_apart_and_refused(&source).await?;
    let maps = "the column `c` has a type that Coho cannot compare: cast it";
    what_cannot_be_compared_says_why(
        &source,
        &[
            ("SELECT 1.50BD AS id", "the primary key column `id` has the type `decimal`"),
            ("SELECT true AS id", "the primary key column `id` has the type `boolean`"),
            ("SELECT DATE '2026-01-01' AS id", "the primary key column `id` has the type `date`"),
            ("SELECT 'a' AS id, map('a', 1) AS c", maps),
            ("SELECT 'a' AS id, array(named_struct('a', map(1, 2))) AS c", maps),
            ("SELECT 'a' AS id, raise_error('boom') AS c", "Spark cannot run the query as a subquery: "),
        ],
    )
    .await
}

/// More than Coho keeps of them: to the millisecond, as `to_json` does unless it is told otherwise.
async fn moments_in_lists_are_told_apart_to_the_microsecond(source: &Connection) -> Result<(), Failure> {
    for kind in ["TIMESTAMP", "TIMESTAMP_NTZ"] {
        let moment = |micros: &str| format!("array({kind} '2026-03-29 01:30:00.{micros}')");
        let moments = [moment("000001"), moment("000002"), moment("00001")];
        let moments = moments.each_ref().map(String::as_str);
        let (_, rows) = marked(source, &rows_of_spark(&format!("ARRAY<{kind}>"), &moments), None).await?;
        assert_eq!(fingerprints(&rows), 5, "{kind}");
    }
    Ok(())
}

/// What is nested has its members in the order of its type.
async fn members_in_another_order_are_another_column(source: &Connection) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for members in ["'a', 1, 'b', 2", "'b', 2, 'a', 1"] {
        let sql = format!("SELECT 'k' AS id, named_struct({members}) AS c");
        seen.insert(marked(source, &sql, None).await?.0.basis);
    }
    assert_eq!(seen.len(), 2);
    Ok(())
}

/// The last of them is what takes the place of such bytes in some programs.
async fn text_that_is_not_utf_8_is_told_apart_and_refused(source: &Connection) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for form in ["{}", "array({})"] {
        for bytes in ["ff", "fe", "efbfbd"] {
            let value = form.replace("{}", &format!("CAST(X'{bytes}' AS STRING)"));
            let sql = format!("SELECT 'k' AS id, {value} AS c");
            let mut reading = coho_source::read(source, &model(&sql), ReadScope::All).await?;
            let ask = CompareQuery { key: vec![0], reads: vec![0, 1], bits: Some(6), cache: None };
            let told = reading.compare(&[0, 1], ask).await??;
            seen.extend(told.sums.iter().map(|(_, sum)| (form, sum.halves)));
            reading.want(Wanted::All);
            let error = reading.next_marked().await.err().map(|error| error.to_string());
            let is_refused = error.as_deref().is_some_and(|error| error.contains("text that is not UTF-8"));
            assert_eq!(is_refused, bytes != "efbfbd", "{value}: {error:?}");
        }
    }
    assert_eq!(seen.len(), 6);
    Ok(())
}

/// Rows that executors make: what is there already, Spark evaluates as it plans.
fn rows_of_spark(kind: &str, values: &[&str]) -> String {
    let values = values.iter().map(|value| (*value, "1")).chain([("NULL", "1"), ("NULL", "NULL")]);
    let row = |(value, next)| format!("named_struct('value', CAST({value} AS {kind}), 'next', {next})");
    let rows: Vec<_> = values.map(row).collect();
    format!("SELECT 'k' AS id, r.value, r.next FROM (SELECT explode(array({})) AS r)", rows.join(", "))
}

/// What an emulator has of them: a `BIGNUMERIC` with five decimals, a `NUMERIC` with nine.
const BIGQUERY: &Near = &[
    ("BOOL", &["true", "false"]),
    ("INT64", &["0", "1", "10", "9007199254740992", "9007199254740993", "-1", "-9223372036854775807"]),
    ("NUMERIC", &["0", "1", "'1.000000001'", "10", "'12345678901234567890123456789'", "-1"]),
    ("BIGNUMERIC", &["0", "1", "'1.00001'", "'123456789012345678901234567890123'", "-1"]),
    (
        "FLOAT64",
        &["0", "'0.1'", "'0.10000000000000002'", "'1e300'", "'1.0000000000000002e300'", "'5e-324'", "'-0.1'"],
    ),
    ("STRING", TEXTS),
    ("DATE", &["'2026-01-02'", "'2026-02-01'", "'2001-02-26'", "'0001-01-01'", "'9999-12-31'"]),
    (
        "DATETIME",
        &[
            "'2026-01-01 00:00:00'",
            "'2026-01-01 00:00:00.000001'",
            "'2026-01-01 00:00:00.00001'",
            "'2026-03-29 02:30:00'",
            "'2026-03-29 01:30:00'",
            "'0001-01-01 00:00:00'",
        ],
    ),
    (
        "TIMESTAMP",
        &[
            "'2026-01-01 00:00:00+00'",
            "'2026-01-01 00:00:00.000001+00'",
            "'2026-10-25 00:30:00+00'",
            "'2026-10-25 01:30:00+00'",
            "'0001-01-01 00:00:00+00'",
            "'9999-12-31 23:59:59.999999+00'",
        ],
    ),
    (
        "JSON",
        &[
            "JSON '{\"a\":1,\"b\":2}'",
            "JSON '{\"b\":2,\"a\":1}'",
            "JSON '{\"a\":\"1\"}'",
            "JSON '1'",
            "JSON '\"1\"'",
            "JSON '[1,2]'",
            "JSON '[12]'",
        ],
    ),
    (
        "ARRAY<STRING>",
        &[
            "ARRAY<STRING>[]",
            "['']",
            "['a', 'b']",
            "['a,b']",
            "['a\",\"b']",
            "['null']",
            "[CAST(NULL AS STRING)]",
            "[CAST(NULL AS STRING), NULL]",
            "[chr(0)]",
            "['a']",
            "['A']",
            "['[a]']",
        ],
    ),
    (
        "ARRAY<FLOAT64>",
        &[
            "[CAST('0.1' AS FLOAT64)]",
            "[CAST('0.10000000000000002' AS FLOAT64)]",
            "[CAST('1e300' AS FLOAT64)]",
            "[CAST('5e-324' AS FLOAT64)]",
        ],
    ),
    ("ARRAY<INT64>", &["[1, 2]", "[12]", "[9007199254740992]", "[9007199254740993]"]),
    (
        "ARRAY<NUMERIC>",
        &["[CAST('1' AS NUMERIC)]", "[CAST('1.000000001' AS NUMERIC)]", "[CAST('10' AS NUMERIC)]"],
    ),
    (
        "ARRAY<TIMESTAMP>",
        &[
            "[TIMESTAMP '2026-10-25 00:30:00+00']",
            "[TIMESTAMP '2026-10-25 01:30:00+00']",
            "[TIMESTAMP '2026-10-25 00:30:00.001+00']",
        ],
    ),
    ("ARRAY<DATE>", &["[DATE '2026-01-02']", "[DATE '2026-02-01']"]),
    (
        "STRUCT<a STRING, b STRING>",
        &[
            "STRUCT('x' AS a, 'y' AS b)",
            "STRUCT('x\",\"b\":\"y' AS a, CAST(NULL AS STRING) AS b)",
            "STRUCT(CAST(NULL AS STRING) AS a, CAST(NULL AS STRING) AS b)",
            "STRUCT('null' AS a, CAST(NULL AS STRING) AS b)",
            "STRUCT(CAST(NULL AS STRING) AS a, 'null' AS b)",
            "STRUCT('' AS a, CAST(NULL AS STRING) AS b)",
        ],
    ),
    (
        "ARRAY<STRUCT<a ARRAY<BOOL>>>",
        &[
            "[STRUCT([true] AS a)]",
            "[STRUCT([true, true] AS a)]",
            "[STRUCT([false] AS a), STRUCT([true] AS a)]",
        ],
    ),
];

const KEYS_OF_BIGQUERY: &[&str] =
    &["42", "-42", "'é, \"a'", "'a' || chr(10) || chr(127) || '/'", "CAST('9223372036854775807' AS INT64)"];

/// The same through BigQuery's driver, of an emulator.
pub(crate) async fn all_of_bigquery(connection: &AdbcConnection) -> Result<(), Failure> {
    let zones = std::slice::from_ref(connection);
    for (kind, values) in BIGQUERY {
        near(zones, kind, &rows_of_bigquery(kind, values), values.len()).await?;
    }
    let source = Connection::Adbc(connection.clone());
    cells_are_framed(&source).await?;
    no_two_floats_are_taken_for_one(&source, "FLOAT64", "FLOAT64").await?;
    let sql = "SELECT IF(MOD(n, 10) > 0, CONCAT('é', CAST(MOD(n, 200) AS STRING)), NULL) AS id, n \
               FROM UNNEST(GENERATE_ARRAY(0, 999)) AS n";
    sums_are_those_of_rows(&source, sql, 100).await?;
    only_rows_of_chosen_buckets_come(&source, sql).await?;
    keys_are_told_as_coho_writes_them(&source, KEYS_OF_BIGQUERY).await?;
    what_cannot_be_compared_says_why(
        &source,
        &[
            ("SELECT CAST('1.5' AS NUMERIC) AS id", "the primary key column `id` has the type `decimal`"),
            ("SELECT true AS id", "the primary key column `id` has the type `boolean`"),
            ("SELECT DATE '2026-01-01' AS id", "the primary key column `id` has the type `date`"),
            ("SELECT 'a' AS id, ERROR('boom') AS c", "BigQuery cannot run the query as a subquery: "),
        ],
    )
    .await
}

/// Values that are of a type by themselves are not made one.
fn rows_of_bigquery(kind: &str, values: &[&str]) -> String {
    let is_nested = ["JSON", "ARRAY", "STRUCT"].iter().any(|part| kind.starts_with(part));
    let value =
        |value: &&str| if is_nested { (*value).to_owned() } else { format!("CAST({value} AS {kind})") };
    let rows: Vec<_> = values
        .iter()
        .map(|it| format!("SELECT 'k' AS id, {} AS value, 1 AS next", value(it)))
        .chain(["1", "NULL"].map(|next| format!("SELECT 'k', CAST(NULL AS {kind}), {next}")))
        .collect();
    rows.join(" UNION ALL ")
}

/// The same through Snowflake's driver, of an emulator.
pub(crate) async fn all_of_snowflake(connection: &AdbcConnection) -> Result<(), Failure> {
    let zones = std::slice::from_ref(connection);
    for (kind, values) in SNOWFLAKE {
        near(zones, kind, &rows_of(kind, values), values.len()).await?;
    }
    let source = Connection::Adbc(connection.clone());
    cells_are_framed(&source).await?;
    no_two_floats_are_taken_for_one(&source, "DOUBLE", "FLOAT").await?;
    let sql = "SELECT IFF(n % 10 > 0, 'é' || (n % 200), NULL) AS id, n \
               FROM (SELECT VALUE::INT AS n FROM TABLE(FLATTEN(INPUT => ARRAY_GENERATE_RANGE(0, 1000))))";
    sums_are_those_of_rows(&source, sql, 100).await?;
    only_rows_of_chosen_buckets_come(&source, sql).await
}

/// In zones of both kinds: Coho's own rows are the same, and so is what is said of them.
pub(crate) async fn all_of_duckdb(zones: &[AdbcConnection]) -> Result<(), Failure> {
    for (kind, values) in DUCKDB {
        near(zones, kind, &rows_of(kind, values), values.len()).await?;
    }
    let source = Connection::Adbc(zones[0].clone());
    cells_are_framed(&source).await?;
    no_two_floats_are_taken_for_one(&source, "DOUBLE", "FLOAT").await?;
    let sql = "SELECT CASE WHEN i % 10 > 0 THEN 'é' || i % 200 END AS id, i FROM range(1000) AS t(i)";
    sums_are_those_of_rows(&source, sql, 100).await?;
    only_rows_of_chosen_buckets_come(&source, sql).await?;
    keys_are_told_as_coho_writes_them(&source, KEYS_OF_DUCKDB).await?;
    what_cannot_be_compared_says_why(&source, NOTHING_OF_DUCKDB).await
}

/// Rows of a type's values, then null, and a null in the next column.
fn rows_of(kind: &str, values: &[&str]) -> String {
    let (kind, collation) = kind.split_once(" COLLATE ").unwrap_or((kind, ""));
    let mut rows = String::new();
    for value in values {
        write!(rows, "SELECT 'k' AS id, CAST({value} AS {kind}) AS value, 1 AS next UNION ALL ").unwrap();
    }
    let collate = if collation.is_empty() { String::new() } else { format!(" COLLATE {collation}") };
    format!(
        "SELECT id, value{collate} AS value, next FROM ({rows} SELECT 'k', CAST(NULL AS {kind}), 1 \
         UNION ALL SELECT 'k', CAST(NULL AS {kind}), NULL) AS t"
    )
}

/// Two values are never taken for the same, wherever the session is.
async fn near(zones: &[AdbcConnection], kind: &str, sql: &str, values: usize) -> Result<(), Failure> {
    let mut said = Vec::new();
    for zone in zones {
        let (told, rows) = marked(&Connection::Adbc(zone.clone()), sql, None)
            .await
            .map_err(|error| format!("{kind}: {error}"))?;
        let seen: BTreeSet<_> = rows.iter().map(|row| row.row.as_bytes().to_vec()).collect();
        assert_eq!(seen.len(), values + 2, "{kind}: Coho tells these values apart");
        assert_eq!(fingerprints(&rows), values + 2, "{kind}");
        said.push((told.basis, rows));
    }
    // The text of what is nested may be another one in another zone, which differs without harm.
    if !kind.contains('[') {
        assert!(said.windows(2).all(|two| two[0] == two[1]), "{kind}");
    }
    Ok(())
}

fn fingerprints(rows: &[MarkedRow]) -> usize {
    rows.iter().map(|row| row.halves).collect::<BTreeSet<_>>().len()
}

async fn cells_are_framed(source: &Connection) -> Result<(), Failure> {
    let rows = [
        ("'a'", "'b,c'"),
        ("'a,b'", "'c'"),
        ("NULL", "'a'"),
        ("'a'", "NULL"),
        ("''", "'a'"),
        ("'-'", "'a'"),
        ("'a,1:a'", "''"),
        ("'a'", "'a,0:'"),
    ];
    let rows: Vec<_> =
        rows.iter().map(|(one, other)| format!("SELECT 'k' AS id, {one} AS a, {other} AS b")).collect();
    let (_, marks) = marked(source, &rows.join(" UNION ALL "), None).await?;
    assert_eq!(fingerprints(&marks), rows.len());
    Ok(())
}

/// Numbers all over the range, each with its neighbours.
async fn no_two_floats_are_taken_for_one(
    source: &Connection,
    double: &str,
    single: &str,
) -> Result<(), Failure> {
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
    let doubles: Vec<_> = doubles.iter().map(|number| format!("({number:e})")).collect();
    let singles: Vec<_> = singles.iter().map(|number| format!("({:e})", f64::from(*number))).collect();
    for (kind, rows) in [(double, doubles), (single, singles)] {
        let sql = numbers(kind, &rows.join(", "));
        let (_, marks) = marked(source, &sql, None).await?;
        let cells: BTreeSet<_> = marks.iter().map(|row| row.row.as_bytes().to_vec()).collect();
        assert!(cells.len() > 1_500, "{kind}: {}", cells.len());
        assert_eq!(fingerprints(&marks), cells.len(), "{kind}");
    }
    Ok(())
}

/// These numbers, as an engine writes rows.
fn numbers(kind: &str, numbers: &str) -> String {
    let rows = if kind == "FLOAT64" {
        // One text: an emulator takes its time for a thousand numbers.
        format!("UNNEST(SPLIT('{}', ', ')) AS v", numbers.replace(['(', ')'], ""))
    } else {
        format!("(VALUES {numbers}) AS t (v)")
    };
    format!("SELECT 'k' AS id, CAST(v AS {kind}) AS value FROM {rows}")
}

/// Those of the buckets, and those that have none; each is the row of a full read.
async fn only_rows_of_chosen_buckets_come(source: &Connection, sql: &str) -> Result<(), Failure> {
    let all = full(source, sql).await?;
    for chosen in [vec![], vec![3], (0..64).collect::<Vec<_>>()] {
        let mut reading = coho_source::read(source, &model(sql), ReadScope::All).await?;
        let ask = CompareQuery { key: vec![0], reads: vec![0, 1], bits: Some(6), cache: None };
        reading.compare(&[0, 1], ask).await??;
        let mut wanted = Chosen::none(6);
        for bucket in &chosen {
            wanted.choose(*bucket);
        }
        reading.want(Wanted::Buckets(wanted.clone()));
        let mut rows = Vec::new();
        while let Some(batch) = reading.next_marked().await? {
            rows.extend(batch.into_iter().map(|row| row.row.as_bytes().to_vec()));
        }
        let is_wanted = |row: &&RowBuf| {
            let Cell::Text(key) = row.cell(0) else { return true };
            wanted.has(bucket(key_digest(key), 6))
        };
        let mut expected: Vec<_> = all.iter().filter(is_wanted).map(|row| row.as_bytes().to_vec()).collect();
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{chosen:?}");
    }
    Ok(())
}

async fn full(source: &Connection, sql: &str) -> Result<Vec<RowBuf>, Failure> {
    let mut reading = coho_source::read(source, &model(sql), ReadScope::All).await?;
    let mut rows = Vec::new();
    while let Some(batch) = reading.next().await? {
        rows.extend(batch);
    }
    Ok(rows)
}

/// Keys of every type that can be one.
const KEYS_OF_DUCKDB: &[&str] = &[
    "42::TINYINT",
    "(-42)::BIGINT",
    "18446744073709551615::UBIGINT",
    "99999999999999999999::HUGEINT",
    "42::DECIMAL(38, 0)",
    "'é, \"a'",
    "'A' COLLATE NOCASE",
    "'0B7A1C3E-1b2c-4d5e-8f90-a1b2c3d4e5f6'::UUID",
    "'b'::ENUM('a', 'b')",
];

const KEYS_OF_SPARK: &[&str] = &[
    "42Y",
    "-42L",
    "CAST('99999999999999999999' AS DECIMAL(38, 0))",
    "CAST('-1' AS DECIMAL(1, 0))",
    "'é, \"a'",
    "'A' COLLATE UTF8_LCASE",
    "CAST('a' AS VARCHAR(3))",
];

async fn keys_are_told_as_coho_writes_them(source: &Connection, keys: &[&str]) -> Result<(), Failure> {
    for key in keys {
        let (_, rows) = marked(source, &format!("SELECT {key} AS id"), None)
            .await
            .map_err(|error| format!("{key}: {error}"))?;
        let value = Key::of(&rows[0].row, &[(0, "id".to_owned())])?;
        assert_eq!(rows[0].key, Some(key_digest(value.as_str())), "{key}: {value:?}");
    }
    Ok(())
}

/// Queries that cannot be compared, and how the reason begins.
const NOTHING_OF_DUCKDB: &[(&str, &str)] = &[
    ("SELECT 1.50 AS id", "the primary key column `id` has the type `decimal`"),
    ("SELECT true AS id", "the primary key column `id` has the type `boolean`"),
    ("SELECT '2026-01-01'::DATE AS id", "the primary key column `id` has the type `date`"),
    ("SELECT ['a'] AS id", "the primary key column `id` has the type `json`"),
    (
        "SELECT 'a' AS id, error('boom') AS c",
        "DuckDB cannot run the query as a subquery: Invalid Input Error: boom",
    ),
];

async fn what_cannot_be_compared_says_why(
    source: &Connection,
    queries: &[(&str, &str)],
) -> Result<(), Failure> {
    for (sql, words) in queries {
        let why = asked(source, sql, Some(6)).await?.map(drop).unwrap_err();
        assert!(why.starts_with(words), "{sql}: {why}");
    }
    Ok(())
}
