//! One row: its story over all runs, found by the number of one of its statuses or by its key.

use coho_core::key::Key;
use rusqlite::{OptionalExtension as _, params};

use super::run::{NumberedRow, columns, numbered};
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::stored;
use crate::scope::{SyncScope, of_number};

/// Whose story it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowName {
    /// The sync and its workspace.
    pub scope: SyncScope,
    /// The row's key; absent where the row has none.
    pub key: Option<Key>,
}

impl Ledger {
    /// The row that a status with this number is of. Absent where the status was pruned, or never was.
    pub fn row_of_status(&self, number: i64) -> Result<Option<RowName>, LedgerError> {
        self.read("looking for a row", |connection| {
            let mut statement = connection.prepare_cached("SELECT scope, key FROM fates WHERE id = ?1")?;
            let found: Option<(i64, Option<String>)> =
                statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((scope, key)) = found else { return Ok(None) };
            Ok(of_number(connection, scope)?.map(|scope| RowName { scope, key: key.map(Key::new) }))
        })
    }

    /// What became of a key in all runs, the newest first.
    pub fn story(&self, scope: &SyncScope, key: &Key, most: usize) -> Result<Vec<NumberedRow>, LedgerError> {
        self.read("reading a row's history", |connection| {
            let sql = format!(
                "SELECT {} FROM fates INDEXED BY fates_by_key JOIN runs ON runs.id = fates.run
                 JOIN scopes ON scopes.id = scope WHERE scope = ?1 AND key = ?2 ORDER BY fates.id DESC LIMIT ?3",
                columns()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![scope.id, key.as_str(), stored(most)])?;
            let mut story = Vec::new();
            while let Some(row) = rows.next()? {
                story.push(numbered(row)?);
            }
            Ok::<_, Fault>(story)
        })
    }

    /// The newest status of each row with this key, in all syncs and workspaces.
    pub fn rows_with_key(&self, key: &Key, most: usize) -> Result<Vec<NumberedRow>, LedgerError> {
        self.read("looking for a key", |connection| {
            let sql = format!(
                "SELECT {} FROM scopes JOIN fates ON fates.id =
                   (SELECT max(id) FROM fates INDEXED BY fates_by_key WHERE scope = scopes.id AND key = ?1)
                 JOIN runs ON runs.id = fates.run ORDER BY fates.id DESC LIMIT ?2",
                columns()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![key.as_str(), stored(most)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(numbered(row)?);
            }
            Ok::<_, Fault>(found)
        })
    }

    /// One status, for a row without a key, whose story is that.
    pub fn status(&self, number: i64) -> Result<Option<NumberedRow>, LedgerError> {
        self.read("reading a status", |connection| {
            let sql = format!(
                "SELECT {} FROM fates JOIN runs ON runs.id = fates.run JOIN scopes ON scopes.id = scope
                 WHERE fates.id = ?1",
                columns()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([number])?;
            rows.next()?.map(numbered).transpose()
        })
    }
}
