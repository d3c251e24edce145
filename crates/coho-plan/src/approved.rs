//! Approved plans: a plan that a person agreed to, as a file. A run under one sends what it has and the run's own plan has
//! too, and nothing else.
//!
//! It holds no row values, only keys and digests: it can be shown around. An operation whose row changed since has another
//! digest, and is reported as stale. A run that was interrupted goes on under the same approved plan.
//!
//! What was read waits in a private file, as plans do: it may be as large as they are.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use coho_core::code::Code;
use coho_core::digest::{Digest, Hasher};
use coho_core::failure::Failure;
use coho_core::operation::{Action, Operation};
use coho_core::row_state::Verb;
use coho_core::sync::{Sync, SyncId};
use coho_core::time::Time;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::phase::Phase;
use crate::planned::Planned;
use crate::stop::Stop;
use crate::table::{Table, TableError};

/// The version of the form.
const VERSION: u32 = 1;

/// How many operations are read at once.
const AT_ONCE: usize = 500;

/// A plan that a person agreed to.
#[derive(Clone, Debug)]
pub struct ApprovedPlan {
    syncs: BTreeMap<String, OfSync>,
    operations: Arc<Table>,
}

/// What is known of one sync's part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OfSync {
    /// Stands for how its rows become operations.
    rules: Digest,
    /// The time that its templates read.
    moment: Time,
    operations: u64,
}

/// A file is no approved plan of this project.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum ApprovedPlanError {
    /// It cannot be read.
    #[error("cannot read the approved plan")]
    Unreadable(#[from] io::Error),
    /// It has another form.
    #[error("line {line} is not part of an approved plan")]
    Line { line: usize },
    /// A later version of Coho wrote it.
    #[error("the approved plan has version {found}, but this version of Coho reads {VERSION}")]
    Version { found: u32 },
    /// It is of another project or target.
    #[error("the approved plan is for `{found}`, but this is `{wanted}`")]
    Elsewhere { found: String, wanted: String },
    /// It is not whole.
    #[error("the approved plan ends after {found} of {wanted} operations")]
    Short { found: u64, wanted: u64 },
    /// It cannot be kept for the run.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Failure for ApprovedPlanError {
    fn code(&self) -> Code {
        match self {
            Self::Table(error) => error.code(),
            Self::Unreadable(_)
            | Self::Line { .. }
            | Self::Version { .. }
            | Self::Elsewhere { .. }
            | Self::Short { .. } => Code::PERMIT_UNUSABLE,
        }
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

/// An approved plan could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Where it goes to does not take it.
    #[error("cannot write the approved plan")]
    Io(#[from] io::Error),
    /// The plan cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Writes these plans as one that may be approved: a JSON document a line, the first one about all. Who asks to end is heard
/// before each line, and leaves a file that is not whole.
pub fn write(
    to: &mut impl Write,
    place: &str,
    at: Time,
    plans: &[&Planned],
    stop: &Stop,
) -> Result<(), WriteError> {
    let header = Header {
        permit: VERSION,
        project: place.to_owned(),
        at: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        syncs: plans.iter().map(|planned| header(planned)).collect(),
    };
    to.write_all(line(&header).as_bytes())?;
    for planned in plans {
        for phase in Phase::ALL {
            write_phase(to, planned, phase, stop)?;
        }
    }
    Ok(())
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

fn write_phase(to: &mut impl Write, planned: &Planned, phase: Phase, stop: &Stop) -> Result<(), WriteError> {
    let mut after = 0;
    loop {
        let operations = planned.table.operations(phase, after, AT_ONCE)?;
        let Some((last, _)) = operations.last() else { return Ok(()) };
        after = *last;
        for (_, operation) in &operations {
            if stop.is_asked() {
                return Err(TableError::Interrupted.into());
            }
            let text = line(&Line {
                sync: planned.plan.sync.to_string(),
                key: operation.key.to_string(),
                verb: verb(operation).to_owned(),
                digest: operation.digest().to_string(),
            });
            to.write_all(text.as_bytes())?;
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

/// What an operation does, in an approved plan's words.
fn verb(operation: &Operation) -> &'static str {
    match (&operation.action, operation.verb()) {
        (Action::Probe { .. }, _) => "look",
        (Action::Write { .. } | Action::Remove, Verb::Write) => "write",
        (Action::Write { .. } | Action::Remove, Verb::Remove) => "remove",
    }
}

impl ApprovedPlan {
    /// Reads an approved plan, and checks that it is whole and of this place. What it has waits in a file of this folder.
    pub fn read(
        from: impl BufRead,
        place: &str,
        folder: &Path,
        stop: &Stop,
    ) -> Result<Self, ApprovedPlanError> {
        let mut lines = from.lines().enumerate();
        let first = lines.next().map(|(_, first)| first).transpose()?.unwrap_or_default();
        let header = read_header(&first, place)?;
        let mut syncs = BTreeMap::new();
        for sync in &header.syncs {
            syncs.insert(sync.sync.clone(), OfSync::of(sync).ok_or(ApprovedPlanError::Line { line: 1 })?);
        }
        let operations = Table::new(folder, &Stop::new())?;
        let found = fill(&operations, lines, &syncs, stop)?;
        let wanted = header.syncs.iter().map(|sync| sync.operations).sum();
        if found != wanted {
            return Err(ApprovedPlanError::Short { found, wanted });
        }
        Ok(Self { syncs, operations: Arc::new(operations) })
    }

    /// How many operations it has of a sync.
    pub fn count(&self, sync: &SyncId) -> u64 {
        self.syncs.get(sync.as_str()).map_or(0, |of| of.operations)
    }

    /// The time that a sync's templates read in the plan that was agreed to: what they make of it is sent as it was shown.
    pub fn moment(&self, sync: &SyncId) -> Option<Time> {
        self.syncs.get(sync.as_str()).map(|of| of.moment)
    }

    /// Brings what was agreed to of a sync into the table of its plan, with whether it was made by these rules: what was made by
    /// others nobody agreed to.
    pub(crate) fn bring(
        &self,
        table: &Table,
        sync: &SyncId,
        rules: Digest,
        stop: &Stop,
    ) -> Result<(), TableError> {
        let same = self.syncs.get(sync.as_str()).is_some_and(|of| of.rules == rules);
        self.operations.with(|approved| {
            let mut statement =
                approved.prepare("SELECT key, verb, digest FROM approved WHERE sync = ?1 ORDER BY rowid")?;
            let mut rows = statement.query([sync.as_str()])?;
            let plan = table.connection();
            let mut insert = plan
                .prepare("INSERT OR IGNORE INTO agreed (key, verb, digest, rules) VALUES (?1, ?2, ?3, ?4)")?;
            while let Some(row) = rows.next()? {
                if stop.is_asked() {
                    return Ok(Err(TableError::Interrupted));
                }
                let (key, verb) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
                insert.execute(params![key, verb, row.get_ref(2)?.as_blob()?, same])?;
            }
            Ok(Ok(()))
        })?
    }
}

impl OfSync {
    fn of(header: &SyncHeader) -> Option<Self> {
        Some(Self {
            rules: Digest::from_hex(&header.rules)?,
            moment: DateTime::parse_from_rfc3339(&header.moment).ok()?.to_utc(),
            operations: header.operations,
        })
    }
}

/// Brings all further lines into a table, and gives their number.
fn fill(
    operations: &Table,
    lines: impl Iterator<Item = (usize, io::Result<String>)>,
    syncs: &BTreeMap<String, OfSync>,
    stop: &Stop,
) -> Result<u64, ApprovedPlanError> {
    operations.batch("CREATE TABLE approved (sync TEXT, key TEXT, verb TEXT, digest BLOB); BEGIN")?;
    let mut found = 0;
    for (at, text) in lines {
        if stop.is_asked() {
            return Err(TableError::Interrupted.into());
        }
        let Some((line, digest)) = read_line(&text?).filter(|(line, _)| syncs.contains_key(&line.sync))
        else {
            return Err(ApprovedPlanError::Line { line: at + 1 });
        };
        let sql = "INSERT INTO approved (sync, key, verb, digest) VALUES (?1, ?2, ?3, ?4)";
        operations.change(sql, params![line.sync, line.key, line.verb, digest.to_bytes()])?;
        found += 1;
    }
    operations.commit()?;
    operations.batch("PRAGMA main.cache_size = -1024; PRAGMA shrink_memory")?;
    Ok(found)
}

fn read_header(first: &str, place: &str) -> Result<Header, ApprovedPlanError> {
    let form: Form = serde_json::from_str(first).map_err(|_| ApprovedPlanError::Line { line: 1 })?;
    if form.permit != VERSION {
        return Err(ApprovedPlanError::Version { found: form.permit });
    }
    let header: Header = serde_json::from_str(first).map_err(|_| ApprovedPlanError::Line { line: 1 })?;
    if header.project != place {
        return Err(ApprovedPlanError::Elsewhere { found: header.project, wanted: place.to_owned() });
    }
    Ok(header)
}

fn read_line(text: &str) -> Option<(Line, Digest)> {
    let line: Line = serde_json::from_str(text).ok()?;
    let digest = Digest::from_hex(&line.digest)?;
    ["write", "remove", "look"].contains(&line.verb.as_str()).then_some((line, digest))
}

#[cfg(test)]
mod tests {
    use coho_testkit::mutated;
    use proptest::prelude::*;

    use super::*;

    /// An approved plan with one operation.
    fn whole() -> String {
        let digest = Digest::of(b"any").to_string();
        let sync = format!(
            r#"{{"sync":"a","destination":"d","rules":"{digest}","moment":"2026-11-24T09:00:00Z","operations":1,"writes":1,"removals":0,"calls":[1,1],"guards":[]}}"#
        );
        format!(
            "{{\"permit\":1,\"project\":\"p\",\"at\":\"2026-11-24T09:00:00Z\",\"syncs\":[{sync}]}}\n\
             {{\"sync\":\"a\",\"key\":\"1\",\"verb\":\"write\",\"digest\":\"{digest}\"}}\n"
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

        /// What is damaged is refused, or has no operation that the whole one has not.
        #[test]
        fn a_damaged_approved_plan_approves_nothing_else(seed in any::<u64>()) {
            let folder = tempfile::tempdir().unwrap();
            let stop = Stop::new();
            let bytes = mutated(whole().as_bytes(), seed);
            if let Ok(approved) = ApprovedPlan::read(bytes.as_slice(), "p", folder.path(), &stop) {
                let operations: u64 = approved.syncs.values().map(|sync| sync.operations).sum();
                prop_assert!(operations <= 1, "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }

    #[test]
    fn a_stop_is_heard_while_an_approved_plan_is_read() {
        let text = whole();
        let folder = tempfile::tempdir().unwrap();
        let stop = Stop::new();
        let read = |stop| ApprovedPlan::read(text.as_bytes(), "p", folder.path(), stop);
        let approved = read(&stop).unwrap();
        let table = Table::new(folder.path(), &stop).unwrap();
        let bring = |stop| approved.bring(&table, &SyncId::new("a"), Digest::of(b"any"), stop);
        assert!(bring(&stop).is_ok());
        stop.ask();
        assert!(matches!(bring(&stop), Err(TableError::Interrupted)));
        assert!(matches!(read(&stop), Err(ApprovedPlanError::Table(TableError::Interrupted))));
    }
}
