//! Workspaces: what was learned of a tenant of Vitally besides its records: what calls cost, and its custom fields.
//!
//! References and the fingerprint stand in [`crate::reference`], the syncs of a workspace in [`crate::scope`].

use coho_core::object::Object;
use coho_core::time::Time;
use rusqlite::{OptionalExtension, params};

use crate::failure::LedgerError;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{micros, time};
use crate::scope::workspace_id;

/// What calls cost of the workspace's rate, in units of what Vitally's `RateLimit-Remaining` counts; absent where it was not
/// learned yet.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct CallPrice {
    /// A call that writes.
    pub write: Option<f64>,
    /// A call that reads.
    pub read: Option<f64>,
}

impl Ledger {
    /// What calls to a workspace cost, as far as it was learned.
    pub fn price(&self, workspace: &str) -> Result<CallPrice, LedgerError> {
        self.read("reading call costs", |connection| {
            let price = connection
                .query_row(
                    "SELECT write_price, read_price FROM workspaces WHERE name = ?1",
                    [workspace],
                    |row| Ok(CallPrice { write: row.get(0)?, read: row.get(1)? }),
                )
                .optional()?;
            Ok(price.unwrap_or_default())
        })
    }

    /// Remembers what calls to a workspace cost. What is absent, or no finite number, leaves what was remembered.
    pub fn keep_price(&self, lease: &Lease, workspace: &str, price: CallPrice) -> Result<(), LedgerError> {
        self.write_in(lease, "saving call costs", |connection| {
            let workspace = workspace_id(connection, workspace)?;
            let finite = |price: Option<f64>| price.filter(|price| price.is_finite());
            connection.execute(
                "UPDATE workspaces SET write_price = coalesce(?2, write_price), read_price = coalesce(?3, read_price)
                 WHERE id = ?1",
                params![workspace, finite(price.write), finite(price.read)],
            )?;
            Ok(())
        })
    }

    /// The custom fields of an object, with the time when they were fetched: Vitally's answer as JSON text.
    pub fn custom_fields(
        &self,
        workspace: &str,
        object: Object,
    ) -> Result<Option<(Time, String)>, LedgerError> {
        self.read("reading custom fields", |connection| {
            let found: Option<(i64, String)> = connection
                .query_row(
                    "SELECT fetched_at, body FROM traits JOIN workspaces ON workspaces.id = workspace
                     WHERE name = ?1 AND object = ?2",
                    params![workspace, object.name()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            found.map(|(at, body)| Ok((time(at)?, body))).transpose()
        })
    }

    /// Keeps the custom fields of an object as they were fetched now.
    pub fn keep_custom_fields(
        &self,
        lease: &Lease,
        workspace: &str,
        object: Object,
        body: &str,
        now: Time,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "saving custom fields", |connection| {
            let workspace = workspace_id(connection, workspace)?;
            connection.execute(
                "INSERT OR REPLACE INTO traits (workspace, object, fetched_at, body) VALUES (?1, ?2, ?3, masked(?4))",
                params![workspace, object.name(), micros(now), body],
            )?;
            Ok(())
        })
    }
}
