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
    parsed(value, "external id", ExternalIdError::to_string)
}

/// The `messageId` in a value, in the same forms.
pub fn message_id(value: &Value) -> Result<ExternalId, Problem> {
    parsed(value, "message id", |error| match error {
        ExternalIdError::Empty => "the message id is empty".to_owned(),
        ExternalIdError::Dots(text) => format!("the message id cannot be `{text}`"),
        ExternalIdError::Long(length) => format!("the message id is {length} bytes long"),
    })
}

/// The external id in a value, as the text that is sent in its place.
pub(crate) fn written(value: &Value) -> Result<Value, Problem> {
    external_id(value).map(|id| Value::text(id.as_str())).map_err(|problem| match problem.code {
        // The row's own record is found: it is this field's value that does not fit.
        Code::NULL_TARGET => Problem { code: Code::VALUE_TYPE, ..problem },
        _ => problem,
    })
}

fn parsed(
    value: &Value,
    what: &str,
    say: impl Fn(&ExternalIdError) -> String,
) -> Result<ExternalId, Problem> {
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
            let message = format!("a {} is no {what}: {}", value.kind(), value.preview());
            return Err(Problem::new(Code::VALUE_TYPE, message).help("cast it to text in the model"));
        }
    };
    ExternalId::parse(&text).map_err(|error| {
        let code = match error {
            ExternalIdError::Empty => Code::NULL_TARGET,
            ExternalIdError::Dots(_) | ExternalIdError::Long(_) => Code::TARGET_FORM,
        };
        Problem::new(code, say(&error))
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
