//! Text as typed cells: what files spell out and declare a type for. Dates and times are ISO 8601 and nothing else.
//!
//! [`crate::files`] uses it for CSV fields and JSON strings; inference is in its `infer`.

use chrono::NaiveDate;
use coho_core::decimal::Decimal;
use coho_core::row::{Cell, ColumnType, days_from_date};
use coho_core::value::Float;

/// The first and last microsecond that every ISO 8601 reader takes: years 1 to 9999.
const MICROS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
const MICROS_A_DAY: i64 = 86_400_000_000;

/// The text as a cell of this type; `None` where it is not one. Text that needs another spelling is kept in `scratch`.
pub(crate) fn cell<'a>(kind: ColumnType, text: &'a str, scratch: &'a mut String) -> Option<Cell<'a>> {
    match kind {
        ColumnType::Bool => boolean(text).map(Cell::Bool),
        ColumnType::Int => text.parse().ok().map(Cell::Int),
        ColumnType::Float => text.parse().ok().and_then(Float::new).map(Cell::Float),
        ColumnType::Decimal => {
            let decimal = Decimal::parse(text)?;
            decimal.as_str().clone_into(scratch);
            Some(Cell::Decimal(scratch))
        }
        ColumnType::Text | ColumnType::Mixed => Some(Cell::Text(text)),
        ColumnType::Timestamp => timestamp(text).map(Cell::Timestamp),
        ColumnType::LocalTimestamp => local_timestamp(text).map(Cell::LocalTimestamp),
        ColumnType::Date => date(text).and_then(days_from_date).map(Cell::Date),
        ColumnType::Json => {
            *scratch = coho_core::json::write(&coho_core::json::parse(text).ok()?);
            Some(Cell::Json(scratch))
        }
    }
}

/// Whether a moment lies in the years 1 to 9999.
pub(crate) fn in_calendar(micros: i64) -> bool {
    MICROS.contains(&micros)
}

/// Whether a date lies in the years 1 to 9999.
pub(crate) fn day_in_calendar(days: i32) -> bool {
    i64::from(days).checked_mul(MICROS_A_DAY).is_some_and(in_calendar)
}

/// `01234567-89ab-cdef-0123-456789abcdef`.
pub(crate) fn uuid(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    let part = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 8),
        part(80, 4),
        part(64, 4),
        part(48, 4),
        part(0, 12)
    )
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// `2026-11-24`.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = i32::try_from(digits(bytes.get(..4)?)?).ok()?;
    let month = u32::try_from(digits(bytes.get(5..7)?)?).ok()?;
    let day = u32::try_from(digits(bytes.get(8..)?)?).ok()?;
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| year > 0)
}

/// `2026-11-24T10:00:00.123456`, with a `T` or a space; microseconds since 1970 of its own clock.
pub(crate) fn local_timestamp(text: &str) -> Option<i64> {
    if !matches!(text.as_bytes().get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let days = days_from_date(date(text.get(..10)?)?)?;
    Some(i64::from(days) * MICROS_A_DAY + time(text.get(11..)?)?)
}

/// A local timestamp followed by `Z`, `+02:00` or `-0530`; microseconds since 1970 in UTC.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let clock = text.get(11..)?;
    let zone = 11 + clock.find(['Z', 'z', '+', '-'])?;
    let micros = local_timestamp(text.get(..zone)?)? - offset(text.get(zone..)?)?;
    in_calendar(micros).then_some(micros)
}

/// `10:00:00` with up to six digits behind the second; more only if they are zeros.
fn time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let bytes = clock.as_bytes();
    if bytes.len() != 8 || bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let hour = digits(bytes.get(..2)?).filter(|hour| *hour < 24)?;
    let minute = digits(bytes.get(3..5)?).filter(|minute| *minute < 60)?;
    let second = digits(bytes.get(6..)?).filter(|second| *second < 60)?;
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction.map_or(Some(0), micros)?)
}

fn micros(fraction: &str) -> Option<i64> {
    let (kept, rest) = fraction.split_at_checked(6.min(fraction.len()))?;
    if kept.is_empty() || rest.len() > 18 || rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let missing = u32::try_from(6 - kept.len()).ok()?;
    Some(digits(kept.as_bytes())? * 10_i64.pow(missing))
}

fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let rest = zone.get(1..)?;
    let (hours, minutes) = if rest.len() == 5 { rest.split_once(':')? } else { rest.split_at_checked(2)? };
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let hours = digits(hours.as_bytes()).filter(|hours| *hours < 24)?;
    let minutes = digits(minutes.as_bytes()).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 60 + minutes) * 60_000_000)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_microseconds() {
        assert_eq!(timestamp("1970-01-01T00:00:00.000001Z"), Some(1));
        assert_eq!(timestamp("1970-01-01 02:00:00+02:00"), Some(0));
        assert_eq!(timestamp("1969-12-31T19:00:01.5-0500"), Some(1_500_000));
        assert_eq!(local_timestamp("1970-01-02 00:00:00"), Some(MICROS_A_DAY));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for wrong in [
            "",
            "1970-01-01",
            "1970-01-01T00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-02-30T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "1970-01-01T00:00:00.0000001Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00:00+2",
            "0001-01-01T00:00:00+01:00",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00é+0",
            "１970-01-01T00:00:00Z",
        ] {
            assert_eq!(timestamp(wrong), None, "{wrong:?}");
        }
        assert_eq!(local_timestamp("1970-01-01T00:00:00Z"), None);
    }

    #[test]
    fn the_calendar_has_years_1_to_9999() {
        assert!(day_in_calendar(days_from_date(NaiveDate::from_ymd_opt(1, 1, 1).unwrap()).unwrap()));
        assert!(!day_in_calendar(days_from_date(NaiveDate::from_ymd_opt(0, 12, 31).unwrap()).unwrap()));
        assert!(day_in_calendar(days_from_date(NaiveDate::from_ymd_opt(9999, 12, 31).unwrap()).unwrap()));
        assert!(!day_in_calendar(i32::MAX) && !day_in_calendar(i32::MIN));
        assert!(!day_in_calendar(days_from_date(NaiveDate::from_ymd_opt(10000, 1, 1).unwrap()).unwrap()));
    }

    #[test]
    fn ids_have_their_hyphens() {
        let id = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128;
        assert_eq!(uuid(id.to_be_bytes()), "01234567-89ab-cdef-0123-456789abcdef");
    }
}
