//! `guards`: what looks like an accident.

use coho_core::sync::{EmptySource, Guards, KeylessRows, Limit, OnGuard};

use crate::conform::count;
use crate::yaml::{Meaning, Node};

/// The guards, as far as they can be read; the default where they cannot.
pub(crate) fn guards(node: Option<&Node>) -> Guards {
    let default = Guards::default();
    let Some(node) = node else { return default };
    Guards {
        max_removed: limit(node, "max_removed", default.max_removed),
        max_changed: limit(node, "max_changed", default.max_changed),
        max_nulled: limit(node, "max_nulled", default.max_nulled),
        max_rejected: limit(node, "max_rejected", default.max_rejected),
        empty_source: match node.text_of("empty_source") {
            Some("allow") => EmptySource::Allow,
            _ => EmptySource::Stop,
        },
        keyless_rows: match node.text_of("keyless_rows") {
            Some("allow") => KeylessRows::Allow,
            _ => KeylessRows::Stop,
        },
        on_guard: match node.text_of("on_guard") {
            Some("stop") => OnGuard::Stop,
            _ => OnGuard::Hold,
        },
    }
}

fn limit(guards: &Node, key: &str, default: Option<Limit>) -> Option<Limit> {
    let Some(node) = guards.get(key) else { return default };
    if let Some(scalar) = node.scalar() {
        return match scalar.meaning() {
            Meaning::Number(text) | Meaning::Text(text) => super::limit(text).unwrap_or(default),
            Meaning::Null | Meaning::Bool(_) | Meaning::Doubtful(_) => default,
        };
    }
    let permille = node.text_of("share").and_then(super::permille)?;
    let floor = node.get("floor").and_then(Node::scalar).and_then(count).unwrap_or(0);
    Some(Limit { permille, floor })
}
