//! History: rows by fate, the request log, and how long both are kept.

use coho_core::code::Code;
use coho_core::fields::Difference;
use coho_core::json;
use coho_core::key::Key;
use coho_core::memory::Time;
use coho_core::path::FieldPath;
use coho_core::value::Value;
use coho_core::verdict::{Call, Fate};
use rusqlite::{Connection, Row, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::run::RunId;
use crate::scope::Scope;
use crate::settle::{OpType, RowFate};

/// Fates that are deleted in one transaction, so that no other writer waits long.
const FATES_AT_ONCE: i64 = 20_000;

/// Calls that are deleted in one transaction: each may have been made for a hundred rows.
const CALLS_AT_ONCE: i64 = 2_000;

/// Which rows are asked for; all of them by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RowFilter {
    /// Only those that ended so.
    pub fate: Option<Fate>,
    /// Only this key.
    pub key: Option<Key>,
    /// Only those of this run.
    pub run: Option<RunId>,
}

/// Where a row ended, and in which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRecord {
    /// The run.
    pub run: RunId,
    /// Where it ended, and why.
    pub fate: RowFate,
}

/// What was pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Fates.
    pub fates: u64,
    /// Calls.
    pub calls: u64,
}

const CALLS_OF_RUN: &str = "\
    SELECT key, at, micros, method, path, request, status, response FROM calls \
    WHERE run = (SELECT id FROM runs WHERE run = ?1) AND scope = ?2 AND ?3 IS NULL ORDER BY id LIMIT ?4";

/// A plus keeps SQLite from reading all calls of the run: a key has only a few.
const CALLS_OF_KEY: &str = "\
    SELECT coalesce(key, ?3), at, micros, method, path, request, status, response FROM calls \
    WHERE +run = (SELECT id FROM runs WHERE run = ?1) AND +scope = ?2 AND id IN ( \
       SELECT id FROM calls WHERE run = (SELECT id FROM runs WHERE run = ?1) AND scope = ?2 AND key = ?3 \
       UNION ALL SELECT call FROM call_keys WHERE key = ?3) \
    ORDER BY id LIMIT ?4";

impl Ledger {
    /// Rows by fate, the newest first.
    pub fn rows(
        &self,
        scope: &Scope,
        filter: &RowFilter,
        limit: usize,
    ) -> Result<Vec<RowRecord>, LedgerError> {
        self.read("reading rows", |connection| rows(connection, scope, filter, limit))
    }

    /// Rows as they are now: those of this run, and those whose fate has stood since an earlier one, the newest first.
    pub fn rows_now(
        &self,
        scope: &Scope,
        newest: Option<&RunId>,
        fate: Option<Fate>,
        limit: usize,
    ) -> Result<Vec<RowRecord>, LedgerError> {
        let of_run = RowFilter { fate, key: None, run: newest.cloned() };
        self.read("reading rows", |connection| {
            let mut records = match newest {
                Some(_) => rows(connection, scope, &of_run, limit)?,
                None => Vec::new(),
            };
            records.extend(standing(connection, scope, &of_run, limit - records.len())?);
            Ok(records)
        })
    }

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
            let mut statement =
                connection.prepare_cached(if key.is_some() { CALLS_OF_KEY } else { CALLS_OF_RUN })?;
            let mut rows =
                statement.query(params![run.as_str(), scope.id, key.map(Key::as_str), stored(limit)])?;
            let mut calls = Vec::new();
            while let Some(row) = rows.next()? {
                calls.push((row.get::<_, Option<String>>(0)?.map(Key::new), call(row)?));
            }
            Ok(calls)
        })
    }

    /// Deletes fates and calls of runs that began before this moment. Runs with their counts, and memory, stay, and so do
    /// fates that still stand.
    pub fn prune(&self, lease: &Lease, before: Time) -> Result<Pruned, LedgerError> {
        let fates = self.prune_table(lease, "fates", "AND standing = 0", FATES_AT_ONCE, before)?;
        Ok(Pruned { fates, calls: self.prune_table(lease, "calls", "", CALLS_AT_ONCE, before)? })
    }

    fn prune_table(
        &self,
        lease: &Lease,
        table: &str,
        which: &str,
        at_once: i64,
        before: Time,
    ) -> Result<u64, LedgerError> {
        let sql = format!(
            "DELETE FROM {table} WHERE id IN (SELECT {table}.id FROM {table} JOIN runs ON runs.id = {table}.run
             WHERE runs.started_at < ?1 {which} LIMIT {at_once})"
        );
        let mut pruned = 0;
        loop {
            let gone = self.write_in(lease, "pruning", |connection| {
                Ok(stored(connection.prepare_cached(&sql)?.execute([micros(before)])?))
            })?;
            pruned += count(gone);
            if gone < at_once {
                return Ok(pruned);
            }
        }
    }
}

fn rows(
    connection: &Connection,
    scope: &Scope,
    filter: &RowFilter,
    limit: usize,
) -> Result<Vec<RowRecord>, Fault> {
    // The statement depends on what is asked for, so that an index serves each form: by key, or run by run from the
    // newest, which ends at the limit.
    let (by_key, from) = match filter.key {
        Some(_) => ("key = ?3", "fates INDEXED BY fates_by_key JOIN runs ON runs.id = fates.run"),
        None => ("?3 IS NULL", "runs CROSS JOIN fates INDEXED BY fates_by_run ON fates.run = runs.id"),
    };
    let by_fate = if filter.fate.is_some() { "fate = ?2" } else { "?2 IS NULL" };
    let by_run = if filter.run.is_some() { "runs.run = ?4" } else { "?4 IS NULL" };
    let sql = format!(
        "SELECT runs.run, key, op_type, fate, reason, code, message, fields, at FROM {from}
         WHERE scope = ?1 AND {by_fate} AND {by_key} AND {by_run} ORDER BY runs.id DESC, fates.id DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        scope.id,
        filter.fate.map(Fate::as_str),
        filter.key.as_ref().map(Key::as_str),
        filter.run.as_ref().map(RunId::as_str),
        stored(limit),
    ])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

/// The rows of other runs than the filter's whose fate stands.
fn standing(
    connection: &Connection,
    scope: &Scope,
    filter: &RowFilter,
    limit: usize,
) -> Result<Vec<RowRecord>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT runs.run, key, op_type, fate, reason, code, message, fields, at
         FROM fates INDEXED BY fates_standing JOIN runs ON runs.id = fates.run
         WHERE standing = 1 AND scope = ?1 AND (?2 IS NULL OR fate = ?2) AND runs.run IS NOT ?3
         ORDER BY runs.id DESC, fates.id DESC LIMIT ?4",
    )?;
    let mut rows = statement.query(params![
        scope.id,
        filter.fate.map(Fate::as_str),
        filter.run.as_ref().map(RunId::as_str),
        stored(limit),
    ])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

pub(crate) fn record(row: &Row<'_>) -> Result<RowRecord, Fault> {
    let text = |column| row.get::<_, Option<String>>(column);
    let fate = RowFate {
        key: text(1)?.map(Key::new),
        op_type: text(2)?.and_then(|text| OpType::parse(&text)),
        fate: Fate::parse(&row.get::<_, String>(3)?).ok_or_else(wrong)?,
        reason: row.get(4)?,
        code: text(5)?.and_then(|text| Code::parse(&text)),
        message: row.get(6)?,
        changes: changes(&row.get::<_, String>(7)?)?,
        at: time(row.get(8)?)?,
    };
    Ok(RowRecord { run: RunId::new(row.get::<_, String>(0)?), fate })
}

fn changes(text: &str) -> Result<Vec<Difference>, Fault> {
    let Value::Object(members) = json::parse(text).map_err(|_| wrong())? else { return Err(wrong()) };
    members
        .into_iter()
        .map(|(path, change)| {
            Ok(Difference {
                path: FieldPath::new(&path),
                before: change.get("before").cloned(),
                after: change.get("after").cloned().ok_or_else(wrong)?,
            })
        })
        .collect()
}

fn wrong() -> Fault {
    Fault::damaged("a fate holds what Coho never writes")
}

pub(crate) fn call(row: &Row<'_>) -> Result<Call, Fault> {
    let method = row.get::<_, String>(3)?;
    Ok(Call {
        at: time(row.get(1)?)?,
        micros: count(row.get(2)?),
        method: ["GET", "POST", "PUT", "DELETE"].into_iter().find(|name| *name == method).unwrap_or("?"),
        path: row.get(4)?,
        request: row.get(5)?,
        status: row.get(6)?,
        response: row.get(7)?,
    })
}
