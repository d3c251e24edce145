//! Calls: those of a run in their order, those of a row, and one with all that was sent and answered.

use coho_core::key::Key;
use coho_core::sync::SyncId;
use coho_core::verdict::Call;
use rusqlite::{Connection, Row, params};

use super::run::number;
use crate::call::{Reader, WIDTH, columns, columns_without_bodies};
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, stored};
use crate::run::RunId;
use crate::scope::SyncScope;

/// A call with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedCall {
    /// The number.
    pub number: i64,
    /// The run.
    pub run: RunId,
    /// The sync.
    pub sync: SyncId,
    /// The row that it was made for; absent where it was made for several.
    pub key: Option<Key>,
    /// The number of that row's newest status, by which pages name the row.
    pub row: Option<i64>,
    /// The number of the call with which its exchange began: all calls of one operation have the same.
    pub exchange: i64,
    /// What was sent and answered. In lists without the bodies.
    pub call: Call,
}

/// Which calls of a run are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WantedCalls {
    /// Only those of this sync.
    pub sync: Option<SyncId>,
    /// Only those that were not answered with 2xx.
    pub failed: bool,
    /// Only those with a greater number: where an earlier page ended.
    pub after: Option<i64>,
}

/// How many calls were answered so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// The method.
    pub method: String,
    /// The status; absent where no answer arrived.
    pub status: Option<u16>,
    /// How many.
    pub calls: u64,
    /// How long they took together, in microseconds.
    pub micros: u64,
}

/// What is read of a call: its key, the columns of [`Reader`], number, run, sync, the key's newest status, and the exchange.
fn whole() -> String {
    of_call(&columns())
}

/// The same without bodies.
fn without_bodies() -> String {
    of_call(&columns_without_bodies())
}

fn of_call(columns: &str) -> String {
    format!(
        "calls.key, {columns}, calls.id, runs.run, sync, (SELECT max(fates.id) FROM fates INDEXED BY fates_by_key
           WHERE fates.scope = calls.scope AND fates.key = calls.key), coalesce(calls.exchange, calls.id)"
    )
}

impl Ledger {
    /// The calls of a run by method and status.
    pub fn request_counts(&self, run: &RunId) -> Result<Vec<CallCount>, LedgerError> {
        self.read("counting calls", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT method, status, count(*), sum(micros) FROM calls
                 WHERE run = (SELECT id FROM runs WHERE run = ?1) GROUP BY method, status ORDER BY method, status",
            )?;
            let mut rows = statement.query([run.as_str()])?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                counts.push(CallCount {
                    method: row.get(0)?,
                    status: row.get(1)?,
                    calls: count(row.get(2)?),
                    micros: count(row.get(3)?),
                });
            }
            Ok(counts)
        })
    }

    /// How many calls a run made for each sync, and how many of them were not answered with 2xx.
    pub fn request_choices(&self, run: &RunId) -> Result<Vec<(SyncId, u64, u64)>, LedgerError> {
        self.read("counting calls", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sync, count(*), sum(status IS NULL OR status NOT BETWEEN 200 AND 299)
                 FROM calls INDEXED BY calls_by_run JOIN scopes ON scopes.id = calls.scope
                 WHERE run = (SELECT id FROM runs WHERE run = ?1) GROUP BY sync ORDER BY sync",
            )?;
            let mut rows = statement.query([run.as_str()])?;
            let mut choices = Vec::new();
            while let Some(row) = rows.next()? {
                choices.push((SyncId::new(row.get::<_, String>(0)?), count(row.get(1)?), count(row.get(2)?)));
            }
            Ok(choices)
        })
    }

    /// The calls of a run that are wanted, in the order in which they were recorded, without bodies.
    pub fn requests_of_run(
        &self,
        run: &RunId,
        wanted: &WantedCalls,
        most: usize,
    ) -> Result<Vec<NumberedCall>, LedgerError> {
        self.read("reading calls", |connection| {
            let Some(id) = number(connection, run)? else { return Ok(Vec::new()) };
            let failed = if wanted.failed { "AND (calls.status IS NULL OR calls.status NOT BETWEEN 200 AND 299)" } else { "" };
            let sql = format!(
                "SELECT {} FROM calls NOT INDEXED JOIN runs ON runs.id = calls.run
                 JOIN scopes ON scopes.id = calls.scope
                 WHERE calls.run = ?1 AND calls.id > ?2 AND (?3 IS NULL OR sync = ?3) {failed}
                   AND calls.id BETWEEN (SELECT min(id) FROM calls WHERE run = ?1) AND (SELECT max(id) FROM calls WHERE run = ?1)
                 ORDER BY calls.id LIMIT ?4",
                without_bodies()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let sync = wanted.sync.as_ref().map(SyncId::as_str);
            let mut rows = statement.query(params![id, wanted.after.unwrap_or(0), sync, stored(most)])?;
            listed(connection, &mut rows)
        })
    }

    /// The last calls of a run, the newest first, without bodies.
    pub fn last_requests(&self, run: &RunId, most: usize) -> Result<Vec<NumberedCall>, LedgerError> {
        self.read("reading the last calls", |connection| {
            let Some(id) = number(connection, run)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {} FROM calls NOT INDEXED JOIN runs ON runs.id = calls.run
                 JOIN scopes ON scopes.id = calls.scope
                 WHERE calls.run = ?1 AND calls.id <= (SELECT max(id) FROM calls WHERE run = ?1)
                 ORDER BY calls.id DESC LIMIT ?2",
                without_bodies()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![id, stored(most)])?;
            listed(connection, &mut rows)
        })
    }

    /// The calls that were made for a key in a run, with bodies, in the order in which they were recorded.
    pub fn requests_of_row(
        &self,
        scope: &SyncScope,
        run: &RunId,
        key: &Key,
        most: usize,
    ) -> Result<Vec<NumberedCall>, LedgerError> {
        self.read("reading calls", |connection| {
            let sql = format!(
                "SELECT {} FROM calls JOIN runs ON runs.id = calls.run JOIN scopes ON scopes.id = calls.scope
                 WHERE +calls.run = (SELECT id FROM runs WHERE run = ?1) AND +calls.scope = ?2 AND calls.id IN (
                   SELECT id FROM calls WHERE run = (SELECT id FROM runs WHERE run = ?1) AND scope = ?2 AND key = ?3
                   UNION ALL SELECT call FROM call_keys WHERE key = ?3)
                 ORDER BY calls.id LIMIT ?4",
                whole()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![run.as_str(), scope.id, key.as_str(), stored(most)])?;
            listed(connection, &mut rows)
        })
    }

    /// One call with its bodies.
    pub fn numbered_call(&self, number: i64) -> Result<Option<NumberedCall>, LedgerError> {
        self.read("reading a call", |connection| {
            let sql = format!(
                "SELECT {} FROM calls JOIN runs ON runs.id = calls.run JOIN scopes ON scopes.id = calls.scope
                 WHERE calls.id = ?1",
                whole()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([number])?;
            rows.next()?.map(|row| one(connection, &mut Reader::default(), row)).transpose()
        })
    }

    /// The rows that a call was made for, with the numbers of their newest statuses.
    pub fn rows_of_request(&self, number: i64, most: usize) -> Result<Vec<(Key, Option<i64>)>, LedgerError> {
        self.read("reading the rows of a call", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT call_keys.key,
                   (SELECT max(fates.id) FROM fates INDEXED BY fates_by_key
                    WHERE fates.scope = calls.scope AND fates.key = call_keys.key)
                 FROM call_keys JOIN calls ON calls.id = call WHERE call = ?1 ORDER BY call_keys.key LIMIT ?2",
            )?;
            let rows = statement
                .query_map(params![number, stored(most)], |row| Ok((Key::new(row.get::<_, String>(0)?), row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn listed(connection: &Connection, rows: &mut rusqlite::Rows<'_>) -> Result<Vec<NumberedCall>, Fault> {
    let (mut calls, mut reader) = (Vec::new(), Reader::default());
    while let Some(row) = rows.next()? {
        calls.push(one(connection, &mut reader, row)?);
    }
    Ok(calls)
}

fn one(connection: &Connection, reader: &mut Reader, row: &Row<'_>) -> Result<NumberedCall, Fault> {
    Ok(NumberedCall {
        number: row.get(WIDTH + 1)?,
        run: RunId::new(row.get::<_, String>(WIDTH + 2)?),
        sync: SyncId::new(row.get::<_, String>(WIDTH + 3)?),
        key: row.get::<_, Option<String>>(0)?.map(Key::new),
        row: row.get(WIDTH + 4)?,
        exchange: row.get(WIDTH + 5)?,
        call: reader.read(connection, row, 1)?,
    })
}
