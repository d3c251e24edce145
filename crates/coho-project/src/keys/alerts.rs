//! The keys of `alerts`, in `coho.yaml` and in sync files; those of recipients stand in [`channels`].

mod channels;

use self::channels::RECIPIENTS;
use super::Need::{May, Must, With};
use super::texts::{AGE, DURATION, LIMIT, NAMES, SHARE};
use super::{Choice, Form, Key, Shape};

/// `alerts` in `coho.yaml`.
pub(crate) static ALERTS: Shape = Shape {
    name: "alerts",
    about: "Who is told what, and from where on something is bad. A change is told once, its end too; all that changed in one run is \
            one message for each recipient. What is not said here has good defaults.",
    keys: &[
        Key {
            name: "to",
            need: Must,
            form: &Form::Map(&RECIPIENTS),
            default: "",
            meaning: "Who is told.",
            example: "to: { ops: { type: slack, url: \"${SLACK_WEBHOOK}\" } }",
        },
        Key {
            name: "remind",
            need: May,
            form: &Form::Text(&AGE),
            default: "`24h`",
            meaning: "After which time something that is still critical is told again; `off` for never.",
            example: "remind: 24h",
        },
        Key {
            name: "disk",
            need: May,
            form: &SHARES,
            default: "`off`",
            meaning: "How much of the disk of the ledger must be free.",
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
    about: "What holds for this sync in place of what the project says.",
    keys: &[
        Key {
            name: "to",
            need: May,
            form: &Form::Either(&[&NAMES, &Form::List(&NAMES)]),
            default: "all of the project's",
            meaning: "Who is told of this sync: names under `alerts: { to }` of the project.",
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
    meaning: "A run of the sync failed or halted. A token or a password that is refused is one alert of the destination or the source.",
    example: "failed: { level: critical, after: 2 }",
};

const REJECTED: Key = Key {
    name: "rejected",
    need: May,
    form: &BOUNDS,
    default: "`{ warning: 1, critical: 5%, critical_after: 3 }`",
    meaning: "Rows that Vitally refused and that are not delivered yet: how many, or which share of the rows.",
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
    meaning: "By which share the rows of the model may be more or fewer than in the median of the last ten good runs.",
    example: "volume: { warning: 50% }",
};

const FRESHNESS: Key = Key {
    name: "freshness",
    need: May,
    form: &FRESHNESS_FORM,
    default: "`{ grace: 1h }`",
    meaning: "How old the last good run may be, and how late one by the sync's schedule. It is looked at by `coho serve` each \
              minute, in every run of any sync, and by `coho alerts check`.",
    example: "freshness: { grace: 30m }",
};

static LEVEL: Choice = Choice { now: &["warning", "critical"], later: &[] };

static LEVEL_OR_OFF: Choice = Choice { now: &["warning", "critical", "off"], later: &[] };

static STEADY: Form = Form::Either(&[&Form::Choice(&LEVEL_OR_OFF), &Form::Map(&STEADY_SHAPE)]);

static STEADY_SHAPE: Shape = Shape {
    name: "level of an alert",
    about: "How bad it is, and in how many runs in a row it must be there.",
    keys: &[
        Key {
            name: "level",
            need: Must,
            form: &Form::Choice(&LEVEL),
            default: "",
            meaning: "How bad it is.",
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
    meaning: "In how many runs in a row it must be there, so that it counts.",
    example: "after: 2",
};

static BOUNDS: Form = Form::Either(&[&Form::Text(&LIMIT), &Form::Map(&BOUNDS_SHAPE)]);

static BOUNDS_SHAPE: Shape = Shape {
    name: "bounds of rows",
    about: "From how many rows, or which share of the rows, on. A number or a share in its place is that of a warning.",
    keys: &[
        bound("warning", &Form::Text(&LIMIT), "From where on it is a warning.", "warning: 1"),
        bound("critical", &Form::Text(&LIMIT), "From where on it is critical.", "critical: 5%"),
        AFTER,
        Key {
            name: "critical_after",
            need: With("warning"),
            form: &Form::Count { least: 1, most: 1_000 },
            default: "never",
            meaning: "In the how manyth run in a row a warning is critical.",
            example: "critical_after: 3",
        },
    ],
    one_of: &[],
    others: None,
};

static TIMES: Form = Form::Either(&[&Form::Choice(&OFF), &Form::Map(&TIMES_SHAPE)]);

static TIMES_SHAPE: Shape = Shape {
    name: "bounds of a time",
    about: "From which time on.",
    keys: &[
        bound("warning", &Form::Text(&DURATION), "From where on it is a warning.", "warning: 30m"),
        bound("critical", &Form::Text(&DURATION), "From where on it is critical.", "critical: 2h"),
    ],
    one_of: &[],
    others: None,
};

static FRESHNESS_FORM: Form = Form::Either(&[&Form::Choice(&OFF), &Form::Map(&FRESHNESS_SHAPE)]);

static FRESHNESS_SHAPE: Shape = Shape {
    name: "freshness",
    about: "From when on a sync is late. What is not named is not watched.",
    keys: &[
        bound(
            "warning",
            &Form::Text(&DURATION),
            "How old the last good run may be before it is a warning.",
            "warning: 26h",
        ),
        bound("critical", &Form::Text(&DURATION), "The same, before it is critical.", "critical: 50h"),
        bound(
            "grace",
            &Form::Text(&DURATION),
            "How long after a time of its schedule the sync may be without a good run that began since; then it is critical. \
             While its run is under way, it is not late. A server must have seen the schedule: times of syncs that only \
             `coho run` runs are not known.",
            "grace: 30m",
        ),
    ],
    one_of: &[],
    others: None,
};

static SHARES: Form = Form::Either(&[&Form::Choice(&OFF), &Form::Map(&SHARES_SHAPE)]);

static SHARES_SHAPE: Shape = Shape {
    name: "bounds of a share",
    about: "From which share on.",
    keys: &[
        bound("warning", &Form::Text(&SHARE), "From where on it is a warning.", "warning: 50%"),
        bound("critical", &Form::Text(&SHARE), "From where on it is critical.", "critical: 90%"),
    ],
    one_of: &[],
    others: None,
};

const fn bound(name: &'static str, form: &'static Form, meaning: &'static str, example: &'static str) -> Key {
    Key { name, need: May, form, default: "none", meaning, example }
}
