//! Dates and times as text: the one reader of all sources, casts and templates.
//!
//! It takes ISO 8601 in the forms of RFC 3339 and a few neighbours, and nothing else, since what can be read in two ways would
//! be read in the wrong one: a year has four digits, a month, a day, an hour, a minute and a second have two each.
//!
//! | what | forms |
//! |---|---|
//! | date | `2026-11-24` |
//! | time of day | `10:00:00`, with any number of digits behind a point: what is finer than a nanosecond is cut off |
//! | between the two | `T`, `t` or one space |
//! | zone | `Z`, `z`, `+02:00`, `+0200` or `+02`, after one space if need be |
//!
//! The years are 1 to 9999. A leap second, `23:59:60`, is the first moment of the next minute: Vitally has no form for it.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

/// A moment: a timestamp, a local timestamp that is read as UTC, or a date that is its midnight in UTC.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    timestamp(text)
        .or_else(|| local_timestamp(text).map(|local| local.and_utc()))
        .or_else(|| date(text).map(|date| date.and_time(NaiveTime::MIN).and_utc()))
}

/// A timestamp with its zone: `2026-11-24T10:00:00.123456+02:00`.
pub fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    let clock = text.get(11..)?;
    let zone = 11 + clock.find(['Z', 'z', '+', '-'])?;
    let local = text.get(..zone)?;
    let (local, leap) = parts(local.strip_suffix(' ').unwrap_or(local))?;
    let moment = local.checked_sub_signed(offset(text.get(zone..)?)?)?;
    // A leap second is one only where it is the last of a day in UTC: what it became is the first of the next.
    let fits = leap == Leap::No || moment.time() == NaiveTime::MIN;
    (fits && in_calendar(moment.date())).then(|| moment.and_utc())
}

/// A timestamp without a zone: `2026-11-24 10:00:00`.
pub fn local_timestamp(text: &str) -> Option<NaiveDateTime> {
    let (moment, _) = parts(text)?;
    in_calendar(moment.date()).then_some(moment)
}

/// `2026-11-24`.
pub fn date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = i32::try_from(digits(bytes.get(..4)?)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits(bytes.get(5..7)?)?, digits(bytes.get(8..)?)?)?;
    in_calendar(date).then_some(date)
}

/// Whether every reader of ISO 8601 takes a date: the years are 1 to 9999.
pub fn in_calendar(date: NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}

/// Whether a moment has digits that Vitally does not take: it keeps milliseconds.
pub fn is_finer_than_millis(time: &impl Timelike) -> bool {
    !time.nanosecond().is_multiple_of(1_000_000)
}

/// Whether a second was a leap second, and so became the next minute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leap {
    Yes,
    No,
}

/// A date and a time of day.
fn parts(text: &str) -> Option<(NaiveDateTime, Leap)> {
    if !matches!(text.as_bytes().get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let day = date(text.get(..10)?)?;
    let (time, leap) = time(text.get(11..)?)?;
    let moment = day.and_time(time);
    match leap {
        Leap::No => Some((moment, leap)),
        Leap::Yes => Some((moment.checked_add_signed(TimeDelta::seconds(1))?, leap)),
    }
}

/// `10:00:00` with digits behind it. Of a leap second it is the second before, without a fraction.
fn time(text: &str) -> Option<(NaiveTime, Leap)> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let bytes = clock.as_bytes();
    if bytes.len() != 8 || bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (digits(bytes.get(..2)?)?, digits(bytes.get(3..5)?)?);
    let second = digits(bytes.get(6..)?)?;
    let nanos = fraction.map_or(Some(0), nanos)?;
    if second == 60 {
        // Zones differ by whole quarters of an hour, so no other minute ends with a day in UTC.
        return NaiveTime::from_hms_opt(hour, minute, 59)
            .filter(|_| minute % 15 == 14)
            .map(|it| (it, Leap::Yes));
    }
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).map(|time| (time, Leap::No))
}

/// The digits behind a point as nanoseconds; what is finer is cut off.
fn nanos(fraction: &str) -> Option<u32> {
    let all = fraction.as_bytes();
    if all.is_empty() || !all.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let kept = all.get(..9).unwrap_or(all);
    let missing = u32::try_from(9 - kept.len()).ok()?;
    Some(digits(kept)? * 10_u32.pow(missing))
}

fn offset(zone: &str) -> Option<TimeDelta> {
    let sign = match zone.as_bytes() {
        [b'Z' | b'z'] => return Some(TimeDelta::zero()),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = match zone.as_bytes().get(1..)? {
        [a, b] => ([*a, *b], [b'0', b'0']),
        [a, b, c, d] | [a, b, b':', c, d] => ([*a, *b], [*c, *d]),
        _ => return None,
    };
    let hours = digits(&hours).filter(|hours| *hours < 24)?;
    let minutes = digits(&minutes).filter(|minutes| *minutes < 60)?;
    Some(TimeDelta::minutes(sign * i64::from(hours * 60 + minutes)))
}

/// At most nine digits as a number.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Option<String> {
        timestamp(text).map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    #[test]
    fn zones_are_taken_off() {
        let utc = Some("2026-11-24T10:00:00Z".to_owned());
        for text in [
            "2026-11-24T10:00:00Z",
            "2026-11-24t10:00:00z",
            "2026-11-24 12:00:00+02:00",
            "2026-11-24 12:00:00+0200",
            "2026-11-24 12:00:00+02",
            "2026-11-24 12:00:00 +02:00",
            "2026-11-24 10:00:00 Z",
            "2026-11-24T04:30:00-05:30",
        ] {
            assert_eq!(shown(text), utc, "{text}");
        }
    }

    #[test]
    fn what_is_finer_than_a_nanosecond_is_cut_off() {
        assert_eq!(shown("2026-11-24T10:00:00.1Z").as_deref(), Some("2026-11-24T10:00:00.100Z"));
        assert_eq!(
            shown("1969-07-20T20:17:39.9999999999999Z").as_deref(),
            Some("1969-07-20T20:17:39.999999999Z")
        );
    }

    #[test]
    fn a_leap_second_is_the_next_minute() {
        let next = Some("2017-01-01T00:00:00Z".to_owned());
        for text in ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2017-01-01T05:29:60+05:30"] {
            assert_eq!(shown(text), next, "{text}");
        }
        assert_eq!(
            local_timestamp("2016-12-31T23:59:60"),
            timestamp("2017-01-01T00:00:00Z").map(|it| it.naive_utc())
        );
        for wrong in
            ["2016-12-31T12:00:60Z", "2016-12-31T22:59:60Z", "2016-12-31T23:59:61Z", "9999-12-31T23:59:60Z"]
        {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for wrong in [
            "",
            "24-11-26",
            "6-1-5",
            "2026-1-5",
            "+12026-01-01",
            "-2026-01-01",
            "0000-01-01",
            "2026-02-30",
            "03-04-25 10:00:00",
            "24-11-26T10:00:00Z",
            "2026-11-24T10:00Z",
            "2026-11-24T1:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T10:00:00.Z",
            "2026-11-24T10:00:00+2",
            "2026-11-24T10:00:00+24:00",
            "2026-11-24T10:00:00  Z",
            "2026-11-24  10:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "2026-11-24T10:00:00é+0",
            "２026-11-24",
            "20261124",
            "2026-11-24 ",
        ] {
            assert_eq!(moment(wrong), None, "{wrong:?}");
        }
        assert_eq!(local_timestamp("2026-11-24T10:00:00Z"), None);
        assert_eq!(timestamp("2026-11-24T10:00:00"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[0-9TtZz:. +é-]{0,40}") {
            moment(&text);
        }

        #[test]
        fn what_is_written_is_read(nanos in -60_000_000_000_000_000_000_i128..250_000_000_000_000_000_000) {
            let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap();
            let nanos = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap();
            let moment = DateTime::from_timestamp(seconds, nanos).unwrap();
            prop_assert_eq!(timestamp(&moment.to_rfc3339()), Some(moment));
            prop_assert_eq!(local_timestamp(&moment.naive_utc().to_string()), Some(moment.naive_utc()));
        }
    }
}
