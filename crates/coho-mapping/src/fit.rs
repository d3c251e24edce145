//! What a field accepts: types never change silently.

use coho_core::code::Code;
use coho_core::object::{Bag, FieldKind};
use coho_core::operation::is_plain;
use coho_core::problem::Problem;
use coho_core::row::ColumnType;
use coho_core::value::Value;

use crate::ids;

/// The kind of place that a value goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A field of the object.
    Field(FieldKind),
    /// Text that must say something: an event's name.
    Name,
    /// A custom value: a trait, or a property of an event.
    Custom(Bag),
}

impl Slot {
    /// What fits, for messages.
    pub fn expects(self) -> &'static str {
        match self {
            Self::Field(FieldKind::Text) | Self::Name => "text",
            Self::Field(FieldKind::Bool) => "a boolean",
            Self::Field(FieldKind::Timestamp) => "a timestamp with zone, or a date",
            Self::Field(FieldKind::Reference(_) | FieldKind::ExternalId(_)) => "an external id",
            Self::Field(FieldKind::References(_)) => "external ids",
            Self::Custom(_) => "a plain value, or a list of such",
        }
    }

    /// The cast that would make other values fit.
    pub fn cast(self) -> Option<&'static str> {
        match self {
            Self::Field(FieldKind::Text | FieldKind::ExternalId(_)) | Self::Name => Some("text"),
            Self::Field(FieldKind::Bool) => Some("boolean"),
            Self::Field(FieldKind::Timestamp) => Some("timestamp"),
            Self::Field(FieldKind::Reference(_) | FieldKind::References(_)) | Self::Custom(_) => None,
        }
    }

    /// Whether all values of a column may fit. Columns of mixed types are looked at row by row.
    pub fn accepts(self, column: ColumnType) -> bool {
        match self {
            Self::Custom(_) => true,
            Self::Field(FieldKind::Text) | Self::Name => {
                matches!(column, ColumnType::Text | ColumnType::Mixed)
            }
            Self::Field(FieldKind::Bool) => matches!(column, ColumnType::Bool | ColumnType::Mixed),
            Self::Field(FieldKind::Timestamp) => {
                matches!(column, ColumnType::Timestamp | ColumnType::Date | ColumnType::Mixed)
            }
            Self::Field(FieldKind::ExternalId(object)) => {
                column != ColumnType::Json && Self::Field(FieldKind::Reference(object)).accepts(column)
            }
            Self::Field(FieldKind::Reference(_) | FieldKind::References(_)) => !matches!(
                column,
                ColumnType::Float
                    | ColumnType::Bool
                    | ColumnType::Timestamp
                    | ColumnType::LocalTimestamp
                    | ColumnType::Date
            ),
        }
    }
}

/// Checks that a value fits; a date in place of a timestamp becomes its midnight in UTC.
pub fn fit(value: Value, slot: Slot) -> Result<Value, Problem> {
    match (slot, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Slot::Custom(_), value) if is_plain(&value) => Ok(value),
        (Slot::Custom(bag), value) => Err(nested(&value, bag)),
        (Slot::Name, Value::Text(text)) if text.trim().is_empty() => {
            Err(Problem::new(Code::NULL_REQUIRED, "Required field: the value is empty"))
        }
        (Slot::Field(FieldKind::ExternalId(_)), value) => ids::written(&value),
        (Slot::Field(FieldKind::Text) | Slot::Name, value @ Value::Text(_))
        | (Slot::Field(FieldKind::Bool), value @ Value::Bool(_))
        | (Slot::Field(FieldKind::Timestamp), value @ Value::Timestamp(_)) => Ok(value),
        (Slot::Field(FieldKind::Timestamp), value @ Value::Date(_)) => {
            coho_liquid::cast::cast(value, coho_core::sync::Cast::Timestamp)
        }
        (slot, value) => Err(misfit(&value, slot)),
    }
}

/// A custom value, by what it is called.
pub(crate) fn one_of(bag: Bag) -> &'static str {
    match bag {
        Bag::Traits => "a trait",
        Bag::Properties => "a property",
    }
}

fn nested(value: &Value, bag: Bag) -> Problem {
    let message = format!("{} cannot hold this {}: {}", one_of(bag), value.kind(), value.preview());
    Problem::new(Code::NESTED_TRAIT, message)
        .help("map its members one by one, or cast it to text with `as: text`")
}

fn misfit(value: &Value, slot: Slot) -> Problem {
    let message = format!("expected {}, found {}: {}", slot.expects(), value.kind(), value.preview());
    let problem = Problem::new(Code::VALUE_TYPE, message);
    match slot.cast() {
        Some(cast) => problem.help(format!("cast it with `as: {cast}`, or in the model")),
        None => problem,
    }
}
