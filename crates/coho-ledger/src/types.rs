//! What the columns of files were taken for. A file tells no types: so one that was inferred is kept, and an odd value in a
//! later file is that row's problem, not the column's.

use std::collections::BTreeMap;

use coho_core::time::Time;
use rusqlite::params;

use crate::failure::LedgerError;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::micros;

impl Ledger {
    /// The types that the columns of a model were taken for, by the columns' names.
    pub fn inferred_types(&self, model: &str) -> Result<BTreeMap<String, String>, LedgerError> {
        self.read("reading inferred types", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT column_name, type FROM column_types WHERE model = ?1")?;
            let types = statement.query_map([model], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(types.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Remembers what columns of a model are taken for from now on. Other columns keep their types.
    pub fn remember_types(
        &self,
        lease: &Lease,
        model: &str,
        types: &BTreeMap<String, String>,
        now: Time,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "saving inferred types", |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO column_types (model, column_name, type, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET type = ?3, since = CASE WHEN type = ?3 THEN since ELSE ?4 END",
            )?;
            for (column, kind) in types {
                statement.execute(params![model, column, kind, micros(now)])?;
            }
            Ok(())
        })
    }
}
