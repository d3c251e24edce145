//! Runs in a list: how each went, without counting what the ledger keeps of it.

use coho_core::counts::Counts;
use coho_core::started::Started;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, Row, params};

use super::run::number;
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, stored, time};
use crate::run::{RunId, RunStatus, read_counts, start};

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRun {
    /// Its number: later runs have greater ones.
    pub number: i64,
    /// Its id.
    pub run: RunId,
    /// What it was for.
    pub run_kind: String,
    /// How it stands.
    pub status: RunStatus,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// Its syncs, in the order in which they started.
    pub syncs: Vec<SyncId>,
    /// The counts of all of them that have ended.
    pub counts: Counts,
}

/// Which runs are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WantedRuns {
    /// Only those that stand so.
    pub status: Option<RunStatus>,
    /// Only those of this sync.
    pub sync: Option<SyncId>,
    /// Only those with a smaller number: where an earlier page ended.
    pub before: Option<i64>,
}

/// The last run before another one that ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodRun {
    /// Its id.
    pub run: RunId,
    /// When it began.
    pub started: Time,
    /// What started it: with which files of the project, at which commit.
    pub start: Started,
}

impl Ledger {
    /// The last run before this one that sent what changed and ended well. It is looked for among the thousand before.
    pub fn good_run_before(&self, run: &RunId) -> Result<Option<GoodRun>, LedgerError> {
        self.read("looking for the last successful run", |connection| {
            let Some(id) = number(connection, run)? else { return Ok(None) };
            let sql = format!(
                "SELECT run, started_at, {} FROM runs
                 WHERE id < ?1 AND id >= ?1 - 1000 AND status = 'success' AND purpose = 'sync' ORDER BY id DESC LIMIT 1",
                start::COLUMNS
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([id])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(GoodRun {
                run: RunId::new(row.get::<_, String>(0)?),
                started: time(row.get(1)?)?,
                start: start::read(row, 2)?,
            }))
        })
    }

    /// How many runs stand how; of one sync, where it is named.
    pub fn runs_by_status(&self, sync: Option<&SyncId>) -> Result<Vec<(RunStatus, u64)>, LedgerError> {
        self.read("counting runs", |connection| {
            let sql = match sync {
                None => "SELECT status, count(*) FROM runs WHERE ?1 IS NULL GROUP BY status",
                Some(_) => {
                    "SELECT runs.status, count(DISTINCT runs.id) FROM scopes JOIN run_syncs ON run_syncs.scope = scopes.id
                     JOIN runs ON runs.id = run_syncs.run WHERE sync = ?1 GROUP BY runs.status"
                }
            };
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([sync.map(SyncId::as_str)])?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                counts.push((RunStatus::parse(&row.get::<_, String>(0)?)?, count(row.get(1)?)));
            }
            Ok(counts)
        })
    }

    /// In how many runs each sync was; of those that stand so, where that is named.
    pub fn runs_by_sync(&self, status: Option<RunStatus>) -> Result<Vec<(SyncId, u64)>, LedgerError> {
        self.read("counting runs", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sync, count(DISTINCT runs.id) FROM scopes JOIN run_syncs ON run_syncs.scope = scopes.id
                 JOIN runs ON runs.id = run_syncs.run WHERE ?1 IS NULL OR runs.status = ?1 GROUP BY sync ORDER BY sync",
            )?;
            let mut rows = statement.query([status.map(RunStatus::as_str)])?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                counts.push((SyncId::new(row.get::<_, String>(0)?), count(row.get(1)?)));
            }
            Ok(counts)
        })
    }

    /// The runs that are wanted, the newest first.
    pub fn list_runs(&self, wanted: &WantedRuns, most: usize) -> Result<Vec<ListedRun>, LedgerError> {
        self.read("listing runs", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, run, purpose, status, error, started_at, ended_at FROM runs
                 WHERE id < ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR EXISTS (
                   SELECT 1 FROM run_syncs JOIN scopes ON scopes.id = scope WHERE run_syncs.run = runs.id AND sync = ?3))
                 ORDER BY id DESC LIMIT ?4",
            )?;
            let mut rows = statement.query(params![
                wanted.before.unwrap_or(i64::MAX),
                wanted.status.map(RunStatus::as_str),
                wanted.sync.as_ref().map(SyncId::as_str),
                stored(most)
            ])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(listed(connection, row)?);
            }
            Ok(runs)
        })
    }
}

fn listed(connection: &Connection, row: &Row<'_>) -> Result<ListedRun, Fault> {
    let number = row.get(0)?;
    let (syncs, counts) = syncs(connection, number)?;
    Ok(ListedRun {
        number,
        run: RunId::new(row.get::<_, String>(1)?),
        run_kind: row.get(2)?,
        status: RunStatus::parse(&row.get::<_, String>(3)?)?,
        error: row.get(4)?,
        started: time(row.get(5)?)?,
        ended: row.get::<_, Option<i64>>(6)?.map(time).transpose()?,
        syncs,
        counts,
    })
}

fn syncs(connection: &Connection, run: i64) -> Result<(Vec<SyncId>, Counts), Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT sync, counts FROM run_syncs JOIN scopes ON scopes.id = scope WHERE run = ?1 ORDER BY started_at, scope",
    )?;
    let mut rows = statement.query([run])?;
    let (mut syncs, mut counts) = (Vec::new(), Counts::default());
    while let Some(row) = rows.next()? {
        syncs.push(SyncId::new(row.get::<_, String>(0)?));
        if let Some(text) = row.get::<_, Option<String>>(1)? {
            counts.add(&read_counts(&text)?);
        }
    }
    Ok((syncs, counts))
}
