//! What a field accepts: types never change silently.

use coho_core::code::Code;
use coho_core::object::{Bag, FieldKind};
use coho_core::operation::is_plain;
use coho_core::problem::Problem;
use coho_core::value::Value;

use crate::ids;
pub use crate::slot::Slot;

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
