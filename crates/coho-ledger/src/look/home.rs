//! Everything at a glance: the last runs of each sync.

use coho_core::counts::Counts;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, params};

use super::run::number;
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{stored, time};
use crate::run::{RunId, RunStatus, read_counts};

/// A sync with its runs among the newest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncHistory {
    /// The workspace.
    pub workspace: String,
    /// The sync.
    pub sync: SyncId,
    /// The object that its rows become.
    pub object: String,
    /// Its runs, the newest first.
    pub runs: Vec<SyncRun>,
    /// When it last ended with all rows through.
    pub last_success: Option<Time>,
}

/// How a sync went in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRun {
    /// The run.
    pub run: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// Its counts, once it has ended.
    pub counts: Option<Counts>,
}

impl Ledger {
    /// All syncs, each with those of its runs that are among the newest `most` runs.
    pub fn sync_histories(&self, most: usize) -> Result<Vec<SyncHistory>, LedgerError> {
        self.read("reading the runs of all syncs", |connection| histories(connection, most))
    }

    /// How syncs went in the `most` runs before this one, the newest first.
    pub fn runs_before(&self, run: &RunId, most: usize) -> Result<Vec<(SyncId, SyncRun)>, LedgerError> {
        self.read("reading earlier runs", |connection| {
            let Some(number) = number(connection, run)? else { return Ok(Vec::new()) };
            let runs = newest(connection, number - 1, most)?;
            let mut statement = connection.prepare_cached("SELECT sync FROM scopes WHERE id = ?1")?;
            let mut earlier = Vec::new();
            for (scope, run) in runs {
                let sync: String = statement.query_row([scope], |row| row.get(0))?;
                earlier.push((SyncId::new(sync), run));
            }
            Ok(earlier)
        })
    }
}

fn histories(connection: &Connection, most: usize) -> Result<Vec<SyncHistory>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT scopes.id, name, sync, object,
           (SELECT max(ended_at) FROM run_syncs WHERE scope = scopes.id AND status = 'success')
         FROM scopes JOIN workspaces ON workspaces.id = workspace ORDER BY sync, name",
    )?;
    let mut rows = statement.query([])?;
    let mut histories = Vec::new();
    while let Some(row) = rows.next()? {
        histories.push((
            row.get::<_, i64>(0)?,
            SyncHistory {
                workspace: row.get(1)?,
                sync: SyncId::new(row.get::<_, String>(2)?),
                object: row.get(3)?,
                runs: Vec::new(),
                last_success: row.get::<_, Option<i64>>(4)?.map(time).transpose()?,
            },
        ));
    }
    for (scope, run) in newest(connection, i64::MAX, most)? {
        if let Some((_, history)) = histories.iter_mut().find(|(id, _)| *id == scope) {
            history.runs.push(run);
        }
    }
    Ok(histories.into_iter().map(|(_, history)| history).collect())
}

/// How syncs went in the newest runs up to this one.
fn newest(connection: &Connection, last: i64, most: usize) -> Result<Vec<(i64, SyncRun)>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT scope, newest.run, status, error, started_at, ended_at, counts
         FROM (SELECT id, run FROM runs WHERE id <= ?2 ORDER BY id DESC LIMIT ?1) AS newest
         CROSS JOIN run_syncs ON run_syncs.run = newest.id ORDER BY newest.id DESC",
    )?;
    let mut rows = statement.query(params![stored(most), last])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let run = SyncRun {
            run: RunId::new(row.get::<_, String>(1)?),
            status: RunStatus::parse(&row.get::<_, String>(2)?)?,
            error: row.get(3)?,
            started: time(row.get(4)?)?,
            ended: row.get::<_, Option<i64>>(5)?.map(time).transpose()?,
            counts: row.get::<_, Option<String>>(6)?.map(|text| read_counts(&text)).transpose()?,
        };
        runs.push((row.get(0)?, run));
    }
    Ok(runs)
}
