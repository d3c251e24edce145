//! The keys of sync files, but for their fields, which stand in [`super::field`].

use super::Need::{self, May, Must};
use super::alerts::{OFF, SYNC_ALERTS};
use super::field::FIELDS;
use super::schedule::SCHEDULES;
use super::texts::{COLUMNS, DAYS, LIMIT, MOMENT, NAMES, RUN_TIME, SHARE};
use super::{Choice, Form, Key, Shape, Where};

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
            name: "renamed_from",
            need: May,
            form: &Form::Either(&[&NAMES, &Form::List(&NAMES)]),
            default: "none",
            meaning: "The id that the sync had before, or a list of them: what is remembered under one of them is its own.",
            example: "renamed_from: people",
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
            form: &Form::Choice(&API),
            default: "`rest`; events always `analytics`",
            meaning: "The API through which records are sent: one call for each, which says what became of it, or up to 100 records \
                      a call, which says only that they were taken. The second can upsert, and nothing else.",
            example: "api: rest",
        },
        Key {
            name: "mode",
            need: May,
            form: &Form::Choice(&MODE),
            default: "`upsert`",
            meaning: "What may happen to a record: created or updated, only updated, or only created. Events: `upsert`.",
            example: "mode: upsert",
        },
        Key {
            name: "match",
            need: MUST_MATCH,
            form: &Form::Map(&MATCH),
            default: "an id that Coho makes",
            meaning: "Which record a row becomes; events: by which id Vitally tells one from another.",
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
            form: &Form::Choice(&ASSOCIATIONS),
            default: "`add`",
            meaning: "What happens to links that a row does not name: they stay, or a user's accounts are taken away, through the \
                      Analytics API. `exact` is for users only.",
            example: "associations: add",
        },
        Key {
            name: "removed",
            need: May,
            form: &Form::Choice(&REMOVED),
            default: "`keep`",
            meaning: "What happens to a record whose row left the model: it stays, is deleted, or is deleted if this sync created it. \
                      Events: `keep`.",
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
            need: MUST_BEGIN,
            form: &Form::Either(&[&Form::Choice(&FIRST_RUN), &Form::Map(&SINCE)]),
            default: "`send`",
            meaning: "What happens to the rows that are there when the sync runs for the first time: they are sent, remembered without \
                      being sent, or (`adopt`; records only) compared with what Vitally holds. Events: also `{ since: 2026-01-01 }`.",
            example: "first_run: send",
        },
        Key {
            name: "remember",
            need: May,
            form: &Form::Text(&DAYS),
            default: "for ever",
            meaning: "Events: how long one is remembered after the model showed it last. One that the model shows again later is sent \
                      again, under the same id.",
            example: "remember: 90d",
        },
        Key {
            name: "run",
            need: May,
            form: &Form::Map(&RUN),
            default: "until everything is sent",
            meaning: "How long one run may take.",
            example: "run: { for: 1h }",
        },
        Key {
            name: "alerts",
            need: May,
            form: &Form::Either(&[&Form::Choice(&OFF), &Form::Map(&SYNC_ALERTS)]),
            default: "what the project says",
            meaning: "Who is told of this sync, and from where on something is bad; `off` for nobody.",
            example: "alerts: { rejected: { warning: 10 } }",
        },
        Key {
            name: "schedule",
            need: May,
            form: &SCHEDULES,
            default: "when it is asked to",
            meaning: "When the sync runs by itself, under `coho serve`: every so often, at the times of a cron pattern, or after other syncs.",
            example: "schedule: { every: 15m }",
        },
    ],
    one_of: &[],
    others: None,
};

const LATER_OBJECT: &str = "this version sends organizations, accounts, users and events";

const MUST_MATCH: Need = Need::Where(&Where {
    key: "object",
    words: &["organization", "account", "user"],
    help: "add `match: { externalId: id }`",
});

const MUST_BEGIN: Need = Need::Where(&Where {
    key: "object",
    words: &["event"],
    help: "an event that was sent cannot be taken back, so say what the first run does with the rows that are there: \
           `first_run: send` sends all of them, `first_run: baseline` none of them (only those that come later), \
           `first_run: { since: 2026-01-01 }` those since that day",
});

/// The objects.
pub(crate) static OBJECT: Choice = Choice {
    now: &["organization", "account", "user", "event"],
    later: &[
        ("conversation", LATER_OBJECT),
        ("note", LATER_OBJECT),
        ("task", LATER_OBJECT),
        ("project", LATER_OBJECT),
    ],
};

/// The APIs.
pub(crate) static API: Choice = Choice { now: &["rest", "analytics"], later: &[] };

/// What happens to links that a row does not name.
pub(crate) static ASSOCIATIONS: Choice = Choice { now: &["add", "exact"], later: &[] };

/// What a first run does; `since` is a mapping.
pub(crate) static FIRST_RUN: Choice = Choice { now: &["send", "baseline", "adopt"], later: &[] };

static SINCE: Shape = Shape {
    name: "first run",
    about: "Events, whose `timestamp` must be mapped.",
    keys: &[Key {
        name: "since",
        need: Must,
        form: &Form::Text(&MOMENT),
        default: "",
        meaning: "Those before this moment are remembered, the others are sent. A day begins at midnight in UTC.",
        example: "first_run: { since: 2026-01-01 }",
    }],
    one_of: &[],
    others: None,
};

static RUN: Shape = Shape {
    name: "run",
    about: "How long one run may take.",
    keys: &[Key {
        name: "for",
        need: Must,
        form: &Form::Text(&RUN_TIME),
        default: "",
        meaning: "After this time the run ends; what is left is planned again by the next one, from the rows as they are then.",
        example: "run: { for: 1h }",
    }],
    one_of: &[],
    others: None,
};

pub(crate) static MODE: Choice = Choice { now: &["upsert", "update", "insert"], later: &[] };

pub(crate) static REMOVED: Choice = Choice { now: &["keep", "delete", "delete-created"], later: &[] };

/// `match`.
pub(crate) static MATCH: Shape = Shape {
    name: "match",
    about: "By what a row finds its record: `externalId`, or of users `email` and `externalId`. Events are told from one another by \
            `messageId`, and need no `match`.",
    keys: &[
        Key {
            name: "externalId",
            need: May,
            form: &COLUMNS,
            default: "",
            meaning: "The column with the record's external id. It is also what a new record gets. Must be there but for events.",
            example: "match: { externalId: id }",
        },
        Key {
            name: "email",
            need: May,
            form: &COLUMNS,
            default: "",
            meaning: "Users: the column with the e-mail address that finds the record. It is also sent as the field `email`.",
            example: "match: { email: email, externalId: id }",
        },
        Key {
            name: "messageId",
            need: May,
            form: &COLUMNS,
            default: "made of the sync's id and the row's key",
            meaning: "Events: the column with an id that no other event has. Vitally takes two messages of one id for one event.",
            example: "match: { messageId: event_id }",
        },
    ],
    one_of: &[],
    others: None,
};

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
        limit(
            "max_rejected",
            "`off`",
            "The most records that Vitally may refuse in one run before the sync stops. Its share is of what the run sends, where that is more.",
            "max_rejected: 100",
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
