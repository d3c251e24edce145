//! Permits: a plan that a person agreed to, as a file. A run under a permit sends what the permit has and its own plan has
//! too, and nothing else.
//!
//! A permit holds no row values, only keys and digests: it can be shown around. An operation whose row changed since has
//! another digest, and is reported as stale. A run that was interrupted goes on under the same permit.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat};
use coho_core::code::Code;
use coho_core::digest::{Digest, Hasher};
use coho_core::memory::{Time, Verb};
use coho_core::operation::{Action, Operation};
use coho_core::sync::{Sync, SyncId};
use coho_ledger::spool::{Lane, SpoolError};
use serde::{Deserialize, Serialize};

use crate::context::{Engine, EngineError};
use crate::plan::Planned;

/// The version of the form.
const VERSION: u32 = 1;

/// How many operations are read at once.
const AT_ONCE: usize = 500;

/// A plan that a person agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permit {
    syncs: BTreeMap<String, Permitted>,
}

/// What a permit has of one sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Permitted {
    /// Stands for how its rows become operations.
    rules: Option<Digest>,
    /// The time that its templates read.
    moment: Option<Time>,
    operations: BTreeSet<(String, &'static str, Digest)>,
}

/// A file is no permit of this project.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PermitError {
    /// It has another form.
    #[error("line {line} is no line of a permit")]
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// A later version of Coho wrote it.
    #[error("the permit has version {found}, and this version of Coho reads {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It is of another project or target.
    #[error("the permit is for `{found}`, and this is `{wanted}`")]
    Elsewhere {
        /// What it is for.
        found: String,
        /// What is run.
        wanted: String,
    },
    /// It is not whole.
    #[error("the permit ends after {found} of {wanted} operations")]
    Short {
        /// How many operations it has.
        found: u64,
        /// How many its first line promises.
        wanted: u64,
    },
}

impl PermitError {
    /// The stable code.
    pub fn code(&self) -> Code {
        Code::PERMIT_UNUSABLE
    }
}

/// What the first line of every version has.
#[derive(Deserialize)]
struct Form {
    permit: u32,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    permit: u32,
    project: String,
    at: String,
    syncs: Vec<SyncHeader>,
}

/// What the first line says of a sync.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SyncHeader {
    sync: String,
    destination: String,
    rules: String,
    moment: String,
    operations: u64,
    writes: u64,
    removals: u64,
    calls: [u64; 2],
    guards: Vec<String>,
}

/// Each further line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sync: String,
    key: String,
    verb: String,
    digest: String,
}

impl Engine<'_> {
    /// Writes a permit of these plans.
    pub fn write_permit(&self, plans: &[&Planned]) -> Result<String, EngineError> {
        Ok(write(&self.place(), self.setup.clock.now(), plans)?)
    }

    /// Reads a permit of this project and target.
    pub fn read_permit(&self, text: &str) -> Result<Permit, PermitError> {
        Permit::read(text, &self.place())
    }

    /// Where a permit holds: a project, and the target that was chosen.
    fn place(&self) -> String {
        let project = self.setup.project;
        match &project.target {
            Some(target) => format!("{}, target {target}", project.name),
            None => project.name.clone(),
        }
    }
}

/// Writes a permit of these plans: a JSON document a line, the first one about all.
fn write(place: &str, at: Time, plans: &[&Planned]) -> Result<String, SpoolError> {
    let header = Header {
        permit: VERSION,
        project: place.to_owned(),
        at: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        syncs: plans.iter().map(|planned| header(planned)).collect(),
    };
    let mut text = line(&header);
    for planned in plans {
        for lane in Lane::ALL {
            write_lane(&mut text, planned, lane)?;
        }
    }
    Ok(text)
}

fn header(planned: &Planned) -> SyncHeader {
    let plan = &planned.plan;
    SyncHeader {
        sync: plan.sync.to_string(),
        destination: planned.workspace.clone(),
        rules: planned.rules.to_string(),
        moment: planned.moment.to_rfc3339_opts(SecondsFormat::Nanos, true),
        operations: plan.counts.planned(),
        writes: plan.counts.writes,
        removals: plan.counts.removals,
        calls: [plan.calls.least, plan.calls.most],
        guards: plan.guards.iter().map(|guard| guard.code.to_string()).collect(),
    }
}

fn write_lane(text: &mut String, planned: &Planned, lane: Lane) -> Result<(), SpoolError> {
    let mut after = 0;
    loop {
        let operations = planned.spool.operations(lane, after, AT_ONCE)?;
        let Some((last, _)) = operations.last() else { return Ok(()) };
        after = *last;
        for (_, operation) in &operations {
            text.push_str(&line(&Line {
                sync: planned.plan.sync.to_string(),
                key: operation.key.to_string(),
                verb: verb(operation).to_owned(),
                digest: operation.digest().to_string(),
            }));
        }
    }
}

/// A document on a line of its own. Texts, numbers and lists always have a JSON form.
fn line(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string(document).unwrap_or_default();
    text.push('\n');
    text
}

/// Stands for all that decides what a sync's rows become and how they are sent.
pub(crate) fn rules(sync: &Sync, workspace: &str, mapping: Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.part(workspace.as_bytes());
    hasher.part(&mapping.to_bytes());
    for word in
        [sync.object.name(), sync.api.name(), sync.mode.name(), sync.associations.name(), sync.removal.name()]
    {
        hasher.part(word.as_bytes());
    }
    hasher.finish()
}

/// What an operation does, in a permit's words.
fn verb(operation: &Operation) -> &'static str {
    match (&operation.action, operation.verb()) {
        (Action::Probe { .. }, _) => "look",
        (Action::Write { .. } | Action::Remove, Verb::Write) => "write",
        (Action::Write { .. } | Action::Remove, Verb::Remove) => "remove",
    }
}

impl Permit {
    /// Reads a permit, and checks that it is whole and of this place.
    pub fn read(text: &str, place: &str) -> Result<Self, PermitError> {
        let mut lines = text.lines().enumerate();
        let first = lines.next().map(|(_, first)| first).unwrap_or_default();
        let form: Form = serde_json::from_str(first).map_err(|_| PermitError::Line { line: 1 })?;
        if form.permit != VERSION {
            return Err(PermitError::Version { found: form.permit });
        }
        let header: Header = serde_json::from_str(first).map_err(|_| PermitError::Line { line: 1 })?;
        if header.project != place {
            return Err(PermitError::Elsewhere { found: header.project, wanted: place.to_owned() });
        }
        let mut permit = Self::default();
        for sync in &header.syncs {
            let rules = Digest::from_hex(&sync.rules).ok_or(PermitError::Line { line: 1 })?;
            let moment =
                DateTime::parse_from_rfc3339(&sync.moment).map_err(|_| PermitError::Line { line: 1 })?;
            let permitted = permit.syncs.entry(sync.sync.clone()).or_default();
            (permitted.rules, permitted.moment) = (Some(rules), Some(moment.to_utc()));
        }
        let mut found = 0;
        for (at, text) in lines {
            permit.add(text).ok_or(PermitError::Line { line: at + 1 })?;
            found += 1;
        }
        let wanted = header.syncs.iter().map(|sync| sync.operations).sum();
        if found == wanted { Ok(permit) } else { Err(PermitError::Short { found, wanted }) }
    }

    fn add(&mut self, text: &str) -> Option<()> {
        let line: Line = serde_json::from_str(text).ok()?;
        let verb = ["write", "remove", "look"].into_iter().find(|verb| *verb == line.verb)?;
        let digest = Digest::from_hex(&line.digest)?;
        self.syncs.get_mut(&line.sync)?.operations.insert((line.key, verb, digest));
        Some(())
    }

    /// Whether the permit has an operation of this one's key, be it another.
    pub fn names(&self, sync: &SyncId, operation: &Operation) -> bool {
        let permitted = self.syncs.get(sync.as_str());
        let key = operation.key.as_str();
        permitted.is_some_and(|permitted| {
            let from = (key.to_owned(), "", Digest::from_bytes([0; 16]));
            permitted.operations.range(from..).next().is_some_and(|(found, _, _)| found == key)
        })
    }

    /// How many operations the permit has of a sync.
    pub fn count(&self, sync: &SyncId) -> u64 {
        self.syncs.get(sync.as_str()).map_or(0, |permitted| permitted.operations.len() as u64)
    }

    /// The time that a sync's templates read in the plan that was agreed to: what they make of it is sent as it was shown.
    pub(crate) fn moment(&self, sync: &SyncId) -> Option<Time> {
        self.syncs.get(sync.as_str()).and_then(|permitted| permitted.moment)
    }

    /// Whether the permit has this operation, made by these rules.
    pub fn allows(&self, sync: &SyncId, rules: Digest, operation: &Operation) -> bool {
        let wanted = (operation.key.as_str().to_owned(), verb(operation), operation.digest());
        let permitted = self.syncs.get(sync.as_str()).filter(|permitted| permitted.rules == Some(rules));
        permitted.is_some_and(|permitted| permitted.operations.contains(&wanted))
    }
}
