//! Links that a record lost: what is remembered of it and Vitally does not show.

use coho_core::fields::{FieldValue, Fields, Sent};
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::value::Value;

use crate::wire::record::{Linked, Record};

/// The links that were sent once, that the row does not name any more, and that Vitally does not show: they are gone, by
/// whomever, and are not to be remembered.
pub(crate) fn lost(operation: &Operation, record: &Record) -> Vec<(FieldPath, Value)> {
    let Action::Write { complete, would_send, .. } = &operation.action else { return Vec::new() };
    missing(would_send, complete, record)
}

/// The links that are to be remembered, that these fields do not name, and that Vitally does not show.
pub(crate) fn missing(would_send: &Sent, complete: &Fields, record: &Record) -> Vec<(FieldPath, Value)> {
    let shown = [
        ("accountIds", record.tells_accounts(), record.accounts()),
        ("organizationIds", record.tells_organizations(), record.organizations()),
    ];
    let mut lost = Vec::new();
    for (name, _, linked) in shown.into_iter().filter(|(_, is_told, _)| *is_told) {
        let path = FieldPath::new(name);
        let Some(Value::Array(remembered)) = would_send.get(&path) else { continue };
        let gone = remembered.iter().filter(|id| !is_named(complete, &path, id) && !is_linked(linked, id));
        lost.extend(gone.map(|id| (path.clone(), id.clone())));
    }
    lost
}

fn is_named(complete: &Fields, path: &FieldPath, id: &Value) -> bool {
    matches!(complete.get(path).map(FieldValue::to_value), Some(Value::Array(named)) if named.contains(id))
}

/// Whether a remembered id, external or Vitally's, is that of a linked record.
fn is_linked(linked: &[Linked], id: &Value) -> bool {
    let vitallys = id.get("id").and_then(Value::as_text);
    linked.iter().any(|linked| match vitallys {
        Some(id) => linked.id.as_str() == id,
        None => linked.external_id.as_deref() == id.as_text(),
    })
}
