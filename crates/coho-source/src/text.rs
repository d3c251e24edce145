//! Text as typed cells: what files spell out and declare a type for; how much is shown of a server's text,
//! and what it is told of a query. Dates and times are those of [`coho_core::dates`].
//!
//! [`crate::files`] uses it for CSV fields and JSON strings; inference is in its `infer`.

use coho_core::dates;
use coho_core::decimal::Decimal;
use coho_core::row::{Cell, ColumnType, days_from_date};
use coho_core::value::Float;

/// The first and last microsecond that every ISO 8601 reader takes: years 1 to 9999.
const MICROS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
const MICROS_A_DAY: i64 = 86_400_000_000;

/// The most characters of a server's message: it may quote values of a row.
const LONGEST_MESSAGE: usize = 300;

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
        // What is finer than a cell's microseconds is cut off: Vitally takes milliseconds.
        ColumnType::Timestamp => dates::timestamp(text).map(|it| Cell::Timestamp(it.timestamp_micros())),
        ColumnType::LocalTimestamp => {
            dates::local_timestamp(text).map(|it| Cell::LocalTimestamp(it.and_utc().timestamp_micros()))
        }
        ColumnType::Date => dates::date(text).and_then(days_from_date).map(Cell::Date),
        ColumnType::Json => {
            *scratch = coho_core::json::write(&coho_core::json::parse_strict(text).ok()?);
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

/// What a server's lists of its work say of a query: which model it is for.
pub(crate) fn tag(model: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let model: String = model.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    format!("coho:model={model}")
}

/// A server's message, cut where it is long.
pub(crate) fn bounded(words: &str) -> String {
    match words.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_off() {
        let read = |text| cell(ColumnType::Timestamp, text, &mut String::new()).map(|cell| cell.to_value());
        let shown = |text| read(text).and_then(|value| value.scalar_text());
        assert_eq!(shown("1969-07-20T20:17:39.999999999Z").as_deref(), Some("1969-07-20T20:17:39.999Z"));
        let mut scratch = String::new();
        let cell = cell(ColumnType::LocalTimestamp, "1970-01-01 00:00:00.0000019", &mut scratch);
        assert_eq!(cell, Some(Cell::LocalTimestamp(1)));
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
    fn long_messages_are_cut() {
        assert_eq!(bounded(&"é".repeat(1_000)).chars().count(), LONGEST_MESSAGE + 1);
    }

    #[test]
    fn a_models_name_ends_no_comment() {
        assert_eq!(tag("crm.all-users"), "coho:model=crm.all-users");
        assert_eq!(tag("a */ b"), "coho:model=a____b");
    }

    #[test]
    fn ids_have_their_hyphens() {
        let id = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128;
        assert_eq!(uuid(id.to_be_bytes()), "01234567-89ab-cdef-0123-456789abcdef");
    }
}
