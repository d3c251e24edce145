//! The keys of sources in `coho.yaml`, of files in [`super::files`].

use super::Need::{May, Must};
use super::files::FILES;
use super::texts::{ADBC_OPTION, ADBC_VALUE, DURATION, MYSQL_URL, NAME, POSTGRES_URL, TEXTS};
use super::{Choice, Form, Key, Others, Shape, Typed};

pub(crate) static SOURCES: Shape = Shape {
    name: "sources",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "NAME",
        key: Some(&NAME),
        form: &Form::Typed(&SOURCE),
        meaning: "a source",
    }),
};

static SOURCE: Typed = Typed {
    types: &[
        ("postgres", &POSTGRES),
        ("mysql", &MYSQL),
        ("sqlite", &SQLITE),
        ("files", &FILES),
        ("adbc", &ADBC),
    ],
    later: &[
        ("snowflake", "write `type: adbc` and `driver: snowflake`"),
        ("bigquery", "write `type: adbc` and `driver: bigquery`"),
        ("redshift", "write `type: adbc` and `driver: redshift` or `driver: postgresql`"),
        ("databricks", "write `type: adbc` and `driver: databricks`"),
        ("duckdb", "write `type: adbc` and `driver: duckdb`"),
    ],
};

static ADBC: Shape = Shape {
    name: "source of type adbc",
    about: "A database or warehouse with an ADBC driver, such as Snowflake, BigQuery, Databricks, DuckDB or Flight SQL. The driver is installed apart from Coho.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["adbc"], later: &[] }), "type: adbc"),
        Key {
            name: "driver",
            need: Must,
            form: &TEXTS,
            default: "",
            meaning: "The driver's name, as `dbc install` takes it; or the path of its library or its manifest, relative to the project.",
            example: "driver: snowflake",
        },
        Key {
            name: "options",
            need: May,
            form: &Form::Map(&ADBC_OPTIONS),
            default: "none",
            meaning: "The driver's own options, such as `uri`, `username` and `password`. Relative paths in them begin at the project's folder.",
            example: "options: { uri: \"${WAREHOUSE_URI}\" }",
        },
        Key {
            name: "statement_timeout",
            need: May,
            form: &Form::Text(&DURATION),
            default: "the engine's",
            meaning: "How long one query may take, connecting included. Then Coho cancels it.",
            example: "statement_timeout: 10m",
        },
        COMPARE,
    ],
    one_of: &[],
    others: None,
};

static ADBC_OPTIONS: Shape = Shape {
    name: "options of a source of type adbc",
    about: "The names are the driver's. Values are texts or numbers; write `\"true\"` in quotes. None of them is printed.",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "OPTION",
        key: Some(&ADBC_OPTION),
        form: &Form::Text(&ADBC_VALUE),
        meaning: "an option of the driver",
    }),
};

static POSTGRES: Shape = Shape {
    name: "source of type postgres",
    about: "A PostgreSQL database.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["postgres"], later: &[] }), "type: postgres"),
        Key {
            name: "url",
            need: Must,
            form: &Form::Text(&POSTGRES_URL),
            default: "",
            meaning: "The address of the database, with user and password. A secret.",
            example: "url: \"${WAREHOUSE_URL}\"",
        },
        STATEMENT_TIMEOUT,
        COMPARE,
        Key {
            name: "cache",
            need: May,
            form: &Form::Map(&CACHE),
            default: "Coho has no table in the database",
            meaning: "Where Coho may keep a table of its own for each sync, with what each row was, so that only rows that changed leave the database.",
            example: "cache: { schema: coho }",
        },
    ],
    one_of: &[],
    others: None,
};

static CACHE: Shape = Shape {
    name: "cache",
    about: "Where Coho keeps what each row was. It implies `compare: in-source`.",
    keys: &[Key {
        name: "schema",
        need: Must,
        form: &TEXTS,
        default: "",
        meaning: "The schema in which Coho makes its tables. `coho check --grants` prints the rights that this needs.",
        example: "schema: coho",
    }],
    one_of: &[],
    others: None,
};

static MYSQL: Shape = Shape {
    name: "source of type mysql",
    about: "A MySQL or MariaDB database.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["mysql"], later: &[] }), "type: mysql"),
        Key {
            name: "url",
            need: Must,
            form: &Form::Text(&MYSQL_URL),
            default: "",
            meaning: "The address of the database, with user and password: a secret.",
            example: "url: \"${SHOP_URL}\"",
        },
        STATEMENT_TIMEOUT,
        COMPARE,
    ],
    one_of: &[],
    others: None,
};

const COMPARE: Key = Key {
    name: "compare",
    need: May,
    form: &Form::Choice(&Choice { now: &["full", "in-source"], later: &[] }),
    default: "full",
    meaning: "How changed rows are found: `full` reads every row; `in-source` lets the database sum them up, and reads only rows that may have changed.",
    example: "compare: in-source",
};

const STATEMENT_TIMEOUT: Key = Key {
    name: "statement_timeout",
    need: May,
    form: &Form::Text(&DURATION),
    default: "the server's",
    meaning: "How long one query may take.",
    example: "statement_timeout: 10m",
};

static SQLITE: Shape = Shape {
    name: "source of type sqlite",
    about: "An SQLite database file. Coho only reads it.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["sqlite"], later: &[] }), "type: sqlite"),
        path("The database file, relative to the project.", "path: data/app.db"),
    ],
    one_of: &[],
    others: None,
};

pub(crate) const fn kind(form: &'static Form, example: &'static str) -> Key {
    Key { name: "type", need: Must, form, default: "", meaning: "Which kind this is.", example }
}

const fn path(meaning: &'static str, example: &'static str) -> Key {
    Key { name: "path", need: Must, form: &TEXTS, default: "", meaning, example }
}
