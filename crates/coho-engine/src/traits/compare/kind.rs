//! Kinds of values, as far as the types of traits and of columns can be held against each other.

use coho_core::place::Place;
use coho_core::row::{ColumnType, Columns};
use coho_core::sync::{Cast, Expression};
use coho_core::value::Value;

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    Date,
    Moment,
    /// A date with a time of day, without a zone.
    LocalMoment,
    List,
}

impl Kind {
    /// What a trait holds, by Vitally's name of its type. There is no list of all of them, and what is not known takes
    /// everything (<https://docs.vitally.io/en/articles/9880864-rest-api-custom-traits>, read 2026-11-24).
    pub(super) fn of_trait(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.to_lowercase().as_str() {
            "string" | "text" | "textarea" => Some(Self::Text),
            "number" | "integer" | "float" | "currency" => Some(Self::Number),
            "boolean" => Some(Self::Boolean),
            "date" => Some(Self::Date),
            "datetime" => Some(Self::Moment),
            "list" | "multiselect" | "array" => Some(Self::List),
            _ => None,
        }
    }

    /// What an expression gives, and where that is decided. `None` where only a row can tell.
    pub(super) fn of_expression<'e>(
        from: &'e Expression,
        columns: Option<&Columns>,
    ) -> Option<(Self, Option<&'e Place>)> {
        match from {
            Expression::Column { column, cast: Some(cast) } => {
                Some((Self::of_cast(*cast)?, Some(&column.place)))
            }
            Expression::Column { column, cast: None } => {
                let found = columns?.iter().find(|known| known.name == column.name)?;
                Some((Self::of_column(found.kind)?, Some(&column.place)))
            }
            Expression::Static(value) => Some((Self::of_value(value)?, None)),
            Expression::Template { template, cast: Some(cast) } => {
                Some((Self::of_cast(*cast)?, Some(&template.place)))
            }
            Expression::Array(_) => Some((Self::List, None)),
            // A lone output keeps its type, which a row decides; objects are refused as values of traits.
            Expression::Template { cast: None, .. } | Expression::Lookup { .. } | Expression::Object(_) => {
                None
            }
        }
    }

    fn of_cast(cast: Cast) -> Option<Self> {
        match cast {
            Cast::Text => Some(Self::Text),
            Cast::Number | Cast::Integer => Some(Self::Number),
            Cast::Boolean => Some(Self::Boolean),
            Cast::Date => Some(Self::Date),
            Cast::Timestamp => Some(Self::Moment),
            Cast::Json => None,
        }
    }

    fn of_column(column: ColumnType) -> Option<Self> {
        match column {
            ColumnType::Bool => Some(Self::Boolean),
            ColumnType::Int | ColumnType::Float | ColumnType::Decimal => Some(Self::Number),
            ColumnType::Text => Some(Self::Text),
            ColumnType::Timestamp => Some(Self::Moment),
            ColumnType::LocalTimestamp => Some(Self::LocalMoment),
            ColumnType::Date => Some(Self::Date),
            ColumnType::Json | ColumnType::Mixed => None,
        }
    }

    fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self::Boolean),
            Value::Int(_) | Value::Float(_) | Value::Decimal(_) => Some(Self::Number),
            Value::Text(_) => Some(Self::Text),
            Value::Timestamp(_) => Some(Self::Moment),
            Value::LocalTimestamp(_) => Some(Self::LocalMoment),
            Value::Date(_) => Some(Self::Date),
            Value::Array(_) => Some(Self::List),
            Value::Null | Value::Object(_) => None,
        }
    }

    /// Whether a trait of this kind takes such a value. A date is its midnight.
    pub(super) fn takes(self, found: Self) -> bool {
        self == found || (self, found) == (Self::Moment, Self::Date)
    }

    /// The cast that makes a value of this kind.
    pub(super) fn cast(self) -> Option<&'static str> {
        match self {
            Self::Text => Some("text"),
            Self::Number => Some("number"),
            Self::Boolean => Some("boolean"),
            Self::Date => Some("date"),
            Self::Moment | Self::LocalMoment => Some("timestamp"),
            Self::List => None,
        }
    }

    pub(super) fn with_article(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Date => "a date",
            Self::Moment => "a moment",
            Self::LocalMoment => "a moment without a zone",
            Self::List => "a list",
        }
    }
}
