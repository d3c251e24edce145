//! Values while a template runs: borrowed from the row or the template where they can be, typed, and never rounded.
//!
//! Lists and objects are shared, so that passing them on costs nothing; each knows how deep it is, so that walking one can
//! never exhaust the stack. [`super::number`] calculates, [`super::text`] writes.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use coho_core::decimal::Decimal;
use coho_core::row::Cell;
use coho_core::value::{Float, Value};

use super::budget::{DEEPEST_VALUE, Meter};
use super::fault::Fault;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    /// Always finite.
    Float(f64),
    /// The digits of an exact decimal, as [`Decimal::as_str`] gives them.
    Digits(Cow<'a, str>),
    Text(Cow<'a, str>),
    Moment(Moment),
    /// `(1..5)`: never spread out before it must be.
    Range(i64, i64),
    List(Shared<Val<'a>>),
    Map(Shared<(Cow<'a, str>, Val<'a>)>),
    /// The word `blank`.
    Blank,
    /// The word `empty`.
    Empty,
}

/// Dates and times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    Utc(DateTime<Utc>),
    Local(NaiveDateTime),
    Date(NaiveDate),
}

impl Moment {
    /// As a moment in UTC: what has no zone is read as UTC, a date is its midnight.
    pub(crate) fn utc(self) -> DateTime<Utc> {
        match self {
            Self::Utc(moment) => moment,
            Self::Local(moment) => moment.and_utc(),
            Self::Date(date) => date.and_time(chrono::NaiveTime::MIN).and_utc(),
        }
    }

    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Utc(moment) => Value::Timestamp(moment),
            Self::Local(moment) => Value::LocalTimestamp(moment),
            Self::Date(date) => Value::Date(date),
        }
    }
}

/// The items of a list or an object, shared.
#[derive(Debug)]
pub(crate) struct Shared<T>(Rc<Nested<T>>);

#[derive(Debug)]
struct Nested<T> {
    depth: u8,
    items: Vec<T>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> std::ops::Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0.items
    }
}

impl<T> Shared<T> {
    fn new(items: Vec<T>, deepest: u8) -> Result<Self, Fault> {
        if deepest >= DEEPEST_VALUE {
            return Err(Fault::failed("the value is nested too deep"));
        }
        Ok(Self(Rc::new(Nested { depth: deepest + 1, items })))
    }
}

impl<'a> Val<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A list; it is charged for.
    pub(crate) fn list(items: Vec<Val<'a>>, meter: &Meter) -> Result<Self, Fault> {
        meter.items(items.len())?;
        let deepest = items.iter().map(Val::depth).max().unwrap_or(0);
        Ok(Self::List(Shared::new(items, deepest)?))
    }

    /// An object; it is charged for.
    pub(crate) fn map(members: Vec<(Cow<'a, str>, Val<'a>)>, meter: &Meter) -> Result<Self, Fault> {
        meter.items(members.len())?;
        let deepest = members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        Ok(Self::Map(Shared::new(members, deepest)?))
    }

    fn depth(&self) -> u8 {
        match self {
            Self::List(items) => items.0.depth,
            Self::Map(members) => members.0.depth,
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Digits(_)
            | Self::Text(_)
            | Self::Moment(_)
            | Self::Range(..)
            | Self::Blank
            | Self::Empty => 0,
        }
    }

    /// What kind of value this is, as messages name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) | Self::Digits(_) => "a number",
            Self::Text(_) => "text",
            Self::Moment(_) => "a date",
            Self::Range(..) | Self::List(_) => "a list",
            Self::Map(_) => "an object",
            Self::Blank => "`blank`",
            Self::Empty => "`empty`",
        }
    }

    /// Everything but nil and false is true.
    pub(crate) fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    pub(crate) fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// A member of an object, by its exact name.
    pub(crate) fn member(&self, name: &str) -> Option<&Val<'a>> {
        let Self::Map(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// A borrowed view of one of Coho's values.
    pub(crate) fn borrow(value: &'a Value, meter: &Meter) -> Result<Self, Fault> {
        Ok(match value {
            Value::Null => Self::Nil,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Int(number) => Self::Int(*number),
            Value::Decimal(number) => Self::Digits(Cow::Borrowed(number.as_str())),
            Value::Float(number) => Self::Float(number.get()),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Timestamp(moment) => Self::Moment(Moment::Utc(*moment)),
            Value::LocalTimestamp(moment) => Self::Moment(Moment::Local(*moment)),
            Value::Date(date) => Self::Moment(Moment::Date(*date)),
            Value::Array(items) => Self::list(
                items.iter().map(|item| Self::borrow(item, meter)).collect::<Result<_, _>>()?,
                meter,
            )?,
            Value::Object(members) => {
                let member = |(name, value): &'a (String, Value)| {
                    Ok((Cow::Borrowed(name.as_str()), Self::borrow(value, meter)?))
                };
                Self::map(members.iter().map(member).collect::<Result<_, Fault>>()?, meter)?
            }
        })
    }

    /// The same of a value that nobody else holds.
    pub(crate) fn own(value: Value, meter: &Meter) -> Result<Val<'static>, Fault> {
        Ok(match value {
            Value::Null => Val::Nil,
            Value::Bool(flag) => Val::Bool(flag),
            Value::Int(number) => Val::Int(number),
            Value::Decimal(number) => Val::Digits(Cow::Owned(number.as_str().to_owned())),
            Value::Float(number) => Val::Float(number.get()),
            Value::Text(text) => Val::Text(Cow::Owned(text)),
            Value::Timestamp(moment) => Val::Moment(Moment::Utc(moment)),
            Value::LocalTimestamp(moment) => Val::Moment(Moment::Local(moment)),
            Value::Date(date) => Val::Moment(Moment::Date(date)),
            Value::Array(items) => Val::list(
                items.into_iter().map(|item| Val::own(item, meter)).collect::<Result<_, _>>()?,
                meter,
            )?,
            Value::Object(members) => {
                let member = |(name, value)| Ok((Cow::Owned(name), Val::own(value, meter)?));
                Val::map(members.into_iter().map(member).collect::<Result<_, Fault>>()?, meter)?
            }
        })
    }

    /// A cell of a row. JSON is parsed here, and charged for.
    pub(crate) fn cell(cell: Cell<'a>, meter: &Meter) -> Result<Self, Fault> {
        Ok(match cell {
            Cell::Null => Self::Nil,
            Cell::Bool(flag) => Self::Bool(flag),
            Cell::Int(number) => Self::Int(number),
            Cell::Float(number) => Self::Float(number.get()),
            Cell::Decimal(digits) => Self::Digits(Cow::Borrowed(digits)),
            Cell::Text(text) => Self::Text(Cow::Borrowed(text)),
            Cell::Timestamp(_) | Cell::LocalTimestamp(_) | Cell::Date(_) => {
                Self::own(cell.to_value(), meter)?
            }
            Cell::Json(text) => {
                meter.bytes(text.len())?;
                let value = coho_core::json::parse(text);
                Self::own(value.map_err(|_| Fault::failed("cannot read the column's JSON"))?, meter)?
            }
        })
    }

    /// The typed result.
    pub(crate) fn to_value(&self, meter: &Meter) -> Result<Value, Fault> {
        meter.steps(1)?;
        Ok(match self {
            Self::Nil => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => {
                Value::Float(Float::new(*number).ok_or_else(|| Fault::failed(NOT_FINITE))?)
            }
            Self::Digits(digits) => Value::Decimal(
                Decimal::parse(digits).ok_or_else(|| Fault::failed("the number has too many digits"))?,
            ),
            Self::Text(text) => {
                meter.output(text.len())?;
                Value::Text(text.clone().into_owned())
            }
            Self::Moment(moment) => moment.to_value(),
            Self::Range(from, to) => {
                let count = range_length(*from, *to);
                meter.items(count)?;
                Value::Array((*from..=*to).take(count).map(Value::Int).collect())
            }
            Self::List(items) => {
                meter.items(items.len())?;
                Value::Array(items.iter().map(|item| item.to_value(meter)).collect::<Result<_, _>>()?)
            }
            Self::Map(members) => {
                meter.items(members.len())?;
                let member = |(name, value): &(Cow<'_, str>, Val<'_>)| {
                    meter.output(name.len())?;
                    Ok((name.clone().into_owned(), value.to_value(meter)?))
                };
                Value::Object(members.iter().map(member).collect::<Result<_, Fault>>()?)
            }
            Self::Blank | Self::Empty => Value::Text(String::new()),
        })
    }
}

pub(crate) const NOT_FINITE: &str = "the result is not a finite number";

/// How many numbers a range has.
pub(crate) fn range_length(from: i64, to: i64) -> usize {
    if to < from {
        return 0;
    }
    usize::try_from(to.abs_diff(from)).map_or(usize::MAX, |length| length.saturating_add(1))
}

/// One item of what a loop or a filter goes through.
pub(crate) fn item<'a>(list: &Val<'a>, at: usize) -> Option<Val<'a>> {
    match list {
        Val::List(items) => items.get(at).cloned(),
        Val::Range(from, to) => {
            let number = i64::try_from(at).ok().and_then(|at| from.checked_add(at))?;
            (number <= *to).then_some(Val::Int(number))
        }
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Text(_)
        | Val::Moment(_)
        | Val::Map(_)
        | Val::Blank
        | Val::Empty => None,
    }
}
