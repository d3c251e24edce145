//! The keys of fields, traits and properties: what a sync's rows are mapped to.

use super::Need::{May, With};
use super::texts::{COLUMNS, LOOKUP, SEPARATOR, TEXTS};
use super::{Choice, Form, Key, Others, Shape};

/// `fields`, and what it says of itself.
pub(crate) static FIELDS: Shape = Shape {
    name: "fields",
    about: "The fields of the object, by their names in Vitally's API. `match` sets `externalId`, an event's `messageId`, and `email` if \
            users are matched by it: do not repeat these here.",
    keys: &[
        Key {
            name: "traits",
            need: May,
            form: &Form::Either(&[&COLUMNS, &Form::Map(&TRAITS)]),
            default: "none",
            meaning: "Custom values of records, by key. `traits: { plan: plan }` and `traits.plan: plan` mean the same. To take all traits at once \
                  from a JSON object, write a column's name, or a mapping with only `column` or `template` (and `as`, `null`), or \
                  `object`. A single trait named `column` is written `traits.column`.",
            example: "traits: { plan: plan }",
        },
        Key {
            name: "properties",
            need: May,
            form: &Form::Either(&[&COLUMNS, &Form::Map(&PROPERTIES)]),
            default: "none",
            meaning: "Custom values of events, by key, in all the forms of `traits`.",
            example: "properties: { total: total }",
        },
    ],
    one_of: &[],
    others: Some(Others {
        label: "FIELD",
        key: None,
        form: &FIELD,
        meaning: "a column, or a mapping as below",
    }),
};

static TRAITS: Shape = Shape {
    name: "traits",
    about: "",
    keys: &[Key {
        name: "object",
        need: May,
        form: &Form::Either(&[&COLUMNS, &Form::Map(&MEMBERS)]),
        default: "",
        meaning: "By itself: an object with all traits. Beside other keys: a trait of this name.",
        example: "traits: { object: { plan: plan, source: { static: warehouse } } }",
    }],
    one_of: &[],
    others: Some(Others {
        label: "TRAIT",
        key: None,
        form: &FIELD,
        meaning: "a column, or a mapping as below",
    }),
};

static PROPERTIES: Shape = Shape {
    name: "properties",
    about: "",
    keys: &[Key {
        name: "object",
        need: May,
        form: &Form::Either(&[&COLUMNS, &Form::Map(&MEMBERS)]),
        default: "",
        meaning: "By itself: an object with all properties. Beside other keys: a property of this name.",
        example: "properties: { object: { total: total, source: { static: shop } } }",
    }],
    one_of: &[],
    others: Some(Others {
        label: "PROPERTY",
        key: None,
        form: &FIELD,
        meaning: "a column, or a mapping as above",
    }),
};

/// A field: a column, or a mapping.
pub(crate) static FIELD: Form = Form::Either(&[&COLUMNS, &Form::Map(&FIELD_SHAPE)]);

static FIELD_SHAPE: Shape = Shape {
    name: "field",
    about: "What a field, a trait or a property is set to.",
    keys: &[
        Key {
            name: "column",
            need: May,
            form: &COLUMNS,
            default: "",
            meaning: "The value of a column.",
            example: "{ column: plan }",
        },
        Key {
            name: "as",
            need: May,
            form: &Form::Choice(&CAST),
            default: "the column's type",
            meaning: "The type to cast the value to. A value that cannot be cast makes the row invalid.",
            example: "{ column: seats, as: number }",
        },
        Key {
            name: "lookup",
            need: With("column"),
            form: &Form::Text(&LOOKUP),
            default: "",
            meaning: "Required if the field refers to records: which ids the column holds, one or a list. `account.externalId` stands for external ids, `account.id` for Vitally's own.",
            example: "{ column: account_ids, lookup: account.externalId }",
        },
        Key {
            name: "split",
            need: With("lookup"),
            form: &Form::Text(&SEPARATOR),
            default: "",
            meaning: "The separator, if the column holds a list of ids as text. Blanks around an id are ignored. A JSON list needs no separator.",
            example: "{ column: account_ids, lookup: account.externalId, split: \",\" }",
        },
        Key {
            name: "static",
            need: May,
            form: &Form::Anything,
            default: "",
            meaning: "The same value for every row.",
            example: "{ static: warehouse }",
        },
        Key {
            name: "object",
            need: May,
            form: &Form::Map(&MEMBERS),
            default: "",
            meaning: "An object. No field or trait that this version of Coho sends can hold one.",
            example: "{ object: { city: city } }",
        },
        Key {
            name: "array",
            need: May,
            form: &Form::List(&FIELD),
            default: "",
            meaning: "A list of items.",
            example: "{ array: [first_tag, second_tag] }",
        },
        Key {
            name: "template",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "A Liquid template. A lone `{{ … }}` keeps its type; anything else gives text.",
            example: "{ template: \"{{ row['plan'] | upcase }}\" }",
        },
        Key {
            name: "undefined",
            need: With("template"),
            form: &Form::Choice(&UNDEFINED),
            default: "`error`",
            meaning: "How the template treats undefined values: as errors (`error`), or as empty, as in LiquidJS (`empty`), which also lets invalid dates pass.",
            example: "{ template: \"{{ row.nickname }}\", undefined: empty }",
        },
        Key {
            name: "empty",
            need: With("template"),
            form: &Form::Null,
            default: "blank text",
            meaning: "What to use if the template's text is blank: `null`, which then follows the null policy.",
            example: "{ template: \"{{ row.first }} {{ row.last }}\", empty: null, null: omit }",
        },
        Key {
            name: "null",
            need: May,
            form: &Form::Choice(&NULL),
            default: "`follow`",
            meaning: "What a null does: clear the field if this sync set it before (`follow`), leave the field alone (`omit`), or always clear it (`clear`).",
            example: "{ column: email, null: omit }",
        },
    ],
    one_of: &["column", "static", "object", "array", "template"],
    others: None,
};

static MEMBERS: Shape = Shape {
    name: "members",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "MEMBER",
        key: None,
        form: &FIELD,
        meaning: "a column, or a mapping as above",
    }),
};

/// The casts.
pub(crate) static CAST: Choice =
    Choice { now: &["text", "number", "integer", "boolean", "date", "timestamp", "json"], later: &[] };

/// How templates read what is not there.
pub(crate) static UNDEFINED: Choice = Choice { now: &["error", "empty"], later: &[] };

/// What nulls do.
pub(crate) static NULL: Choice = Choice { now: &["follow", "omit", "clear"], later: &[] };
