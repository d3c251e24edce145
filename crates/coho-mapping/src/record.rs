//! A rendered row as the record that people see: in previews, and in users' tests.

use coho_core::fields::{Rendered, Rendering};
use coho_core::object::{Bag, Object};
use coho_core::path::FieldPath;
use coho_core::sync::NullPolicy;
use coho_core::value::Value;

/// The record: `externalId` (an event's `messageId`), then fields with references as external ids, then traits (an event's
/// properties) as an object of their own.
///
/// Nulls show where they clear; a null that leaves its field as it is does not show. An event's fields stand in the order in
/// which its page has them, those of records in the order of their names.
pub fn record(object: Object, rendered: &Rendered) -> Value {
    let mut fields = Vec::new();
    let mut custom = Vec::new();
    for (path, rendering) in &rendered.fields {
        let value = match rendering {
            Rendering::Set(value) => value.to_value(),
            Rendering::Null(NullPolicy::Omit) => continue,
            Rendering::Null(NullPolicy::Follow | NullPolicy::Clear) => Value::Null,
        };
        match path {
            FieldPath::Field(name) => fields.push((name.to_string(), value)),
            FieldPath::Trait(key) | FieldPath::Property(key) => custom.push((key.to_string(), value)),
        }
    }
    if object.bag() == Bag::Properties {
        let known = object.catalog().fields;
        fields.sort_by_key(|(name, _)| known.iter().position(|field| field.name == name));
    }
    let mut members = vec![(target_name(object).to_owned(), Value::text(rendered.target.as_str()))];
    members.append(&mut fields);
    if !custom.is_empty() {
        members.push((object.bag().name().to_owned(), Value::Object(custom)));
    }
    Value::Object(members)
}

/// What the target is called in a record of this object.
pub fn target_name(object: Object) -> &'static str {
    match object {
        Object::Organization | Object::Account | Object::User => "externalId",
        Object::Event => MESSAGE_ID,
    }
}

/// What tells an event from others.
pub(crate) const MESSAGE_ID: &str = "messageId";
