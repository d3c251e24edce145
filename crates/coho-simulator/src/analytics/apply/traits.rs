//! What a bag of traits does to a record: special traits are fields of it, the others are merged.

use serde_json::{Map, Value};

use crate::message::MessageType;
use crate::record::StoredRecord;
use crate::switches::{NestedTrait, NullTrait};

/// Whether a trait is a field of the record.
pub(in crate::analytics) fn is_special(kind: MessageType, key: &str) -> bool {
    match kind {
        MessageType::Organization | MessageType::Account => ["name", "avatar"].contains(&key),
        MessageType::User => ["name", "avatar", "email", "createdAt"].contains(&key),
        MessageType::Track | MessageType::Unlink | MessageType::CustomObjectInstance => false,
    }
}

/// The bag as this Vitally reads it.
pub(super) fn arranged(bag: &Map<String, Value>, nested: NestedTrait) -> Map<String, Value> {
    let mut arranged = Map::new();
    for (key, value) in bag {
        match nested {
            NestedTrait::Flatten => flatten(key, value, &mut arranged),
            NestedTrait::Drop if is_nested(value) => {}
            NestedTrait::Store | NestedTrait::Drop | NestedTrait::BadRequest => {
                arranged.insert(key.clone(), value.clone());
            }
        }
    }
    arranged
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn flatten(key: &str, value: &Value, into: &mut Map<String, Value>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| flatten(&format!("{key}.{name}"), value, into));
        }
        Value::Array(items) if is_nested(value) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(place, value)| flatten(&format!("{key}.{place}"), value, into));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            into.insert(key.to_owned(), value.clone());
        }
    }
}

/// Sets one trait of a record.
pub(super) fn set(record: &mut StoredRecord, kind: MessageType, key: &str, value: Value, null: NullTrait) {
    if value.is_null() && null == NullTrait::Ignore {
        return;
    }
    if !is_special(kind, key) {
        return merge(&mut record.traits, key, value, null);
    }
    let text = value.as_str().map(str::to_owned);
    match key {
        "name" => record.name = text,
        "avatar" => record.avatar = text,
        "email" => record.email = text,
        // `createdAt` is the day on which the user joined (reference section 7).
        _ => record.join_date = text,
    }
}

/// Sets one trait, or deletes it.
pub(super) fn merge(into: &mut Map<String, Value>, key: &str, value: Value, null: NullTrait) {
    match (value.is_null(), null) {
        (true, NullTrait::Ignore) => {}
        (true, NullTrait::Delete) => {
            // `shift_remove` keeps the order of the others.
            into.shift_remove(key);
        }
        (true, NullTrait::Store) | (false, _) => {
            into.insert(key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arranged_as(nested: NestedTrait) -> Value {
        let bag = json!({"flat": [1, "x"], "deep": {"a": 1, "b": {"c": null}}, "list": [{"d": 2}]});
        Value::Object(arranged(bag.as_object().unwrap(), nested))
    }

    #[test]
    fn nested_traits_are_stored_flattened_or_dropped() {
        assert_eq!(
            arranged_as(NestedTrait::Flatten),
            json!({"flat": [1, "x"], "deep.a": 1, "deep.b.c": null, "list.0.d": 2})
        );
        assert_eq!(arranged_as(NestedTrait::Drop), json!({"flat": [1, "x"]}));
        assert_eq!(arranged_as(NestedTrait::Store)["deep"]["a"], 1);
    }
}
