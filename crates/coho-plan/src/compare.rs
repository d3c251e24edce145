//! The comparison: each key with its rows, its memory, or both, in the order of the keys, in bounded memory.
//!
//! Rows come sorted from [`crate::sort`], row_states in order from [`coho_ledger::row_state::RowStates`]; one pass over both finds
//! everything. What is the same as before can be counted on the way without being looked at closely, which is most of it.

mod known;
mod ahead;

use std::cmp::Ordering;
use std::mem;

use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_core::row::RowBuf;
use coho_core::row_state::Seen;
use coho_ledger::row_state::{RowStates, StateCounts, StateRow};

pub(crate) use self::ahead::Ahead;
pub(crate) use self::known::BUDGET;
use self::known::KnownPage;
pub use self::known::KnownRows;
use crate::failure::PlanError;
use crate::sort::Sorted;
use crate::stop::Stop;

/// How many keys are only counted between two looks whether somebody asked to end.
const AT_ONCE: u64 = 1_000;

/// A key with what the source and the ledger have of it.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The key.
    pub key: Key,
    /// What the source has.
    pub rows: Rows,
    /// What the ledger has.
    pub row_state: Option<StateRow>,
}

/// What the source has of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// One row.
    One {
        /// The row.
        row: RowBuf,
        /// The fingerprint that it was pushed with.
        fingerprint: Digest,
    },
    /// Several rows: none of them can be used.
    Many {
        /// How many.
        count: u64,
    },
    /// None.
    None,
}

/// What is done with keys of which nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// They are given like all others: for a baseline, or to send again.
    Yield,
    /// They are only counted. A key is the same if it was delivered or assumed, nothing is pending, and both its row and
    /// this mapping are as they were seen last.
    Count {
        /// The digest of the mapping.
        mapping: Digest,
    },
}

/// Gives each key with its rows and its memory. After an error there is nothing more.
#[derive(Debug)]
pub struct Comparison {
    sorted: Sorted,
    row_states: RowStates,
    same: Same,
    /// Rows that were met while they were read, and are not among the sorted ones.
    known: KnownRows,
    counted: u64,
    failed: bool,
    stop: Stop,
}

impl Comparison {
    /// Compares these rows with these memories.
    pub fn new(sorted: Sorted, row_states: RowStates, same: Same) -> Self {
        let (known, stop) = (KnownRows::default(), Stop::new());
        Self { sorted, row_states, same, known, counted: 0, failed: false, stop }
    }

    /// The same, where these rows were met already: they are the same, each that was met once, and are counted.
    #[must_use]
    pub fn knowing(self, known: KnownRows, stop: &Stop) -> Self {
        Self { known, stop: stop.clone(), ..self }
    }

    /// How many keys were the same and only counted, so far.
    pub fn same(&self) -> u64 {
        self.counted
    }

    /// How many memories of each kind were passed so far: at the end, those of the whole scope.
    pub fn counts(&self) -> StateCounts {
        self.row_states.counts()
    }

    fn step(&mut self) -> Result<Option<Compared>, PlanError> {
        loop {
            self.pass_pages()?;
            let side = match self.sorted.peek() {
                Some(row) => self.row_states.compare(row)?.unwrap_or(Ordering::Less),
                None if self.row_states.is_over()? => return Ok(None),
                None => Ordering::Greater,
            };
            let found = match side {
                Ordering::Less => self.row(),
                Ordering::Greater => self.row_state(),
                Ordering::Equal => self.both(),
            };
            if let Some(compared) = found? {
                return Ok(Some(compared));
            }
        }
    }

    /// A key that only the source has.
    fn row(&mut self) -> Result<Option<Compared>, PlanError> {
        let Some(group) = self.sorted.advance()? else { return Ok(None) };
        if group.is_gone() {
            return Ok(None);
        }
        let key = Key::new(String::from_utf8_lossy(&group.key));
        let row = RowBuf::from_bytes(mem::take(&mut group.row));
        let rows = rows(row, group.fingerprint, group.count);
        Ok(Some(Compared { key, rows, row_state: None }))
    }

    /// A key of which the source has no row that is sorted, unless its row was met and is only counted.
    fn row_state(&mut self) -> Result<Option<Compared>, PlanError> {
        let met = self.known.times(self.row_states.place());
        if met == 1 {
            self.pass()?;
            return Ok(None);
        }
        let row_state = self.row_states.take_next()?;
        let rows = if met == 0 { Rows::None } else { Rows::Many { count: met } };
        Ok(Some(Compared { key: row_state.key(), rows, row_state: Some(row_state) }))
    }

    /// A key that both have, unless it is the same and is only counted.
    fn both(&mut self) -> Result<Option<Compared>, PlanError> {
        let met = self.known.times_besides(self.row_states.place());
        let Some(group) = self.sorted.advance()? else { return Ok(None) };
        if group.is_gone() {
            let row_state = self.row_states.take_next()?;
            return Ok(Some(Compared { key: row_state.key(), rows: Rows::None, row_state: Some(row_state) }));
        }
        group.count += met;
        let count = group.count;
        if let (Same::Count { mapping }, 1) = (self.same, count) {
            let seen = Seen { row: group.fingerprint, mapping };
            if self.row_states.is_same(&seen)? {
                self.pass()?;
                return Ok(None);
            }
        }
        let row = RowBuf::from_bytes(mem::take(&mut group.row));
        let rows = rows(row, group.fingerprint, count);
        let row_state = self.row_states.take_next()?;
        Ok(Some(Compared { key: row_state.key(), rows, row_state: Some(row_state) }))
    }

    /// Counts a key of which nothing changed.
    fn pass(&mut self) -> Result<(), PlanError> {
        self.row_states.pass();
        self.counted += 1;
        if self.counted.is_multiple_of(AT_ONCE) && self.stop.is_asked() {
            return Err(PlanError::Interrupted);
        }
        Ok(())
    }

    /// Counts all keys of pages of which nothing changed. Of the next one, only the keys are read where that is enough.
    fn pass_pages(&mut self) -> Result<(), PlanError> {
        while self.row_states.begins_page() {
            match self.known.page(self.row_states.place(), self.sorted.peek()) {
                Some(KnownPage::Met(page)) => {
                    self.row_states.pass_page(page);
                    self.counted += page.number as u64;
                }
                Some(KnownPage::Told(page)) => return Ok(self.row_states.turn_to_keys(page)?),
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

fn rows(row: RowBuf, fingerprint: Digest, count: u64) -> Rows {
    if count == 1 { Rows::One { row, fingerprint } } else { Rows::Many { count } }
}

impl Iterator for Comparison {
    type Item = Result<Compared, PlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step().transpose();
        self.failed = matches!(step, Some(Err(_)));
        step
    }
}
