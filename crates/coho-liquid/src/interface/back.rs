//! Takes back what a filter of the `liquid` crate gives. Everything is charged to the template's budget.

use chrono::{DateTime, NaiveDate};
use liquid_core::model::{Object, Scalar, State, Value, ValueView};

use crate::budget::{DEEPEST_VALUE, Meter};
use crate::fault::Fault;
use crate::value::{Moment, NOT_FINITE, Val};

const BEYOND: &str = "the filter returned a date that is out of range";

/// A value as one of Coho's.
pub(super) fn own(value: Value, meter: &Meter) -> Result<Val<'static>, Fault> {
    at_depth(value, 0, meter)
}

fn at_depth(value: Value, depth: u8, meter: &Meter) -> Result<Val<'static>, Fault> {
    if depth >= DEEPEST_VALUE {
        return Err(Fault::failed("the value is nested too deep"));
    }
    meter.steps(1)?;
    match value {
        Value::Nil | Value::State(State::DefaultValue) => Ok(Val::Nil),
        Value::State(State::Truthy) => Ok(Val::Bool(true)),
        Value::State(State::Empty) => Ok(Val::Empty),
        Value::State(State::Blank) => Ok(Val::Blank),
        Value::Scalar(scalar) => self::scalar(scalar, meter),
        Value::Array(items) => {
            let items = items.into_iter().map(|item| at_depth(item, depth + 1, meter));
            Val::list(items.collect::<Result<_, _>>()?, meter)
        }
        Value::Object(members) => object(members, depth, meter),
    }
}

/// The crate's objects have no order, so members are sorted by name: the same row must give the same bytes.
fn object(members: Object, depth: u8, meter: &Meter) -> Result<Val<'static>, Fault> {
    meter.steps(members.len())?;
    let mut named: Vec<(String, Value)> =
        members.into_iter().map(|(name, member)| (name.into_string(), member)).collect();
    named.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    let member = |(name, member): (String, Value)| {
        meter.bytes(name.len())?;
        Ok((name.into(), at_depth(member, depth + 1, meter)?))
    };
    Val::map(named.into_iter().map(member).collect::<Result<_, Fault>>()?, meter)
}

/// A scalar says what it is by the name of its type alone: its conversions also read texts.
fn scalar(scalar: Scalar, meter: &Meter) -> Result<Val<'static>, Fault> {
    let value = match scalar.type_name() {
        "whole number" => scalar.to_integer().map(Val::Int),
        "fractional number" => match scalar.to_float() {
            Some(number) if number.is_finite() => Some(Val::Float(number)),
            _ => return Err(Fault::failed(NOT_FINITE)),
        },
        "boolean" => scalar.to_bool().map(Val::Bool),
        "date time" => Some(Val::Moment(Moment::Utc(moment(&scalar)?))),
        "date" => Some(Val::Moment(Moment::Date(date(&scalar)?))),
        _ => None,
    };
    if let Some(value) = value {
        return Ok(value);
    }
    let text = scalar.into_string().into_string();
    meter.bytes(text.len())?;
    Ok(Val::text(text))
}

fn moment(scalar: &Scalar) -> Result<DateTime<chrono::Utc>, Fault> {
    const SECOND: i128 = 1_000_000_000;
    let nanos = scalar.to_date_time().map(|moment| moment.unix_timestamp_nanos());
    let moment = nanos.and_then(|nanos| {
        let second = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
        DateTime::from_timestamp(second, u32::try_from(nanos.rem_euclid(SECOND)).ok()?)
    });
    moment.ok_or_else(|| Fault::failed(BEYOND))
}

fn date(scalar: &Scalar) -> Result<NaiveDate, Fault> {
    let date = scalar.to_date().and_then(|date| {
        NaiveDate::from_ymd_opt(date.year(), u32::from(date.month()), u32::from(date.day()))
    });
    date.ok_or_else(|| Fault::failed(BEYOND))
}
