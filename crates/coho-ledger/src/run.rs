//! Runs: what was started, how each of its syncs ended, and with which counts.
//!
//! The numbers of adds, changes and removals are counted from the recorded statuses when a sync ends, and stay when those are
//! pruned.

pub(crate) mod counts;
pub(crate) mod start;

use coho_core::counts::Counts;
use coho_core::decide::RunKind;
use coho_core::started::{FullWhy, Started};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, Row, params};

use crate::cause;
use crate::counted;
use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::scope::SyncScope;
use crate::written::{Written, post};

pub(crate) use self::counts::read_counts;

/// A run that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub(crate) row: i64,
    id: RunId,
}

impl Run {
    /// Its id.
    pub fn id(&self) -> &RunId {
        &self.id
    }
}

/// A run's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// An id. The caller draws it; no two runs of a ledger may have the same.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a run, or a sync in it, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// It is under way, or died and nobody has noticed yet.
    Running,
    /// All was done.
    Success,
    /// All was tried, and some rows did not get through or were held.
    Warning,
    /// It could not be done: the source, the mapping.
    Failed,
    /// It stopped at something that concerns every row: credentials, the ledger, the wrong workspace.
    Halted,
    /// It was interrupted, or died.
    Interrupted,
}

impl RunStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Success, Self::Warning, Self::Failed, Self::Halted, Self::Interrupted];

    /// The text in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Halted => "halted",
            Self::Interrupted => "interrupted",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| Fault::damaged("a run has a status that Coho never writes"))
    }
}

/// What is known of a sync when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStart {
    /// Its model's name.
    pub model: String,
    /// Its destination's name.
    pub destination: String,
    /// The columns of its model's primary key.
    pub primary_key: Vec<String>,
    /// When it starts.
    pub at: Time,
}

/// How a run, or a sync in it, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnding {
    /// How.
    pub status: RunStatus,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When.
    pub at: Time,
}

/// What is still kept of a run's rows and calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// All.
    All,
    /// Rows that failed, with their calls.
    Failures,
    /// Neither: only the counts.
    Counts,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::All, Self::Failures, Self::Counts];

    /// The text in the ledger and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failures => "failures",
            Self::Counts => "counts",
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|kept| kept.as_str() == text);
        found.ok_or_else(|| Fault::damaged("of a run is kept what Coho never writes"))
    }
}

/// A run as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// `sync`, `baseline`, `adopt`, `resend` or `resend-events`.
    pub run_kind: String,
    /// How it stands.
    pub status: RunStatus,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// What started it.
    pub start: Started,
    /// What is still kept of its rows and calls.
    pub kept: Kept,
    /// Its syncs, in the order in which they started.
    pub syncs: Vec<SyncRecord>,
}

/// The earlier runs of a sync.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Past {
    /// How many rows those read that did not fail, the newest first.
    pub read: Vec<u64>,
    /// When the first one began.
    pub first: Option<Time>,
    /// When the last one ended that did not fail.
    pub last_good: Option<Time>,
    /// When the last one began that did not fail.
    pub last_good_began: Option<Time>,
}

/// A sync of a run as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRecord {
    /// The workspace.
    pub workspace: String,
    /// The sync.
    pub sync: SyncId,
    /// Its model's name.
    pub model: String,
    /// Its destination's name.
    pub destination: String,
    /// How it stands.
    pub status: RunStatus,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// Its counts; absent until it ended.
    pub counts: Option<Counts>,
    /// How many of its calls are in the request log.
    pub calls: u64,
    /// Why every row was evaluated, where every row was.
    pub full_why: Option<FullWhy>,
}

impl Ledger {
    /// Begins a run. Runs that still seem to be under way are dead, since their lease is gone: they become `interrupted`.
    pub fn begin_run(
        &self,
        lease: &Lease,
        id: &RunId,
        run_kind: RunKind,
        started: &Started,
        now: Time,
    ) -> Result<Run, LedgerError> {
        self.begin_run_telling(lease, id, run_kind, started, now, &[])
    }

    /// Begins a run, and writes in the same transaction what is told of one that died.
    pub fn begin_run_telling(
        &self,
        lease: &Lease,
        id: &RunId,
        run_kind: RunKind,
        started: &Started,
        now: Time,
        messages: &[Written],
    ) -> Result<Run, LedgerError> {
        self.write_in(lease, "beginning a run", |connection| {
            bury(connection, now)?;
            post(connection, messages, now)?;
            connection.execute(
                "INSERT INTO runs (run, purpose, status, started_at) VALUES (?1, ?2, 'running', ?3)",
                params![id.as_str(), run_kind.name(), micros(now)],
            )?;
            let row = connection.last_insert_rowid();
            start::write(connection, row, started)?;
            connection.execute("UPDATE lease SET run = ?1", [id.as_str()])?;
            Ok(Run { row, id: id.clone() })
        })
    }

    /// Begins a sync of a run.
    pub fn begin_sync(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        start: &SyncStart,
    ) -> Result<(), LedgerError> {
        self.begin_sync_telling(lease, run, scope, start, &[])
    }

    /// Begins a sync of a run, and writes in the same transaction what is told of it.
    pub fn begin_sync_telling(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        start: &SyncStart,
        messages: &[Written],
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "beginning a sync", |connection| {
            post(connection, messages, start.at)?;
            connection.execute(
                "INSERT INTO run_syncs (run, scope, model, destination, primary_key, status, started_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6)",
                params![
                    run.row,
                    scope.id,
                    start.model,
                    start.destination,
                    start.primary_key.join(", "),
                    micros(start.at)
                ],
            )?;
            Ok(())
        })
    }

    /// Ends a sync of a run.
    pub fn end_sync(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        ending: &RunEnding,
        counts: &Counts,
    ) -> Result<(), LedgerError> {
        self.end_sync_telling(lease, run, scope, ending, counts, &[])
    }

    /// Ends a sync of a run, and writes in the same transaction what is told of it.
    pub fn end_sync_telling(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        ending: &RunEnding,
        counts: &Counts,
        messages: &[Written],
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "ending a sync", |connection| {
            post(connection, messages, ending.at)?;
            connection.execute(
                "UPDATE run_syncs SET status = ?3, error = masked(?4), ended_at = ?5, counts = ?6 WHERE run = ?1 AND scope = ?2",
                params![
                    run.row,
                    scope.id,
                    ending.status.as_str(),
                    ending.error,
                    micros(ending.at),
                    counts::write(counts)
                ],
            )?;
            cause::heal(connection, scope.id, ending.at)?;
            counts::tally(connection, run.row, scope.id)
        })
    }

    /// Ends a run.
    pub fn end_run(&self, lease: &Lease, run: &Run, ending: &RunEnding) -> Result<(), LedgerError> {
        self.write_in(lease, "ending a run", |connection| conclude(connection, run, ending))
    }

    /// What earlier runs of a sync read, those that did not fail, and when the last one ended.
    pub fn past(&self, destination: &str, sync: &SyncId, limit: usize) -> Result<Past, LedgerError> {
        self.read("reading runs", |connection| past(connection, destination, sync, limit))
    }

    /// The last runs, the newest first.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, LedgerError> {
        self.read("reading runs", |connection| records(connection, "TRUE", None, limit))
    }

    /// A run.
    pub fn run(&self, id: &RunId) -> Result<Option<RunRecord>, LedgerError> {
        let found = self.read("reading a run", |connection| records(connection, "run = ?2", Some(id), 1))?;
        Ok(found.into_iter().next())
    }
}

/// Writes how a run ended.
pub(crate) fn conclude(connection: &Connection, run: &Run, ending: &RunEnding) -> Result<(), Fault> {
    connection.execute(
        "UPDATE runs SET status = ?2, error = masked(?3), ended_at = ?4 WHERE id = ?1",
        params![run.row, ending.status.as_str(), ending.error, micros(ending.at)],
    )?;
    counted::count_calls(connection, run.row)
}

fn past(connection: &Connection, destination: &str, sync: &SyncId, limit: usize) -> Result<Past, Fault> {
    let of = "FROM run_syncs JOIN scopes ON scopes.id = scope WHERE sync = ?1 AND run_syncs.destination = ?2";
    let good = "status IN ('success', 'warning')";
    let sql = format!("SELECT counts {of} AND {good} AND counts IS NOT NULL ORDER BY run DESC LIMIT ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![sync.as_str(), destination, stored(limit)])?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(read_counts(&row.get::<_, String>(0)?)?.read);
    }
    let newest = |column: &str| format!("max(CASE WHEN {good} THEN {column} END)");
    let (ended, began) = (newest("ended_at"), newest("started_at"));
    let (first, last, last_began): (Option<i64>, Option<i64>, Option<i64>) = connection
        .prepare_cached(&format!("SELECT min(started_at), {ended}, {began} {of}"))?
        .query_row([sync.as_str(), destination], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Past {
        read,
        first: first.map(time).transpose()?,
        last_good: last.map(time).transpose()?,
        last_good_began: last_began.map(time).transpose()?,
    })
}

fn bury(connection: &Connection, now: Time) -> Result<(), Fault> {
    let dead: Vec<(i64, i64)> = connection
        .prepare("SELECT run, scope FROM run_syncs WHERE status = 'running'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (run, scope) in dead {
        counts::tally(connection, run, scope)?;
    }
    let died: Vec<i64> = connection
        .prepare("SELECT id FROM runs WHERE status = 'running'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for run in died {
        counted::count_calls(connection, run)?;
    }
    for table in ["runs", "run_syncs"] {
        let sql =
            format!("UPDATE {table} SET status = 'interrupted', ended_at = ?1 WHERE status = 'running'");
        connection.execute(&sql, [micros(now)])?;
    }
    Ok(())
}

fn records(
    connection: &Connection,
    filter: &str,
    id: Option<&RunId>,
    limit: usize,
) -> Result<Vec<RunRecord>, Fault> {
    let sql = format!(
        "SELECT id, run, purpose, status, error, started_at, ended_at, kept, {} FROM runs
         WHERE {filter} OR (?2 IS NULL AND FALSE) ORDER BY id DESC LIMIT ?1",
        start::COLUMNS
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params![stored(limit), id.map(RunId::as_str)])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(connection, row)?);
    }
    Ok(records)
}

fn record(connection: &Connection, row: &Row<'_>) -> Result<RunRecord, Fault> {
    Ok(RunRecord {
        syncs: syncs(connection, row.get(0)?)?,
        id: RunId(row.get(1)?),
        run_kind: row.get(2)?,
        status: RunStatus::parse(&row.get::<_, String>(3)?)?,
        error: row.get(4)?,
        started: time(row.get(5)?)?,
        ended: row.get::<_, Option<i64>>(6)?.map(time).transpose()?,
        kept: Kept::parse(&row.get::<_, String>(7)?)?,
        start: start::read(row, 8)?,
    })
}

fn syncs(connection: &Connection, run: i64) -> Result<Vec<SyncRecord>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT name, sync, model, run_syncs.destination, status, error, started_at, ended_at, counts,
           (SELECT count(*) FROM calls WHERE calls.run = run_syncs.run AND calls.scope = run_syncs.scope), full_why
         FROM run_syncs JOIN scopes ON scopes.id = scope JOIN workspaces ON workspaces.id = scopes.workspace
         WHERE run = ?1 ORDER BY started_at, scope",
    )?;
    let mut rows = statement.query([run])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(SyncRecord {
            workspace: row.get(0)?,
            sync: SyncId::new(row.get::<_, String>(1)?),
            model: row.get(2)?,
            destination: row.get(3)?,
            status: RunStatus::parse(&row.get::<_, String>(4)?)?,
            error: row.get(5)?,
            started: time(row.get(6)?)?,
            ended: row.get::<_, Option<i64>>(7)?.map(time).transpose()?,
            counts: row.get::<_, Option<String>>(8)?.map(|text| read_counts(&text)).transpose()?,
            calls: count(row.get(9)?),
            full_why: row.get::<_, Option<String>>(10)?.and_then(|text| FullWhy::parse(&text)),
        });
    }
    Ok(records)
}
