//! External ids: from a cell to the record that it names.

use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::fields::FieldValue;
use coho_core::object::{FieldKind, Object};
use coho_core::problem::Problem;
use coho_core::target::{ExternalId, ExternalIdError};
use coho_core::value::Value;

use crate::fit::Slot;

/// The external id in a value: text, or a whole number in its digits.
pub fn external_id(value: &Value) -> Result<ExternalId, Problem> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) if number.is_integer() => number.normalized().to_owned(),
        Value::Null => return Err(Problem::new(Code::NULL_TARGET, "the value is null")),
        Value::Bool(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Object(_) => {
            let message = format!("a {} is no external id: {}", value.kind(), value.preview());
            return Err(Problem::new(Code::VALUE_TYPE, message).help("cast it to text in the model"));
        }
    };
    ExternalId::parse(&text).map_err(|error| {
        let code = match error {
            ExternalIdError::Empty => Code::NULL_TARGET,
            ExternalIdError::Dots(_) | ExternalIdError::Long(_) => Code::TARGET_FORM,
        };
        Problem::new(code, error.to_string())
    })
}

/// The references in a value. Null and an empty list are `None`.
pub fn references(value: &Value, object: Object, slot: Slot) -> Result<Option<FieldValue>, Problem> {
    let ids: BTreeSet<ExternalId> = if let Value::Array(items) = value {
        items.iter().map(reference).collect::<Result<_, Problem>>()?
    } else if value.is_null() {
        return Ok(None);
    } else {
        BTreeSet::from([reference(value)?])
    };
    let single = matches!(slot, Slot::Field(FieldKind::Reference(_)));
    match (single, ids.first()) {
        (_, None) => Ok(None),
        (true, Some(id)) if ids.len() == 1 => Ok(Some(FieldValue::Reference(object, id.clone()))),
        (true, Some(_)) => {
            let message = format!("expected one external id, found {}", ids.len());
            Err(Problem::new(Code::VALUE_TYPE, message))
        }
        (false, Some(_)) => Ok(Some(FieldValue::References(object, ids))),
    }
}

fn reference(value: &Value) -> Result<ExternalId, Problem> {
    external_id(value).map_err(|problem| match problem.code {
        Code::NULL_TARGET => Problem::new(Code::VALUE_TYPE, "an external id in the list is null or empty"),
        _ => problem,
    })
}
