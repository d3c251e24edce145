//! Traits: how a write merges into them, and the definitions that `/resources/customFields` lists.
//!
//! Vitally defines a plain key by itself when it first sees it, with the type of that value; keys below
//! `vitally.custom.` are defined by people only.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::clock::SimulatorTime;
use crate::record::RecordId;
use crate::switches::{DeletedTraits, Nested};

/// A trait's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomField {
    /// Its id.
    pub(crate) id: RecordId,
    /// When it was defined.
    pub(crate) created_at: SimulatorTime,
    /// What people see.
    pub(crate) label: String,
    /// The key in `traits`.
    pub(crate) path: String,
    /// `string`, `textarea`, `number`, `boolean`, `datetime`, `list`, or another of Vitally's.
    pub(crate) kind: String,
    /// The choices of a select, as label and value.
    pub(crate) options: Vec<(String, String)>,
}

/// The models that have trait definitions.
pub(crate) const MODELS: [&str; 9] = [
    "users",
    "accounts",
    "organizations",
    "customObjects",
    "tasks",
    "notes",
    "projects",
    "conversations",
    "team",
];

/// All definitions, by model and path.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    fields: BTreeMap<(&'static str, String), CustomField>,
}

impl Definitions {
    pub(crate) fn get(&self, model: &str, path: &str) -> Option<&CustomField> {
        let model = MODELS.into_iter().find(|known| *known == model)?;
        // The key must own its text: one allocation a trait is what a simulator can bear.
        self.fields.get(&(model, path.to_owned()))
    }

    pub(crate) fn put(&mut self, model: &'static str, field: CustomField) {
        self.fields.insert((model, field.path.clone()), field);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &CustomField)> {
        self.fields.iter().map(|((model, _), field)| (*model, field))
    }
}

/// The name of the first trait whose value Vitally is not known to take.
pub(crate) fn first_refused(traits: &Map<String, Value>, nested: Nested) -> Option<&str> {
    match nested {
        Nested::Accept => None,
        Nested::Reject => traits.iter().find(|(_, value)| !is_flat(value)).map(|(key, _)| key.as_str()),
    }
}

fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Merges: keys of the write win, null deletes, keys that it does not name stay.
pub(crate) fn merge(into: &mut Map<String, Value>, write: Map<String, Value>, deleted: DeletedTraits) {
    for (key, value) in write {
        match (value.is_null(), deleted) {
            (true, DeletedTraits::Omit) => {
                // `shift_remove` keeps the order of the others.
                into.shift_remove(&key);
            }
            (true, DeletedTraits::Null) | (false, _) => {
                into.insert(key, value);
            }
        }
    }
}

/// The type that a first value gives to a plain key; `None` for null, and for keys that only people define.
pub(crate) fn inferred_kind(path: &str, value: &Value) -> Option<&'static str> {
    if path.starts_with("vitally.") {
        return None;
    }
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Number(_) => Some("number"),
        Value::String(text) if SimulatorTime::parse(text).is_some() => Some("datetime"),
        Value::String(_) => Some("string"),
        Value::Array(_) => Some("list"),
        Value::Object(_) => Some("object"),
    }
}

/// Whether a value is of the defined type. Types that nobody documents take everything.
pub(crate) fn fits(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Null) => true,
        ("string" | "textarea", value) => value.is_string(),
        ("datetime", Value::String(text)) => SimulatorTime::parse(text).is_some(),
        // Integrations bring times as milliseconds too.
        ("number" | "datetime", value) => value.is_number(),
        ("boolean", value) => value.is_boolean(),
        ("list", value) => value.is_array(),
        (_, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_deletes_a_trait_and_the_others_stay() {
        let mut traits = Map::from_iter([("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))]);
        let write = Map::from_iter([("a".to_owned(), Value::Null), ("c".to_owned(), json!("x"))]);
        merge(&mut traits, write, DeletedTraits::Omit);
        assert_eq!(Value::Object(traits), json!({"b": 2, "c": "x"}));
    }

    #[test]
    fn an_array_of_scalars_is_flat_and_an_array_of_objects_is_not() {
        let traits = Map::from_iter([("a".to_owned(), json!([1, "x", null])), ("b".to_owned(), json!([{}]))]);
        assert_eq!(first_refused(&traits, Nested::Reject), Some("b"));
        assert_eq!(first_refused(&traits, Nested::Accept), None);
    }

    #[test]
    fn a_plain_key_takes_the_type_of_its_first_value() {
        assert_eq!(inferred_kind("seats", &json!(3)), Some("number"));
        assert_eq!(inferred_kind("since", &json!("2026-01-02")), Some("datetime"));
        assert_eq!(inferred_kind("vitally.custom.x", &json!(3)), None);
    }
}
