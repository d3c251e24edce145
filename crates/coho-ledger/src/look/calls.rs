//! Calls: from a run or a row to its calls, and from a call to its rows.

use std::collections::BTreeMap;
use std::time::Duration;

use coho_core::call::WaitWhy;
use coho_core::key::Key;
use coho_core::sync::SyncId;
use coho_core::verdict::Call;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::call::{COLUMNS, Reader};
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, stored};
use crate::run::RunId;
use crate::scope::Scope;

/// A call with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Its number: calls are counted over all runs, in the order in which they were recorded.
    pub id: u64,
    /// The run.
    pub run: RunId,
    /// The sync.
    pub sync: SyncId,
    /// The row that it was made for; absent where it was made for several, or for none.
    pub key: Option<Key>,
    /// The number of the call with which its exchange began: all calls of one operation have the same.
    pub exchange: u64,
    /// The call.
    pub call: Call,
}

/// Which calls of a run are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CallFilter {
    /// Only those that were refused or not answered.
    pub failed: bool,
    /// Only those behind this one; 0 for all.
    pub after: u64,
}

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
        scope: &Scope,
        run: &RunId,
        key: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Option<Key>, Call)>, LedgerError> {
        self.read("reading calls", |connection| {
            let from = if key.is_some() { CALLS_OF_KEY } else { CALLS_OF_RUN };
            let sql = format!("SELECT coalesce(key, ?3), {COLUMNS} {from}");
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

    /// The calls of all syncs of a run, in the order in which they were recorded.
    pub fn calls_of_run(
        &self,
        run: &RunId,
        filter: CallFilter,
        limit: usize,
    ) -> Result<Vec<CallRecord>, LedgerError> {
        let (index, failed) = if filter.failed {
            ("calls_failed", "AND (calls.status IS NULL OR calls.status >= 400)")
        } else {
            ("calls_by_run", "")
        };
        let of = format!(
            "FROM runs CROSS JOIN calls INDEXED BY {index} ON calls.run = runs.id JOIN scopes ON scopes.id = calls.scope
             WHERE runs.run = ?1 AND calls.id > ?2 {failed} ORDER BY calls.id LIMIT ?3"
        );
        self.read("reading calls", |connection| {
            let mut statement = connection.prepare_cached(&selected(&of))?;
            let mut rows = statement.query(params![run.as_str(), stored(filter.after), stored(limit)])?;
            let (mut calls, mut reader) = (Vec::new(), Reader::default());
            while let Some(row) = rows.next()? {
                calls.push(record(connection, &mut reader, row)?);
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

    /// A call by its number.
    pub fn call(&self, id: u64) -> Result<Option<CallRecord>, LedgerError> {
        let of = "FROM calls JOIN runs ON runs.id = calls.run JOIN scopes ON scopes.id = calls.scope WHERE calls.id = ?1";
        self.read("reading a call", |connection| {
            let mut statement = connection.prepare_cached(&selected(of))?;
            let mut rows = statement.query([stored(id)])?;
            match rows.next()? {
                Some(row) => record(connection, &mut Reader::default(), row).map(Some),
                None => Ok(None),
            }
        })
    }

    /// The rows that a call was made for, in the order of their keys.
    pub fn keys_of_call(&self, id: u64, limit: usize) -> Result<Vec<Key>, LedgerError> {
        self.read("reading the rows of a call", |connection| {
            let own: Option<Option<String>> = connection
                .prepare_cached("SELECT key FROM calls WHERE id = ?1")?
                .query_row([stored(id)], |row| row.get(0))
                .optional()?;
            if let Some(Some(key)) = own {
                return Ok(vec![Key::new(key)]);
            }
            let mut statement = connection
                .prepare_cached("SELECT key FROM call_keys WHERE call = ?1 ORDER BY key LIMIT ?2")?;
            let keys = statement.query_map([stored(id), stored(limit)], |row| row.get::<_, String>(0))?;
            Ok(keys.map(|key| key.map(Key::new)).collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn selected(of: &str) -> String {
    format!(
        "SELECT calls.id, runs.run, scopes.sync, calls.key, coalesce(calls.exchange, calls.id), {COLUMNS} {of}"
    )
}

fn record(connection: &Connection, reader: &mut Reader, row: &Row<'_>) -> Result<CallRecord, Fault> {
    Ok(CallRecord {
        id: count(row.get(0)?),
        run: RunId::new(row.get::<_, String>(1)?),
        sync: SyncId::new(row.get::<_, String>(2)?),
        key: row.get::<_, Option<String>>(3)?.map(Key::new),
        exchange: count(row.get(4)?),
        call: reader.read(connection, row, 5)?,
    })
}
