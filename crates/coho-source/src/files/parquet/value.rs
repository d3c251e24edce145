//! What Parquet's record reader read, as cells; nested values as JSON.

use ::parquet::record::{Field, Row};
use coho_core::json::JsonError;
use coho_core::row::{Cell, ColumnType};
use coho_core::value::{Float, Value};

use super::shape::{Form, Leaf, Shape};
use crate::digits;
use crate::text::{day_in_calendar, in_calendar};

/// A value that has no form that keeps it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What the cell holds.
    pub(super) what: &'static str,
    /// As what it can be written.
    pub(super) remedy: &'static str,
}

const FORM: Wrong = Wrong { what: "a value that is not of its column's type", remedy: "text" };

/// A value as a cell. What is not in the value as it is, is spelled out in `scratch`.
pub(super) fn cell<'a>(field: &'a Field, shape: &Shape, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    match shape {
        Shape::Leaf(leaf) => single(field, *leaf, scratch),
        Shape::Group(_) | Shape::List(_) | Shape::Map(..) => {
            let value = value(field, shape)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            *scratch = coho_core::json::write(&value);
            Ok(Cell::Json(scratch))
        }
    }
}

fn value(field: &Field, shape: &Shape) -> Result<Value, Wrong> {
    match (field, shape) {
        (Field::Null, _) => Ok(Value::Null),
        (_, Shape::Leaf(leaf)) => Ok(single(field, *leaf, &mut String::new())?.to_value()),
        (Field::Group(row), Shape::Group(members)) => group(row, members),
        (Field::ListInternal(list), Shape::List(element)) => Ok(Value::Array(
            list.elements().iter().map(|item| value(item, element)).collect::<Result<_, _>>()?,
        )),
        (Field::MapInternal(map), Shape::Map(keys, values)) => {
            let pair = |(key, item): &(Field, Field)| Ok((name(&value(key, keys)?), value(item, values)?));
            Ok(Value::Object(map.entries().iter().map(pair).collect::<Result<_, _>>()?))
        }
        (_, Shape::Group(_) | Shape::List(_) | Shape::Map(..)) => Err(FORM),
    }
}

fn group(row: &Row, members: &[Shape]) -> Result<Value, Wrong> {
    let fields = row.get_column_iter().zip(members);
    let member =
        |((name, field), shape): ((&String, &Field), &Shape)| Ok((name.clone(), value(field, shape)?));
    Ok(Value::Object(fields.map(member).collect::<Result<_, _>>()?))
}

/// A map's key as a JSON object's name.
fn name(key: &Value) -> String {
    key.scalar_text().unwrap_or_else(|| coho_core::json::write(key))
}

/// A single value as a cell.
pub(super) fn single<'a>(field: &'a Field, leaf: Leaf, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    match field {
        Field::Null => Ok(Cell::Null),
        Field::Bool(flag) => Ok(Cell::Bool(*flag)),
        Field::Byte(number) => Ok(Cell::Int((*number).into())),
        Field::Short(number) => Ok(Cell::Int((*number).into())),
        Field::Int(number) => Ok(Cell::Int((*number).into())),
        Field::UByte(number) => Ok(Cell::Int((*number).into())),
        Field::UShort(number) => Ok(Cell::Int((*number).into())),
        Field::UInt(number) => Ok(Cell::Int((*number).into())),
        // What is finer than a cell's microseconds is cut off, as in text: Vitally takes milliseconds.
        Field::Long(nanos) if leaf.form == Form::Nanos => moment(Some(nanos.div_euclid(1_000)), leaf),
        Field::Long(number) => Ok(Cell::Int(*number)),
        Field::ULong(number) => {
            *scratch = number.to_string();
            Ok(Cell::Decimal(scratch))
        }
        Field::Float16(number) => float(number.to_string().parse().unwrap_or(f64::NAN)),
        // The shortest text of the 32 bits: 0.1 stays 0.1, where widening gives 0.10000000149011612.
        Field::Float(number) => float(number.to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(number) => float(*number),
        Field::Decimal(number) => {
            decimal(number.data(), usize::try_from(number.scale()).unwrap_or(0), scratch)
        }
        Field::Str(text) if leaf.kind == ColumnType::Json => json(text, scratch),
        Field::Str(text) => Ok(Cell::Text(text)),
        Field::Bytes(bytes) if leaf.form == Form::Uuid => {
            *scratch = uuid(bytes.data()).ok_or(FORM)?;
            Ok(Cell::Text(scratch))
        }
        Field::Date(days) if day_in_calendar(*days) => Ok(Cell::Date(*days)),
        Field::Date(_) => Err(Wrong { what: "a date outside the years 1 to 9999", remedy: "null" }),
        Field::TimestampMillis(millis) => moment(millis.checked_mul(1_000), leaf),
        Field::TimestampMicros(micros) => moment(Some(*micros), leaf),
        Field::Bytes(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::Group(_)
        | Field::ListInternal(_)
        | Field::MapInternal(_) => Err(FORM),
    }
}

/// An unscaled number, its highest byte first, as a cell.
pub(super) fn decimal<'a>(bytes: &[u8], scale: usize, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    digits::write(bytes, scale, scratch);
    if scratch.len() > 1_000 {
        return Err(Wrong { what: "a number of more than 1,000 digits", remedy: "text" });
    }
    Ok(Cell::Decimal(scratch))
}

pub(super) fn float(number: f64) -> Result<Cell<'static>, Wrong> {
    let what = if number.is_nan() { "NaN" } else { "an infinity" };
    Float::new(number).map(Cell::Float).ok_or(Wrong { what, remedy: "null" })
}

/// So many microseconds as a cell; `None` is more than there are.
pub(super) fn moment(micros: Option<i64>, leaf: Leaf) -> Result<Cell<'static>, Wrong> {
    let outside = Wrong { what: "a moment outside the years 1 to 9999", remedy: "null" };
    let micros = micros.filter(|micros| in_calendar(*micros)).ok_or(outside)?;
    Ok(match leaf.kind {
        ColumnType::LocalTimestamp => Cell::LocalTimestamp(micros),
        ColumnType::Timestamp
        | ColumnType::Bool
        | ColumnType::Int
        | ColumnType::Float
        | ColumnType::Decimal
        | ColumnType::Text
        | ColumnType::Date
        | ColumnType::Json
        | ColumnType::Mixed => Cell::Timestamp(micros),
    })
}

/// JSON text as a cell.
pub(super) fn json<'a>(text: &str, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    let wrong = Wrong { what: "text that is not JSON", remedy: "text without the JSON type" };
    let value = coho_core::json::parse_strict(text).map_err(|error| doubled(&error).unwrap_or(wrong))?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    *scratch = coho_core::json::write(&value);
    Ok(Cell::Json(scratch))
}

fn doubled(error: &JsonError) -> Option<Wrong> {
    let wrong = Wrong { what: "a JSON object with one name twice", remedy: "text without the JSON type" };
    matches!(error, JsonError::Doubled(_)).then_some(wrong)
}

fn uuid(bytes: &[u8]) -> Option<String> {
    Some(crate::text::uuid(bytes.try_into().ok()?))
}
