//! How templates are read: what becomes of what is not there, and the limits.

use super::budget::Budget;

/// How a template reads what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Undefined {
    /// It is refused: when the template is compiled if that can be known, else for the row. `default` and conditions
    /// may ask for what is not there.
    #[default]
    Error,
    /// It is nil, as in LiquidJS.
    Empty,
}

/// What becomes of a value that a date filter cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unreadable {
    /// A problem of the row.
    #[default]
    Problem,
    /// It stays as it is, as in LiquidJS.
    Keep,
}

/// How templates are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TemplateSettings {
    /// What is not there.
    pub undefined: Undefined,
    /// Dates that are none.
    pub dates: Unreadable,
    /// The limits.
    pub budget: Budget,
}

impl TemplateSettings {
    /// As LiquidJS reads by default: undefined values are nil, and what is no date passes a date filter unchanged.
    pub fn lenient() -> Self {
        Self { undefined: Undefined::Empty, dates: Unreadable::Keep, budget: Budget::default() }
    }
}
