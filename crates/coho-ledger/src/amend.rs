//! Amending memory on purpose: forgetting, and trying again now.

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::time::Time;
use rusqlite::params;

use crate::failure::LedgerError;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored};
use crate::scope::SyncScope;

/// Memory could not be amended.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There are open intents.
    #[error("{0} of these keys have an open intent: their writes may have arrived")]
    Open(u64),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AmendError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Open(_) => Code::LEDGER_FAILED,
            Self::Ledger(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Open(_) => Some("run the sync first: it looks what became of them"),
            Self::Ledger(error) => error.help(),
        }
    }
}

impl Ledger {
    /// Forgets one key, or all of a scope, whose sync then runs as for the first time; nothing, where one of them has an open
    /// intent. Returns how many.
    pub fn forget(&self, lease: &Lease, scope: &SyncScope, key: Option<&Key>) -> Result<u64, AmendError> {
        self.write_in(lease, "forgetting", |connection| {
            let (filter, key) = of_key(key);
            let open_now: i64 = connection.query_row(
                &format!("SELECT count(*) FROM memory WHERE scope = ?1 AND {filter} AND pending = 'open'"),
                params![scope.id, key],
                |row| row.get(0),
            )?;
            if open_now > 0 {
                return Ok(Err(AmendError::Open(count(open_now))));
            }
            if key.is_none() {
                connection.execute("UPDATE scopes SET first_run_at = NULL WHERE id = ?1", [scope.id])?;
            }
            let sql = format!("DELETE FROM memory WHERE scope = ?1 AND {filter}");
            Ok(Ok(count(stored(connection.execute(&sql, params![scope.id, key])?))))
        })?
    }

    /// Makes what waits due now: one key, or all of a scope. Returns how many.
    pub fn retry(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        key: Option<&Key>,
        now: Time,
    ) -> Result<u64, LedgerError> {
        self.write_in(lease, "making rows due", |connection| {
            let (filter, key) = of_key(key);
            let sql = format!(
                "UPDATE memory SET due = 'at', due_at = ?3, updated_at = ?3, serial = serial + 1
                 WHERE scope = ?1 AND {filter} AND pending = 'waiting'"
            );
            Ok(count(stored(connection.execute(&sql, params![scope.id, key, micros(now)])?)))
        })
    }
}

/// A key as a person types it: a row's, or what is shown of a record that a row left.
fn of_key(key: Option<&Key>) -> (&'static str, Option<&str>) {
    match key {
        Some(key) => (
            "((key = ?2 AND departure = 0) OR (departure > 0 AND key || ' (was ' || target || ')' = ?2))",
            Some(key.as_str()),
        ),
        None => ("?2 IS NULL", None),
    }
}
