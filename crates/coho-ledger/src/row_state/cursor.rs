//! The memories of a scope in the order of their keys, streamed from a connection of their own.
//!
//! The cursor sees the ledger as it was at its first page, whatever is written meanwhile. It holds one page at a time.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use coho_core::key::Key;
use coho_core::row_state::{RowState, Seen};
use coho_core::time::Time;
use rusqlite::{Connection, params};

use super::StateCounts;
use super::page::{COLUMNS, Page, Raw};
use crate::failure::{Fault, LedgerError};
use crate::open::reader;
use crate::scope::SyncScope;

/// Memories that are read at once.
const PAGE: i64 = 2_048;

/// The memories of a scope, in the order of their keys' bytes.
#[derive(Debug)]
pub struct RowStates {
    source: Option<Source>,
    page: Arc<Page>,
    next: usize,
    counts: StateCounts,
}

#[derive(Debug)]
struct Source {
    connection: Connection,
    path: Arc<Path>,
    scope: i64,
    /// The last key of the page before, and its departure.
    after: Option<(String, u32)>,
}

impl RowStates {
    /// No memories at all: for a sync that never ran.
    pub fn none() -> Self {
        Self { source: None, page: Arc::default(), next: 0, counts: StateCounts::default() }
    }

    pub(super) fn open(path: &Path, scope: &SyncScope) -> Result<Self, LedgerError> {
        let doing = "opening a cursor";
        let connection = reader(path).map_err(|error| Fault::from(error).on(path, doing))?;
        connection.execute_batch("BEGIN").map_err(|error| Fault::from(error).on(path, doing))?;
        let source = Source { connection, path: path.into(), scope: scope.id, after: None };
        let mut row_states = Self { source: Some(source), ..Self::none() };
        // The first page is read now, so that the snapshot is of this moment.
        row_states.turn()?;
        Ok(row_states)
    }

    /// How many memories of each kind were passed so far.
    pub fn counts(&self) -> StateCounts {
        self.counts
    }

    /// Where a row of this key stands to the next memory, which stays the next one: before it, after it, or it is its own.
    /// `None` where there is no further memory.
    pub fn compare(&mut self, row: &[u8]) -> Result<Option<Ordering>, LedgerError> {
        Ok(self.peek()?.map(|row_state| (row, 0).cmp(&(row_state.key(), row_state.departure()))))
    }

    /// Whether nothing is to be done about the next memory where its row is seen like this: it was delivered or assumed,
    /// nothing is pending, and neither the row nor the mapping changed. Decodes nothing.
    pub fn is_same(&mut self, seen: &Seen) -> Result<bool, LedgerError> {
        Ok(self.peek()?.is_some_and(|row_state| row_state.is_same(seen)))
    }

    /// Whether there is a further memory.
    pub fn is_over(&mut self) -> Result<bool, LedgerError> {
        Ok(self.peek()?.is_none())
    }

    /// The next memory, which stays the next one.
    fn peek(&mut self) -> Result<Option<Raw<'_>>, LedgerError> {
        if self.next >= self.page.len() {
            self.turn()?;
        }
        Ok((self.next < self.page.len()).then(|| self.page.at(self.next)))
    }

    /// Goes on behind the next memory, without looking at it. There must be one.
    pub fn pass(&mut self) {
        let raw = self.page.at(self.next);
        self.counts.count(raw.delivery(), raw.pending());
        self.next += 1;
    }

    /// The next memory. There must be one.
    pub fn take_next(&mut self) -> StateRow {
        let row = StateRow { page: Arc::clone(&self.page), row: self.next, path: self.path() };
        self.pass();
        row
    }

    fn path(&self) -> Arc<Path> {
        self.source.as_ref().map_or_else(|| Path::new("").into(), |source| Arc::clone(&source.path))
    }

    fn turn(&mut self) -> Result<(), LedgerError> {
        let Some(source) = &mut self.source else { return Ok(()) };
        let page = source.page().map_err(|fault| fault.on(&source.path, "reading memory"))?;
        // At the end nobody asks again, however often it is looked for.
        if page.len() == 0 {
            self.source = None;
        }
        self.page = Arc::new(page);
        self.next = 0;
        Ok(())
    }
}

impl Source {
    fn page(&mut self) -> Result<Page, Fault> {
        let from = if self.after.is_some() { "(key, departure) > (?2, ?3)" } else { "?2 IS ?3" };
        let sql = format!(
            "SELECT {COLUMNS} FROM memory WHERE scope = ?1 AND {from} ORDER BY key, departure LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (key, departure) = self.after.as_ref().map(|(key, departure)| (key.as_str(), *departure)).unzip();
        let page = Page::read(statement.query(params![self.scope, key, departure, PAGE])?)?;
        if let Some(last) = page.len().checked_sub(1) {
            let last = page.at(last);
            let key = std::str::from_utf8(last.key()).map_err(|_| Fault::damaged("a key is not UTF-8"))?;
            self.after = Some((key.to_owned(), last.departure()));
        }
        Ok(page)
    }
}

impl Iterator for RowStates {
    type Item = Result<StateRow, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.peek() {
            Ok(Some(_)) => Some(Ok(self.take_next())),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// A memory that is decoded when it is asked for. It keeps the page alive that it came from: decode it, do not collect it.
#[derive(Clone, Debug)]
pub struct StateRow {
    page: Arc<Page>,
    row: usize,
    path: Arc<Path>,
}

impl StateRow {
    fn raw(&self) -> Raw<'_> {
        self.page.at(self.row)
    }

    /// The key.
    pub fn key(&self) -> Key {
        self.raw().whole_key()
    }

    /// Whether something of it waits for another try. Decodes nothing else.
    pub fn waits(&self) -> bool {
        self.raw().pending() == b"waiting"
    }

    /// When the memory changed last. Decodes nothing else.
    pub fn updated_at(&self) -> Time {
        self.raw().updated_at()
    }

    /// The whole memory.
    pub fn decode(&self) -> Result<RowState, LedgerError> {
        self.raw().decode().map_err(|fault| fault.on(&self.path, "reading memory"))
    }
}
