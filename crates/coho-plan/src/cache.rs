//! Comparing rows with a cache in their source: what of it can be believed, and what it is to hold after a run.
//!
//! A cache says of each key what its row was when it was published. The ledger keeps, bucket by bucket, how many keys are in
//! there, and the sum of what Coho had seen of them ([`Book`]). Memory is summed up anew in each plan: where both agree, what is in
//! the cache is what memory says of the bucket's keys, each of which needs nothing while its row stays. The rows of all other
//! buckets are read, whatever the cache says of them. So nothing that writes memory has to know of caches, and a run that ends
//! in the middle costs the rows of some buckets.
//!
//! [`Publication`] is what a run leaves behind: it looks at what became of each row that was read.

pub(crate) mod book;
#[cfg(test)]
mod laws;

use coho_core::digest::{Digest, Hasher};
use coho_core::key::Key;
use coho_core::row::RowBuf;
use coho_core::row_state::Seen;
use coho_ledger::Ledger;
use coho_ledger::buckets::{Buckets, LearnedBuckets};
use coho_ledger::scope::SyncScope;
use coho_source::cache::{CacheEntry, CacheTable};

use self::book::Book;
use crate::buckets::survey::digest_of;
use crate::failure::PlanError;
use crate::sort::{SortError, Sorted, Sorter};

/// How much memory may be taken by what is written to a cache before it spills to disk.
const BUDGET: usize = 4 << 20;

/// How many keys are looked up, and written, at once.
const AT_ONCE: usize = 5_000;

/// On which basis the ledger's sums of a cache stand: that of the columns, and the name under which it was published.
pub(crate) fn basis(columns: Digest, name: Digest) -> Digest {
    let mut hasher = Hasher::new();
    for part in ["cache".as_bytes(), &columns.to_bytes(), &name.to_bytes()] {
        hasher.part(part);
    }
    hasher.finish()
}

/// What was read of the source, to be looked at again when the run is over.
#[derive(Debug)]
pub(crate) struct Marks {
    sorter: Sorter,
    number: u64,
}

impl Marks {
    pub(crate) fn in_folder(folder: &std::path::Path) -> Self {
        Self { sorter: Sorter::new(BUDGET, folder), number: 0 }
    }

    /// A row, and the fingerprint that the source gave of it.
    pub(crate) fn row(&mut self, key: &Key, row: Digest, halves: [u64; 2]) -> Result<(), SortError> {
        self.number += 1;
        let bytes = halves.iter().flat_map(|half| half.to_be_bytes()).collect();
        self.sorter.push(key, row, &RowBuf::from_bytes(bytes))
    }

    /// A key that is in the cache and has no row.
    pub(crate) fn gone(&mut self, key: &Key) -> Result<(), SortError> {
        self.number += 1;
        self.sorter.push(key, Digest::from_bytes([0; 16]), &RowBuf::default())
    }
}

/// What a cache is to hold once a run is over: the rows that were read and then need nothing, and no other of the keys that came.
#[derive(Debug)]
pub struct Publication {
    /// The table.
    pub table: CacheTable,
    /// The name that the table has; without one, all is written anew.
    pub expects: Option<Digest>,
    /// How many rows had changed.
    changed: u64,
    /// Stands for the columns.
    columns: Digest,
    mapping: Digest,
    book: Book,
    marks: Sorted,
    scratch: Vec<u8>,
}

/// A part of what is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CacheChange {
    /// Keys that go in.
    pub put: Vec<CacheEntry>,
    /// Keys that are out from now on.
    pub take: Vec<String>,
}

/// What of a cache is known to be so.
#[derive(Debug)]
pub(crate) struct Basis {
    pub(crate) table: CacheTable,
    pub(crate) columns: Digest,
    pub(crate) mapping: Digest,
}

impl Publication {
    /// What is to be written after rows were read; `None` where nothing is: no row came of a cache that is as it was.
    pub(crate) fn of(
        basis: Basis,
        before: Option<(Digest, Book)>,
        marks: Marks,
    ) -> Result<Option<Self>, PlanError> {
        let Basis { table, columns, mapping } = basis;
        let Marks { sorter, number } = marks;
        let (expects, book) = match before {
            Some(_) if number == 0 => return Ok(None),
            Some((name, book)) => (Some(name), book),
            None => (None, Book::empty(number)),
        };
        let (marks, scratch) = (sorter.finish()?, Vec::new());
        Ok(Some(Self { table, expects, changed: number, columns, mapping, book, marks, scratch }))
    }

    /// The next part of what is written, as memory is now. `None` after the last one.
    pub fn next(&mut self, ledger: &Ledger, scope: &SyncScope) -> Result<Option<CacheChange>, PlanError> {
        let found = self.take()?;
        if found.is_empty() {
            return Ok(None);
        }
        let keys: Vec<_> = found.iter().map(|mark| mark.key.clone()).collect();
        let seen = ledger.settled(scope, &keys)?;
        let mut written = CacheChange::default();
        for (mark, seen) in found.into_iter().zip(seen) {
            self.write(mark, seen, &mut written);
        }
        Ok(Some(written))
    }

    /// The next keys that came.
    fn take(&mut self) -> Result<Vec<Mark>, SortError> {
        let mut found = Vec::new();
        while found.len() < AT_ONCE {
            let Some(group) = self.marks.advance()? else { break };
            let key = Key::new(String::from_utf8_lossy(&group.key));
            // Of several rows none is delivered.
            let halves = if group.count == 1 { halves(&group.row) } else { None };
            found.push(Mark { key, row: group.fingerprint, halves });
        }
        Ok(found)
    }

    fn write(&mut self, mark: Mark, seen: Option<Seen>, written: &mut CacheChange) {
        let Mark { key, row, halves } = mark;
        let wanted = Seen { row, mapping: self.mapping };
        let key = key.row();
        if key.is_empty() {
            // The row with an empty key is the table's own.
            return;
        }
        match halves.filter(|_| seen == Some(wanted)) {
            Some(halves) => {
                let seen = digest_of(row, key.as_bytes(), &mut self.scratch);
                self.book.put_in(key, seen);
                let seen = Digest::from_bytes(seen.to_be_bytes());
                written.put.push(CacheEntry { key: key.to_owned(), halves, seen });
            }
            None if self.expects.is_some() => written.take.push(key.to_owned()),
            None => {}
        }
    }

    /// What the ledger is to know of the cache that was published under this name.
    pub fn learned(self, name: Digest) -> LearnedBuckets {
        let (bits, sums) = self.book.sums();
        let buckets = Buckets { basis: basis(self.columns, name), bits, expected: self.changed, sums };
        LearnedBuckets { buckets, among: vec![0..=u32::MAX] }
    }
}

/// A key that came, with what Coho saw of its row and the source's fingerprint, if it has one row.
struct Mark {
    key: Key,
    row: Digest,
    halves: Option<[u64; 2]>,
}

fn halves(bytes: &[u8]) -> Option<[u64; 2]> {
    let number = u128::from_be_bytes(bytes.try_into().ok()?);
    let half = |half: u128| u64::try_from(half & u128::from(u64::MAX)).ok();
    Some([half(number >> 64)?, half(number)?])
}
