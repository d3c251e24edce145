//! What an answer says of the rate: `RateLimit-*`, with `X-` or `X-Rate-Limit-*`, the one header of later drafts of the
//! standard (`RateLimit: limit=100, remaining=50, reset=5`, `RateLimit: "default";r=50;t=5` with `RateLimit-Policy:
//! "default";q=100;w=60`), and `Retry-After`.
//!
//! Vitally documents `RateLimit-Limit: 1000, 1000;window=60`, `RateLimit-Remaining: 999`, `RateLimit-Reset: 59`
//! (<https://docs.vitally.io/en/articles/9880649-rest-api-overview>, read 2026-11-24); the other forms are those of
//! servers of its kind.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};
use coho_core::time::Time;

/// A `Reset` above this is a moment, not a wait.
const EPOCH: u64 = 1_000_000;

/// A moment above this is in milliseconds.
const EPOCH_MILLIS: u64 = 100_000_000_000;

/// A number that servers tell: the names of the header that has it alone, and its long and short name in a header that has several.
struct Number {
    alone: [&'static str; 3],
    among: [&'static str; 2],
}

const LIMIT: Number =
    Number { alone: ["ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit"], among: ["limit", "q"] };
const REMAINING: Number = Number {
    alone: ["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"],
    among: ["remaining", "r"],
};
const RESET: Number =
    Number { alone: ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"], among: ["reset", "t"] };

/// What an answer says of the rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateHeaders {
    /// Units that the bucket holds when full.
    pub(crate) limit: Option<u32>,
    /// Units that are left.
    pub(crate) remaining: Option<u32>,
    /// How long until there are more.
    pub(crate) reset: Option<Duration>,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

impl RateHeaders {
    /// Reads an answer's headers; names are asked for in lower case. `now` is the server's clock where it told it.
    pub(crate) fn read<'h>(header: impl Fn(&str) -> Option<&'h str>, now: Time) -> Self {
        let rate = |number: Number| {
            let alone = number.alone.into_iter().find_map(&header).and_then(first_number);
            let among = |all| number.among.into_iter().find_map(|name| item(all, name));
            alone.or_else(|| header("ratelimit").and_then(among))
        };
        let policy = || header("ratelimit-policy").and_then(|policy| item(policy, "q"));
        let units = |number| u32::try_from(number).ok();
        Self {
            limit: rate(LIMIT).or_else(policy).and_then(units),
            remaining: rate(REMAINING).and_then(units),
            reset: rate(RESET).map(|number| wait(number, now)),
            retry_after: header("retry-after").and_then(|text| retry_after(text, now)),
        }
    }

    /// The longer of the two waits.
    pub(crate) fn wait(self) -> Option<Duration> {
        self.retry_after.max(self.reset)
    }
}

/// The whole number at the beginning: `1000` of `1000, 1000;window=60`.
fn first_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// The number of an item in a header that has several: `50` of `limit=100, remaining=50` and of `"default";r=50;t=5`.
fn item(text: &str, name: &str) -> Option<u64> {
    let items = text.split([',', ';']).filter_map(|item| item.trim().split_once('='));
    items
        .into_iter()
        .find(|(known, _)| known.trim_end().eq_ignore_ascii_case(name))
        .and_then(|(_, value)| first_number(value))
}

fn wait(number: u64, now: Time) -> Duration {
    let now = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    match number {
        0..=EPOCH => Duration::from_secs(number),
        EPOCH_MILLIS.. => Duration::from_millis(number.saturating_sub(now)),
        _ => Duration::from_millis(number.saturating_mul(1_000).saturating_sub(now)),
    }
}

/// The two older forms of an HTTP date, which servers should not send and clients should read (RFC 9110, section 5.6.7).
const OLD_DATES: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Seconds, or a date. Whatever else begins with a number is neither.
fn retry_after(text: &str, now: Time) -> Option<Duration> {
    let text = text.trim();
    if let Some(date) = date(text) {
        return Some((date - now).to_std().unwrap_or_default());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = [whole, fraction].iter().all(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    let more = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    let seconds = whole.parse::<u64>().ok().filter(|_| is_number)?;
    Some(wait(seconds.saturating_add(more), now))
}

fn date(text: &str) -> Option<Time> {
    let read = DateTime::parse_from_rfc2822(text).or_else(|_| DateTime::parse_from_rfc3339(text));
    let old = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok().map(|date| date.and_utc());
    read.map(|date| date.to_utc()).ok().or_else(|| OLD_DATES.iter().find_map(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &'static str)]) -> RateHeaders {
        let now = Time::from_timestamp(1_700_000_000, 0).unwrap();
        let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        RateHeaders::read(find, now)
    }

    #[test]
    fn the_documented_form_is_read() {
        let read = read(&[
            ("ratelimit-limit", "1000, 1000;window=60"),
            ("ratelimit-remaining", "999"),
            ("ratelimit-reset", "59"),
        ]);
        assert_eq!(
            (read.limit, read.remaining, read.wait()),
            (Some(1_000), Some(999), Some(Duration::from_secs(59)))
        );
    }

    #[test]
    fn names_with_x_are_read_too() {
        let read = read(&[("x-ratelimit-limit", "100"), ("x-ratelimit-remaining", "0")]);
        assert_eq!((read.limit, read.remaining), (Some(100), Some(0)));
    }

    #[test]
    fn all_in_one_header_is_read_too() {
        let told = |read: RateHeaders| (read.limit, read.remaining, read.reset);
        let expected = (Some(100), Some(50), Some(Duration::from_secs(5)));
        assert_eq!(told(read(&[("ratelimit", "limit=100, remaining=50, reset=5")])), expected);
        let policy = ("ratelimit-policy", "\"default\";q=100;w=60");
        assert_eq!(told(read(&[("ratelimit", "\"default\";r=50;t=5"), policy])), expected);
        let names =
            [("x-rate-limit-limit", "100"), ("x-rate-limit-remaining", "50"), ("x-rate-limit-reset", "5")];
        assert_eq!(told(read(&names)), expected);
    }

    #[test]
    fn a_great_reset_is_a_moment() {
        let reset = |value| read(&[("ratelimit-reset", value)]).reset;
        assert_eq!(reset("1000000"), Some(Duration::from_secs(1_000_000)));
        assert_eq!(reset("1700000030"), Some(Duration::from_secs(30)));
        assert_eq!(reset("1700000030500"), Some(Duration::from_millis(30_500)));
        assert_eq!(reset("1600000000"), Some(Duration::ZERO));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |value| read(&[("retry-after", value)]).wait();
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:40 GMT"), Some(Duration::from_secs(20)));
        assert_eq!(wait("soon"), None);
        for date in
            ["Tuesday, 14-Nov-23 22:13:40 GMT", "Tue Nov 14 22:13:40 2023", "2023-11-14T22:13:40Z", " 20 "]
        {
            assert_eq!(wait(date), Some(Duration::from_secs(20)), "{date}");
        }
        assert_eq!(wait("1.5"), Some(Duration::from_secs(2)));
        for odd in ["-5", "5 minutes", "5-6", "2023-11-14", "1,000", ".5", ""] {
            assert_eq!(wait(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn the_longer_wait_counts() {
        let both = read(&[("retry-after", "7"), ("ratelimit-reset", "60")]);
        assert_eq!(both.wait(), Some(Duration::from_secs(60)));
    }
}
