//! The keys of `webhooks` in `coho.yaml`.

use super::Need::{May, Must};
use super::texts::{ANY_URL, NAME, SECRET};
use super::{Choice, Form, Key, Others, Shape};

/// `webhooks` in `coho.yaml`.
pub(crate) static WEBHOOKS: Shape = Shape {
    name: "webhooks",
    about: "",
    keys: &[],
    one_of: &[],
    others: Some(Others {
        label: "NAME",
        key: Some(&NAME),
        form: &Form::Map(&WEBHOOK),
        meaning: "a program to notify when syncs start and end",
    }),
};

static WEBHOOK: Shape = Shape {
    name: "webhook",
    about: "A program to notify over HTTP, following Standard Webhooks, when each sync starts and ends: counts and codes, but no keys or values of rows.",
    keys: &[
        Key {
            name: "url",
            need: Must,
            form: &Form::Text(&ANY_URL),
            default: "",
            meaning: "Its address, which may be a secret.",
            example: "url: \"${WEBHOOK_URL}\"",
        },
        Key {
            name: "secrets",
            need: May,
            form: &Form::Either(&[&Form::Text(&SECRET), &Form::List(&Form::Text(&SECRET))]),
            default: "not signed",
            meaning: "The signing secret, or several during a rotation.",
            example: "secrets: \"${WEBHOOK_SECRET}\"",
        },
        Key {
            name: "events",
            need: May,
            form: &Form::List(&Form::Choice(&EVENTS)),
            default: "all",
            meaning: "Which alerts or events to send.",
            example: "events: [sync.failed]",
        },
    ],
    one_of: &[],
    others: None,
};

static EVENTS: Choice = Choice { now: &["sync.started", "sync.completed", "sync.failed"], later: &[] };
