//! Syncs: all but their fields, which [`super::field`] reads.

use std::sync::Arc;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::{
    ColumnRef, EmptySource, FieldSpec, Guards, Limit, Mode, OnGuard, Removal, Sync, SyncId,
};

use super::field::{Fields, column};
use super::project::{Declared, Target};
use crate::catalog;
use crate::conform::{conform, count};
use crate::keys::sync::SYNC;
use crate::names::unknown_name;
use crate::yaml::{Meaning, Node, parse};

/// What a sync refers to.
pub(crate) struct Surroundings<'a> {
    /// What `coho.yaml` says; `None` if it cannot be read, and nothing can be said about the names in it.
    pub(crate) declared: Option<&'a Declared>,
    /// The names of all models, the ones that could not be read included.
    pub(crate) models: &'a [&'a str],
}

/// What a sync's file says, as far as it can be read.
#[derive(Default)]
pub(crate) struct ReadSync {
    pub(crate) id: Option<(SyncId, Place)>,
    pub(crate) destination: Option<String>,
    /// `None` if a problem was told of it.
    pub(crate) sync: Option<Sync>,
}

/// Reads a sync file.
pub(crate) fn read(
    file: &Arc<str>,
    text: &str,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<Problem>,
) -> ReadSync {
    let before = problems.len();
    let Some(root) = parse(file, text, problems) else { return ReadSync::default() };
    conform(&root, &SYNC, problems);
    let id = root.get("id").and_then(|node| Some((SyncId::new(node.text()?), node.place.clone())));
    let model = model(&root, surroundings, problems);
    let destination = surroundings.declared.and_then(|declared| destination(&root, declared, problems));
    let object = root.text_of("object").and_then(Object::parse);
    let mode = word(&root, "mode", &Mode::ALL, Mode::name).unwrap_or(Mode::Upsert);
    let fields = fields(&root, text, object, problems);
    if let Some(object) = object
        && let Some(entry) = root.entry("fields")
    {
        catalog::check(object, mode, &fields, &entry.at, problems);
    }
    let sync = id.clone().and_then(|(id, place)| {
        Some(Sync {
            id,
            model: model?,
            destination: destination.clone()?,
            object: object?,
            mode,
            matching: matching(&root)?,
            fields: fields.specs,
            removal: word(&root, "removed", &Removal::ALL, Removal::name).unwrap_or(Removal::Keep),
            guards: guards(root.get("guards")),
            place,
        })
    });
    ReadSync { id, destination, sync: sync.filter(|_| problems.len() == before) }
}

/// The fields, and which of them are mapped at all, readable or not.
pub(crate) struct Mapped {
    pub(crate) specs: Vec<FieldSpec>,
    pub(crate) names: Vec<String>,
}

fn fields(root: &Node, text: &str, object: Option<Object>, problems: &mut Vec<Problem>) -> Mapped {
    let entries = root.get("fields").map_or(&[][..], Node::entries);
    let mut reader = Fields { object, problems, specs: Vec::new(), text };
    for entry in entries {
        reader.entry(entry);
    }
    Mapped { specs: reader.specs, names: entries.iter().map(|entry| entry.key.clone()).collect() }
}

/// The one of some words that stands under a key.
pub(crate) fn word<T: Copy>(root: &Node, key: &str, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
    let text = root.text_of(key)?;
    all.iter().copied().find(|one| name(*one) == text)
}

fn matching(root: &Node) -> Option<ColumnRef> {
    column(root.get("match")?.get("externalId")?)
}

fn model(root: &Node, surroundings: &Surroundings<'_>, problems: &mut Vec<Problem>) -> Option<String> {
    let node = root.get("model")?;
    let name = node.text()?;
    if surroundings.models.contains(&name) {
        return Some(name.to_owned());
    }
    let problem = unknown_name("model", name, surroundings.models.iter().copied());
    problems.push(problem.at(&node.place));
    None
}

fn destination(root: &Node, declared: &Declared, problems: &mut Vec<Problem>) -> Option<String> {
    let to = root.get("to").and_then(|node| Some((node.text()?, &node.place)));
    if let Some((name, place)) = to
        && !declared.destinations.contains_key(name)
    {
        let known = declared.destinations.keys().map(String::as_str);
        problems.push(unknown_name("destination", name, known).at(place));
    }
    match (&declared.target, to) {
        (Some(Target { destination, .. }), _) => destination.clone(),
        (None, Some((name, _))) => Some(name.to_owned()),
        (None, None) => {
            if root.entry("to").is_none() {
                let first = declared.destinations.keys().next().map_or("…", String::as_str);
                problems.push(
                    Problem::new(Code::MISSING_KEY, "`to` is missing")
                        .at(&Place::file(root.place.file.clone()))
                        .help(format!("add `to: {first}`, or give the project targets")),
                );
            }
            None
        }
    }
}

fn guards(node: Option<&Node>) -> Guards {
    let default = Guards::default();
    let Some(node) = node else { return default };
    Guards {
        max_removed: limit(node, "max_removed", default.max_removed),
        max_changed: limit(node, "max_changed", default.max_changed),
        max_nulled: limit(node, "max_nulled", default.max_nulled),
        empty_source: match node.text_of("empty_source") {
            Some("allow") => EmptySource::Allow,
            _ => EmptySource::Stop,
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
