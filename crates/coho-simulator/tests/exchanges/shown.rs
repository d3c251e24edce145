//! What `/simulator/state` says, a line for each record, event and dropped message.

use std::collections::BTreeMap;

use serde_json::Value;

/// The state in brief: ids by external id, members that are null or empty left out.
pub(crate) fn state(state: &Value) -> String {
    let mut names = BTreeMap::new();
    for list in ["organizations", "accounts"] {
        for record in items(state, list) {
            names.insert(text(&record["id"]), text(&record["externalId"]));
        }
    }
    let mut lines = Vec::new();
    for (list, word) in [
        ("organizations", "organization"),
        ("accounts", "account"),
        ("users", "user"),
        ("instances", "instance"),
        ("events", "event"),
        ("dropped", "dropped"),
    ] {
        lines.extend(items(state, list).iter().map(|item| format!("  {word} {}", line(item, &names))));
    }
    if state["pending"] != 0 {
        lines.push(format!("  pending {}", state["pending"]));
    }
    lines.join("\n") + "\n"
}

fn items<'s>(state: &'s Value, list: &str) -> &'s [Value] {
    state[list].as_array().map_or(&[], Vec::as_slice)
}

/// Members that tell nothing here: numbers that Vitally made, and times of writing.
const LEFT_OUT: [&str; 5] = ["id", "createdAt", "updatedAt", "number", "stamps"];

fn line(item: &Value, names: &BTreeMap<String, String>) -> String {
    let members = item.as_object().into_iter().flatten();
    let shown = members.filter(|(name, value)| !LEFT_OUT.contains(&name.as_str()) && !is_empty(value));
    shown.map(|(name, value)| format!("{name}={}", named(value, names))).collect::<Vec<_>>().join(" ")
}

fn named(value: &Value, names: &BTreeMap<String, String>) -> String {
    match value {
        Value::String(text) => names.get(text).unwrap_or(text).clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| named(item, names)).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
