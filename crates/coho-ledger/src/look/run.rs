//! One run: its rows by sync and status, page by page. Rows that are found by what is in them: [`super::search`].

use coho_core::sync::SyncId;
use coho_core::verdict::RowStatus;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::failure::{Fault, LedgerError};
use crate::history::{RowRecord, record};
use crate::ledger::Ledger;
use crate::moment::{count, stored};
use crate::run::RunId;
use crate::shape::opened;

/// A row of a run, with the number by which pages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedRow {
    /// The number of its status.
    pub number: i64,
    /// The sync.
    pub sync: SyncId,
    /// Where it ended.
    pub record: RowRecord,
}

/// How many rows of a sync ended so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCount {
    /// The sync.
    pub sync: SyncId,
    /// Where they ended.
    pub status: RowStatus,
    /// The code of what went wrong.
    pub code: Option<String>,
    /// How many.
    pub rows: u64,
}

/// Which rows of a run are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RowQuery {
    /// Only those of this sync.
    pub sync: Option<SyncId>,
    /// Only those that ended so.
    pub status: Option<RowStatus>,
    /// Only those with this code.
    pub code: Option<String>,
    /// Only those that failed of the cause with this number.
    pub cause: Option<i64>,
    /// Only those with a smaller number: where an earlier page ended.
    pub before: Option<i64>,
}

/// Rows that were found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FoundRows {
    /// The rows, the newest first.
    pub rows: Vec<NumberedRow>,
    /// Where to go on, if there may be more.
    pub next: Option<i64>,
}

impl FoundRows {
    /// The first ones of these rows, of which there is one more where there are more.
    pub(super) fn first(mut rows: Vec<NumberedRow>, most: usize) -> Self {
        let is_whole = rows.len() <= most;
        rows.truncate(most);
        let next = rows.last().map(|row| row.number).filter(|_| !is_whole);
        Self { rows, next }
    }
}

impl Ledger {
    /// The rows of a run by sync, status and code.
    pub fn statuses_of_run(&self, run: &RunId) -> Result<Vec<StatusCount>, LedgerError> {
        self.read("counting rows", |connection| statuses(connection, run))
    }

    /// The rows of a run that are wanted, the newest first.
    pub fn rows_of_run(&self, run: &RunId, wanted: &RowQuery, most: usize) -> Result<FoundRows, LedgerError> {
        self.read("reading the rows of a run", |connection| {
            let Some(id) = number(connection, run)? else { return Ok(FoundRows::default()) };
            let parts = parts(connection, id, wanted)?;
            listed(connection, id, wanted, &parts, most)
        })
    }
}

pub(super) fn number(connection: &Connection, run: &RunId) -> Result<Option<i64>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM runs WHERE run = ?1")?;
    Ok(statement.query_row([run.as_str()], |row| row.get(0)).optional()?)
}

fn statuses(connection: &Connection, run: &RunId) -> Result<Vec<StatusCount>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT sync, fate, code, count(*) FROM fates INDEXED BY fates_by_run JOIN scopes ON scopes.id = scope
         WHERE run = (SELECT id FROM runs WHERE run = ?1) GROUP BY scope, fate, code ORDER BY scope, fate, code",
    )?;
    let mut rows = statement.query([run.as_str()])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        counts.push(counted(row)?);
    }
    Ok(counts)
}

/// Sync, status, code, number.
pub(super) fn counted(row: &rusqlite::Row<'_>) -> Result<StatusCount, Fault> {
    Ok(StatusCount {
        sync: SyncId::new(row.get::<_, String>(0)?),
        status: RowStatus::parse(&row.get::<_, String>(1)?).ok_or_else(wrong)?,
        code: row.get(2)?,
        rows: count(row.get(3)?),
    })
}

/// A part of a run whose rows lie side by side in the index, in the order of their numbers.
struct Part {
    scope: i64,
    status: String,
}

/// The parts that a question concerns. They are few: syncs times statuses.
fn parts(connection: &Connection, run: i64, wanted: &RowQuery) -> Result<Vec<Part>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT scope, sync FROM run_syncs JOIN scopes ON scopes.id = scope WHERE run = ?1 ORDER BY scope",
    )?;
    let scopes: Vec<(i64, String)> =
        statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let of_sync = |sync: &str| wanted.sync.as_ref().is_none_or(|wanted| wanted.as_str() == sync);
    let of_status = |status: &RowStatus| wanted.status.is_none_or(|wanted| wanted == *status);
    let mut parts = Vec::new();
    for (scope, _) in scopes.iter().filter(|(_, sync)| of_sync(sync)) {
        let statuses = RowStatus::ALL.into_iter().filter(of_status);
        parts.extend(statuses.map(|status| Part { scope: *scope, status: status.as_str().to_owned() }));
    }
    Ok(parts)
}

/// What is read of a row. The columns of [`record`] come first.
pub(super) fn columns() -> String {
    format!(
        "runs.run, key, op_type, fate, reason, code, message, {}, at, fields_zlib, fates.id, sync",
        opened("fates.fields")
    )
}

fn listed(
    connection: &Connection,
    run: i64,
    wanted: &RowQuery,
    parts: &[Part],
    most: usize,
) -> Result<FoundRows, Fault> {
    let mut found = Vec::new();
    for part in parts {
        found.extend(part_rows(connection, run, part, wanted, stored(most) + 1)?);
    }
    found.sort_unstable_by_key(|row| std::cmp::Reverse(row.number));
    Ok(FoundRows::first(found, most))
}

fn part_rows(
    connection: &Connection,
    run: i64,
    part: &Part,
    wanted: &RowQuery,
    most: i64,
) -> Result<Vec<NumberedRow>, Fault> {
    let sql = format!(
        "SELECT {} FROM fates INDEXED BY fates_by_run JOIN runs ON runs.id = fates.run JOIN scopes ON scopes.id = scope
         WHERE fates.run = ?1 AND scope = ?2 AND fate = ?3 AND fates.id < ?4 AND (?5 IS NULL OR code = ?5)
           AND (?7 IS NULL OR cause = ?7)
         ORDER BY fates.id DESC LIMIT ?6",
        columns()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = wanted.before.unwrap_or(i64::MAX);
    let mut rows =
        statement.query(params![run, part.scope, part.status, before, wanted.code, most, wanted.cause])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(numbered(row)?);
    }
    Ok(found)
}

pub(super) fn numbered(row: &rusqlite::Row<'_>) -> Result<NumberedRow, Fault> {
    Ok(NumberedRow {
        number: row.get(10)?,
        sync: SyncId::new(row.get::<_, String>(11)?),
        record: record(row)?,
    })
}

fn wrong() -> Fault {
    Fault::damaged("a row has a status that Coho never writes")
}
