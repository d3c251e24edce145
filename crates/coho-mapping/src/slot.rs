//! What a field may hold.

use coho_core::object::{Bag, FieldKind};
use coho_core::row::ColumnType;

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
            Self::Custom(_) => "a plain value, or a list of plain values",
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
