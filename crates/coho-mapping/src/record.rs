//! A rendered row as the record that people see: in previews, and in users' tests.

use coho_core::fields::{Rendered, Rendering};
use coho_core::path::FieldPath;
use coho_core::sync::NullPolicy;
use coho_core::value::Value;

/// The record: `externalId`, then fields with references as external ids, then traits as an object of their own.
///
/// Nulls show where they clear; a null that leaves its field as it is does not show.
pub fn record(rendered: &Rendered) -> Value {
    let mut members = vec![("externalId".to_owned(), Value::text(rendered.target.as_str()))];
    let mut traits = Vec::new();
    for (path, rendering) in &rendered.fields {
        let value = match rendering {
            Rendering::Set(value) => value.to_value(),
            Rendering::Null(NullPolicy::Omit) => continue,
            Rendering::Null(NullPolicy::Follow | NullPolicy::Clear) => Value::Null,
        };
        match path {
            FieldPath::Field(name) => members.push((name.clone(), value)),
            FieldPath::Trait(key) => traits.push((key.clone(), value)),
        }
    }
    if !traits.is_empty() {
        members.push(("traits".to_owned(), Value::Object(traits)));
    }
    Value::Object(members)
}
