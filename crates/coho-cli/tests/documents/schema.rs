//! As much of JSON Schema as the description of the API has: types, members, lists, values that are named, references.

use coho_core::json::Json;

/// Fails where a value is not as its schema says.
pub(crate) fn holds(document: &Json, schema: &Json, value: &Json, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.trim_start_matches('#')).unwrap();
        return holds(document, target, value, at);
    }
    let one = schema["type"].as_str();
    let several = schema["type"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let types: Vec<_> = one.into_iter().chain(several).collect();
    assert!(types.contains(&type_of(value)), "{at}: expected {types:?}, found {value}");
    if let Some(values) = schema["enum"].as_array() {
        assert!(values.contains(value), "{at}: {value} is none of {values:?}");
    }
    if let Some(items) = value.as_array()
        && schema["items"].is_object()
    {
        for item in items {
            holds(document, &schema["items"], item, &format!("{at}[]"));
        }
    }
    if let Some(members) = value.as_object() {
        let known = schema["properties"].as_object();
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            assert!(members.contains_key(name), "{at}: `{name}` is missing in {value}");
        }
        for (name, member) in members {
            match known.and_then(|known| known.get(name)) {
                Some(schema) => holds(document, schema, member, &format!("{at}.{name}")),
                None => assert!(schema["additionalProperties"] != false, "{at}: `{name}` is not described"),
            }
        }
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
