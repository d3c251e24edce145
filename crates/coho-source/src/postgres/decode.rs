//! A cell's bytes, in PostgreSQL's binary form, as a cell.
//!
//! The forms are those of the server's `*send` functions (src/backend/utils/adt in PostgreSQL's source). [`super::numeric`]
//! and [`super::array`] have the longer ones.

use coho_core::json::JsonError;
use coho_core::row::Cell;
use coho_core::value::Float;

use super::types::{Cast, Kind};
use super::{array, numeric};
use crate::text::{day_in_calendar, in_calendar, uuid};

/// 2000-01-01, from which PostgreSQL counts, as microseconds and days since 1970.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// A value that has no form that keeps it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What the cell holds.
    pub(super) what: String,
    /// What helps.
    pub(super) cast: Cast,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, cast: Cast) -> Self {
        Self { what: what.into(), cast }
    }

    /// Bytes that no server sends for this type.
    pub(super) fn form() -> Self {
        Self::new("bytes that are not of its type", Cast::Text)
    }
}

/// The cell of some bytes; none is null. What is not in the bytes as it is, is spelled out in `scratch`.
pub(super) fn cell<'a>(
    kind: &Kind,
    bytes: Option<&'a [u8]>,
    scratch: &'a mut String,
) -> Result<Cell<'a>, Wrong> {
    let Some(bytes) = bytes else { return Ok(Cell::Null) };
    Ok(match kind {
        Kind::Bool => Cell::Bool(fixed::<1>(bytes)? == [1]),
        Kind::Int2 => Cell::Int(i16::from_be_bytes(fixed(bytes)?).into()),
        Kind::Int4 => Cell::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        Kind::Int8 => Cell::Int(i64::from_be_bytes(fixed(bytes)?)),
        Kind::Float4 => short_float(f32::from_be_bytes(fixed(bytes)?))?,
        Kind::Float8 => float(f64::from_be_bytes(fixed(bytes)?))?,
        Kind::Numeric => {
            numeric::digits(bytes, scratch)?;
            Cell::Decimal(scratch)
        }
        Kind::Text => Cell::Text(text(bytes)?),
        Kind::Uuid => {
            *scratch = uuid(fixed(bytes)?);
            Cell::Text(scratch)
        }
        Kind::Timestamp => Cell::Timestamp(moment(i64::from_be_bytes(fixed(bytes)?))?),
        Kind::LocalTimestamp => Cell::LocalTimestamp(moment(i64::from_be_bytes(fixed(bytes)?))?),
        Kind::Date => Cell::Date(day(i32::from_be_bytes(fixed(bytes)?))?),
        Kind::Json => json(bytes, scratch)?,
        // The first byte is the format's version, 1.
        Kind::Jsonb => json(bytes.strip_prefix(&[1]).ok_or_else(Wrong::form)?, scratch)?,
        Kind::Array(element) => {
            array::write(element, bytes, scratch)?;
            Cell::Json(scratch)
        }
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Wrong> {
    bytes.try_into().map_err(|_| Wrong::form())
}

fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes).map_err(|_| Wrong::new("text that is not UTF-8", Cast::Base64))
}

fn float(number: f64) -> Result<Cell<'static>, Wrong> {
    let what = if number.is_nan() { "NaN" } else { "an infinity" };
    Float::new(number).map(Cell::Float).ok_or_else(|| Wrong::new(what, Cast::FiniteNumber))
}

/// The number whose shortest text is the shortest text of the 32 bits: 0.1 stays 0.1, where widening gives
/// 0.10000000149011612.
fn short_float(number: f32) -> Result<Cell<'static>, Wrong> {
    float(number.to_string().parse().unwrap_or(f64::NAN))
}

fn moment(since_2000: i64) -> Result<i64, Wrong> {
    match since_2000 {
        i64::MAX => Err(Wrong::new("infinity", Cast::Finite)),
        i64::MIN => Err(Wrong::new("-infinity", Cast::Finite)),
        _ => since_2000
            .checked_add(EPOCH_MICROS)
            .filter(|micros| in_calendar(*micros))
            .ok_or_else(|| Wrong::new("a moment outside the years 1 to 9999", Cast::InCalendar)),
    }
}

fn day(since_2000: i32) -> Result<i32, Wrong> {
    match since_2000 {
        i32::MAX => Err(Wrong::new("infinity", Cast::Finite)),
        i32::MIN => Err(Wrong::new("-infinity", Cast::Finite)),
        _ => since_2000
            .checked_add(EPOCH_DAYS)
            .filter(|days| day_in_calendar(*days))
            .ok_or_else(|| Wrong::new("a date outside the years 1 to 9999", Cast::InCalendar)),
    }
}

fn json<'a>(bytes: &[u8], scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    let value = coho_core::json::parse_strict(text(bytes)?).map_err(|error| match error {
        JsonError::Doubled(_) => Wrong::new("a JSON object with one name twice", Cast::Json),
        JsonError::Syntax(_) | JsonError::Number(_) => {
            Wrong::new("JSON that is nested too deep or has a number beyond 1,000 digits", Cast::Text)
        }
    })?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    *scratch = coho_core::json::write(&value);
    Ok(Cell::Json(scratch))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_floats_keep_their_shortest_text() {
        assert_eq!(short_float(0.1).unwrap(), Cell::Float(Float::new(0.1).unwrap()));
        assert_eq!(short_float(f32::NAN).unwrap_err().cast, Cast::FiniteNumber);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let array = |kind| Kind::Array(Box::new(kind));
            for kind in [
                Kind::Bool, Kind::Int2, Kind::Int8, Kind::Float4, Kind::Float8, Kind::Numeric, Kind::Text, Kind::Uuid,
                Kind::Timestamp, Kind::Date, Kind::Json, Kind::Jsonb, array(Kind::Text), array(Kind::Numeric),
            ] {
                let mut scratch = String::new();
                let result = cell(&kind, Some(&bytes), &mut scratch);
                prop_assert!(result.is_ok() || result.is_err());
            }
        }
    }
}
