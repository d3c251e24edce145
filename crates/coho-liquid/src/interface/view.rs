//! Lends Coho's values to filters of the `liquid` crate, without copying them.
//!
//! What the crate has no type for is lent as its text: a decimal as its digits, a date beyond the year 9999 as it is written.

use std::borrow::Cow;
use std::fmt;

use chrono::{Datelike, TimeDelta, Utc};
use liquid_core::model::{
    ArrayView, Date, DateTime, DisplayCow, KStringCow, ObjectView, ScalarCow, State, Value, ValueView,
};

use crate::budget::{Budget, Meter};
use crate::fault::Fault;
use crate::number::Exact;
use crate::text::{moment_text, text};
use crate::value::{Moment, Val, range_length};

/// The years that the crate's dates have.
const YEARS: std::ops::RangeInclusive<i32> = -9_999..=9_999;

/// A value as it is lent: what the filter may look through is charged before, and ranges are spread out.
pub(super) fn lend<'a>(value: Val<'a>, meter: &Meter) -> Result<Val<'a>, Fault> {
    if holds_range(&value, meter)? { spread(value, meter) } else { Ok(value) }
}

/// Charges for a walk through a value, and says whether it holds a range.
fn holds_range(value: &Val<'_>, meter: &Meter) -> Result<bool, Fault> {
    let mut found = false;
    match value {
        Val::Range(..) => found = true,
        Val::Text(text) => meter.bytes(text.len())?,
        Val::List(items) => {
            meter.steps(items.len())?;
            for item in items.iter() {
                found |= holds_range(item, meter)?;
            }
        }
        Val::Map(members) => {
            meter.steps(members.len())?;
            for (_, member) in members.iter() {
                found |= holds_range(member, meter)?;
            }
        }
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Moment(_)
        | Val::Blank
        | Val::Empty => {}
    }
    Ok(found)
}

fn spread<'a>(value: Val<'a>, meter: &Meter) -> Result<Val<'a>, Fault> {
    match value {
        Val::Range(from, to) => {
            let count = range_length(from, to);
            meter.items(count)?;
            Val::list((from..=to).take(count).map(Val::Int).collect(), meter)
        }
        Val::List(items) => {
            Val::list(items.iter().map(|item| spread(item.clone(), meter)).collect::<Result<_, _>>()?, meter)
        }
        Val::Map(members) => {
            let member =
                |(name, value): &(Cow<'a, str>, Val<'a>)| Ok((name.clone(), spread(value.clone(), meter)?));
            Val::map(members.iter().map(member).collect::<Result<_, Fault>>()?, meter)
        }
        other => Ok(other),
    }
}

/// The float of these digits, if it is the same number.
pub(super) fn float(digits: &str) -> Option<f64> {
    let number: f64 = digits.parse().ok()?;
    let (spelt, read) = (Exact::parse(digits)?, Exact::parse(&number.to_string())?);
    (spelt.shortened() == read.shortened()).then_some(number)
}

/// A value's text. It was charged for when the value was lent.
fn shown<'v>(value: &'v Val<'_>) -> Cow<'v, str> {
    let all = Budget { steps: u64::MAX, output: usize::MAX, values: usize::MAX, ..Budget::default() };
    text(value, &Meter::new(all)).unwrap_or_default()
}

fn scalar<'v>(value: &'v Val<'_>) -> Option<ScalarCow<'v>> {
    Some(match value {
        Val::Bool(flag) => ScalarCow::new(*flag),
        Val::Int(number) => ScalarCow::new(*number),
        Val::Float(number) => ScalarCow::new(*number),
        Val::Digits(text) | Val::Text(text) => ScalarCow::new(KStringCow::from_ref(text)),
        Val::Moment(moment) => moment_scalar(*moment),
        Val::Nil | Val::Range(..) | Val::List(_) | Val::Map(_) | Val::Blank | Val::Empty => return None,
    })
}

fn moment_scalar(moment: Moment) -> ScalarCow<'static> {
    let lent = match moment {
        Moment::Date(date) if YEARS.contains(&date.year()) => {
            // Months and days are below 256.
            let part = |number: u32| u8::try_from(number).unwrap_or(1);
            Some(ScalarCow::new(Date::from_ymd(date.year(), part(date.month()), part(date.day()))))
        }
        Moment::Date(_) => None,
        Moment::Utc(_) | Moment::Local(_) => date_time(moment.utc()).map(ScalarCow::new),
    };
    lent.unwrap_or_else(|| ScalarCow::new(moment_text(moment)))
}

fn date_time(moment: chrono::DateTime<Utc>) -> Option<DateTime> {
    let mut lent = DateTime::from_ymd(1970, 1, 1);
    let since: TimeDelta = moment - chrono::DateTime::UNIX_EPOCH;
    if !YEARS.contains(&moment.year()) {
        return None;
    }
    match since.to_std() {
        Ok(after) => *lent += after,
        Err(_) => *lent -= (-since).to_std().ok()?,
    }
    Some(lent)
}

impl ValueView for Val<'_> {
    fn as_debug(&self) -> &dyn fmt::Debug {
        self
    }

    fn render(&self) -> DisplayCow<'_> {
        DisplayCow::Owned(Box::new(shown(self)))
    }

    fn source(&self) -> DisplayCow<'_> {
        self.render()
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "whole number",
            Self::Float(_) => "fractional number",
            Self::Digits(_) | Self::Text(_) => "string",
            Self::Moment(Moment::Date(_)) => "date",
            Self::Moment(Moment::Utc(_) | Moment::Local(_)) => "date time",
            Self::Range(..) | Self::List(_) => "array",
            Self::Map(_) => "object",
            Self::Blank => "blank",
            Self::Empty => "empty",
        }
    }

    fn query_state(&self, state: State) -> bool {
        match self {
            Self::Nil => Value::Nil.query_state(state),
            Self::List(items) => lists(state, items.is_empty()),
            Self::Map(members) => lists(state, members.is_empty()),
            Self::Range(from, to) => lists(state, to < from),
            Self::Blank => State::Blank.query_state(state),
            Self::Empty => State::Empty.query_state(state),
            Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Digits(_)
            | Self::Text(_)
            | Self::Moment(_) => scalar(self).is_some_and(|scalar| scalar.query_state(state)),
        }
    }

    fn to_kstr(&self) -> KStringCow<'_> {
        match shown(self) {
            Cow::Borrowed(text) => KStringCow::from_ref(text),
            Cow::Owned(text) => KStringCow::from_string(text),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::List(items) => Value::Array(items.iter().map(ValueView::to_value).collect()),
            Self::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, member)| (name.to_string().into(), ValueView::to_value(member)))
                    .collect(),
            ),
            Self::Range(from, to) => Value::array((*from..=*to).map(Value::scalar)),
            Self::Blank => Value::State(State::Blank),
            Self::Empty => Value::State(State::Empty),
            other => scalar(other).map_or(Value::Nil, |scalar| Value::Scalar(scalar.into_owned())),
        }
    }

    fn as_scalar(&self) -> Option<ScalarCow<'_>> {
        scalar(self)
    }

    fn as_array(&self) -> Option<&dyn ArrayView> {
        match self {
            Self::List(_) => Some(self),
            _ => None,
        }
    }

    fn as_object(&self) -> Option<&dyn ObjectView> {
        match self {
            Self::Map(_) => Some(self),
            _ => None,
        }
    }

    fn as_state(&self) -> Option<State> {
        match self {
            Self::Blank => Some(State::Blank),
            Self::Empty => Some(State::Empty),
            _ => None,
        }
    }

    fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }
}

fn lists(state: State, is_empty: bool) -> bool {
    match state {
        State::Truthy => true,
        State::DefaultValue | State::Empty | State::Blank => is_empty,
    }
}

impl<'a> Val<'a> {
    fn items(&self) -> &[Val<'a>] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    fn members(&self) -> &[(Cow<'a, str>, Val<'a>)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }
}

fn size<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

impl ArrayView for Val<'_> {
    fn as_value(&self) -> &dyn ValueView {
        self
    }

    fn size(&self) -> i64 {
        size(self.items())
    }

    fn values<'k>(&'k self) -> Box<dyn Iterator<Item = &'k dyn ValueView> + 'k> {
        Box::new(self.items().iter().map(|item| item as &dyn ValueView))
    }

    fn contains_key(&self, index: i64) -> bool {
        ArrayView::get(self, index).is_some()
    }

    /// A negative index counts from the end.
    fn get(&self, index: i64) -> Option<&dyn ValueView> {
        let items = self.items();
        let at = if index < 0 { size(items).checked_add(index)? } else { index };
        items.get(usize::try_from(at).ok()?).map(|item| item as &dyn ValueView)
    }
}

impl ObjectView for Val<'_> {
    fn as_value(&self) -> &dyn ValueView {
        self
    }

    fn size(&self) -> i64 {
        size(self.members())
    }

    fn keys<'k>(&'k self) -> Box<dyn Iterator<Item = KStringCow<'k>> + 'k> {
        Box::new(self.members().iter().map(|(name, _)| KStringCow::from_ref(name)))
    }

    fn values<'k>(&'k self) -> Box<dyn Iterator<Item = &'k dyn ValueView> + 'k> {
        Box::new(self.members().iter().map(|(_, member)| member as &dyn ValueView))
    }

    fn iter<'k>(&'k self) -> Box<dyn Iterator<Item = (KStringCow<'k>, &'k dyn ValueView)> + 'k> {
        let pair = |(name, member): &'k (Cow<'_, str>, Val<'_>)| {
            (KStringCow::from_ref(name), member as &dyn ValueView)
        };
        Box::new(self.members().iter().map(pair))
    }

    fn contains_key(&self, index: &str) -> bool {
        self.member(index).is_some()
    }

    fn get<'s>(&'s self, index: &str) -> Option<&'s dyn ValueView> {
        self.member(index).map(|member| member as &dyn ValueView)
    }
}
