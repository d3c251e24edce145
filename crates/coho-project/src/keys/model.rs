//! The keys of model files, and of the comments at the top of a model's SQL file.

use super::Need::{May, Must, With};
use super::texts::{COLUMN, COLUMNS, DBT_NAME, DELIMITER, NAMES, TEXTS};
use super::{Choice, Form, Key, Others, Shape};

/// `models/NAME.yaml`.
pub(crate) static MODEL: Shape = Shape {
    name: "models/NAME.yaml",
    about: "Rows of one source. The model is named after its file, without the extension.",
    keys: &[
        SOURCE,
        PRIMARY_KEY,
        MASK,
        Key {
            name: "sql",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "The query that returns the rows.",
            example: "sql: select id, name from customers",
        },
        Key {
            name: "table",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "A whole table or view, with its schema if needed: `public.customers`.",
            example: "table: public.customers",
        },
        Key {
            name: "dbt",
            need: May,
            form: &Form::Text(&DBT_NAME),
            default: "",
            meaning: "The table or view of a dbt model, by the name that `ref` takes; with its package or version if needed: `package.customers`, `customers.v2`. Needs `dbt` in `coho.yaml`.",
            example: "dbt: customers",
        },
        Key {
            name: "file",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "A file, relative to the source's folder.",
            example: "file: customers.csv",
        },
        Key {
            name: "format",
            need: With("file"),
            form: &Form::Choice(&FORMAT),
            default: "from the file's extension",
            meaning: "The format: comma-separated values, one JSON object per line, or Parquet.",
            example: "format: csv",
        },
        Key {
            name: "delimiter",
            need: With("file"),
            form: &Form::Text(&DELIMITER),
            default: "`,`",
            meaning: "CSV: the character between fields; `tab` for a tab.",
            example: "delimiter: \";\"",
        },
        Key {
            name: "header",
            need: With("file"),
            form: &Form::Either(&[&Form::Flag, &Form::List(&COLUMNS)]),
            default: "`true`",
            meaning: "CSV: whether the first line has the column names. `[id, name]` is short for `header: false` with `columns: [id, name]`.",
            example: "header: false",
        },
        Key {
            name: "columns",
            need: With("file"),
            form: &Form::List(&COLUMNS),
            default: "by the header",
            meaning: "CSV: the column names, in order. They replace the names in the first line, which may be missing or duplicated.",
            example: "columns: [id, name]",
        },
        Key {
            name: "types",
            need: With("file"),
            form: &Form::Map(&TYPES),
            default: "none",
            meaning: "CSV and NDJSON: the types of columns, by name.",
            example: "types: { seats: integer }",
        },
        Key {
            name: "infer",
            need: With("file"),
            form: &Form::Flag,
            default: "`true`",
            meaning: "CSV: whether a column without a declared type gets the narrowest type that fits all its values; otherwise it is text.",
            example: "infer: false",
        },
    ],
    one_of: &["sql", "table", "dbt", "file"],
    others: None,
};

/// `models/NAME.sql`.
pub(crate) static SQL_MODEL: Shape = Shape {
    name: "models/NAME.sql",
    about: "A query. Comments before its first line of SQL say where it runs and what identifies a row: `-- source: warehouse` and `-- primary_key: id`. Other comments are allowed.",
    keys: &[
        Key { example: "-- source: warehouse", ..SOURCE },
        Key { example: "-- primary_key: id", ..PRIMARY_KEY },
        Key { example: "-- mask: email", ..MASK },
    ],
    one_of: &[],
    others: None,
};

const SOURCE: Key = Key {
    name: "source",
    need: Must,
    form: &NAMES,
    default: "",
    meaning: "The source, as `coho.yaml` names it.",
    example: "source: warehouse",
};

const PRIMARY_KEY: Key = Key {
    name: "primary_key",
    need: Must,
    form: &Form::Either(&[&COLUMNS, &Form::List(&COLUMNS)]),
    default: "",
    meaning: "The column that identifies a row, or a list of them.",
    example: "primary_key: id",
};

const MASK: Key = Key {
    name: "mask",
    need: May,
    form: &Form::Either(&[&COLUMNS, &Form::List(&COLUMNS)]),
    default: "none",
    meaning: "A column with personal data, or a list of them. Its fields show as `***` on pages, in logs, plans, exports and the ledger's history; Vitally gets the values.",
    example: "mask: [email, phone]",
};

/// The names of the file formats.
pub(crate) static FORMAT: Choice = Choice {
    now: &["csv", "ndjson", "parquet"],
    later: &[("json", "write one object a line and use `ndjson`")],
};

static TYPES: Shape = Shape {
    name: "types",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "COLUMN",
        key: Some(&COLUMN),
        form: &Form::Choice(&COLUMN_TYPE),
        meaning: "the column's type",
    }),
};

/// The names of column types that a file's column may be declared as.
pub(crate) static COLUMN_TYPE: Choice = Choice {
    now: &["boolean", "integer", "float", "decimal", "text", "timestamp", "local-timestamp", "date", "json"],
    later: &[],
};
