//! Everything at a glance: the last runs of each sync, and what still fails.

use coho_core::counts::Counts;
use coho_core::memory::Time;
use coho_core::sync::SyncId;
use coho_core::verdict::Fate;
use rusqlite::{Connection, params};

use super::run::number;
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, stored, time};
use crate::run::{RunId, Status, read_counts};

/// A sync with its runs among the newest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncHistory {
    /// The workspace.
    pub workspace: String,
    /// The sync.
    pub sync: SyncId,
    /// What its rows become.
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
    pub status: Status,
    /// Why it did not end well.
    pub error: Option<String>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// Its counts, once it has ended.
    pub counts: Option<Counts>,
}

/// Rows of a sync that wait for somebody for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingCause {
    /// The workspace.
    pub workspace: String,
    /// The sync.
    pub sync: SyncId,
    /// Where the rows ended.
    pub fate: Fate,
    /// The code of what went wrong.
    pub code: Option<String>,
    /// One of the messages.
    pub message: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// Since when the oldest of them waits.
    pub since: Time,
    /// The number of the newest of them.
    pub newest: i64,
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

    /// Rows that no later run mended, by sync, fate, code and message; those of most rows first.
    pub fn standing_causes(&self, most: usize) -> Result<Vec<StandingCause>, LedgerError> {
        self.read("reading what still fails", |connection| causes(connection, most))
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
            status: Status::parse(&row.get::<_, String>(2)?)?,
            error: row.get(3)?,
            started: time(row.get(4)?)?,
            ended: row.get::<_, Option<i64>>(5)?.map(time).transpose()?,
            counts: row.get::<_, Option<String>>(6)?.map(|text| read_counts(&text)).transpose()?,
        };
        runs.push((row.get(0)?, run));
    }
    Ok(runs)
}

fn causes(connection: &Connection, most: usize) -> Result<Vec<StandingCause>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT name, sync, fate, code, message, count(*) AS number, min(at), max(fates.id)
         FROM fates INDEXED BY fates_standing JOIN scopes ON scopes.id = scope JOIN workspaces ON workspaces.id = workspace
         WHERE standing = 1 GROUP BY scope, fate, code, message ORDER BY number DESC, max(fates.id) DESC LIMIT ?1",
    )?;
    let mut rows = statement.query(params![stored(most)])?;
    let mut causes = Vec::new();
    while let Some(row) = rows.next()? {
        let fate = Fate::parse(&row.get::<_, String>(2)?);
        causes.push(StandingCause {
            workspace: row.get(0)?,
            sync: SyncId::new(row.get::<_, String>(1)?),
            fate: fate.ok_or_else(|| Fault::damaged("a fate is none that Coho writes"))?,
            code: row.get(3)?,
            message: row.get(4)?,
            rows: count(row.get(5)?),
            since: time(row.get(6)?)?,
            newest: row.get(7)?,
        });
    }
    Ok(causes)
}
