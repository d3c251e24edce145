//! Operations for tests, made through the sieve like real ones.

use std::collections::BTreeMap;

use coho_core::decide::{Change, Reason};
use coho_core::fields::{Difference, FieldValue, Fields, Rendered, Rendering, Sent, diff_fields};
use coho_core::key::Key;
use coho_core::object::{FieldKind, Object};
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::Verb;
use coho_core::sync::{Associations, Mode, NullPolicy};
use coho_core::target::ExternalId;
use coho_core::value::Value;

/// What an operation is to do.
#[allow(dead_code, reason = "each test file uses a part of it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Write(Mode),
    Remove,
    Probe(Verb),
}

/// An operation on one record. References are told by the catalog; `sent` is what was acknowledged before.
#[allow(dead_code, reason = "each test file uses a part of it")]
pub(crate) fn operation(
    object: Object,
    target: &str,
    deed: Deed,
    known: Known,
    fields: &[(&str, Value)],
    sent: &[(&str, Value)],
) -> Result<Operation, Box<dyn std::error::Error>> {
    operation_with(Associations::Add, (object, target), deed, known, fields, sent)
}

/// The same, of a sync that wants a user's links to be those of the row and no others, or only to grow.
pub(crate) fn operation_with(
    associations: Associations,
    (object, target): (Object, &str),
    deed: Deed,
    known: Known,
    fields: &[(&str, Value)],
    sent: &[(&str, Value)],
) -> Result<Operation, Box<dyn std::error::Error>> {
    let target = ExternalId::parse(target)?;
    let rendered = Rendered {
        target: target.clone(),
        fields: rendered(object, fields),
        absent_traits: None,
        associations,
    };
    let sent: Sent = sent.iter().map(|(path, value)| (FieldPath::new(path), value.clone())).collect();
    let field_diff = diff_fields(&rendered, &sent);
    let action = match deed {
        Deed::Write(mode) => Action::Write {
            mode,
            associations,
            changed: changed(&field_diff.complete, field_diff.differences),
            complete: field_diff.complete,
            would_send: field_diff.would_send,
        },
        Deed::Remove => Action::Remove,
        Deed::Probe(verb) => Action::Probe { verb, would_send: field_diff.would_send },
    };
    Ok(Operation {
        key: Key::new("1"),
        object,
        target,
        email: None,
        action,
        known,
        change: Change::Add,
        reason: Reason::NewRecord,
        seen: None,
        version: 0,
    })
}

/// The same operation, of a sync that matches users by their e-mail address.
#[allow(dead_code, reason = "each test file uses a part of it")]
pub(crate) fn by_email(operation: Operation, address: &str) -> Operation {
    Operation { email: Some(address.to_owned()), ..operation }
}

fn rendered(object: Object, fields: &[(&str, Value)]) -> BTreeMap<FieldPath, Rendering> {
    fields
        .iter()
        .map(|(path, value)| {
            let path = FieldPath::new(path);
            let rendering = if value.is_null() {
                Rendering::Null(NullPolicy::Clear)
            } else {
                Rendering::Set(field_value(object, &path, value))
            };
            (path, rendering)
        })
        .collect()
}

fn field_value(object: Object, path: &FieldPath, value: &Value) -> FieldValue {
    let kind = path.as_field().and_then(|name| object.field(name)).map(|field| field.kind);
    let id = |value: &Value| value.as_text().and_then(|text| ExternalId::parse(text).ok());
    match (kind, value) {
        (Some(FieldKind::Reference(to)), value) => match id(value) {
            Some(id) => FieldValue::Reference(to, id),
            None => FieldValue::Value(value.clone()),
        },
        (Some(FieldKind::References(to)), Value::Array(items)) => {
            FieldValue::References(to, items.iter().filter_map(id).collect())
        }
        _ => FieldValue::Value(value.clone()),
    }
}

fn changed(complete: &Fields, differences: Vec<Difference>) -> Vec<Difference> {
    if !differences.is_empty() {
        return differences;
    }
    let all = complete.iter().map(|(path, value)| {
        let value = value.to_value();
        Difference { path: path.clone(), before: Some(value.clone()), after: value }
    });
    all.collect()
}
