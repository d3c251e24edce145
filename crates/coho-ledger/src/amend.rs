//! Amending memory on purpose: forgetting, trying again now, and splitting a key whose target changed.

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::memory::{Memory, Pending, Standing, Time};
use coho_core::target::ExternalId;
use rusqlite::{Connection, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::memory::{load, store};
use crate::moment::{count, micros, stored};
use crate::scope::Scope;

/// What happens to open intents when memory is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenIntents {
    /// Nothing is forgotten if there is one.
    Refuse,
    /// They are forgotten too: their writes may have arrived, and nobody will look.
    Forget,
}

/// Memory could not be amended.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There are open intents.
    #[error("{0} of these keys have an open intent: their writes may have arrived")]
    Open(u64),
    /// The key to which an old memory was to move remembers a record of its own.
    #[error("the memory of another record is in the way")]
    Taken,
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AmendError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Open(_) | Self::Taken => Code::LEDGER_FAILED,
            Self::Ledger(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Open(_) => Some("run the sync first: it looks what became of them"),
            Self::Taken => Some("run the sync: it removes or releases the record of that memory"),
            Self::Ledger(error) => error.help(),
        }
    }
}

impl Ledger {
    /// Forgets one key, or all of a scope, whose sync then runs as for the first time. Returns how many.
    pub fn forget(
        &self,
        lease: &Lease,
        scope: &Scope,
        key: Option<&Key>,
        open: OpenIntents,
    ) -> Result<u64, AmendError> {
        self.write_in(lease, "forgetting", |connection| {
            let (filter, key) = of_key(key);
            let open_now: i64 = connection.query_row(
                &format!("SELECT count(*) FROM memory WHERE scope = ?1 AND {filter} AND pending = 'open'"),
                params![scope.id, key],
                |row| row.get(0),
            )?;
            if open_now > 0 && open == OpenIntents::Refuse {
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
        scope: &Scope,
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

    /// A key whose target changed: its memory moves to `orphan`, which has no row and so meets the removal policy, and the
    /// key itself starts anew with the new target. One transaction; a key without memory is left as it is.
    pub fn split(
        &self,
        lease: &Lease,
        scope: &Scope,
        key: &Key,
        orphan: &Key,
        target: &ExternalId,
        now: Time,
    ) -> Result<(), AmendError> {
        self.write_in(lease, "splitting a key", |connection| {
            let Some(memory) = load(connection, scope, key)? else { return Ok(Ok(())) };
            if is_taken(connection, scope, orphan, &memory.target)? {
                return Ok(Err(AmendError::Taken));
            }
            store::store(connection, scope, orphan, Some(&memory), now)?;
            let anew = Memory {
                target: target.clone(),
                standing: Standing::Never,
                pending: Pending::None,
                seen: None,
                serial: memory.serial,
            };
            store::store(connection, scope, key, Some(&anew), now)?;
            Ok(Ok(()))
        })?
    }
}

/// Whether the key remembers another record than this one, which it holds or may come to hold. What it remembers of this
/// very record is older than what moves in.
fn is_taken(connection: &Connection, scope: &Scope, key: &Key, target: &ExternalId) -> Result<bool, Fault> {
    let Some(memory) = load(connection, scope, key)? else { return Ok(false) };
    let open = matches!(memory.pending, Pending::Open { .. });
    let holds = open || !matches!(memory.standing, Standing::Never | Standing::Removed { .. });
    Ok(holds && memory.target != *target)
}

fn of_key(key: Option<&Key>) -> (&'static str, Option<&str>) {
    match key {
        Some(key) => ("key = ?2", Some(key.as_str())),
        None => ("?2 IS NULL", None),
    }
}
