//! From trees that conform to their forms to the checked types: one file of this folder for each kind of file.
//!
//! The functions here read single texts; [`crate::keys::texts`] accepts exactly what they can read.

mod files;
pub(crate) mod project;
pub(crate) mod model;
pub(crate) mod sync;
pub(crate) mod matching;
pub(crate) mod api;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod guards;
pub(crate) mod alerts;
pub(crate) mod webhooks;
pub(crate) mod field;
pub(crate) mod value;
pub(crate) mod test;
pub(crate) mod workspace;

use std::time::Duration;

use chrono::{NaiveTime, TimeDelta};
use coho_core::object::Object;
use coho_core::sync::{By, Limit};
use coho_core::time::Time;
use coho_core::value::Value;

use secrecy::SecretString;

use crate::project::Rate;
use crate::yaml::{Content, Node};

/// A secret of a map.
fn secret(node: &Node, key: &str) -> Option<SecretString> {
    node.text_of(key).map(SecretString::from)
}

/// Secrets of a map: a list of them, or one.
fn secrets(node: &Node, key: &str) -> Vec<SecretString> {
    let found = node.get(key).map_or(&[][..], items);
    found.iter().filter_map(|item| item.text().map(SecretString::from)).collect()
}

/// The items of a list, or the one that stands in its place.
fn items(node: &Node) -> &[Node] {
    match &node.content {
        Content::List(items) => items,
        Content::Scalar(_) | Content::Map(_) | Content::Unresolved => std::slice::from_ref(node),
    }
}

/// `250ms`, `30s`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(unit_at)?;
    let number: u64 = (digits.len() <= 9).then(|| digits.parse().ok())??;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3_600)),
        _ => None,
    }
}

/// `1d`, or what [`duration`] reads.
pub(crate) fn max_age(text: &str) -> Option<TimeDelta> {
    let time = match text.strip_suffix('d') {
        Some(days) => duration(&format!("{days}h"))? * 24,
        None => duration(text)?,
    };
    TimeDelta::from_std(time).ok()
}

/// `24h`, or `off`, which is `Some(None)`.
#[expect(clippy::option_option, reason = "that a text is no time differs from a time that is off")]
pub(crate) fn age(text: &str) -> Option<Option<TimeDelta>> {
    if text == "off" {
        return Some(None);
    }
    duration(text).filter(|time| !time.is_zero()).and_then(|time| TimeDelta::from_std(time).ok()).map(Some)
}

/// `30m`, in whole seconds; at least one.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    duration(text).map(|time| time.as_secs()).filter(|seconds| *seconds > 0)
}

/// `90d`, `12w`; at least one day.
pub(crate) fn days(text: &str) -> Option<u32> {
    let (digits, length) = match text.strip_suffix('w') {
        Some(digits) => (digits, 7),
        None => (text.strip_suffix('d')?, 1),
    };
    let number: u32 = (is_digits(digits) && digits.len() <= 5).then(|| digits.parse().ok())??;
    (number > 0).then_some(number * length)
}

/// `500MB`, `2GB`, `1GiB`; at least 10 MB.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(at)?;
    let number: u64 = (digits.len() <= 6).then(|| digits.parse().ok())??;
    let size = match unit {
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    Some(number * size).filter(|bytes| *bytes >= 10_000_000)
}

/// `2026-01-01T09:00:00Z`, or `2026-01-01`, which is its midnight in UTC.
pub(crate) fn instant(text: &str) -> Option<Time> {
    let value = value::moment(text)?;
    if let Value::Date(date) = value {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    if let Value::Timestamp(moment) = value { Some(moment) } else { None }
}

/// `900/min`.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let digits = text.strip_suffix("/min").filter(|digits| is_digits(digits))?;
    let per_minute: u32 = digits.parse().ok()?;
    (1..=100_000_000).contains(&per_minute).then_some(Rate { per_minute })
}

/// `5%`, `2.5%`, at most 100 %, in thousandths.
pub(crate) fn permille(text: &str) -> Option<u32> {
    let share = text.strip_suffix('%')?;
    let (whole, tenth) = share.split_once('.').unwrap_or((share, "0"));
    if !is_digits(whole) || whole.len() > 3 || tenth.len() != 1 || !is_digits(tenth) {
        return None;
    }
    let permille = whole.parse::<u32>().ok()? * 10 + tenth.parse::<u32>().ok()?;
    (permille <= 1_000).then_some(permille)
}

/// A share, a number, or `off`, which is `Some(None)`.
#[expect(clippy::option_option, reason = "that a text is no limit differs from a limit that is off")]
pub(crate) fn limit(text: &str) -> Option<Option<Limit>> {
    if text == "off" {
        return Some(None);
    }
    let limit = match permille(text) {
        Some(permille) => Limit { permille, floor: 0 },
        None => Limit { permille: 0, floor: whole_number(text)? },
    };
    Some(Some(limit))
}

/// One printable ASCII character, or `tab`.
pub(crate) fn delimiter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" => Some(b'\t'),
        [byte @ b' '..=b'~'] if !matches!(byte, b'"' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => {
            Some(*byte)
        }
        _ => None,
    }
}

/// `account.externalId`.
pub(crate) fn lookup(text: &str) -> Option<(Object, By)> {
    let (object, ids) = text.split_once('.')?;
    let by = By::ALL.into_iter().find(|by| by.name() == ids)?;
    Object::parse(object).filter(|object| Object::RECORDS.contains(object)).map(|object| (object, by))
}

fn whole_number(text: &str) -> Option<u64> {
    (is_digits(text) && text.len() <= 18).then(|| text.parse().ok())?
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(duration("30"), None);
        assert_eq!(duration("1d"), None);
    }

    #[test]
    fn ages_may_be_in_days() {
        assert_eq!(max_age("1d"), Some(TimeDelta::hours(24)));
        assert_eq!(max_age("90m"), Some(TimeDelta::minutes(90)));
        assert_eq!(["d", "1", "1 d", "-1d", "9999999999d"].map(max_age), [None; 5]);
    }

    #[test]
    fn sizes_have_a_unit_and_are_no_less_than_a_ledger_needs() {
        assert_eq!(
            ["2GB", "500MB", "1GiB"].map(bytes),
            [Some(2_000_000_000), Some(500_000_000), Some(1 << 30)]
        );
        assert_eq!(["2", "9MB", "2gb", "GB", "-1GB", "1.5GB", "9999999GB"].map(bytes), [None; 7]);
    }

    #[test]
    fn what_is_remembered_is_remembered_for_whole_days() {
        assert_eq!(days("90d"), Some(90));
        assert_eq!(days("2w"), Some(14));
        assert_eq!(days("0d"), None);
        assert_eq!(days("24h"), None);
        assert_eq!(days("+1d"), None);
    }

    #[test]
    fn a_run_takes_at_least_a_second() {
        assert_eq!(seconds("90m"), Some(5_400));
        assert_eq!(seconds("1500ms"), Some(1));
        assert_eq!(seconds("999ms"), None);
        assert_eq!(seconds("0h"), None);
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(instant("2026-01-01"), instant("2026-01-01T02:00:00+02:00"));
        assert_eq!(instant("2026-01-01T02:00:00"), None);
    }

    #[test]
    fn rates_are_calls_a_minute() {
        assert_eq!(rate("900/min"), Some(Rate { per_minute: 900 }));
        assert_eq!(rate("0/min"), None);
        assert_eq!(rate("+9/min"), None);
        assert_eq!(rate("15/s"), None);
    }

    #[test]
    fn limits_are_shares_numbers_or_off() {
        assert_eq!(limit("2.5%"), Some(Some(Limit { permille: 25, floor: 0 })));
        assert_eq!(limit("10"), Some(Some(Limit { permille: 0, floor: 10 })));
        assert_eq!(limit("off"), Some(None));
        assert_eq!(limit("101%"), None);
    }

    #[test]
    fn a_delimiter_is_one_character_that_no_value_begins_with() {
        assert_eq!(delimiter(";"), Some(b';'));
        assert_eq!(delimiter("tab"), Some(b'\t'));
        assert_eq!(delimiter("a"), None);
        assert_eq!(delimiter("||"), None);
    }
}
