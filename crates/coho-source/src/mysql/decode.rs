//! A value in MySQL's binary form as a cell. `mysql_async` has split the row and told numbers, times and bytes apart.

use chrono::{NaiveDate, NaiveDateTime};
use coho_core::decimal::Decimal;
use coho_core::json::JsonError;
use coho_core::row::{Cell, days_from_date};
use coho_core::value::Float;
use mysql_async::Value;

use super::types::{Cast, Kind};
use crate::text::{day_in_calendar, in_calendar};

/// A value that has no form that keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What the cell holds.
    pub(super) what: &'static str,
    /// What helps.
    pub(super) cast: Cast,
}

impl Wrong {
    fn new(what: &'static str, cast: Cast) -> Self {
        Self { what, cast }
    }

    /// A value that no server sends for this type.
    fn form() -> Self {
        Self::new("a value that is not of its type", Cast::Text)
    }
}

/// The cell of a value. What is not in the value as it is, is spelled out in `scratch`.
pub(super) fn cell<'a>(kind: Kind, value: &'a Value, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    if *value == Value::NULL {
        return Ok(Cell::Null);
    }
    Ok(match kind {
        Kind::Bool => Cell::Bool(boolean(value)?),
        Kind::Bit => Cell::Bool(bytes(value)? == [1]),
        Kind::Int => Cell::Int(integer(value)?),
        Kind::Float => float(value)?,
        Kind::Decimal => {
            // A column may be filled with zeros in front.
            let decimal = Decimal::parse(text(value)?).ok_or_else(Wrong::form)?;
            decimal.as_str().clone_into(scratch);
            Cell::Decimal(scratch)
        }
        Kind::Text => Cell::Text(text(value)?),
        Kind::Timestamp => Cell::Timestamp(moment(value)?),
        Kind::LocalTimestamp => Cell::LocalTimestamp(moment(value)?),
        Kind::Date => Cell::Date(day(value)?),
        Kind::Json => json(text(value)?, scratch)?,
    })
}

fn integer(value: &Value) -> Result<i64, Wrong> {
    if let Value::Int(number) = value {
        return Ok(*number);
    }
    let Value::UInt(number) = value else { return Err(Wrong::form()) };
    let beyond = |_| Wrong::new("a number beyond 9223372036854775807", Cast::Decimal);
    i64::try_from(*number).map_err(beyond)
}

fn boolean(value: &Value) -> Result<bool, Wrong> {
    match integer(value)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Wrong::new("a number other than 0 and 1 in a boolean (`TINYINT(1)`)", Cast::Number)),
    }
}

fn bytes(value: &Value) -> Result<&[u8], Wrong> {
    let Value::Bytes(bytes) = value else { return Err(Wrong::form()) };
    Ok(bytes)
}

fn text(value: &Value) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes(value)?).map_err(|_| Wrong::new("text that is not UTF-8", Cast::Hex))
}

/// Of 32 bits, the number whose shortest text is theirs: 0.1 stays 0.1, where widening gives 0.10000000149011612.
fn float(value: &Value) -> Result<Cell<'static>, Wrong> {
    let number = if let Value::Float(number) = value {
        number.to_string().parse().unwrap_or(f64::NAN)
    } else {
        let Value::Double(number) = value else { return Err(Wrong::form()) };
        *number
    };
    Float::new(number).map(Cell::Float).ok_or_else(|| Wrong::new("a number that is not finite", Cast::Text))
}

fn date(value: &Value) -> Result<(NaiveDate, &Value), Wrong> {
    let Value::Date(year, month, day, ..) = value else { return Err(Wrong::form()) };
    if *month == 0 || *day == 0 {
        return Err(Wrong::new("a date whose month or day is zero", Cast::WholeDate));
    }
    let date = NaiveDate::from_ymd_opt(i32::from(*year), u32::from(*month), u32::from(*day));
    let date = date.ok_or_else(|| Wrong::new("a date that is in no calendar", Cast::Text))?;
    Ok((date, value))
}

fn day(value: &Value) -> Result<i32, Wrong> {
    let (date, _) = date(value)?;
    days_from_date(date).filter(|days| day_in_calendar(*days)).ok_or_else(outside)
}

fn moment(value: &Value) -> Result<i64, Wrong> {
    let (date, value) = date(value)?;
    let Value::Date(_, _, _, hour, minute, second, micros) = value else { return Err(Wrong::form()) };
    let moment = date.and_hms_micro_opt(u32::from(*hour), u32::from(*minute), u32::from(*second), *micros);
    let micros = moment.map(|moment: NaiveDateTime| moment.and_utc().timestamp_micros());
    micros
        .ok_or_else(Wrong::form)
        .and_then(|micros| in_calendar(micros).then_some(micros).ok_or_else(outside))
}

fn outside() -> Wrong {
    Wrong::new("a date outside the years 1 to 9999", Cast::WholeDate)
}

fn json<'a>(text: &str, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    let value = coho_core::json::parse_strict(text).map_err(|error| match error {
        JsonError::Doubled(_) => Wrong::new("a JSON object with one name twice", Cast::Text),
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

    fn shown(kind: Kind, value: &Value) -> Result<String, Wrong> {
        let mut scratch = String::new();
        Ok(coho_core::json::write(&cell(kind, value, &mut scratch)?.to_value()))
    }

    /// MariaDB has no type for JSON.
    #[test]
    fn json_keeps_its_numbers() {
        let json = |text: &str| shown(Kind::Json, &Value::Bytes(text.into()));
        assert_eq!(
            json(r#"{"b": 1.0, "a": 12345678901234567890.10}"#).unwrap(),
            r#"{"b":1.0,"a":12345678901234567890.10}"#
        );
        let mut scratch = String::new();
        let null = Value::Bytes("null".into());
        let null = cell(Kind::Json, &null, &mut scratch);
        assert!(matches!(null, Ok(Cell::Null)), "as in every other source");
        assert_eq!(json(r#"{"a":1,"a":2}"#).unwrap_err().what, "a JSON object with one name twice");
    }

    #[test]
    fn a_date_that_is_in_no_calendar_is_refused() {
        let day = |year, month, day| shown(Kind::Date, &Value::Date(year, month, day, 0, 0, 0, 0));
        assert_eq!(day(2026, 2, 28).unwrap(), "\"2026-02-28\"");
        assert_eq!(day(2026, 2, 30).unwrap_err().cast, Cast::Text);
        assert_eq!(day(0, 2, 28).unwrap_err().cast, Cast::WholeDate);
        assert_eq!(day(2026, 0, 1).unwrap_err().cast, Cast::WholeDate);
    }

    proptest! {
        /// What a server with a defect might send is refused, and nothing else happens.
        #[test]
        fn no_value_makes_it_panic(bytes: Vec<u8>, number: u64, parts: (u16, u8, u8, u8, u8, u8, u32)) {
            let date = Value::Date(parts.0, parts.1, parts.2, parts.3, parts.4, parts.5, parts.6);
            for kind in [Kind::Bool, Kind::Bit, Kind::Int, Kind::Float, Kind::Decimal, Kind::Text, Kind::Timestamp,
                Kind::LocalTimestamp, Kind::Date, Kind::Json] {
                for value in [Value::Bytes(bytes.clone()), Value::UInt(number), Value::Double(f64::from_bits(number)), date.clone()] {
                    drop(shown(kind, &value));
                }
            }
        }

        #[test]
        fn digits_of_a_float_are_its_own(number: f32) {
            prop_assume!(number.is_finite());
            let text = shown(Kind::Float, &Value::Float(number)).unwrap();
            prop_assert!((text.parse::<f32>().unwrap() - number).abs() <= 0.0, "{}", text);
        }
    }
}
