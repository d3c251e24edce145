//! Intervals: `15m`, `2h`, `1d`, counted from 1970-01-01 00:00 UTC.

use std::fmt;

use chrono::DateTime;

use crate::Time;

const MINUTE: i64 = 60;
const UNITS: [(char, i64); 3] = [('d', 1_440), ('h', 60), ('m', 1)];
/// The longest interval: 31 days.
const LONGEST: i64 = 31 * 1_440;

/// An interval of whole minutes, from one minute to 31 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    minutes: i64,
}

impl Every {
    /// An interval as it is written: a number and `m`, `h` or `d`.
    pub fn parse(text: &str) -> Option<Self> {
        let (unit, minutes) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
        let number = text.strip_suffix(unit)?;
        if number.is_empty() || number.len() > 5 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let minutes = number.parse::<i64>().ok()? * minutes;
        (1..=LONGEST).contains(&minutes).then_some(Self { minutes })
    }

    /// The first tick after a moment.
    pub(crate) fn next(self, after: Time) -> Option<Time> {
        let step = self.minutes * MINUTE;
        DateTime::from_timestamp((after.timestamp().div_euclid(step) + 1) * step, 0)
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().find(|(_, minutes)| self.minutes % minutes == 0);
        let (unit, minutes) = unit.unwrap_or(('m', 1));
        write!(f, "{}{unit}", self.minutes / minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_with_its_unit() {
        for (text, shown) in [("15m", "15m"), ("120m", "2h"), ("24h", "1d"), ("31d", "31d")] {
            assert_eq!(Every::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "m", "15", "0m", "32d", "-5m", "1.5h", "90s", "999999m", "15 m"] {
            assert_eq!(Every::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ticks_stand_at_whole_intervals_since_1970() {
        let next = |text: &str, after: &str| {
            Every::parse(text).unwrap().next(after.parse().unwrap()).unwrap().to_rfc3339()
        };
        assert_eq!(next("15m", "2026-01-01T00:00:00Z"), "2026-01-01T00:15:00+00:00");
        assert_eq!(next("15m", "2026-01-01T00:14:59Z"), "2026-01-01T00:15:00+00:00");
        assert_eq!(next("1d", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00+00:00");
        assert_eq!(next("1h", "1969-12-31T23:30:00Z"), "1970-01-01T00:00:00+00:00");
    }
}
