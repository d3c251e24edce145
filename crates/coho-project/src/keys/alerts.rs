//! The keys of `alerts`, in `coho.yaml` and in sync files.

use super::Need::{self, May, Must, With};
use super::texts::{AGE, ANY_URL, DURATION, LIMIT, NAME, NAMES, SECRET, SHARE, SMTP_URL, TEXTS};
use super::{Choice, Form, Key, Others, Shape, Typed};

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
    form: &TIMES,
    default: "`off`",
    meaning: "How old the last good run may be. It is looked at in every run of any sync, and by `coho alerts check`.",
    example: "freshness: { critical: 26h }",
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

static RECIPIENTS: Shape = Shape {
    name: "recipients",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "NAME",
        key: Some(&NAME),
        form: &Form::Typed(&CHANNEL),
        meaning: "somebody who is told",
    }),
};

static CHANNEL: Typed = Typed {
    types: &[
        ("slack", &SLACK),
        ("pagerduty", &PAGERDUTY),
        ("email", &EMAIL),
        ("sms", &SMS),
        ("teams", &TEAMS),
        ("webhook", &WEBHOOK),
        ("command", &COMMAND),
    ],
    later: &[],
};

const fn kind(form: &'static Form, example: &'static str) -> Key {
    Key { name: "type", need: Must, form, default: "", meaning: "Which kind of channel this is.", example }
}

const FROM_LEVEL: Key = Key {
    name: "level",
    need: May,
    form: &Form::Choice(&LEVEL),
    default: "`warning`",
    meaning: "From which level on it is told.",
    example: "level: critical",
};

const WHEN: Key = Key {
    name: "when",
    need: May,
    form: &Form::List(&Form::Choice(&TRIGGERS)),
    default: "all",
    meaning: "Of what it is told.",
    example: "when: [failed, credentials]",
};

static TRIGGERS: Choice = Choice {
    now: &["failed", "credentials", "rejected", "invalid", "held", "duration", "volume", "freshness", "disk"],
    later: &[],
};

const EXAMPLES: Key = Key {
    name: "examples",
    need: May,
    form: &Form::Flag,
    default: "`true`",
    meaning: "Whether it is shown the keys of up to three rows. Values of rows are never shown.",
    example: "examples: false",
};

static ADDRESS: Form = Form::Text(&ANY_URL);

const fn url(meaning: &'static str, need: Need) -> Key {
    Key { name: "url", need, form: &ADDRESS, default: "", meaning, example: "url: \"${WEBHOOK_URL}\"" }
}

const fn required(
    name: &'static str,
    form: &'static Form,
    meaning: &'static str,
    example: &'static str,
) -> Key {
    Key { name, need: Must, form, default: "", meaning, example }
}

static SLACK: Shape = Shape {
    name: "recipient of type slack",
    about: "A channel of Slack, by an incoming webhook, or by a bot, whose later messages go into the thread of the first.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["slack"], later: &[] }), "type: slack"),
        url("The address of an incoming webhook: a secret.", May),
        Key {
            name: "token",
            need: May,
            form: &Form::Text(&SECRET),
            default: "",
            meaning: "The token of a bot that may write (`chat:write`): a secret.",
            example: "token: \"${SLACK_TOKEN}\"",
        },
        Key {
            name: "channel",
            need: With("token"),
            form: &TEXTS,
            default: "",
            meaning: "The id of the bot's channel.",
            example: "channel: C0123456789",
        },
        Key {
            name: "api_url",
            need: With("token"),
            form: &Form::Text(&ANY_URL),
            default: "Slack's",
            meaning: "Another address of Slack's API.",
            example: "api_url: https://slack.com/api",
        },
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &["url", "token"],
    others: None,
};

static PAGERDUTY: Shape = Shape {
    name: "recipient of type pagerduty",
    about: "A service of PagerDuty, by its Events API v2: each alert is an incident, which is resolved when it is over.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["pagerduty"], later: &[] }), "type: pagerduty"),
        required(
            "routing_key",
            &Form::Text(&SECRET),
            "The integration's key: a secret.",
            "routing_key: \"${PAGERDUTY_KEY}\"",
        ),
        Key {
            name: "former_keys",
            need: May,
            form: &Form::List(&Form::Text(&SECRET)),
            default: "none",
            meaning: "Keys that were used before: incidents are resolved with the key that opened them.",
            example: "former_keys: [\"${OLD_PAGERDUTY_KEY}\"]",
        },
        url("Another address for events, such as that of the EU.", May),
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};

static EMAIL: Shape = Shape {
    name: "recipient of type email",
    about: "Mailboxes, by a mail server.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["email"], later: &[] }), "type: email"),
        required(
            "smtp",
            &Form::Text(&SMTP_URL),
            "The server: `smtps://` for TLS from the first byte, `smtp://` for STARTTLS, which is demanded unless the server is on \
             this machine.",
            "smtp: smtps://mail.example.com:465",
        ),
        Key {
            name: "user",
            need: With("password"),
            form: &TEXTS,
            default: "nobody logs in",
            meaning: "Who logs in.",
            example: "user: coho",
        },
        Key {
            name: "password",
            need: With("user"),
            form: &Form::Text(&SECRET),
            default: "",
            meaning: "The password: a secret.",
            example: "password: \"${SMTP_PASSWORD}\"",
        },
        required("from", &TEXTS, "Who sends.", "from: Coho <coho@example.com>"),
        required(
            "to",
            &Form::Either(&[&TEXTS, &Form::List(&TEXTS)]),
            "Who is told.",
            "to: [ops@example.com]",
        ),
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};

static SMS: Shape = Shape {
    name: "recipient of type sms",
    about: "A telephone, by Twilio. Messages have 300 characters at most, and neither keys nor values of rows.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["sms"], later: &[] }), "type: sms"),
        required("account", &TEXTS, "The SID of the account.", "account: \"${TWILIO_ACCOUNT}\""),
        Key {
            name: "api_key",
            need: May,
            form: &TEXTS,
            default: "the account's own",
            meaning: "The SID of an API key.",
            example: "api_key: \"${TWILIO_KEY}\"",
        },
        required(
            "secret",
            &Form::Text(&SECRET),
            "The secret of the API key, or the account's token: a secret.",
            "secret: \"${TWILIO_SECRET}\"",
        ),
        Key {
            name: "from",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "The number that sends.",
            example: "from: \"+15550100\"",
        },
        Key {
            name: "service",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "The SID of a messaging service that sends.",
            example: "service: MG0123456789",
        },
        required("to", &TEXTS, "The number that is told.", "to: \"+15550101\""),
        Key {
            name: "api_url",
            need: May,
            form: &Form::Text(&ANY_URL),
            default: "Twilio's",
            meaning: "Another address of Twilio's API.",
            example: "api_url: https://api.twilio.com",
        },
        FROM_LEVEL,
        WHEN,
    ],
    one_of: &["from", "service"],
    others: None,
};

static TEAMS: Shape = Shape {
    name: "recipient of type teams",
    about: "A channel or chat of Microsoft Teams, by a workflow that posts what it gets by a webhook.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["teams"], later: &[] }), "type: teams"),
        url("The workflow's address: a secret.", Must),
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};

static WEBHOOK: Shape = Shape {
    name: "recipient of type webhook",
    about: "A program of your own, over HTTP, after Standard Webhooks.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["webhook"], later: &[] }), "type: webhook"),
        url("Its address, which may be a secret.", Must),
        Key {
            name: "secrets",
            need: May,
            form: &Form::Either(&[&Form::Text(&SECRET), &Form::List(&Form::Text(&SECRET))]),
            default: "not signed",
            meaning: "What messages are signed with; several while one is changed.",
            example: "secrets: \"${WEBHOOK_SECRET}\"",
        },
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};

static COMMAND: Shape = Shape {
    name: "recipient of type command",
    about: "A program on this machine, which reads the message as JSON from its standard input.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["command"], later: &[] }), "type: command"),
        required(
            "run",
            &Form::List(&TEXTS),
            "The program and its arguments. No shell reads them.",
            "run: [apprise, -t, Coho, \"${APPRISE_URL}\"]",
        ),
        Key {
            name: "timeout",
            need: May,
            form: &Form::Text(&DURATION),
            default: "`10s`",
            meaning: "How long it may take.",
            example: "timeout: 10s",
        },
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};
