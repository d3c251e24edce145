//! The keys of test files.

use super::Need::{May, Must, With};
use super::field::UNDEFINED;
use super::model::COLUMN_TYPE;
use super::texts::{COLUMN, NAMES, TEXTS};
use super::{Choice, Form, Key, Others, Shape};

/// `tests/NAME.yaml`.
pub(crate) static TEST: Shape = Shape {
    name: "tests/NAME.yaml",
    about: "Rows, and what a sync's mapping must turn them into. `coho test` runs them without sources, credentials or a ledger.",
    keys: &[
        Key {
            name: "sync",
            need: May,
            form: &NAMES,
            default: "",
            meaning: "The id of the sync whose mapping is tested.",
            example: "sync: users",
        },
        Key {
            name: "template",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "The Liquid template to test. It can read columns that are declared here or named in a row.",
            example: "template: \"{{ row['plan'] | upcase }}\"",
        },
        Key {
            name: "undefined",
            need: With("template"),
            form: &Form::Choice(&UNDEFINED),
            default: "`error`",
            meaning: "How the template treats undefined values: as errors (`error`), or as empty, as in LiquidJS (`empty`), which also lets invalid dates pass.",
            example: "undefined: empty",
        },
        Key {
            name: "columns",
            need: May,
            form: &Form::Map(&COLUMNS_SHAPE),
            default: "the types that the model declares, else those of the values",
            meaning: "The types of columns, as the source would return them. Dates, moments and exact decimals are text in YAML and need a type.",
            example: "columns: { joined: timestamp }",
        },
        Key {
            name: "tests",
            need: Must,
            form: &Form::List(&Form::Map(&CASE)),
            default: "",
            meaning: "The tests.",
            example: "tests: [{ name: …, row: { … }, record: { … } }]",
        },
    ],
    one_of: &["sync", "template"],
    others: None,
};

static COLUMNS_SHAPE: Shape = Shape {
    name: "columns",
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

static CASE: Shape = Shape {
    name: "test",
    about: "One row, and its expected result.",
    keys: &[
        Key {
            name: "name",
            need: Must,
            form: &TEXTS,
            default: "",
            meaning: "What is tested, as a sentence. Names are unique within a file.",
            example: "name: a null e-mail is left out",
        },
        Key {
            name: "row",
            need: Must,
            form: &Form::Map(&ROW),
            default: "",
            meaning: "The row, by column. Columns that are left out are null.",
            example: "row: { id: 7, name: Ada }",
        },
        Key {
            name: "record",
            need: May,
            form: &Form::Map(&RECORD),
            default: "",
            meaning: "The expected record, as `coho preview` shows it. `null` means that a field is cleared; fields that are not named must be absent. `coho test --bless` writes it.",
            example: "record: { externalId: '7', name: Ada }",
        },
        Key {
            name: "value",
            need: May,
            form: &Form::Anything,
            default: "",
            meaning: "The expected value of a template, with its type.",
            example: "value: PRO",
        },
        Key {
            name: "problems",
            need: May,
            form: &Form::List(&Form::Either(&[&Form::Choice(&PROBLEM), &Form::Map(&PROBLEM_SHAPE)])),
            default: "",
            meaning: "The expected problems, exactly these, in any order: codes, or mappings as below.",
            example: "problems: [cast-failed]",
        },
    ],
    one_of: &["record", "value", "problems"],
    others: None,
};

static ROW: Shape = Shape {
    name: "row",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "COLUMN",
        key: Some(&COLUMN),
        form: &Form::Anything,
        meaning: "what it holds",
    }),
};

static RECORD: Shape = Shape {
    name: "record",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "FIELD",
        key: None,
        form: &Form::Anything,
        meaning: "its value; references are external ids, traits are under `traits`, an event's custom values under `properties`",
    }),
};

static PROBLEM_SHAPE: Shape = Shape {
    name: "problem",
    about: "A problem of one field.",
    keys: &[
        Key {
            name: "code",
            need: Must,
            form: &Form::Choice(&PROBLEM),
            default: "",
            meaning: "Its code.",
            example: "code: cast-failed",
        },
        Key {
            name: "field",
            need: May,
            form: &TEXTS,
            default: "any",
            meaning: "The affected field.",
            example: "field: traits.seats",
        },
    ],
    one_of: &[],
    others: None,
};

/// The codes of problems that a mapping or a template can find in one row by itself.
pub(crate) static PROBLEM: Choice = Choice {
    now: &[
        "null-target",
        "target-form",
        "null-required",
        "no-owner",
        "cast-failed",
        "value-type",
        "nested-trait",
        "undefined-value",
        "template-failed",
        "template-budget",
        "unreadable-date",
    ],
    later: &[],
};
