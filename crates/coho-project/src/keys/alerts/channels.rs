//! The keys of recipients, by the type of their channels.

use super::LEVEL;
use crate::keys::Need::{self, May, Must, With};
use crate::keys::texts::{ANY_URL, DURATION, NAME, SECRET, SMTP_URL, TEXTS};
use crate::keys::{Choice, Form, Key, Others, Shape, Typed};

/// Who is told.
pub(super) static RECIPIENTS: Shape = Shape {
    name: "recipients",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "NAME",
        key: Some(&NAME),
        form: &Form::Typed(&CHANNEL),
        meaning: "a recipient of alerts",
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
    Key { name: "type", need: Must, form, default: "", meaning: "The kind of channel.", example }
}

const FROM_LEVEL: Key = Key {
    name: "level",
    need: May,
    form: &Form::Choice(&LEVEL),
    default: "`warning`",
    meaning: "The lowest level to send.",
    example: "level: critical",
};

const WHEN: Key = Key {
    name: "when",
    need: May,
    form: &Form::List(&Form::Choice(&TRIGGERS)),
    default: "all",
    meaning: "Which alerts or events to send.",
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
    meaning: "Whether messages include the keys of up to three rows, and error texts, which may quote values.",
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
    about: "A Slack channel, through an incoming webhook or a bot. A bot puts later messages into the thread of the first.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["slack"], later: &[] }), "type: slack"),
        url("The address of an incoming webhook. A secret.", May),
        Key {
            name: "token",
            need: May,
            form: &Form::Text(&SECRET),
            default: "",
            meaning: "The token of a bot with the scope `chat:write`. A secret.",
            example: "token: \"${SLACK_TOKEN}\"",
        },
        Key {
            name: "channel",
            need: With("token"),
            form: &TEXTS,
            default: "",
            meaning: "The id of the channel that the bot posts to.",
            example: "channel: C0123456789",
        },
        Key {
            name: "api_url",
            need: With("token"),
            form: &Form::Text(&ANY_URL),
            default: "Slack's",
            meaning: "A different address for Slack's API.",
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
    about: "A PagerDuty service, through the Events API v2. Each alert is an incident, which Coho resolves when the alert ends.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["pagerduty"], later: &[] }), "type: pagerduty"),
        required(
            "routing_key",
            &Form::Text(&SECRET),
            "The integration's key. A secret.",
            "routing_key: \"${PAGERDUTY_KEY}\"",
        ),
        Key {
            name: "former_keys",
            need: May,
            form: &Form::List(&Form::Text(&SECRET)),
            default: "none",
            meaning: "Earlier keys: Coho resolves an incident with the key that opened it.",
            example: "former_keys: [\"${OLD_PAGERDUTY_KEY}\"]",
        },
        url("A different address for events, such as the EU's.", May),
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};

static EMAIL: Shape = Shape {
    name: "recipient of type email",
    about: "E-mail addresses, through a mail server.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["email"], later: &[] }), "type: email"),
        required(
            "smtp",
            &Form::Text(&SMTP_URL),
            "The server: `smtps://` for TLS from the first byte, `smtp://` for STARTTLS, which is required unless the server is on \
             this machine.",
            "smtp: smtps://mail.example.com:465",
        ),
        Key {
            name: "user",
            need: With("password"),
            form: &TEXTS,
            default: "no login",
            meaning: "The user to log in as.",
            example: "user: coho",
        },
        Key {
            name: "password",
            need: With("user"),
            form: &Form::Text(&SECRET),
            default: "",
            meaning: "The password. A secret.",
            example: "password: \"${SMTP_PASSWORD}\"",
        },
        Key {
            name: "ca_file",
            need: May,
            form: &TEXTS,
            default: "only the machine's authorities",
            meaning: "A PEM file with the certificate of your own certificate authority, relative to the project's folder.",
            example: "ca_file: certs/ca.pem",
        },
        required("from", &TEXTS, "The sender.", "from: Coho <coho@example.com>"),
        required(
            "to",
            &Form::Either(&[&TEXTS, &Form::List(&TEXTS)]),
            "The recipients.",
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
    about: "A phone, through Twilio. Messages have at most 300 characters, and no keys or values of rows.",
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
            "The secret of the API key, or the account's token. A secret.",
            "secret: \"${TWILIO_SECRET}\"",
        ),
        Key {
            name: "from",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "The number to send from.",
            example: "from: \"+15550100\"",
        },
        Key {
            name: "service",
            need: May,
            form: &TEXTS,
            default: "",
            meaning: "The SID of a messaging service to send from.",
            example: "service: MG0123456789",
        },
        required("to", &TEXTS, "The number to send to.", "to: \"+15550101\""),
        Key {
            name: "api_url",
            need: May,
            form: &Form::Text(&ANY_URL),
            default: "Twilio's",
            meaning: "A different address for Twilio's API.",
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
    about: "A Microsoft Teams channel or chat, through a workflow that posts what a webhook receives.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["teams"], later: &[] }), "type: teams"),
        url("The workflow's address. A secret.", Must),
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};

static WEBHOOK: Shape = Shape {
    name: "recipient of type webhook",
    about: "Your own program, over HTTP, following Standard Webhooks.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["webhook"], later: &[] }), "type: webhook"),
        url("Its address, which may be a secret.", Must),
        Key {
            name: "secrets",
            need: May,
            form: &Form::Either(&[&Form::Text(&SECRET), &Form::List(&Form::Text(&SECRET))]),
            default: "not signed",
            meaning: "The signing secret, or several during a rotation.",
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
    about: "A program on this machine. It reads the message as JSON from standard input.",
    keys: &[
        kind(&Form::Choice(&Choice { now: &["command"], later: &[] }), "type: command"),
        required(
            "run",
            &Form::List(&TEXTS),
            "The program and its arguments. They do not go through a shell.",
            "run: [apprise, -t, Coho, \"${APPRISE_URL}\"]",
        ),
        Key {
            name: "timeout",
            need: May,
            form: &Form::Text(&DURATION),
            default: "`10s`",
            meaning: "How long the program may take.",
            example: "timeout: 10s",
        },
        FROM_LEVEL,
        WHEN,
        EXAMPLES,
    ],
    one_of: &[],
    others: None,
};
