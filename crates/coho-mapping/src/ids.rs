//! External ids: from a cell to the record that it names.

use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::fields::FieldValue;
use coho_core::object::{FieldKind, Object};
use coho_core::problem::Problem;
use coho_core::sync::By;
use coho_core::target::{ExternalId, ExternalIdError, VitallyId};
use coho_core::value::Value;

use crate::slot::Slot;

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
    .map_err(|problem| match problem.code {
        Code::TARGET_FORM => problem.help("use a message id of at most 1,024 bytes"),
        _ => problem,
    })
}

/// The external id in a value, as the text that is sent in its place.
pub(crate) fn written(value: &Value) -> Result<Value, Problem> {
    external_id(value).map(|id| Value::text(id.as_str())).map_err(|problem| match problem.code {
        // The row's own record is found: it is this field's value that does not fit.
        Code::NULL_TARGET => {
            Problem { code: Code::VALUE_TYPE, ..problem }.help("make it null in the model, or an id")
        }
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
            let message = format!("expected {what}, found {}: {}", value.kind(), value.preview());
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
pub fn references(value: &Value, object: Object, by: By, slot: Slot) -> Result<Option<FieldValue>, Problem> {
    let single = matches!(slot, Slot::Field(FieldKind::Reference(_)));
    match by {
        By::ExternalId => {
            let ids = all(value, reference)?;
            Ok(match (single, one(&ids, slot)?) {
                (_, None) => None,
                (true, Some(id)) => Some(FieldValue::Reference(object, id)),
                (false, Some(_)) => Some(FieldValue::References(object, ids)),
            })
        }
        By::VitallyId => {
            let ids = all(value, vitally_id)?;
            Ok(match (single, one(&ids, slot)?) {
                (_, None) => None,
                (true, Some(id)) => Some(FieldValue::Id(object, id)),
                (false, Some(_)) => Some(FieldValue::Ids(object, ids)),
            })
        }
    }
}

/// The ids in a value: one, or a list of them.
fn all<T: Ord>(value: &Value, read: impl Fn(&Value) -> Result<T, Problem>) -> Result<BTreeSet<T>, Problem> {
    if let Value::Array(items) = value {
        return listed(items, read);
    }
    // Sources without a type for lists hold them as JSON text. No id begins like one.
    if let Some(text) = value.as_text().filter(|text| text.trim_start().starts_with('[')) {
        if let Ok(Value::Array(items)) = coho_core::json::parse(text) {
            return listed(&items, read);
        }
        let message = format!("{} looks like a JSON list, but is not valid JSON", value.preview());
        return Err(Problem::new(Code::VALUE_TYPE, message).help("write the list as JSON: `[\"a\", \"b\"]`"));
    }
    if value.is_null() { Ok(BTreeSet::new()) } else { Ok(BTreeSet::from([read(value)?])) }
}

/// The ids of a list. A null is nobody: an outer join's aggregate has one where there is nothing to list.
fn listed<T: Ord>(
    items: &[Value],
    read: impl Fn(&Value) -> Result<T, Problem>,
) -> Result<BTreeSet<T>, Problem> {
    items.iter().filter(|item| !item.is_null()).map(read).collect()
}

/// The parts of a text between separators, without the blanks around them; what is empty is left out. Other values are what
/// they are.
pub(crate) fn split(value: Value, separator: &str) -> Value {
    // A list in JSON's form is read as one.
    let Some(text) = value.as_text().filter(|text| !text.trim_start().starts_with('[')) else { return value };
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    Value::Array(parts.map(Value::text).collect())
}

/// The first id; a problem where there may be one only, and there are more.
fn one<T: Clone + Ord>(ids: &BTreeSet<T>, slot: Slot) -> Result<Option<T>, Problem> {
    if matches!(slot, Slot::Field(FieldKind::Reference(_))) && ids.len() > 1 {
        return Err(Problem::new(Code::VALUE_TYPE, format!("expected one id, found {}", ids.len())));
    }
    Ok(ids.first().cloned())
}

/// An id of Vitally's own: those are UUIDs.
fn vitally_id(value: &Value) -> Result<VitallyId, Problem> {
    let text = value.as_text().unwrap_or_default();
    if VitallyId::is_formed(text) {
        return Ok(VitallyId::new(text.to_lowercase()));
    }
    let message = format!("{} is not one of Vitally's ids, which are UUIDs", value.preview());
    Err(Problem::new(Code::VALUE_TYPE, message).help("for external ids write `lookup: OBJECT.externalId`"))
}

fn reference(value: &Value) -> Result<ExternalId, Problem> {
    external_id(value).map_err(|problem| match problem.code {
        Code::NULL_TARGET => Problem::new(Code::VALUE_TYPE, "an external id in the list is empty"),
        _ => problem,
    })
}
