//! Times as they are typed after `--since`.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use coho_core::time::Time;

use crate::exit::Known;
use crate::span;

/// A day, a moment, or a span before now.
pub(crate) fn parse(text: &str, now: Time) -> Result<Time, Known> {
    let found = ago(text).and_then(|ago| now.checked_sub_signed(ago)).or_else(|| moment(text));
    found.ok_or_else(|| Known {
        message: format!("--since: expected a time, found `{text}`"),
        help: Some(
            "write a day such as 2026-11-24, a moment such as 2026-11-24T10:00:00Z, or an age such as 7d, 12h or 30m"
                .to_owned(),
        ),
        code: 2,
        source: None,
    })
}

fn ago(text: &str) -> Option<TimeDelta> {
    TimeDelta::from_std(span::parse(text)?).ok()
}

/// A moment with its zone, or the beginning of a day in UTC.
fn moment(text: &str) -> Option<Time> {
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_moments_and_stretches_of_time_are_read() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let now = at("2026-11-24T10:00:00Z");
        for (text, expected) in [
            ("7d", "2026-11-17T10:00:00Z"),
            ("12h", "2026-11-23T22:00:00Z"),
            ("30m", "2026-11-24T09:30:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T02:00:00+02:00", "2026-11-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text, now).unwrap(), at(expected), "{text}");
        }
        for wrong in ["", "7", "d", "-7d", "yesterday", "7é", "99999999999d"] {
            assert!(parse(wrong, now).is_err(), "{wrong}");
        }
    }
}
