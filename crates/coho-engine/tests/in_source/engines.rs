//! Databases that compare rows, and what tests ask of each in its own words: texts, one table of them for each.

/// The texts of one database.
#[derive(Debug)]
pub(crate) struct Engine {
    /// As plans name it.
    pub(crate) name: &'static str,
    /// As projects name its type.
    pub(crate) kind: &'static str,
    /// A table `items` with a column of every type that is read, and no constraint.
    pub(crate) table: &'static str,
    /// Rows that are alike but for their numbers; `{rows}` of them.
    pub(crate) many: &'static str,
    /// Values of each column that are next to each other, and take one another's text.
    pub(crate) values: &'static [(&'static str, &'static [&'static str])],
    /// Settings of sessions to come that change the text of values.
    pub(crate) settings: &'static [&'static str],
    /// Takes all settings back.
    pub(crate) reset: &'static str,
    /// What the model may read, with its primary key.
    pub(crate) models: &'static [(&'static str, &'static str)],
    /// Deletes one of the rows with the id `{id}`, if there are more.
    pub(crate) delete_twin: &'static str,
    /// Puts the rows into another order.
    pub(crate) shuffle: &'static str,
    /// Letters at the end of each id that JSON writes in its own way.
    pub(crate) odd_ids: &'static str,
    /// A column `day` as text.
    pub(crate) day_as_text: &'static str,
    /// Keys whose text in SQL is not Coho's, and their types.
    pub(crate) other_keys: &'static [(&'static str, &'static str)],
    /// A query that cannot be a subquery, and its first column.
    pub(crate) show: (&'static str, &'static str),
    /// What a plan says where a comment stands behind the query's semicolon.
    pub(crate) behind: &'static str,
    /// What a plan says where the table is empty.
    pub(crate) empty: &'static str,
    /// A view `slow` that takes long where digests are asked for, and a time limit for sessions to come.
    pub(crate) slow: &'static str,
    /// The same limit in the project, where sessions have none.
    pub(crate) limit: &'static str,
    /// Gives the row `k1` a value that cannot be read; words of the message.
    pub(crate) unreadable: (&'static str, &'static str),
    /// Takes that value back.
    pub(crate) readable: &'static str,
    /// Words of the message for a table that is not there.
    pub(crate) missing: &'static str,
    /// A user `reader` who may only read the table; empty where there are no users.
    pub(crate) reader: &'static str,
    /// The superuser's name.
    pub(crate) superuser: &'static str,
}

pub(crate) static POSTGRES: Engine = Engine {
    name: "PostgreSQL",
    kind: "postgres",
    table: "
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE UNLOGGED TABLE items (id text, k bigint, external text, name text, n8 bigint, f4 real, f8 double precision,
          d numeric, b boolean, t timestamptz, lt timestamp, day date, txt text, txt2 varchar, j json, jb jsonb, u uuid,
          arr text[], e mood);",
    many: "INSERT INTO items (id, k, external, name, n8) SELECT 'k' || n, n, 'a' || n, 'Account ' || n, 1
           FROM generate_series(1, {rows}) AS n",
    values: &[
        ("external", EXTERNAL),
        ("name", &["'A'", "'B'", "NULL", "''"]),
        ("n8", &["1", "2", "9007199254740992", "9007199254740993", "NULL"]),
        ("f4", &["1", "1.0000001", "'-0'", "0", "NULL"]),
        ("f8", &["0.1", "0.10000000000000002", "'-0'", "0", "1e300", "NULL"]),
        ("d", &["1", "1.0", "1.00", "1.000000000000000000001", "-0.0", "NULL"]),
        ("b", &["true", "false", "NULL"]),
        (
            "t",
            &[
                "'2026-01-01 00:00:00.000001Z'",
                "'2026-01-01 00:00:00.000002Z'",
                "'2026-01-01 01:00:00.000001+01'",
                "NULL",
            ],
        ),
        ("lt", &["'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.000002'", "NULL"]),
        ("day", &["'2026-01-01'", "'2026-01-02'", "NULL"]),
        ("txt", &["NULL", "'null'", "'NULL'", "''", "'a,b'", "'a'", "'b'", "'a\",\"b'", "E'a\\nb'", "'{}'", "'é'", "E'e\\u0301'"]),
        ("txt2", &["NULL", "'null'", "''", "'a,b'", "'a'", "'b'", "'a\",\"b'", "'é'"]),
        ("j", JSON),
        ("jb", JSON),
        ("u", &["'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'", "NULL"]),
        ("arr", &["'{a,b}'", "'{\"a,b\"}'", "'{NULL}'", "'{\"NULL\"}'", "'{}'", "NULL"]),
        ("e", &["'good'", "'bad'", "NULL"]),
    ],
    settings: &[
        "ALTER ROLE postgres SET TimeZone = 'America/New_York'",
        "ALTER ROLE postgres SET DateStyle = 'German, DMY'",
        "ALTER ROLE postgres SET extra_float_digits = -15",
        "ALTER ROLE postgres SET bytea_output = 'escape'",
        "ALTER ROLE postgres SET IntervalStyle = 'iso_8601'",
        "ALTER ROLE postgres SET TimeZone = 'Asia/Kolkata'",
    ],
    reset: "ALTER ROLE postgres RESET ALL",
    models: &[
        ("table: items", "id"),
        ("table: items", "id"),
        ("sql: SELECT * FROM items", "id"),
        ("sql: SELECT *, 1 AS twice, 2 AS twice, 3 FROM items;", "id"),
        ("sql: WITH some AS (SELECT * FROM items) SELECT * FROM some ORDER BY name -- last", "k"),
        (
            "sql: SELECT id, k, external, txt AS name, n8, f4, f8, d, b, t, lt, t::date AS day, txt, txt2, j, jb, u, arr, e FROM items",
            "id",
        ),
        ("table: items", "[id, k]"),
    ],
    delete_twin: "DELETE FROM items WHERE ctid IN (SELECT max(ctid) FROM items WHERE id = {id} HAVING count(*) > 1)",
    shuffle: "CREATE TEMP TABLE again AS SELECT * FROM items; TRUNCATE items; INSERT INTO items SELECT * FROM again ORDER BY random()",
    odd_ids: "UPDATE items SET id = id || E'\\n\"\\\\\\t\\u00e9\\u0001\\u007f/'",
    day_as_text: "day::text AS day",
    other_keys: &[
        ("k::numeric", "numeric"),
        ("id::char(9)", "bpchar"),
        ("timestamp '2026-01-01' + k * interval '1 day'", "timestamp"),
    ],
    show: ("SHOW server_version", "server_version"),
    behind: "PostgreSQL cannot run the query as a subquery: ",
    empty: "64 buckets",
    limit: "",
    slow: "CREATE VIEW slow AS SELECT items.* FROM items, LATERAL (SELECT pg_sleep(CASE WHEN current_query() LIKE '%md5%'
             THEN 60 ELSE 0 END) OFFSET 0) AS slept;
           ALTER ROLE postgres SET statement_timeout = '2s'",
    unreadable: ("UPDATE items SET f8 = 'NaN' WHERE id = 'k1'", "NaN"),
    readable: "UPDATE items SET f8 = NULL WHERE id = 'k1'",
    missing: "does not exist",
    reader: "CREATE ROLE reader LOGIN; GRANT SELECT ON items TO reader",
    superuser: "postgres",
};

/// Its collations take `a`, `A` and `á` for one text, and of a `char` or `varchar` blanks at the end for none.
pub(crate) static MARIADB: Engine = Engine {
    name: "MySQL",
    kind: "mysql",
    table: "
        CREATE TABLE items (id text, k bigint, external text, name text, n8 bigint unsigned, f4 float, f8 double,
          d decimal(40,21), b boolean, t timestamp(6) NULL, lt datetime(6), day date, txt text, txt2 varchar(20) CHARACTER SET latin1,
          j json, jb json, u char(8), arr set('a', 'b', 'ab'), e enum('good', 'bad', 'Bad') COLLATE utf8mb4_bin)
          CHARACTER SET utf8mb4;",
    many: "INSERT INTO items (id, k, external, name, n8) SELECT CONCAT('k', seq), seq, CONCAT('a', seq), CONCAT('Account ', seq), 1
           FROM seq_1_to_{rows}",
    values: &[
        ("external", EXTERNAL),
        ("name", &["'A'", "'B'", "'a'", "'A '", "'Á'", "NULL", "''"]),
        ("n8", &["1", "2", "9007199254740992", "9007199254740993", "NULL"]),
        ("f4", &["1", "1.0000001", "16777215", "16777216", "0", "NULL"]),
        ("f8", &["0.1", "0.10000000000000002", "5e-324", "0", "1e300", "NULL"]),
        ("d", &["1", "1.0", "1.000000000000000000001", "-0.0", "NULL"]),
        ("b", &["true", "false", "NULL"]),
        ("t", &["'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.000002'", "'2026-03-29 02:30:00'", "NULL"]),
        ("lt", &["'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.000002'", "NULL"]),
        ("day", &["'2026-01-01'", "'2026-01-02'", "NULL"]),
        ("txt", &["NULL", "'null'", "'NULL'", "''", "' '", "'a,b'", "'a'", "'A'", "'a '", "'-'", "'61'", "'{}'", "'é'", "'e'", "'🦜'", "CHAR(0)"]),
        ("txt2", &["NULL", "'null'", "''", "' '", "'a'", "'A'", "'é'", "'e'", "'-'", "'61'"]),
        ("j", JSON),
        ("jb", JSON),
        ("u", &["'a'", "'A'", "'b'", "''", "NULL"]),
        ("arr", &["'a,b'", "'ab'", "'a'", "''", "NULL"]),
        ("e", &["'good'", "'bad'", "'Bad'", "NULL"]),
    ],
    settings: &[
        "SET GLOBAL time_zone = '-05:00'",
        "SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
        "SET GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'",
        "SET GLOBAL sql_mode = 'ORACLE'",
        "SET GLOBAL collation_connection = utf8mb4_bin, sql_select_limit = 3, group_concat_max_len = 4",
        "SET GLOBAL optimizer_switch = 'derived_merge=off'",
    ],
    reset: "SET GLOBAL time_zone = '+05:00', sql_mode = DEFAULT, collation_connection = DEFAULT, sql_select_limit = DEFAULT,
              group_concat_max_len = DEFAULT, optimizer_switch = DEFAULT, max_statement_time = DEFAULT",
    models: &[
        ("table: items", "id"),
        ("table: items", "id"),
        ("sql: SELECT * FROM items", "id"),
        ("sql: SELECT *, 1 AS twice, 2 AS twice, 3 FROM items;", "id"),
        ("sql: WITH coho AS (SELECT * FROM items) SELECT * FROM coho ORDER BY name -- last", "k"),
        (
            "sql: SELECT id, k, external, txt AS name, n8, f4, f8, d, b, t, lt, CAST(t AS DATE) AS day, txt, txt2, j, jb, u, arr, e FROM items",
            "id",
        ),
        ("sql: SELECT DISTINCT * FROM items", "[id, k]"),
        ("table: items", "[id, k]"),
    ],
    delete_twin: "DELETE FROM items WHERE id = {id} AND (SELECT COUNT(*) FROM items AS twins WHERE twins.id = {id}) > 1 LIMIT 1",
    shuffle: "CREATE TEMPORARY TABLE again AS SELECT * FROM items; TRUNCATE items; INSERT INTO items SELECT * FROM again ORDER BY RAND()",
    odd_ids: "UPDATE items SET id = CONCAT(id, '\\n\"\\\\\\té', CHAR(1), CHAR(127), '/')",
    day_as_text: "CAST(day AS CHAR) AS day",
    other_keys: &[
        ("CAST(k AS DECIMAL(20))", "decimal"),
        ("TIMESTAMP('2026-01-01') + INTERVAL k DAY", "datetime"),
    ],
    show: ("SHOW TABLES", "Tables_in_shop"),
    behind: "MySQL cannot run the query as a subquery: ",
    empty: "64 buckets",
    limit: "",
    slow: "CREATE VIEW slow AS SELECT * FROM items WHERE SLEEP(IF((SELECT info FROM information_schema.processlist
             WHERE id = CONNECTION_ID()) LIKE '%MD5%', 60, 0)) = 0;
           SET GLOBAL max_statement_time = 2",
    unreadable: ("UPDATE items SET day = '0000-00-00' WHERE id = 'k1'", "a date whose month or day is zero"),
    readable: "UPDATE items SET day = NULL WHERE id = 'k1'",
    missing: "doesn't exist",
    reader: "CREATE USER reader@'127.0.0.1'; GRANT SELECT ON shop.items TO reader@'127.0.0.1'",
    superuser: "root",
};

pub(crate) const EXTERNAL: &[&str] = &["CONCAT('a', k)", "CONCAT('b', k)", "'same'", "NULL", "''"];

const JSON: &[&str] = &[
    "'{\"a\":1,\"b\":2}'",
    "'{\"b\":2,\"a\":1}'",
    "'{\"a\": 1.0}'",
    "'null'",
    "'1'",
    "'1.0'",
    "'\"1\"'",
    "NULL",
];
