//! Keys whose rows left: what a plan asks of all of them in one join, who else holds their records among it.
//!
//! The plan's file has them in a table `gone`: `id`, in whose order they are given; `key` and `departure`, under which each is
//! decided; `source`, the departure that its memory is read from, since a record that its row leaves in this very plan is
//! still remembered as that row's own; `version`, that of the memory once it has moved, or null; and `mover`.

use coho_core::decide::Ownership;
use coho_core::key::Key;
use coho_core::row_state::RowState;
use coho_core::time::Time;
use rusqlite::{Connection, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, stored};
use crate::row_state::{Page, WIDTH, columns_of};
use crate::scope::SyncScope;

/// A key whose row left, or became another record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its number in the table.
    pub id: i64,
    /// The key.
    pub key: Key,
    /// What is remembered of it.
    pub row_state: RowState,
    /// When that changed last.
    pub updated: Time,
    /// Whether another sync of the workspace holds the record.
    pub ownership: Ownership,
    /// The plan's number of the write with which its row becomes another record.
    pub mover: Option<i64>,
}

impl Ledger {
    /// The next keys behind this number. The ledger must be lent to the connection, as [`Ledger::lend`] does.
    pub fn gone(
        &self,
        connection: &Connection,
        scope: &SyncScope,
        after: i64,
        most: usize,
    ) -> Result<Vec<Gone>, LedgerError> {
        read(connection, scope, after, most).map_err(|fault| fault.on(self.named(), "reading row states"))
    }
}

/// Whether another sync of the workspace holds a record: it delivered it or assumes it, and its row has not left; or it has an
/// open write of it. This says that it is the same record, and is looked up in this index.
fn claimed(index: &str, is_same: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM ledger.scopes JOIN ledger.memory AS other INDEXED BY {index} ON other.scope = scopes.id
           WHERE workspace = (SELECT workspace FROM ledger.scopes WHERE id = ?1) AND object = ?2 AND scopes.id <> ?1
             AND (other.standing IN ('delivered', 'assumed') OR (other.pending = 'open' AND other.verb = 'write'))
             AND {is_same})"
    )
}

fn read(connection: &Connection, scope: &SyncScope, after: i64, most: usize) -> Result<Vec<Gone>, Fault> {
    let sql = format!(
        "SELECT {columns}, gone.id, gone.departure, gone.serial, gone.mover,
           {by_target} OR (memory.vitally_id IS NOT NULL AND {by_id})
         FROM main.gone CROSS JOIN ledger.memory ON memory.scope = ?1 AND memory.key = gone.key AND memory.departure = gone.source
         WHERE gone.id > ?3 ORDER BY gone.id LIMIT ?4",
        columns = columns_of("memory"),
        by_target = claimed("memory_by_target", "other.target = memory.target"),
        by_id = claimed(
            "memory_by_vitally_id",
            "substr(other.vitally_id, -12) = substr(memory.vitally_id, -12) AND other.vitally_id = memory.vitally_id"
        ),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![scope.id, scope.object().name(), after, stored(most)])?;
    let (mut page, mut found) = (Page::default(), Vec::new());
    while let Some(row) = rows.next()? {
        page.push(row)?;
        let raw = page.at(found.len());
        let mut row_state = raw.decode()?;
        if let Some(version) = row.get::<_, Option<i64>>(WIDTH + 2)? {
            row_state.version = count(version);
        }
        let key = Key::departed(raw.whole_key().row(), row.get(WIDTH + 1)?, row_state.target.as_str());
        found.push(Gone {
            id: row.get(WIDTH)?,
            key,
            updated: raw.updated_at(),
            ownership: if row.get(WIDTH + 4)? { Ownership::Shared } else { Ownership::OursAlone },
            mover: row.get(WIDTH + 3)?,
            row_state,
        });
    }
    Ok(found)
}
