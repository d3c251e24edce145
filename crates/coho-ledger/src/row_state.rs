//! Memory: what is stored of a key, one by one and all in order.
//!
//! How a memory is written stands in `store`, how it is read in `page`, how all are streamed in `cursor`. By its record it
//! is found in [`crate::identity`].

mod page;
mod kept;
mod glance;
mod keys;
pub(crate) mod store;
mod cursor;

use std::sync::LazyLock;

use coho_core::key::Key;
use coho_core::row_state::{RowState, Seen};
use coho_core::time::Time;
use rusqlite::{Connection, params};

pub use self::cursor::{RowStates, StateRow, Surveyed};
use self::glance::{Glance, Glances, Pending, Sight, Standing};
pub use self::glance::{Look, PageSeen, StatePlace};
pub use self::kept::KeysPlace;
pub(crate) use self::page::{Page, WIDTH, columns_of};
pub use self::store::sent_text;
use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::scope::SyncScope;

/// How many memories of each kind there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(
    missing_docs,
    reason = "each member is the number of memories of the standing, or the pending state, of its name"
)]
pub struct StateCounts {
    pub never: u64,
    pub assumed: u64,
    pub delivered: u64,
    pub released: u64,
    pub removed: u64,
    pub open: u64,
    pub waiting: u64,
}

impl StateCounts {
    /// Adds those of other memories.
    fn add(&mut self, other: Self) {
        self.never += other.never;
        self.assumed += other.assumed;
        self.delivered += other.delivered;
        self.released += other.released;
        self.removed += other.removed;
        self.open += other.open;
        self.waiting += other.waiting;
    }

    /// Adds a memory of this standing and pending state.
    fn count(&mut self, standing: Standing, pending: Pending) {
        match standing {
            Standing::Never => self.never += 1,
            Standing::Assumed => self.assumed += 1,
            Standing::Delivered => self.delivered += 1,
            Standing::Released => self.released += 1,
            Standing::Removed => self.removed += 1,
        }
        match pending {
            Pending::None => {}
            Pending::Open => self.open += 1,
            Pending::Waiting => self.waiting += 1,
        }
    }
}

impl Ledger {
    /// What is remembered of a key. Times come back with microseconds, whatever was written.
    pub fn row_state(&self, scope: &SyncScope, key: &Key) -> Result<Option<RowState>, LedgerError> {
        self.read("reading row states", |connection| load(connection, scope, key))
    }

    /// How each of these keys was seen, where nothing needs to be done while its row stays, as of [`Look::Settled`]. All of them as of one
    /// moment.
    pub fn settled(&self, scope: &SyncScope, keys: &[Key]) -> Result<Vec<Option<Seen>>, LedgerError> {
        self.read("reading row states", |connection| {
            let sql = format!(
                "SELECT {} FROM memory WHERE scope = ?1 AND key = ?2 AND departure = 0",
                Sight::All.columns()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let settled = keys.iter().map(|key| {
                let found = Glances::read(statement.query(params![scope.id, key.row()])?, Sight::All)?;
                Ok(found.at(0).and_then(Glance::settled))
            });
            settled.collect()
        })
    }

    /// What is remembered of a key, with the time when that changed last.
    pub fn dated_memory(
        &self,
        scope: &SyncScope,
        key: &Key,
    ) -> Result<Option<(RowState, Time)>, LedgerError> {
        self.read("reading row states", |connection| {
            let page = read(connection, scope, key)?;
            let found = (page.len() > 0).then(|| page.at(0));
            found.map(|raw| Ok((raw.decode()?, raw.updated_at()))).transpose()
        })
    }

    /// All memories in the order of their keys, as they are now. Writing goes on meanwhile.
    pub fn row_states(&self, scope: &SyncScope) -> Result<RowStates, LedgerError> {
        self.row_states_surveyed(scope, Surveyed::InOrder)
    }

    /// The same, to be surveyed like this.
    pub fn row_states_surveyed(
        &self,
        scope: &SyncScope,
        surveyed: Surveyed,
    ) -> Result<RowStates, LedgerError> {
        RowStates::open(self.path(), scope, surveyed)
    }

    /// Remembers (or, with `None`, forgets) these keys, in one transaction. The serial that is stored is the ledger's own.
    ///
    /// Fails with [`LedgerError::OpenIntent`], and changes nothing, where that would close an open intent: keep `pending`
    /// as it is, or use [`Ledger::settle`] when there is a verdict.
    pub fn write(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        row_states: &[(Key, Option<RowState>)],
        now: Time,
    ) -> Result<(), LedgerError> {
        let mut row_states: Vec<_> = row_states.iter().collect();
        row_states.sort_by(|a, b| a.0.cmp(&b.0));
        self.write_shaped(lease, "writing row states", |connection, shapes| {
            for (key, row_state) in row_states {
                keep_open(connection, scope, key, row_state.as_ref())?;
                store::store(connection, scope, key, row_state.as_ref(), now, shapes)?;
            }
            Ok(())
        })
    }
}

/// The memory of one key.
pub(crate) fn load(connection: &Connection, scope: &SyncScope, key: &Key) -> Result<Option<RowState>, Fault> {
    let page = read(connection, scope, key)?;
    if page.len() == 0 { Ok(None) } else { page.at(0).decode().map(Some) }
}

/// A page of at most one memory.
fn read(connection: &Connection, scope: &SyncScope, key: &Key) -> Result<Page, Fault> {
    // Read for each row that is sent: the text is put together once.
    static READ: LazyLock<String> = LazyLock::new(|| {
        let columns = columns_of("memory");
        format!("SELECT {columns} FROM memory WHERE scope = ?1 AND key = ?2 AND departure = ?3")
    });
    let mut statement = connection.prepare_cached(&READ)?;
    Ok(Page::read(statement.query(params![scope.id, key.row(), key.departure()])?)?)
}

/// Law 2: only a verdict closes an intent.
fn keep_open(
    connection: &Connection,
    scope: &SyncScope,
    key: &Key,
    row_state: Option<&RowState>,
) -> Result<(), Fault> {
    let Some(open) = store::open_operation(connection, scope, key)? else { return Ok(()) };
    let kept = row_state.is_some_and(|row_state| match &row_state.pending {
        coho_core::row_state::Pending::Open { operation, .. } => operation.to_bytes().as_slice() == open,
        coho_core::row_state::Pending::None | coho_core::row_state::Pending::Waiting { .. } => false,
    });
    if kept { Ok(()) } else { Err(Fault::OpenIntent(key.clone())) }
}
