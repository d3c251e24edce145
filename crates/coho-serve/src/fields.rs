//! The fields of a form.

use std::collections::BTreeMap;

/// The fields of a form.
pub(crate) type Fields = BTreeMap<String, String>;

/// A field that has a value.
pub(crate) fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
}
