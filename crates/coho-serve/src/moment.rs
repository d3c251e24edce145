//! Moments and stretches of time as pages and their twins have them.

use coho_core::time::Time;
use coho_report::words::number;
use serde::{Deserialize, Serialize};

/// A moment, as `2026-11-24T09:00:00.000Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Moment(String);

impl Moment {
    /// As programs read it.
    pub(crate) fn iso(&self) -> &str {
        &self.0
    }

    /// As people read it, in UTC: `2026-11-24 09:00:00`.
    pub(crate) fn shown(&self) -> String {
        let until_seconds = self.0.split('.').next().unwrap_or_default();
        until_seconds.replace('T', " ")
    }
}

impl From<Time> for Moment {
    fn from(time: Time) -> Self {
        Self(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
    }
}

/// The milliseconds between two moments; 0 where the clock went back.
pub(crate) fn millis(from: Time, to: Time) -> u64 {
    u64::try_from((to - from).num_milliseconds()).unwrap_or_default()
}

/// How long ago a moment was, in its largest unit: `3 min ago`.
pub(crate) fn ago(then: Time, now: Time) -> String {
    let seconds = millis(then, now) / 1_000;
    let (number, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number} {unit} ago")
}

/// How long a call took.
pub(crate) fn took(micros: u64) -> String {
    match micros {
        0..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{} ms", number(micros / 1_000)),
    }
}
