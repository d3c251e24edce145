//! Calls as the command line tells them: those of a row, and what those of a run came to. Pages: [`super::requests`].

use std::collections::BTreeMap;
use std::time::Duration;

use coho_core::call::WaitWhy;
use coho_core::key::Key;
use coho_core::sync::SyncId;
use coho_core::verdict::Call;
use rusqlite::params;

use crate::call::{Reader, columns};
use crate::failure::LedgerError;
use crate::ledger::Ledger;
use crate::moment::{count, stored};
use crate::run::RunId;
use crate::scope::SyncScope;

/// What the calls of one sync in a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSums {
    /// The sync.
    pub sync: SyncId,
    /// How many calls there were.
    pub calls: u64,
    /// How many of them sent a request once more.
    pub repeated: u64,
    /// How long requests waited, by what for. Several may have waited at the same time.
    pub waits: BTreeMap<WaitWhy, Duration>,
}

const CALLS_OF_RUN: &str = "\
    FROM calls INDEXED BY calls_by_run \
    WHERE run = (SELECT id FROM runs WHERE run = ?1) AND scope = ?2 AND ?3 IS NULL ORDER BY calls.id LIMIT ?4";

/// A plus keeps SQLite from reading all calls of the run: a key has only a few.
const CALLS_OF_KEY: &str = "\
    FROM calls \
    WHERE +run = (SELECT id FROM runs WHERE run = ?1) AND +scope = ?2 AND id IN ( \
       SELECT id FROM calls WHERE run = (SELECT id FROM runs WHERE run = ?1) AND scope = ?2 AND key = ?3 \
       UNION ALL SELECT call FROM call_keys WHERE key = ?3) \
    ORDER BY id LIMIT ?4";

impl Ledger {
    /// The calls of a run that were made for a key, or for any, in the order in which they were recorded. A call for many
    /// rows is found by each of their keys; where it was not looked for by one, it is without a key.
    pub fn calls(
        &self,
        scope: &SyncScope,
        run: &RunId,
        key: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Option<Key>, Call)>, LedgerError> {
        self.read("reading calls", |connection| {
            let from = if key.is_some() { CALLS_OF_KEY } else { CALLS_OF_RUN };
            let sql = format!("SELECT coalesce(key, ?3), {} {from}", columns());
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows =
                statement.query(params![run.as_str(), scope.id, key.map(Key::as_str), stored(limit)])?;
            let (mut calls, mut reader) = (Vec::new(), Reader::default());
            while let Some(row) = rows.next()? {
                let call = reader.read(connection, row, 1)?;
                calls.push((row.get::<_, Option<String>>(0)?.map(Key::new), call));
            }
            Ok(calls)
        })
    }

    /// What the calls of a run came to, sync by sync.
    pub fn call_sums(&self, run: &RunId) -> Result<Vec<CallSums>, LedgerError> {
        self.read("counting calls", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT scopes.sync, wait_why, count(*), sum(attempt > 1), sum(waited)
                 FROM runs CROSS JOIN calls INDEXED BY calls_by_run ON calls.run = runs.id
                 JOIN scopes ON scopes.id = calls.scope
                 WHERE runs.run = ?1 GROUP BY calls.scope, wait_why ORDER BY calls.scope",
            )?;
            let mut rows = statement.query([run.as_str()])?;
            let mut sums: Vec<CallSums> = Vec::new();
            while let Some(row) = rows.next()? {
                let sync = SyncId::new(row.get::<_, String>(0)?);
                if sums.last().is_none_or(|last| last.sync != sync) {
                    sums.push(CallSums { sync, calls: 0, repeated: 0, waits: BTreeMap::new() });
                }
                let Some(last) = sums.last_mut() else { continue };
                last.calls += count(row.get(2)?);
                last.repeated += count(row.get(3)?);
                let why = row.get::<_, Option<String>>(1)?.and_then(|text| WaitWhy::parse(&text));
                let waited = Duration::from_micros(count(row.get(4)?));
                last.waits.extend(why.map(|why| (why, waited)));
            }
            Ok(sums)
        })
    }
}
