//! The keys of sync files.

use super::Need::{Later, May, Must, With};
use super::texts::{COLUMNS, LIMIT, LOOKUP, NAMES, SHARE, TEXTS};
use super::{Choice, Form, Key, Others, Shape};

const ANALYTICS: &str = "use `api: rest`";

/// `syncs/NAME.yaml`.
pub(crate) static SYNC: Shape = Shape {
    name: "syncs/NAME.yaml",
    about: "What the rows of one model become in Vitally.",
    keys: &[
        Key {
            name: "id",
            need: Must,
            form: &NAMES,
            default: "",
            meaning: "The sync's identity, whatever its file is called. Another id is another sync, which remembers nothing.",
            example: "id: users",
        },
        Key {
            name: "model",
            need: Must,
            form: &NAMES,
            default: "",
            meaning: "The model whose rows are sent.",
            example: "model: active_users",
        },
        Key {
            name: "to",
            need: May,
            form: &NAMES,
            default: "the chosen target's destination",
            meaning: "The destination; must be there in a project without targets.",
            example: "to: vitally",
        },
        Key {
            name: "object",
            need: Must,
            form: &Form::Choice(&OBJECT),
            default: "",
            meaning: "What a row becomes.",
            example: "object: account",
        },
        Key {
            name: "api",
            need: May,
            form: &Form::Choice(&Choice { now: &["rest"], later: &[("analytics", ANALYTICS)] }),
            default: "`rest`",
            meaning: "The API through which records are sent.",
            example: "api: rest",
        },
        Key {
            name: "mode",
            need: May,
            form: &Form::Choice(&MODE),
            default: "`upsert`",
            meaning: "What may happen to a record: created or updated, only updated, or only created.",
            example: "mode: upsert",
        },
        Key {
            name: "match",
            need: Must,
            form: &Form::Map(&MATCH),
            default: "",
            meaning: "Which record a row becomes.",
            example: "match: { externalId: id }",
        },
        Key {
            name: "fields",
            need: Must,
            form: &Form::Map(&FIELDS),
            default: "",
            meaning: "What is set, and to what.",
            example: "fields: { name: name }",
        },
        Key {
            name: "associations",
            need: May,
            form: &Form::Choice(&Choice {
                now: &["add"],
                later: &[(
                    "exact",
                    "use `associations: add`, which never unlinks an account or an organization",
                )],
            }),
            default: "`add`",
            meaning: "What happens to links that a row does not name: they stay.",
            example: "associations: add",
        },
        Key {
            name: "removed",
            need: May,
            form: &Form::Choice(&REMOVED),
            default: "`keep`",
            meaning: "What happens to a record whose row left the model: it stays, is deleted, or is deleted if this sync created it.",
            example: "removed: delete-created",
        },
        Key {
            name: "guards",
            need: May,
            form: &Form::Map(&GUARDS),
            default: "see below",
            meaning: "What looks like an accident and is held.",
            example: "guards: { max_removed: 5% }",
        },
        Key {
            name: "first_run",
            need: May,
            form: &Form::Choice(&Choice {
                now: &["send"],
                later: &[
                    ("baseline", "remove it: the first run sends every row"),
                    ("adopt", "remove it: the first run sends every row"),
                ],
            }),
            default: "`send`",
            meaning: "What happens to the rows that are there when the sync runs for the first time.",
            example: "first_run: send",
        },
        Key {
            name: "schedule",
            need: Later("until then, let cron or your scheduler start `coho run`"),
            form: &TEXTS,
            default: "",
            meaning: "When the sync runs by itself.",
            example: "",
        },
    ],
    one_of: &[],
    others: None,
};

const LATER_OBJECT: &str = "this version sends organizations, accounts and users";

/// The objects.
pub(crate) static OBJECT: Choice = Choice {
    now: &["organization", "account", "user"],
    later: &[
        ("event", LATER_OBJECT),
        ("conversation", LATER_OBJECT),
        ("note", LATER_OBJECT),
        ("task", LATER_OBJECT),
        ("project", LATER_OBJECT),
    ],
};

pub(crate) static MODE: Choice = Choice { now: &["upsert", "update", "insert"], later: &[] };

pub(crate) static REMOVED: Choice = Choice { now: &["keep", "delete", "delete-created"], later: &[] };

static MATCH: Shape = Shape {
    name: "match",
    about: "By what a row finds its record.",
    keys: &[
        Key {
            name: "externalId",
            need: Must,
            form: &COLUMNS,
            default: "",
            meaning: "The column with the record's external id. It is also what a new record gets.",
            example: "match: { externalId: id }",
        },
        Key {
            name: "email",
            need: Later("match by an external id: `match: { externalId: … }`"),
            form: &COLUMNS,
            default: "",
            meaning: "The column with the user's e-mail address.",
            example: "",
        },
    ],
    one_of: &[],
    others: None,
};

/// `fields`, and what it says of itself.
pub(crate) static FIELDS: Shape = Shape {
    name: "fields",
    about: "The fields of the object by the names of Vitally's API. `externalId` is not among them: `match` sets it.",
    keys: &[Key {
        name: "traits",
        need: May,
        form: &Form::Either(&[&COLUMNS, &Form::Map(&TRAITS)]),
        default: "none",
        meaning: "Custom values by their keys. `traits: { plan: plan }` and `traits.plan: plan` are the same. A mapping of nothing but \
                  `column` or `template` (and `as`, `null`), like a column by itself, takes all traits at once from the object that it \
                  gives, and `object` writes that object out; a lone trait that is called `column` is written `traits.column`.",
        example: "traits: { plan: plan }",
    }],
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

/// A field: a column, or a mapping.
pub(crate) static FIELD: Form = Form::Either(&[&COLUMNS, &Form::Map(&FIELD_SHAPE)]);

static FIELD_SHAPE: Shape = Shape {
    name: "field",
    about: "What a field or a trait is set to.",
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
            meaning: "Must be there where the field refers to records: the column has their external ids, one or a list.",
            example: "{ column: account_ids, lookup: account.externalId }",
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
            meaning: "How the template reads what is not there: it is refused, or it is empty, dates that are none included, as in LiquidJS.",
            example: "{ template: \"{{ row.nickname }}\", undefined: empty }",
        },
        Key {
            name: "null",
            need: May,
            form: &Form::Choice(&NULL),
            default: "`follow`",
            meaning: "What a null does: clears the field where this sync set it before, leaves it as it is, or clears it whoever set it.",
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

static GUARDS: Shape = Shape {
    name: "guards",
    about: "A limit is a share of the records that were delivered before (`5%`), a number of records, or both: \
            `{ share: 5%, floor: 20 }` lets 20 pass however small the share is. `off` sets no limit.",
    keys: &[
        limit(
            "max_removed",
            "`{ share: 5%, floor: 20 }`",
            "The most records that one run may remove.",
            "max_removed: 5%",
        ),
        limit("max_changed", "`off`", "The most records that one run may update.", "max_changed: 50%"),
        limit(
            "max_nulled",
            "`off`",
            "The most records of which one run may clear one and the same field.",
            "max_nulled: 20%",
        ),
        Key {
            name: "empty_source",
            need: May,
            form: &Form::Choice(&Choice { now: &["stop", "allow"], later: &[] }),
            default: "`stop`",
            meaning: "Whether a model without any row removes everything, or nothing.",
            example: "empty_source: stop",
        },
        Key {
            name: "on_guard",
            need: May,
            form: &Form::Choice(&Choice { now: &["hold", "stop"], later: &[] }),
            default: "`hold`",
            meaning: "Whether a guard holds what it concerns, or the whole sync.",
            example: "on_guard: hold",
        },
    ],
    one_of: &[],
    others: None,
};

static LIMIT_SHAPE: Shape = Shape {
    name: "limit",
    about: "A share of the records that were delivered before, and a number below which it does not count.",
    keys: &[
        Key {
            name: "share",
            need: Must,
            form: &Form::Text(&SHARE),
            default: "",
            meaning: "The share.",
            example: "share: 5%",
        },
        Key {
            name: "floor",
            need: May,
            form: &Form::Count { least: 0, most: 1_000_000_000 },
            default: "`0`",
            meaning: "The number that always passes.",
            example: "floor: 20",
        },
    ],
    one_of: &[],
    others: None,
};

static LIMITS: Form = Form::Either(&[&Form::Text(&LIMIT), &Form::Map(&LIMIT_SHAPE)]);

const fn limit(
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
    example: &'static str,
) -> Key {
    Key { name, need: May, form: &LIMITS, default, meaning, example }
}
