//! The keys of fields, traits and properties: what a sync's rows are mapped to.

use super::Need::{May, With};
use super::texts::{COLUMNS, LOOKUP, SEPARATOR, TEXTS};
use super::{Choice, Form, Key, Others, Shape};

/// `fields`, and what it says of itself.
pub(crate) static FIELDS: Shape = Shape {
    name: "fields",
    about: "The fields of the object by the names of Vitally's API. `externalId` is not among them: `match` sets it, as it does an \
            event's `messageId`, and `email` where users are matched by that.",
    keys: &[
        Key {
            name: "traits",
            need: May,
            form: &Form::Either(&[&COLUMNS, &Form::Map(&TRAITS)]),
            default: "none",
            meaning: "Custom values of records by their keys. `traits: { plan: plan }` and `traits.plan: plan` are the same. A mapping of nothing but \
                  `column` or `template` (and `as`, `null`), like a column by itself, takes all traits at once from the object that it \
                  gives, and `object` writes that object out; a lone trait that is called `column` is written `traits.column`.",
            example: "traits: { plan: plan }",
        },
        Key {
            name: "properties",
            need: May,
            form: &Form::Either(&[&COLUMNS, &Form::Map(&PROPERTIES)]),
            default: "none",
            meaning: "Custom values of events by their keys, in all the forms of `traits`.",
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
        meaning: "By itself: the object of all traits, written out. Else a trait of this name.",
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
        meaning: "By itself: the object of all properties, written out. Else a property of this name.",
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
            meaning: "The type to which the value is cast. A value that is none of that type makes the row invalid.",
            example: "{ column: seats, as: number }",
        },
        Key {
            name: "lookup",
            need: With("column"),
            form: &Form::Text(&LOOKUP),
            default: "",
            meaning: "Must be there where the field refers to records: the column has their external ids, one or a list; `account.id` says that it has ids of Vitally's own.",
            example: "{ column: account_ids, lookup: account.externalId }",
        },
        Key {
            name: "split",
            need: With("lookup"),
            form: &Form::Text(&SEPARATOR),
            default: "",
            meaning: "What stands between the ids of a list that the column has as text. Blanks around an id are not part of it. A list in JSON needs none.",
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
            meaning: "An object of members. No field or trait of this version's objects can hold one.",
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
            meaning: "How the template treats undefined values: as errors, or as empty, including invalid dates, as in LiquidJS.",
            example: "{ template: \"{{ row.nickname }}\", undefined: empty }",
        },
        Key {
            name: "empty",
            need: With("template"),
            form: &Form::Null,
            default: "a text of blanks",
            meaning: "What to use if the template's text is blank: `null`, which then follows the null policy.",
            example: "{ template: \"{{ row.first }} {{ row.last }}\", empty: null, null: omit }",
        },
        Key {
            name: "null",
            need: May,
            form: &Form::Choice(&NULL),
            default: "`follow`",
            meaning: "What a null does: clear the field if this sync set it before (`follow`), leave it (`omit`), or always clear it (`clear`).",
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
