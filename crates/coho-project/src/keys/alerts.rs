//! The keys of `alerts`, in `coho.yaml` and in sync files; those of recipients stand in [`channels`].

mod channels;

use self::channels::RECIPIENTS;
use super::Need::{May, Must, With};
use super::texts::{AGE, DURATION, LIMIT, NAMES, SHARE};
use super::{Choice, Form, Key, Shape};

/// `alerts` in `coho.yaml`.
pub(crate) static ALERTS: Shape = Shape {
    name: "alerts",
    about: "Who receives which alerts, and from which limits. Coho sends each alert once when it opens and once when it ends, and puts all alerts of a run into one message per recipient. Every setting has a default.",
    keys: &[
        Key {
            name: "to",
            need: Must,
            form: &Form::Map(&RECIPIENTS),
            default: "",
            meaning: "The recipients.",
            example: "to: { ops: { type: slack, url: \"${SLACK_WEBHOOK}\" } }",
        },
        Key {
            name: "remind",
            need: May,
            form: &Form::Text(&AGE),
            default: "`24h`",
            meaning: "How long after it was sent an alert that is still critical is sent again; `off` for never.",
            example: "remind: 24h",
        },
        Key {
            name: "disk",
            need: May,
            form: &SHARES,
            default: "`off`",
            meaning: "How much of the ledger's disk must be free.",
            example: "disk: { warning: 10%, critical: 2% }",
        },
        FAILED,
        REJECTED,
        INVALID,
        HELD,
        TIME,
        VOLUME,
        FRESHNESS,
    ],
    one_of: &[],
    others: None,
};

/// `alerts` in a sync's file.
pub(crate) static SYNC_ALERTS: Shape = Shape {
    name: "alerts of a sync",
    about: "Settings for this sync, instead of the project's.",
    keys: &[
        Key {
            name: "to",
            need: May,
            form: &Form::Either(&[&NAMES, &Form::List(&NAMES)]),
            default: "all of the project's",
            meaning: "The recipients for this sync: names under `alerts: { to }` of the project.",
            example: "to: [ops]",
        },
        FAILED,
        REJECTED,
        INVALID,
        HELD,
        TIME,
        VOLUME,
        FRESHNESS,
    ],
    one_of: &[],
    others: None,
};

/// `off`, for a sync of which nobody is told.
pub(crate) static OFF: Choice = Choice { now: &["off"], later: &[] };

const FAILED: Key = Key {
    name: "failed",
    need: May,
    form: &STEADY,
    default: "`critical`",
    meaning: "A run of the sync failed or halted. A token or password that is refused opens one alert for the whole destination or source.",
    example: "failed: { level: critical, after: 2 }",
};

const REJECTED: Key = Key {
    name: "rejected",
    need: May,
    form: &BOUNDS,
    default: "`{ warning: 1, critical: 5%, critical_after: 3 }`",
    meaning: "Rows that Vitally refused and that have not been delivered since: a number, or a share of the rows.",
    example: "rejected: { warning: 10, critical: 5% }",
};

const INVALID: Key = Key {
    name: "invalid",
    need: May,
    form: &BOUNDS,
    default: "`{ warning: 1, critical: 5%, critical_after: 3 }`",
    meaning: "Rows that cannot be sent as they are.",
    example: "invalid: { warning: 10, critical: 5% }",
};

const HELD: Key = Key {
    name: "held",
    need: May,
    form: &STEADY,
    default: "`warning`",
    meaning: "A guard holds operations.",
    example: "held: critical",
};

const TIME: Key = Key {
    name: "duration",
    need: May,
    form: &TIMES,
    default: "`off`",
    meaning: "How long a run of the sync may take.",
    example: "duration: { warning: 30m, critical: 2h }",
};

const VOLUME: Key = Key {
    name: "volume",
    need: May,
    form: &SHARES,
    default: "`off`",
    meaning: "How far the model's number of rows may differ from the median of the last ten successful runs.",
    example: "volume: { warning: 50% }",
};

const FRESHNESS: Key = Key {
    name: "freshness",
    need: May,
    form: &FRESHNESS_FORM,
    default: "`{ grace: 1h }`",
    meaning: "How old the last successful run may be, and how late a scheduled run. `coho serve` checks this every minute; every run and `coho alerts check` check it too.",
    example: "freshness: { grace: 30m }",
};

static LEVEL: Choice = Choice { now: &["warning", "critical"], later: &[] };

static LEVEL_OR_OFF: Choice = Choice { now: &["warning", "critical", "off"], later: &[] };

static STEADY: Form = Form::Either(&[&Form::Choice(&LEVEL_OR_OFF), &Form::Map(&STEADY_SHAPE)]);

static STEADY_SHAPE: Shape = Shape {
    name: "level of an alert",
    about: "The level, and how many runs in a row must have the problem.",
    keys: &[
        Key {
            name: "level",
            need: Must,
            form: &Form::Choice(&LEVEL),
            default: "",
            meaning: "The level.",
            example: "level: critical",
        },
        AFTER,
    ],
    one_of: &[],
    others: None,
};

const AFTER: Key = Key {
    name: "after",
    need: May,
    form: &Form::Count { least: 1, most: 1_000 },
    default: "`1`",
    meaning: "How many runs in a row must have the problem before the alert opens.",
    example: "after: 2",
};

static BOUNDS: Form = Form::Either(&[&Form::Text(&LIMIT), &Form::Map(&BOUNDS_SHAPE)]);

static BOUNDS_SHAPE: Shape = Shape {
    name: "bounds of rows",
    about: "The number or share of rows from which an alert opens. A number or a share alone is the warning limit.",
    keys: &[
        bound("warning", &Form::Text(&LIMIT), "The limit for a warning.", "warning: 1"),
        bound("critical", &Form::Text(&LIMIT), "The limit for a critical alert.", "critical: 5%"),
        AFTER,
        Key {
            name: "critical_after",
            need: With("warning"),
            form: &Form::Count { least: 1, most: 1_000 },
            default: "never",
            meaning: "After how many runs in a row a warning becomes critical.",
            example: "critical_after: 3",
        },
    ],
    one_of: &[],
    others: None,
};

static TIMES: Form = Form::Either(&[&Form::Choice(&OFF), &Form::Map(&TIMES_SHAPE)]);

static TIMES_SHAPE: Shape = Shape {
    name: "bounds of a time",
    about: "The time limits.",
    keys: &[
        bound("warning", &Form::Text(&DURATION), "The limit for a warning.", "warning: 30m"),
        bound("critical", &Form::Text(&DURATION), "The limit for a critical alert.", "critical: 2h"),
    ],
    one_of: &[],
    others: None,
};

static FRESHNESS_FORM: Form = Form::Either(&[&Form::Choice(&OFF), &Form::Map(&FRESHNESS_SHAPE)]);

static FRESHNESS_SHAPE: Shape = Shape {
    name: "freshness",
    about: "When a sync counts as late. Coho checks only the limits that are set here.",
    keys: &[
        bound(
            "warning",
            &Form::Text(&DURATION),
            "How old the last successful run may be before a warning.",
            "warning: 26h",
        ),
        bound(
            "critical",
            &Form::Text(&DURATION),
            "How old the last successful run may be before a critical alert.",
            "critical: 50h",
        ),
        bound(
            "grace",
            &Form::Text(&DURATION),
            "How long after a scheduled time a successful run may start before a critical alert. A sync with a run in progress is not late. Needs `coho serve`: Coho does not know when syncs are due that only `coho run` runs.",
            "grace: 30m",
        ),
    ],
    one_of: &[],
    others: None,
};

static SHARES: Form = Form::Either(&[&Form::Choice(&OFF), &Form::Map(&SHARES_SHAPE)]);

static SHARES_SHAPE: Shape = Shape {
    name: "bounds of a share",
    about: "The share limits.",
    keys: &[
        bound("warning", &Form::Text(&SHARE), "The limit for a warning.", "warning: 50%"),
        bound("critical", &Form::Text(&SHARE), "The limit for a critical alert.", "critical: 90%"),
    ],
    one_of: &[],
    others: None,
};

const fn bound(name: &'static str, form: &'static Form, meaning: &'static str, example: &'static str) -> Key {
    Key { name, need: May, form, default: "none", meaning, example }
}
