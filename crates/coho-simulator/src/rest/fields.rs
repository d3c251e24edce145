//! Which fields an object's writes may hold, and the check of a body against that.

use serde_json::{Map, Value};

use super::{Refused, accounts, organizations, users};
use crate::record::RecordKind;
use crate::switches::{ReadOnly, Switches, Unknown};

/// The fields of one object.
pub(crate) struct Fields {
    /// What a POST takes.
    pub(crate) create: &'static [&'static str],
    /// What a PUT takes.
    pub(crate) update: &'static [&'static str],
    /// What a POST must have.
    pub(crate) required: &'static [&'static str],
    /// What exists, but one write or the other does not take.
    pub(crate) read_only: &'static [&'static str],
}

/// Which write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
}

pub(crate) const fn of(object: RecordKind) -> &'static Fields {
    match object {
        RecordKind::Organization => &organizations::FIELDS,
        RecordKind::Account => &accounts::FIELDS,
        RecordKind::User => &users::FIELDS,
    }
}

/// Keeps the fields that the write may hold; refuses the others, or passes over them where the switches say so.
pub(crate) fn sift(
    body: Map<String, Value>,
    fields: &Fields,
    verb: Verb,
    switches: &Switches,
) -> Result<Map<String, Value>, Refused> {
    let writable = match verb {
        Verb::Create => fields.create,
        Verb::Update => fields.update,
    };
    let mut kept = Map::new();
    for (name, value) in body {
        if writable.contains(&name.as_str()) {
            kept.insert(name, value);
        } else if fields.read_only.contains(&name.as_str()) {
            match switches.read_only {
                ReadOnly::Reject => {
                    return Err(Refused::additional(&name, format!("Field is read-only: {name}")));
                }
                ReadOnly::Ignore => {}
            }
        } else {
            match switches.unknown {
                Unknown::Reject => {
                    return Err(Refused::additional(&name, format!("Unknown field: {name}")));
                }
                Unknown::Ignore => {}
            }
        }
    }
    if verb == Verb::Create {
        require(&kept, fields.required)?;
    }
    Ok(kept)
}

fn require(body: &Map<String, Value>, required: &[&str]) -> Result<(), Refused> {
    let is_missing = |name: &&&str| body.get(**name).is_none_or(|value| value.is_null() || value == "");
    match required.iter().find(is_missing) {
        Some(name) => {
            let message = format!("must have required property '{name}'");
            Err(Refused::misfit("", &message, format!("Required field: {name}")))
        }
        None => Ok(()),
    }
}
