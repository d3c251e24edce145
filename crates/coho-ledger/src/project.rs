//! The project that a ledger belongs to. Two projects in one ledger would take each other's rows for rows that left.
//!
//! Who counts as the same project is decided by the engine, which knows the project's files.

use coho_core::time::Time;
use rusqlite::{OptionalExtension, params};

use crate::failure::LedgerError;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::micros;

/// A project, as it wrote to the ledger last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The machine that it was on.
    pub host: String,
    /// Its folder there.
    pub folder: String,
}

impl Ledger {
    /// The project that the ledger belongs to; none before a project wrote to it.
    pub fn owner(&self) -> Result<Option<Owner>, LedgerError> {
        self.read("reading the project", |connection| {
            let owner = connection
                .prepare_cached("SELECT name, id, host, folder FROM project")?
                .query_row([], |row| {
                    Ok(Owner { name: row.get(0)?, id: row.get(1)?, host: row.get(2)?, folder: row.get(3)? })
                })
                .optional()?;
            Ok(owner)
        })
    }

    /// Gives the ledger to a project.
    pub fn give_to(&self, lease: &Lease, owner: &Owner, now: Time) -> Result<(), LedgerError> {
        self.write_in(lease, "saving the project", |connection| {
            connection.execute(
                "INSERT INTO project (one, name, id, host, folder, since) VALUES (1, ?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET name = ?1, id = ?2, host = ?3, folder = ?4,
                   since = CASE WHEN name = ?1 AND id = ?2 THEN since ELSE ?5 END",
                params![owner.name, owner.id, owner.host, owner.folder, micros(now)],
            )?;
            Ok(())
        })
    }
}
