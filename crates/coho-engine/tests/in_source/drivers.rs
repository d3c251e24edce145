//! Databases that are read through ADBC drivers, and what tests ask of each: [`super::engines`] says what the texts are.

use super::engines::{EXTERNAL, Engine};

/// A file, which the driver opens for reading only, and the test for each of its own statements. What is nested is there too: in `jb`
/// and `arr`. The collation of `txt2` takes `a` and `A` for one text.
pub(crate) static DUCKDB: Engine = Engine {
    name: "DuckDB",
    kind: "adbc",
    table: "
        CREATE TYPE mood AS ENUM ('good', 'bad', 'Bad');
        CREATE TABLE items (id VARCHAR, k BIGINT, external VARCHAR, name VARCHAR, n8 HUGEINT, f4 FLOAT, f8 DOUBLE, d DECIMAL(38, 21),
          b BOOLEAN, t TIMESTAMPTZ, lt TIMESTAMP_NS, day DATE, txt VARCHAR, txt2 VARCHAR COLLATE NOCASE, j JSON,
          jb STRUCT(a DOUBLE, b VARCHAR, c TIMESTAMPTZ)[], u UUID, arr mood[], e mood);",
    many: "INSERT INTO items (id, k, external, name, n8) SELECT 'k' || n, n, 'a' || n, 'Account ' || n, 1
           FROM range(1, {rows} + 1) AS t(n)",
    values: &[
        ("external", EXTERNAL),
        ("name", &["'A'", "'B'", "'a'", "'A '", "NULL", "''"]),
        (
            "n8",
            &[
                "1",
                "2",
                "-1",
                "9007199254740993",
                "170141183460469231731687303715884105727",
                "170141183460469231731687303715884105726",
                "NULL",
            ],
        ),
        ("f4", &["1", "1.0000001", "'-0'", "0", "16777216", "NULL"]),
        ("f8", &["0.1", "0.10000000000000002", "'-0'", "0", "5e-324", "1e300", "NULL"]),
        ("d", &["1", "1.0", "1.000000000000000000001", "-0.0", "NULL"]),
        ("b", &["true", "false", "NULL"]),
        (
            "t",
            &[
                "'2026-01-01 00:00:00.000001Z'",
                "'2026-01-01 00:00:00.000002Z'",
                "'2026-01-01 01:00:00.000001+01'",
                "'2026-10-25 00:30:00Z'",
                "'2026-10-25 01:30:00Z'",
                "NULL",
            ],
        ),
        ("lt", &["'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.000002'", "'2026-01-01 00:00:00.000001001'", "NULL"]),
        ("day", &["'2026-01-01'", "'2026-01-02'", "NULL"]),
        (
            "txt",
            &[
                "NULL", "'null'", "'NULL'", "''", "' '", "'a,b'", "'a'", "'A'", "'a '", "'-'", "',-'", "'1:a'", "'a,1:b'", "'é'",
                "'e' || chr(769)", "chr(0)", "chr(0) || 'a'", "'🦜'",
            ],
        ),
        ("txt2", &["NULL", "'null'", "''", "' '", "'a'", "'A'", "'é'", "'É'", "'-'", "'1:a'"]),
        ("j", &["'{\"a\":1,\"b\":2}'", "'{\"b\":2,\"a\":1}'", "'{\"a\": 1.0}'", "'null'", "'1'", "'1.0'", "'\"1\"'", "NULL"]),
        (
            "jb",
            &[
                "NULL",
                "[]",
                "[NULL]",
                "[{'a': 0.1, 'b': 'x', 'c': NULL}]",
                "[{'a': 0.10000000000000002, 'b': 'x', 'c': NULL}]",
                "[{'a': NULL, 'b': 'NULL', 'c': NULL}]",
                "[{'a': NULL, 'b': NULL, 'c': NULL}]",
                "[{'a': NULL, 'b': 'x, c: NULL', 'c': NULL}]",
                "[{'a': NULL, 'b': chr(0), 'c': NULL}]",
                "[{'a': NULL, 'b': '', 'c': NULL}]",
                "[{'a': NULL, 'b': 'x', 'c': '2026-10-25 00:30:00Z'::TIMESTAMPTZ}]",
                "[{'a': NULL, 'b': 'x', 'c': '2026-10-25 01:30:00Z'::TIMESTAMPTZ}]",
            ],
        ),
        ("u", &["'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'", "NULL"]),
        ("arr", &["['good', 'bad']", "['good', 'Bad']", "['bad', 'good']", "[NULL]", "[]", "NULL"]),
        ("e", &["'good'", "'bad'", "'Bad'", "NULL"]),
    ],
    settings: &["CHECKPOINT"],
    reset: "",
    models: &[
        ("table: items", "id"),
        ("table: items", "id"),
        ("table: main.items", "id"),
        ("sql: FROM items", "id"),
        ("sql: SELECT *, 1 AS twice, 2 AS twice, 3 FROM items;", "id"),
        ("sql: WITH coho AS (SELECT * FROM items) SELECT * FROM coho ORDER BY name -- last", "k"),
        (
            "sql: SELECT id, k, external, txt AS name, n8, f4, f8, d, b, t, lt, t::DATE AS day, txt, txt2, j, jb, u, arr, e FROM items",
            "id",
        ),
        ("sql: SELECT DISTINCT * FROM items", "[id, k]"),
        ("table: items", "[id, k]"),
    ],
    delete_twin: "DELETE FROM items WHERE rowid IN (SELECT max(rowid) FROM items WHERE id = {id} HAVING count(*) > 1)",
    shuffle: "CREATE TEMP TABLE again AS SELECT * FROM items; TRUNCATE items; INSERT INTO items SELECT * FROM again ORDER BY random()",
    odd_ids: "UPDATE items SET id = id || chr(10) || '\"\\' || chr(9) || 'é' || chr(1) || chr(127) || '/'",
    day_as_text: "day::VARCHAR AS day",
    other_keys: &[
        ("k::DECIMAL(20, 2)", "decimal"),
        ("k::DOUBLE", "float"),
        ("TIMESTAMP '2026-01-01' + to_days(k::INTEGER)", "local-timestamp"),
    ],
    show: ("SHOW TABLES", "name"),
    behind: ": 64 buckets, 0 differ, 0 of 200 rows moved",
    empty: "64 buckets",
    slow: "CREATE VIEW slow AS WITH n AS
             (SELECT unnest(range(CASE WHEN contains(current_query(), 'md' || '5') THEN 1000000 ELSE 1 END)) AS i)
             SELECT items.* FROM items WHERE (SELECT count(*) FROM n AS a, n AS b WHERE (a.i + b.i) % 7 = 9) = 0",
    limit: ", statement_timeout: 4s",
    unreadable: ("UPDATE items SET f8 = 'NaN' WHERE id = 'k1'", "NaN"),
    readable: "UPDATE items SET f8 = NULL WHERE id = 'k1'",
    missing: "does not exist",
    reader: "",
    superuser: "",
};

/// An emulator over DuckDB, through the real driver. It takes names in any case.
pub(crate) static SNOWFLAKE: Engine = Engine {
    name: "Snowflake",
    kind: "adbc",
    table: r#"
        CREATE TABLE "items" ("id" VARCHAR, "k" NUMBER(38, 0), "external" VARCHAR, "name" VARCHAR, "n8" NUMBER(38, 0), "f4" FLOAT,
          "f8" DOUBLE, "d" NUMBER(38, 21), "b" BOOLEAN, "t" TIMESTAMP_TZ, "lt" TIMESTAMP_NTZ, "day" DATE, "txt" VARCHAR,
          "txt2" VARCHAR, "j" VARIANT, "jb" OBJECT, "u" VARCHAR, "arr" ARRAY, "e" TIMESTAMP_LTZ)"#,
    many: "INSERT INTO items (id, k, external, name, n8) SELECT 'k' || n, n, 'a' || n, 'Account ' || n, 1
           FROM (SELECT VALUE::INT AS n FROM TABLE(FLATTEN(INPUT => ARRAY_GENERATE_RANGE(1, {rows} + 1))))",
    values: &[
        ("external", EXTERNAL),
        ("name", &["'A'", "'B'", "'a'", "'A '", "NULL", "''"]),
        ("n8", &["1", "2", "-1", "9007199254740992", "9007199254740993", "NULL"]),
        ("f4", &["1", "1.0000001", "1.0000000000000002", "0", "16777216", "NULL"]),
        ("f8", &["0.1", "0.10000000000000002", "0", "1e300", "NULL"]),
        ("d", &["1", "1.0", "1.000000000000000000001", "-0.0", "NULL"]),
        ("b", &["true", "false", "NULL"]),
        (
            "t",
            &[
                "'2026-01-01 00:00:00.000001+00:00'",
                "'2026-01-01 00:00:00.000002+00:00'",
                "'2026-01-01 01:00:00.000001+01:00'",
                "NULL",
            ],
        ),
        ("lt", &["'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.000002'", "NULL"]),
        ("day", &["'2026-01-01'", "'2026-01-02'", "NULL"]),
        (
            "txt",
            &[
                "NULL", "'null'", "'NULL'", "''", "' '", "'a,b'", "'a'", "'A'", "'a '", "'-'", "'61'", "'é'",
                "'🦜'",
            ],
        ),
        ("txt2", &["NULL", "'null'", "''", "' '", "'a'", "'A'", "'é'", "'-'", "'61'"]),
        (
            "j",
            &[
                "PARSE_JSON('{\"a\":1,\"b\":2}')",
                "PARSE_JSON('{\"a\":1,\"b\":3}')",
                "PARSE_JSON('{\"a\": 1.5}')",
                "PARSE_JSON('null')",
                "PARSE_JSON('1')",
                "PARSE_JSON('\"1\"')",
                "NULL",
            ],
        ),
        (
            "jb",
            &["OBJECT_CONSTRUCT('a', 1)", "OBJECT_CONSTRUCT('a', '1')", "OBJECT_CONSTRUCT('b', 1)", "NULL"],
        ),
        ("u", &["'a'", "'A'", "'b'", "''", "NULL"]),
        ("arr", &["PARSE_JSON('[\"a\",\"b\"]')", "PARSE_JSON('[\"a,b\"]')", "PARSE_JSON('[]')", "NULL"]),
        ("e", &["'2026-10-25 00:30:00'", "'2026-10-25 01:30:00'", "NULL"]),
    ],
    settings: &["SELECT 1"],
    reset: "",
    models: &[
        ("table: items", "id"),
        ("table: items", "id"),
        ("sql: SELECT * FROM items", "id"),
        ("sql: SELECT *, 1 AS twice, 2 AS thrice FROM items;", "id"),
        ("sql: WITH coho AS (SELECT * FROM items) SELECT * FROM coho ORDER BY name -- last", "k"),
        ("table: items", "[id, k]"),
    ],
    delete_twin: "DELETE FROM items WHERE rowid IN (SELECT max(rowid) FROM items WHERE id = {id} HAVING count(*) > 1)",
    shuffle: "CREATE OR REPLACE TABLE again AS SELECT * FROM items; TRUNCATE TABLE items; INSERT INTO items SELECT * FROM again ORDER BY random()",
    odd_ids: "UPDATE items SET id = id || CHAR(10) || '\"' || CHAR(9) || 'é' || CHAR(1) || CHAR(127) || '/'",
    day_as_text: "TO_VARCHAR(day, 'YYYY-MM-DD') AS \"day\"",
    other_keys: &[("k::NUMBER(20, 2)", "decimal"), ("k::FLOAT", "float")],
    show: ("SHOW TABLES", "name"),
    behind: ": 64 buckets, 0 differ, 0 of 200 rows moved",
    // Without a row the driver does not say which columns are JSON.
    empty: "not compared in the source, 0 rows moved",
    slow: "",
    limit: "",
    unreadable: ("UPDATE items SET f8 = 'NaN' WHERE id = 'k1'", "NaN"),
    readable: "UPDATE items SET f8 = NULL WHERE id = 'k1'",
    missing: "does not exist",
    reader: "",
    superuser: "",
};
