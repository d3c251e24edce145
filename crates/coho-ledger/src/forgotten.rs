//! What was forgotten on purpose, and who asked for it: it explains why rows are new that were delivered before.

use coho_core::key::Key;
use coho_core::started::{Started, StartedBy};
use coho_core::time::Time;
use rusqlite::{Connection, Row, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::scope::SyncScope;

/// Something that was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// When.
    pub at: Time,
    /// The row's key; absent where all rows of the sync were forgotten.
    pub key: Option<Key>,
    /// How many rows were remembered until then.
    pub rows: u64,
    /// Where it was asked for: by a command, or on a page.
    pub by: Option<StartedBy>,
    /// Who asked.
    pub user: Option<String>,
    /// The machine.
    pub host: Option<String>,
}

/// Writes down that something was forgotten.
pub(crate) fn record(
    connection: &Connection,
    scope: &SyncScope,
    key: Option<&Key>,
    rows: u64,
    asked: &Started,
    now: Time,
) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO forgotten (at, scope, key, rows, asked_by, user, host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            micros(now),
            scope.id,
            key.map(Key::as_str),
            i64::try_from(rows).unwrap_or(i64::MAX),
            asked.by.map(StartedBy::as_str),
            asked.user,
            asked.host
        ],
    )?;
    Ok(())
}

impl Ledger {
    /// What was forgotten of a sync, the newest first; of a row, that and what was forgotten with all rows.
    pub fn forgotten(
        &self,
        scope: &SyncScope,
        key: Option<&Key>,
        most: usize,
    ) -> Result<Vec<Forgotten>, LedgerError> {
        self.read("reading forgotten rows", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT at, key, rows, asked_by, user, host FROM forgotten
                 WHERE scope = ?1 AND (?2 IS NULL OR key IS NULL OR key = ?2) ORDER BY id DESC LIMIT ?3",
            )?;
            let mut rows = statement.query(params![scope.id, key.map(Key::as_str), stored(most)])?;
            let mut forgotten = Vec::new();
            while let Some(row) = rows.next()? {
                forgotten.push(read(row)?);
            }
            Ok(forgotten)
        })
    }
}

fn read(row: &Row<'_>) -> Result<Forgotten, Fault> {
    Ok(Forgotten {
        at: time(row.get(0)?)?,
        key: row.get::<_, Option<String>>(1)?.map(Key::new),
        rows: count(row.get(2)?),
        by: row.get::<_, Option<String>>(3)?.and_then(|text| StartedBy::parse(&text)),
        user: row.get(4)?,
        host: row.get(5)?,
    })
}
