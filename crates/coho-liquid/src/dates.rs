//! Dates from what rows and templates hold: ISO 8601, epoch seconds, and the forms that people write.
//!
//! What has no zone is read as UTC. [`super::strftime`] writes them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::number::Number;
use super::value::Val;

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
        Val::Text(text) => match text.trim() {
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
    iso(text.as_bytes()).or_else(|| words(text))
}

/// `2024-03-05`, `2024-03`, `2024-03-05T10:11:12.5+02:00`, `2024-03-05 10:11`, with or without zone.
fn iso(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let year = number(bytes.get(..4)?)?;
    let separator = *bytes.get(4)?;
    if separator != b'-' && separator != b'/' {
        return None;
    }
    let month = number(bytes.get(5..7)?)?;
    if bytes.len() == 7 {
        return NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, 1).map(midnight);
    }
    if *bytes.get(7)? != separator {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, number(bytes.get(8..10)?)?)?;
    match bytes.get(10) {
        None => Some(midnight(date)),
        Some(b'T' | b't' | b' ') => clock(date, std::str::from_utf8(bytes.get(11..)?).ok()?.trim_start()),
        Some(_) => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
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

fn nanos(fraction: &str) -> Option<u32> {
    let digits = fraction.get(..fraction.len().min(9))?;
    if digits.is_empty() { Some(0) } else { number(format!("{digits:0<9}").as_bytes()) }
}

/// Minutes east of Greenwich. An empty zone is UTC.
fn offset_minutes(zone: &str) -> Option<i64> {
    match zone {
        "" | "Z" | "z" | "UTC" | "GMT" | "UT" => return Some(0),
        "EST" => return Some(-300),
        "EDT" | "CST" => return Some(if zone == "EDT" { -240 } else { -360 }),
        "CDT" | "MST" => return Some(if zone == "CDT" { -300 } else { -420 }),
        "MDT" | "PST" => return Some(if zone == "MDT" { -360 } else { -480 }),
        "PDT" => return Some(-420),
        _ => {}
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

/// `March 14, 2016`, `14 Mar 2016 10:11`, `Tue, 05 Mar 2024 10:11:12 +0000`, `Fri Jul 16 01:00:00 2004`, `3/14/2016 5:30 PM`.
fn words(text: &str) -> Option<DateTime<Utc>> {
    let mut found = Words::default();
    text.split([' ', ',']).filter(|word| !word.is_empty()).try_for_each(|word| found.word(word))?;
    let (year, month, day) = found.date()?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let mut time = found.time.unwrap_or(NaiveTime::MIN);
    if let Some(afternoon) = found.afternoon {
        time = twelve_hours(time, afternoon)?;
    }
    shift(NaiveDateTime::new(date, time), found.offset.unwrap_or(0))
}

#[derive(Default)]
struct Words {
    month: Option<u32>,
    numbers: Vec<u32>,
    /// Year, month and day of a word such as `3/14/2016`.
    parts: Option<(u32, u32, u32)>,
    time: Option<NaiveTime>,
    afternoon: Option<bool>,
    offset: Option<i64>,
}

impl Words {
    fn word(&mut self, word: &str) -> Option<()> {
        if let Some(month) = name(word, MONTHS) {
            self.month = Some(month + 1);
        } else if name(word, WEEKDAYS).is_some() {
            // The day of the week follows from the date.
        } else if word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm") {
            self.afternoon = Some(word.eq_ignore_ascii_case("pm"));
        } else if word.contains(':') && word.as_bytes().first()?.is_ascii_digit() {
            self.time = Some(time_of_day(word)?);
        } else if let Some(plain) = number(ordinal(word).as_bytes()) {
            self.numbers.push(plain);
        } else if word.contains('/') || (word.contains('-') && word.as_bytes().first()?.is_ascii_digit()) {
            self.parts = Some(parts(word)?);
        } else {
            self.offset = Some(offset_minutes(word)?);
        }
        Some(())
    }

    fn date(&self) -> Option<(u32, u32, u32)> {
        if let (Some(date), None, true) = (self.parts, self.month, self.numbers.is_empty()) {
            return Some(date);
        }
        match (self.month, self.numbers.as_slice()) {
            (Some(month), [year, day]) if *year > 31 && *day <= 31 => Some((full_year(*year), month, *day)),
            (Some(month), [day, year]) => Some((full_year(*year), month, *day)),
            _ => None,
        }
    }
}

/// As JavaScript has it, a year below 50 is of this century and one below 100 of the last.
fn full_year(year: u32) -> u32 {
    match year {
        0..=49 => 2000 + year,
        50..=99 => 1900 + year,
        _ => year,
    }
}

fn ordinal(word: &str) -> &str {
    ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word)
}

/// `3/14/2016`, `3/14/16`, `2016/3/14`, `2016-3-14`. A year that comes first has four digits.
fn parts(word: &str) -> Option<(u32, u32, u32)> {
    let mut parts = word.split(['/', '-']).map(|part| number(part.as_bytes()));
    let (first, second, third) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    match first {
        1..=12 => Some((full_year(third), first, second)),
        1000.. => Some((first, second, third)),
        _ => None,
    }
}

fn twelve_hours(time: NaiveTime, afternoon: bool) -> Option<NaiveTime> {
    use chrono::Timelike;
    let hour = time.hour();
    if hour == 0 || hour > 12 {
        return None;
    }
    time.with_hour(hour % 12 + if afternoon { 12 } else { 0 })
}

/// The place of a name, or of its first three letters, in a list.
fn name(word: &str, names: [&str; 12]) -> Option<u32> {
    let word = word.trim_end_matches('.');
    let matches = |name: &str| {
        !name.is_empty()
            && word.len() >= 3
            && name.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    names.iter().position(|name| matches(name)).and_then(|at| u32::try_from(at).ok())
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Sunday first; filled up to the length of the months.
pub(crate) const WEEKDAYS: [&str; 12] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "", "", "", "", ""];

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
            "+12026-01-01",
            "13/5/24",
            "2024-03-05T24:01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
