//! Typed values: what a column holds, what a field gets, what a trait stores.
//!
//! A `Value` owns its content. A cell of a row is borrowed and lives in [`crate::row`]; [`crate::json`] is a value's text.

mod from;

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

use crate::dates;
use crate::decimal::Decimal;

/// The most characters of a value that a message may show.
pub const PREVIEW: usize = 32;

/// A typed value.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// An exact decimal of any length.
    Decimal(Decimal),
    /// A binary floating-point number; always finite.
    Float(Float),
    /// Text.
    Text(String),
    /// A moment, with a zone: sent as ISO 8601 in UTC with milliseconds.
    Timestamp(DateTime<Utc>),
    /// A date and time of day without a zone: sent as it is, without one.
    LocalTimestamp(NaiveDateTime),
    /// A calendar date: sent as `2026-11-24`.
    Date(NaiveDate),
    /// A list.
    Array(Vec<Value>),
    /// Names with values, in the order in which they were given.
    Object(Vec<(String, Value)>),
}

/// A finite floating-point number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Float(f64);

impl Float {
    /// `None` for NaN and the infinities: JSON has no form for them.
    pub fn new(number: f64) -> Option<Self> {
        // Adding zero turns -0.0 into 0.0, so that both are one value.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The digits that are sent. Where two shortest texts are as near, `serde_json` and Rust choose differently; what was sent is
    /// what the next run compares with.
    fn digits(self) -> String {
        serde_json::Number::from_f64(self.0).map_or_else(|| self.0.to_string(), |number| number.to_string())
    }
}

impl Value {
    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// What kind of value this is, as messages name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Timestamp(_) => "timestamp",
            Self::LocalTimestamp(_) => "timestamp without zone",
            Self::Date(_) => "date",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The value under this name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// At most [`PREVIEW`] characters of the value's JSON text, for messages.
    pub fn preview(&self) -> String {
        preview(&crate::json::write(self))
    }
}

/// At most [`PREVIEW`] characters of a text, on one line and escaped, for messages.
pub fn preview(text: &str) -> String {
    let beginning: String = text.chars().take(PREVIEW).collect();
    let mut shown = crate::terminal::escape(&beginning).into_owned();
    if text.chars().nth(PREVIEW).is_some() {
        shown.push('…');
    }
    shown
}

/// Two values are equal when Vitally would store the same for both: numbers by value, moments as their text, objects
/// whatever the order of their names.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(mine), Self::Bool(theirs)) => mine == theirs,
            // Of one type most values are the same or not without being written; which is compared for each field of a row.
            (Self::Int(mine), Self::Int(theirs)) => mine == theirs,
            (Self::Decimal(mine), Self::Decimal(theirs)) => mine == theirs,
            (Self::Text(mine), Self::Text(theirs)) => mine == theirs,
            (Self::Timestamp(mine), Self::Timestamp(theirs)) if mine == theirs => true,
            (Self::Date(mine), Self::Date(theirs)) => mine == theirs,
            (Self::Array(mine), Self::Array(theirs)) => mine == theirs,
            (Self::Object(mine), Self::Object(theirs)) => same_members(mine, theirs),
            _ => match (self.number(), other.number()) {
                (Some(mine), Some(theirs)) => mine == theirs,
                (None, None) => self.scalar_text().is_some() && self.scalar_text() == other.scalar_text(),
                _ => false,
            },
        }
    }
}

impl Eq for Value {}

fn same_members(mine: &[(String, Value)], theirs: &[(String, Value)]) -> bool {
    let sorted = |members: &[(String, Value)]| {
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by(|a, b| members[*a].0.cmp(&members[*b].0));
        order
    };
    mine.len() == theirs.len()
        && sorted(mine).into_iter().zip(sorted(theirs)).all(|(a, b)| mine[a] == theirs[b])
}

impl Value {
    /// The exact decimal that is sent, if this is a number.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Int(number) => Some(Decimal::from(*number)),
            Self::Decimal(number) => Some(number.clone()),
            Self::Float(number) => Decimal::parse(&number.digits()),
            Self::Null
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Timestamp(_)
            | Self::LocalTimestamp(_)
            | Self::Date(_)
            | Self::Array(_)
            | Self::Object(_) => None,
        }
    }

    /// The text that is sent, if this value is sent as JSON text.
    pub fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Timestamp(moment) => Some(moment.to_rfc3339_opts(SecondsFormat::Millis, true)),
            Self::LocalTimestamp(moment) => Some(moment.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()),
            Self::Date(date) => Some(date.to_string()),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Decimal(_)
            | Self::Float(_)
            | Self::Array(_)
            | Self::Object(_) => None,
        }
    }
}

impl Value {
    /// Whether digits of a time in it are cut off when it is sent: Vitally keeps milliseconds.
    pub fn has_finer_time(&self) -> bool {
        match self {
            Self::Timestamp(moment) => dates::is_finer_than_millis(moment),
            Self::LocalTimestamp(moment) => dates::is_finer_than_millis(moment),
            Self::Array(items) => items.iter().any(Self::has_finer_time),
            Self::Object(members) => members.iter().any(|(_, value)| value.has_finer_time()),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Decimal(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Date(_) => false,
        }
    }
}

/// Shows the value's JSON text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::json::write(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_different_types_are_equal_by_value() {
        let decimal = Value::Decimal(Decimal::parse("3.00").unwrap());
        assert_eq!(Value::Int(3), decimal);
        assert_eq!(Value::Float(Float::new(3.0).unwrap()), decimal);
        assert_ne!(Value::Int(3), Value::text("3"));
    }

    #[test]
    fn a_float_equals_what_is_sent_of_it() {
        for number in [1_272_087_707_810_026.3, 0.1, 1e300, -5e-324, 9_007_199_254_740_993.0] {
            let float = Value::Float(Float::new(number).unwrap());
            assert_eq!(crate::json::parse(&crate::json::write(&float)).unwrap(), float);
        }
    }

    #[test]
    fn the_order_of_names_does_not_count() {
        let object = |names: &[&str]| {
            Value::Object(names.iter().map(|name| ((*name).to_owned(), Value::Bool(true))).collect())
        };
        assert_eq!(object(&["a", "b"]), object(&["b", "a"]));
        assert_ne!(object(&["a", "b"]), object(&["a", "c"]));
    }

    #[test]
    fn previews_are_bounded() {
        let long = "secret ".repeat(40);
        assert_eq!(preview(&long).chars().count(), PREVIEW + 1);
        assert_eq!(preview("a\nb\u{1b}"), r"a\nb\u{1b}");
    }
}
