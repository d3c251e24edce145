//! History: rows by status. Calls and causes are read in [`crate::look`]; how long all of it is kept stands in
//! [`crate::retention`].

use coho_core::code::Code;
use coho_core::fields::Difference;
use coho_core::json;
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::RowStatus;
use rusqlite::{Connection, Row, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{micros, stored, time};
use crate::pack::unpacked;
use crate::run::RunId;
use crate::scope::SyncScope;
use crate::settle::{OpType, RowResult};
use crate::shape::opened;

/// Which rows are asked for; all of them by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RowFilter {
    /// Only those that ended so.
    pub status: Option<RowStatus>,
    /// Only this key.
    pub key: Option<Key>,
    /// Only those of this run.
    pub run: Option<RunId>,
    /// Only those that were written down since then.
    pub since: Option<Time>,
    /// Only those that failed with this code.
    pub code: Option<Code>,
    /// Only those that no later run healed.
    pub still_failing: bool,
}

/// Where a row ended, and in which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRecord {
    /// The run.
    pub run: RunId,
    /// Where it ended, and why.
    pub status: RowResult,
}

impl Ledger {
    /// Rows by status, the newest first.
    pub fn rows(
        &self,
        scope: &SyncScope,
        filter: &RowFilter,
        limit: usize,
    ) -> Result<Vec<RowRecord>, LedgerError> {
        self.read("reading rows", |connection| rows(connection, scope, filter, limit))
    }

    /// Rows as they are now: those of this run, and those whose status has stood since an earlier one, the newest first.
    pub fn rows_now(
        &self,
        scope: &SyncScope,
        newest: Option<&RunId>,
        status: Option<RowStatus>,
        limit: usize,
    ) -> Result<Vec<RowRecord>, LedgerError> {
        let of_run = RowFilter { status, run: newest.cloned(), ..RowFilter::default() };
        self.read("reading rows", |connection| {
            let mut records = match newest {
                Some(_) => rows(connection, scope, &of_run, limit)?,
                None => Vec::new(),
            };
            records.extend(standing(connection, scope, &of_run, limit - records.len())?);
            Ok(records)
        })
    }
}

fn rows(
    connection: &Connection,
    scope: &SyncScope,
    filter: &RowFilter,
    limit: usize,
) -> Result<Vec<RowRecord>, Fault> {
    let sql = format!(
        "SELECT runs.run, key, op_type, fate, reason, fates.code, fates.message, {}, at, fields_zlib FROM {}
         WHERE fates.scope = ?1 AND {} ORDER BY runs.id DESC, fates.id DESC LIMIT ?5",
        opened("fates.fields"),
        source(filter),
        conditions(filter)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        scope.id,
        filter.status.map(RowStatus::as_str),
        filter.key.as_ref().map(Key::as_str),
        filter.run.as_ref().map(RunId::as_str),
        stored(limit),
        filter.since.map(micros),
        filter.code.map(Code::as_str),
    ])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

/// From where rows are read: the statement depends on what is asked for, so that an index serves each form. By key, by what
/// stands, by cause, or run by run from the newest, which ends at the limit.
fn source(filter: &RowFilter) -> &'static str {
    let RowFilter { key, still_failing, code, .. } = filter;
    match (key, still_failing, code) {
        (Some(_), ..) => "fates INDEXED BY fates_by_key JOIN runs ON runs.id = fates.run",
        (None, true, _) => "fates INDEXED BY fates_standing JOIN runs ON runs.id = fates.run",
        (None, false, Some(_)) => {
            "causes CROSS JOIN fates INDEXED BY fates_failed ON fates.cause = causes.id JOIN runs ON runs.id = fates.run"
        }
        (None, false, None) => "runs CROSS JOIN fates INDEXED BY fates_by_run ON fates.run = runs.id",
    }
}

fn conditions(filter: &RowFilter) -> String {
    let RowFilter { status, key, run, since, code, still_failing } = filter;
    let by_cause = key.is_none() && !still_failing;
    let either = |is_asked: bool, asked: &'static str, not: &'static str| if is_asked { asked } else { not };
    [
        either(status.is_some(), "fate = ?2", "?2 IS NULL"),
        either(key.is_some(), "key = ?3", "?3 IS NULL"),
        either(run.is_some(), "runs.run = ?4", "?4 IS NULL"),
        // A run that began before may have written something down after.
        either(
            since.is_some(),
            "at >= ?6 AND runs.id >= coalesce((SELECT id FROM runs WHERE started_at < ?6 ORDER BY started_at DESC LIMIT 1), 0)",
            "?6 IS NULL",
        ),
        match code {
            None => "?7 IS NULL",
            Some(_) if by_cause => "causes.scope = ?1 AND causes.code = ?7 AND fates.cause IS NOT NULL",
            Some(_) => "fates.code = ?7",
        },
        either(*still_failing, "standing = 1", "TRUE"),
    ]
    .join(" AND ")
}

/// The rows of other runs than the filter's whose status stands.
fn standing(
    connection: &Connection,
    scope: &SyncScope,
    filter: &RowFilter,
    limit: usize,
) -> Result<Vec<RowRecord>, Fault> {
    let sql = format!(
        "SELECT runs.run, key, op_type, fate, reason, code, message, {}, at, fields_zlib
         FROM fates INDEXED BY fates_standing JOIN runs ON runs.id = fates.run
         WHERE standing = 1 AND scope = ?1 AND (?2 IS NULL OR fate = ?2) AND runs.run IS NOT ?3
         ORDER BY runs.id DESC, fates.id DESC LIMIT ?4",
        opened("fates.fields")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        scope.id,
        filter.status.map(RowStatus::as_str),
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
    let fields = unpacked(text(7)?, row.get::<_, Option<Vec<u8>>>(9)?.as_deref())?;
    let status = RowResult {
        key: text(1)?.map(Key::new),
        op_type: text(2)?.and_then(|text| OpType::parse(&text)),
        status: RowStatus::parse(&row.get::<_, String>(3)?).ok_or_else(wrong)?,
        reason: row.get(4)?,
        code: text(5)?.and_then(|text| Code::parse(&text)),
        message: row.get(6)?,
        changes: changes(&fields.ok_or_else(wrong)?)?,
        at: time(row.get(8)?)?,
    };
    Ok(RowRecord { run: RunId::new(row.get::<_, String>(0)?), status })
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
    Fault::damaged("a row's status holds a value that Coho never writes")
}
