//! Memory: what is stored of a key, one by one and all in order.
//!
//! How a memory is written stands in `store`, how it is read in `page`, how all are streamed in `cursor`. By its record it
//! is found in [`crate::identity`].

mod page;
pub(crate) mod store;
mod cursor;

use coho_core::key::Key;
use coho_core::memory::{Memory, Seen, Time};
use rusqlite::{Connection, params};

pub use self::cursor::{Memories, MemoryRow};
pub(crate) use self::page::{COLUMNS, Page, WIDTH};
pub use self::store::sent as sent_text;
use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros};
use crate::scope::Scope;

/// How many memories of each kind there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(
    missing_docs,
    reason = "each member is the number of memories of the standing, or the pending state, of its name"
)]
pub struct Standings {
    pub never: u64,
    pub assumed: u64,
    pub delivered: u64,
    pub released: u64,
    pub removed: u64,
    pub open: u64,
    pub waiting: u64,
}

impl Standings {
    /// Adds memories of this standing and pending state, by their names in the ledger.
    fn count(&mut self, standing: &[u8], pending: &[u8], number: u64) {
        match standing {
            b"assumed" => self.assumed += number,
            b"delivered" => self.delivered += number,
            b"released" => self.released += number,
            b"removed" => self.removed += number,
            _ => self.never += number,
        }
        match pending {
            b"open" => self.open += number,
            b"waiting" => self.waiting += number,
            _ => {}
        }
    }
}

impl Ledger {
    /// What is remembered of a key. Times come back with microseconds, whatever was written.
    pub fn memory(&self, scope: &Scope, key: &Key) -> Result<Option<Memory>, LedgerError> {
        self.read("reading memory", |connection| load(connection, scope, key))
    }

    /// What is remembered of a key, with the time when that changed last.
    pub fn dated_memory(&self, scope: &Scope, key: &Key) -> Result<Option<(Memory, Time)>, LedgerError> {
        self.read("reading memory", |connection| {
            let page = read(connection, scope, key)?;
            let found = (page.len() > 0).then(|| page.at(0));
            found.map(|raw| Ok((raw.decode()?, raw.updated_at()))).transpose()
        })
    }

    /// All memories in the order of their keys, as they are now. Writing goes on meanwhile.
    pub fn memories(&self, scope: &Scope) -> Result<Memories, LedgerError> {
        Memories::open(self.path(), scope)
    }

    /// Remembers (or, with `None`, forgets) these keys, in one transaction. The serial that is stored is the ledger's own.
    ///
    /// Fails with [`LedgerError::OpenIntent`], and changes nothing, where that would close an open intent: keep `pending`
    /// as it is, or use [`Ledger::settle`] when there is a verdict.
    pub fn write(
        &self,
        lease: &Lease,
        scope: &Scope,
        memories: &[(Key, Option<Memory>)],
        now: Time,
    ) -> Result<(), LedgerError> {
        let mut memories: Vec<_> = memories.iter().collect();
        memories.sort_by(|a, b| a.0.cmp(&b.0));
        self.write_in(lease, "writing memory", |connection| {
            for (key, memory) in memories {
                keep_open(connection, scope, key, memory.as_ref())?;
                store::store(connection, scope, key, memory.as_ref(), now)?;
            }
            Ok(())
        })
    }

    /// Remembers only that these rows were evaluated, in one transaction. Keys without memory are passed over.
    pub fn touch(
        &self,
        lease: &Lease,
        scope: &Scope,
        seen: &[(Key, Seen)],
        now: Time,
    ) -> Result<(), LedgerError> {
        let mut seen: Vec<_> = seen.iter().collect();
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        self.write_in(lease, "writing memory", |connection| {
            let mut statement = connection.prepare_cached(
                "UPDATE memory SET seen_row = ?3, seen_mapping = ?4, encoding = ?5, updated_at = ?6, serial = serial + 1
                 WHERE scope = ?1 AND key = ?2 AND departure = ?7",
            )?;
            for (key, seen) in seen {
                let (row, mapping) = (seen.row.to_bytes(), seen.mapping.to_bytes());
                let encoding = coho_core::digest::ENCODING;
                let (key, departure) = (key.row(), key.departure());
                statement.execute(params![scope.id, key, row, mapping, encoding, micros(now), departure])?;
            }
            Ok(())
        })
    }

    /// How many memories of each kind there are. Reads all of them; a comparison counts them on its way.
    pub fn standings(&self, scope: &Scope) -> Result<Standings, LedgerError> {
        self.read("counting memory", |connection| {
            let mut standings = Standings::default();
            let mut statement = connection.prepare_cached(
                "SELECT standing, pending, count(*) FROM memory WHERE scope = ?1 GROUP BY standing, pending",
            )?;
            let mut rows = statement.query([scope.id])?;
            while let Some(row) = rows.next()? {
                let (standing, pending): (String, String) = (row.get(0)?, row.get(1)?);
                standings.count(standing.as_bytes(), pending.as_bytes(), count(row.get(2)?));
            }
            Ok(standings)
        })
    }
}

/// The memory of one key.
pub(crate) fn load(connection: &Connection, scope: &Scope, key: &Key) -> Result<Option<Memory>, Fault> {
    let page = read(connection, scope, key)?;
    if page.len() == 0 { Ok(None) } else { page.at(0).decode().map(Some) }
}

/// A page of at most one memory.
fn read(connection: &Connection, scope: &Scope, key: &Key) -> Result<Page, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM memory WHERE scope = ?1 AND key = ?2 AND departure = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(Page::read(statement.query(params![scope.id, key.row(), key.departure()])?)?)
}

/// Law 2: only a verdict closes an intent.
fn keep_open(
    connection: &Connection,
    scope: &Scope,
    key: &Key,
    memory: Option<&Memory>,
) -> Result<(), Fault> {
    use coho_core::memory::Pending;
    let Some(open) = store::open_operation(connection, scope, key)? else { return Ok(()) };
    let kept = memory.is_some_and(|memory| match &memory.pending {
        Pending::Open { operation, .. } => operation.to_bytes().as_slice() == open,
        Pending::None | Pending::Waiting { .. } => false,
    });
    if kept { Ok(()) } else { Err(Fault::OpenIntent(key.clone())) }
}
