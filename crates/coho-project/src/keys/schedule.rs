//! The keys of a sync's schedule.

use super::Need::{May, With};
use super::texts::{CRON, INTERVAL, NAMES, ZONE};
use super::{Choice, Form, Key, Shape};

/// A cron pattern, or a mapping.
pub(crate) static SCHEDULES: Form = Form::Either(&[&Form::Text(&CRON), &Form::Map(&SCHEDULE)]);

/// `schedule`.
static SCHEDULE: Shape = Shape {
    name: "schedule",
    about: "When `coho serve` runs the sync. A cron pattern alone is in UTC.",
    keys: &[
        Key {
            name: "every",
            need: May,
            form: &Form::Text(&INTERVAL),
            default: "",
            meaning: "An interval, counted from midnight UTC if it divides a day evenly.",
            example: "schedule: { every: 15m }",
        },
        Key {
            name: "cron",
            need: May,
            form: &Form::Text(&CRON),
            default: "",
            meaning: "Minute, hour, day of the month, month and weekday, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.",
            example: "schedule: { cron: \"0 7 * * MON-FRI\", zone: Europe/Berlin }",
        },
        Key {
            name: "zone",
            need: With("cron"),
            form: &Form::Text(&ZONE),
            default: "`UTC`",
            meaning: "The time zone of the pattern. If the clocks skip the time, the sync runs when they change; a time that occurs twice counts once.",
            example: "zone: Europe/Berlin",
        },
        Key {
            name: "after",
            need: May,
            form: &Form::Either(&[&NAMES, &Form::List(&NAMES)]),
            default: "",
            meaning: "The syncs to wait for: this sync runs when each of them has run again.",
            example: "schedule: { after: [organizations, accounts] }",
        },
        Key {
            name: "stop_on",
            need: With("after"),
            form: &Form::Choice(&STOP_ON),
            default: "`failure`",
            meaning: "When not to run after them: after `problems` (one did not finish, was held, or had rows that did not get through), after a `failure` (one did not finish), or `never`.",
            example: "stop_on: problems",
        },
    ],
    one_of: &["every", "cron", "after"],
    others: None,
};

/// When a sequence stops.
pub(crate) static STOP_ON: Choice = Choice { now: &["problems", "failure", "never"], later: &[] };
