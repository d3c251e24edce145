//! Syncs: all but their fields, which [`super::field`] reads.

use std::sync::Arc;

use coho_core::alert::rules::Rules;
use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::{FieldSpec, Sync, SyncId};

use super::alerts;
use super::api::{self, way};
use super::field::Fields;
use super::guards::guards;
use super::matching::{address, matching};
use super::project::{Declared, Target, Token};
use super::runs::{first_run, remember_days, renamed_from, run_seconds};
use super::schedule::{ReadSchedule, schedule};
use crate::alerts::SyncAlerts;
use crate::catalog;
use crate::conform::conform;
use crate::keys::foreign;
use crate::keys::sync::SYNC;
use crate::names::unknown_name;
use crate::yaml::{Entry, Node, parse};

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
    /// The ids that it had before, and where each is named.
    pub(crate) renamed_from: Vec<(SyncId, Place)>,
    pub(crate) destination: Option<String>,
    /// The tokens that its destination must have.
    pub(crate) tokens: Vec<Token>,
    /// Who is told of it, and from where on something is bad.
    pub(crate) alerts: (SyncAlerts, Rules),
    /// When it runs by itself.
    pub(crate) schedule: ReadSchedule,
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
    let way = way(&root, object);
    let matching = matching(&root, object, problems);
    let mut fields = fields(&root, text, object, problems);
    if let Some(matching) = &matching {
        address(matching, &mut fields, problems);
    }
    if let Some(object) = object {
        api::check(&root, object, way, matching.as_ref(), &fields, problems);
        if let Some(entry) = root.entry("fields") {
            catalog::check(object, way.mode, &fields, &entry.at, problems);
        }
    }
    let first_run = first_run(&root, object, &fields, problems);
    let tokens = api::tokens(&root, object, way, first_run);
    let remember_days = remember_days(&root, object, problems);
    let renamed_from = renamed_from(&root);
    let alerts = surroundings.declared.map(|declared| alerts::sync(&root, &declared.alerts, problems));
    let schedule = schedule(&root, problems);
    let sync = id.clone().and_then(|(id, place)| {
        Some(Sync {
            id,
            model: model?,
            destination: destination.clone()?,
            object: object?,
            renamed_from: renamed_from.iter().map(|(id, _)| id.clone()).collect(),
            api: way.api,
            mode: way.mode,
            matching: matching?,
            associations: way.associations,
            fields: fields.specs,
            removal: way.removal,
            first_run: first_run?,
            remember_days,
            run_seconds: run_seconds(&root),
            guards: guards(root.get("guards")),
            place,
        })
    });
    let sync = sync.filter(|_| problems.len() == before);
    ReadSync { id, renamed_from, destination, tokens, alerts: alerts.unwrap_or_default(), schedule, sync }
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
            let means_it =
                |entry: &Entry| foreign::key(&entry.key, SYNC.name).and_then(|meant| meant.key) == Some("to");
            if root.entry("to").is_none() && !root.entries().iter().any(means_it) {
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
