//! Dates from what rows and templates hold: ISO 8601, epoch seconds, and the forms that people write.
//!
//! What has no zone is read as UTC. [`super::strftime`] writes them.

mod parts;
mod written;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::number::Number;
use super::value::Val;
pub(crate) use parts::{MONTHS, WEEKDAYS};
use parts::{nanos, number, zone_hours};

/// Far enough from the ends of what can be counted that a zone's offset never leads beyond them.
const YEARS: std::ops::RangeInclusive<i32> = -9_999..=9_999;

/// The moment that a value stands for; `None` if it is no date.
pub(crate) fn moment(value: &Val<'_>, now: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    read(value, now).filter(|moment| YEARS.contains(&moment.year()))
}

fn read(value: &Val<'_>, now: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match value {
        Val::Moment(moment) => Some(moment.utc()),
        Val::Int(_) | Val::Float(_) | Val::Digits(_) => epoch(value),
        Val::Text(text) => match &**text {
            "now" | "today" => now,
            text if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            }
            text => parse(text),
        },
        Val::Nil | Val::Bool(_) | Val::Range(..) | Val::List(_) | Val::Map(_) | Val::Blank | Val::Empty => {
            None
        }
    }
}

/// Seconds since 1970, with a fraction perhaps.
fn epoch(value: &Val<'_>) -> Option<DateTime<Utc>> {
    let thousand = Number::of(&Val::Int(1000)).ok()?;
    let seconds = Number::of(value).ok()?;
    let millis = seconds.calculate(super::number::Operation::Times, thousand).ok()?;
    DateTime::from_timestamp_millis(millis.truncated()?)
}

/// Reads a text.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    iso(text.trim().as_bytes()).or_else(|| written(text))
}

/// `2024-03-05`, `2024-03`, `2024-03-05T10:11:12.5+02:00`, `2024-03-05 10:11`, with or without zone.
fn iso(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let (year, bytes) = year(bytes)?;
    let separator = *bytes.first()?;
    if separator != b'-' && separator != b'/' {
        return None;
    }
    let month = number(bytes.get(1..3)?)?;
    if bytes.len() == 3 {
        return NaiveDate::from_ymd_opt(year, month, 1).map(midnight);
    }
    if *bytes.get(3)? != separator {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year, month, number(bytes.get(4..6)?)?)?;
    let rest = std::str::from_utf8(bytes.get(7..).unwrap_or_default()).ok()?;
    match bytes.get(6) {
        None => Some(midnight(date)),
        Some(b'T' | b't') => clock(date, rest).filter(|_| !rest.contains(' ')),
        Some(b' ') => clock(date, rest.trim_start()),
        Some(_) => None,
    }
}

/// A year of four digits, or of six with a sign, and what follows it.
fn year(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, bytes, length) = match bytes.first()? {
        b'+' => (1, bytes.get(1..)?, 6),
        b'-' => (-1, bytes.get(1..)?, 6),
        _ => (1, bytes, 4),
    };
    let year = i32::try_from(number(bytes.get(..length)?)?).ok()?;
    // The year 0 has no sign.
    (sign == 1 || year != 0).then_some((sign * year, bytes.get(length..)?))
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

/// A time of day with a zone perhaps.
fn clock(date: NaiveDate, text: &str) -> Option<DateTime<Utc>> {
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(text.len());
    let (time, zone) = text.split_at_checked(end)?;
    let offset = offset_minutes(zone.trim())?;
    if matches!(time, "24:00" | "24:00:00" | "24:00:00.000") {
        // The end of the day in ISO 8601 is the beginning of the next.
        return shift(NaiveDateTime::new(date.succ_opt()?, NaiveTime::MIN), offset);
    }
    shift(NaiveDateTime::new(date, time_of_day(time)?), offset)
}

fn shift(moment: NaiveDateTime, minutes: i64) -> Option<DateTime<Utc>> {
    Some(moment.checked_sub_signed(TimeDelta::try_minutes(minutes)?)?.and_utc())
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let mut part = || parts.next().map(|part| number(part.as_bytes()));
    let (hour, minute) = (part()??, part()??);
    let (second, nanos) = match text.splitn(3, ':').nth(2) {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
            (number(whole.as_bytes())?, nanos(fraction)?)
        }
    };
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
}

/// Minutes east of Greenwich. An empty zone is UTC.
fn offset_minutes(zone: &str) -> Option<i64> {
    if zone.is_empty() {
        return Some(0);
    }
    if let Some(hours) = zone_hours(zone) {
        return Some(hours * 60);
    }
    let zone = zone.strip_prefix("GMT").or_else(|| zone.strip_prefix("UTC")).unwrap_or(zone);
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(digits.as_bytes())?, 0),
        4 => (number(digits.get(..2)?.as_bytes())?, number(digits.get(2..)?.as_bytes())?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)))
}

/// The forms that people write.
fn written(text: &str) -> Option<DateTime<Utc>> {
    let found = written::read(text)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(found.year).ok()?, found.month, found.day)?;
    let (hour, minute, second) = (found.hour, found.minute, found.second);
    if (hour, minute, second, found.nanos) == (24, 0, 0, 0) {
        return shift(NaiveDateTime::new(date.succ_opt()?, NaiveTime::MIN), found.offset);
    }
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, found.nanos)?;
    shift(NaiveDateTime::new(date, time), found.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_people_write_are_read() {
        for (text, expected) in [
            ("2024-03-05", "2024-03-05T00:00:00+00:00"),
            ("2024-03-05T10:11:12Z", "2024-03-05T10:11:12+00:00"),
            ("2024-03-05T10:11:12+02:00", "2024-03-05T08:11:12+00:00"),
            ("2024-03-05 10:11:12.250 -0130", "2024-03-05T11:41:12.250+00:00"),
            ("2024-03-05 10:11:12 UTC", "2024-03-05T10:11:12+00:00"),
            ("March 14, 2016", "2016-03-14T00:00:00+00:00"),
            ("Fri Jul 16 01:00:00 2004", "2004-07-16T01:00:00+00:00"),
            ("Tue, 05 Mar 2024 10:11:12 +0000", "2024-03-05T10:11:12+00:00"),
            ("3/14/2016 5:30 PM", "2016-03-14T17:30:00+00:00"),
            ("2016-3-4 17:30", "2016-03-04T17:30:00+00:00"),
            ("3/5/24", "2024-03-05T00:00:00+00:00"),
            ("03-04-25", "2025-03-04T00:00:00+00:00"),
            ("5 Mar 24", "2024-03-05T00:00:00+00:00"),
            ("March 5 70", "1970-03-05T00:00:00+00:00"),
            ("2024-12-31T24:00:00Z", "2025-01-01T00:00:00+00:00"),
            ("July 2024", "2024-07-01T00:00:00+00:00"),
            ("2024-7", "2024-07-01T00:00:00+00:00"),
            ("99-12-31", "1999-12-31T00:00:00+00:00"),
            ("-000001-01-01T00:00:00Z", "-0001-01-01T00:00:00+00:00"),
            ("+002024-07-14", "2024-07-14T00:00:00+00:00"),
            ("March 5th, 2024", "2024-03-05T00:00:00+00:00"),
            ("Sept. 5 2024 12:30 am", "2024-09-05T00:30:00+00:00"),
            ("Tue Mar 05 2024 10:11:12 GMT+0130 (a zone)", "2024-03-05T08:41:12+00:00"),
            ("5-Mar-2024 10:11:12 +05:30", "2024-03-05T04:41:12+00:00"),
            ("14:05 7/14/2024 pst", "2024-07-14T22:05:00+00:00"),
            ("0042-03-05", "0042-03-05T00:00:00+00:00"),
            ("2024-03-05 10:11:12.123456+00", "2024-03-05T10:11:12.123456+00:00"),
        ] {
            assert_eq!(parse(text).map(|moment| moment.to_rfc3339()), Some(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "not a date",
            "2024-13-01",
            "2024-03-05T25:00",
            "5",
            "March",
            "-1152098955",
            "May 32, 2016",
            "24-11-26",
            "2024-02-30",
            "2016-12-31T23:59:60Z",
            "13/5/24",
            "Mar 5",
            "7/14",
            "order 7/14/2024",
            "7/14/2024 x",
            "2024-03-05T10:11:12 Z",
            "5 Mar 2024 13:00 pm",
            "1 2 3 4",
            "2024-03-05T24:01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
