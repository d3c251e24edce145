//! Rows that are found by what is in them: key, message or values, from the newest back, as far as patience reaches.
//!
//! There is no index over texts: it would be as large as what it finds. So rows are looked at in stretches, and whoever asks
//! is told how far back that went.

use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Patience;
use super::run::{FoundRows, NumberedRow, RowQuery, StatusCount, columns, counted, number, numbered};
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{stored, time};
use crate::run::RunId;
use crate::shape::opened;

/// So many rows are looked at between two questions to [`Patience`].
const AT_ONCE: i64 = 2_000;

/// The most characters of a searched text.
const LONGEST: usize = 1_000;

/// Rows in which a text was found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Matches {
    /// The rows, the newest first.
    pub rows: Vec<NumberedRow>,
    /// Where to go on, if there may be more.
    pub next: Option<i64>,
    /// How far back was looked, where patience was over before enough were found.
    pub back_to: Option<Time>,
}

impl Ledger {
    /// The rows of a run, or of all runs, that are wanted and in whose key, message or values this text stands; small and
    /// capital letters without accents are the same.
    pub fn search_rows(
        &self,
        run: Option<&RunId>,
        wanted: &RowQuery,
        text: &str,
        most: usize,
        patience: &Patience,
    ) -> Result<Matches, LedgerError> {
        self.read("searching rows", |connection| {
            let Some(place) = place(connection, run)? else { return Ok(Matches::default()) };
            let text = text.chars().take(LONGEST).collect::<String>().to_ascii_lowercase();
            searched(connection, &place, wanted, &text, most, patience)
        })
    }
}

impl Ledger {
    /// How many rows wait for somebody now, by sync, status and code.
    pub fn standing_counts(&self) -> Result<Vec<StatusCount>, LedgerError> {
        self.read("counting waiting rows", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sync, fate, code, count(*) FROM fates INDEXED BY fates_standing
                 JOIN scopes ON scopes.id = scope WHERE standing = 1 GROUP BY scope, fate, code ORDER BY sync, fate, code",
            )?;
            let mut rows = statement.query([])?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                counts.push(counted(row)?);
            }
            Ok(counts)
        })
    }

    /// The rows that wait for somebody now and are wanted, the newest first.
    pub fn standing_rows(&self, wanted: &RowQuery, most: usize) -> Result<FoundRows, LedgerError> {
        self.read("reading waiting rows", |connection| {
            let sql = format!(
                "SELECT {} FROM fates INDEXED BY fates_standing JOIN runs ON runs.id = fates.run
                 JOIN scopes ON scopes.id = scope
                 WHERE standing = 1 AND fates.id < ?1 AND (?2 IS NULL OR sync = ?2) AND (?3 IS NULL OR fate = ?3)
                   AND (?4 IS NULL OR code = ?4) AND (?6 IS NULL OR cause = ?6)
                 ORDER BY fates.id DESC LIMIT ?5",
                columns()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let before = wanted.before.unwrap_or(i64::MAX);
            let sync = wanted.sync.as_ref().map(SyncId::as_str);
            let status = wanted.status.map(RowStatus::as_str);
            let mut rows = statement.query(params![before, sync, status, wanted.code, stored(most) + 1, wanted.cause])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(numbered(row)?);
            }
            Ok(FoundRows::first(found, most))
        })
    }
}

/// Where is searched: the numbers of the first and the last row, and the run.
struct Place {
    run: Option<i64>,
    first: i64,
    last: i64,
}

fn place(connection: &Connection, run: Option<&RunId>) -> Result<Option<Place>, Fault> {
    let run = match run {
        None => None,
        Some(run) => match number(connection, run)? {
            None => return Ok(None),
            found => found,
        },
    };
    let from = match run {
        Some(_) => "fates INDEXED BY fates_by_run WHERE run = ?1",
        None => "fates WHERE ?1 IS NULL",
    };
    // One run writes at a time, so that few rows of others lie between the first and the last of a run.
    let sql = format!("SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM {from}");
    let mut statement = connection.prepare_cached(&sql)?;
    let (first, last) = statement.query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(Place { run, first, last }))
}

fn searched(
    connection: &Connection,
    place: &Place,
    wanted: &RowQuery,
    text: &str,
    most: usize,
    patience: &Patience,
) -> Result<Matches, Fault> {
    let mut before = wanted.before.unwrap_or(i64::MAX).min(place.last.saturating_add(1));
    let mut rows = Vec::new();
    while before > place.first {
        let from = before.saturating_sub(AT_ONCE).max(place.first);
        rows.extend(stretch(connection, place.run, wanted, text, from, before)?);
        if rows.len() > most {
            rows.truncate(most);
            let next = rows.last().map(|row: &NumberedRow| row.number);
            return Ok(Matches { rows, next, back_to: None });
        }
        before = from;
        if before > place.first && patience.is_over() {
            return Ok(Matches { rows, next: Some(before), back_to: moment(connection, before)? });
        }
    }
    Ok(Matches { rows, next: None, back_to: None })
}

fn stretch(
    connection: &Connection,
    run: Option<i64>,
    wanted: &RowQuery,
    text: &str,
    from: i64,
    before: i64,
) -> Result<Vec<NumberedRow>, Fault> {
    let sql = format!(
        "SELECT {} FROM fates NOT INDEXED JOIN runs ON runs.id = fates.run JOIN scopes ON scopes.id = scope
         WHERE fates.id >= ?1 AND fates.id < ?2 AND (?3 IS NULL OR fates.run = ?3)
           AND (?4 IS NULL OR sync = ?4) AND (?5 IS NULL OR fate = ?5) AND (?6 IS NULL OR code = ?6)
           AND (?8 IS NULL OR cause = ?8)
           AND (instr(lower(coalesce(key, '')), ?7) OR instr(lower(coalesce(message, '')), ?7)
             OR instr(lower(unpacked({}, fields_zlib)), ?7))
         ORDER BY fates.id DESC",
        columns(),
        opened("fates.fields")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let sync = wanted.sync.as_ref().map(SyncId::as_str);
    let status = wanted.status.map(RowStatus::as_str);
    let mut rows =
        statement.query(params![from, before, run, sync, status, wanted.code, text, wanted.cause])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(numbered(row)?);
    }
    Ok(found)
}

/// When the first row from this number on was written down.
fn moment(connection: &Connection, from: i64) -> Result<Option<Time>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT at FROM fates WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let at: Option<i64> = statement.query_row([from], |row| row.get(0)).optional()?;
    at.map(time).transpose()
}
