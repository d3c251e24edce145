//! Sorting rows by key in bounded memory: what does not fit is spilled in sorted runs, which are merged when they are read.
//!
//! Nothing is written while the budget lasts. Files are private, have no name where the system allows that, and are gone
//! when the process ends, however it ends. They hold rows in clear text, so the folder should be on a disk that is trusted.

mod spill;
mod merge;

use std::path::{Path, PathBuf};
use std::{cmp, io, mem};

use coho_core::code::Code;
use coho_core::digest::Digest;
use coho_core::failure::Failure;
use coho_core::key::Key;
use coho_core::row::RowBuf;

pub use self::merge::Sorted;
use self::merge::merge;
use self::spill::{HEADER, Record, Spill};
use crate::stop::Stop;

/// Spills of one generation that are merged into one of the next: bounds the number of open files.
const FAN_IN: usize = 32;

/// Rows could not be sorted.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum SortError {
    /// A temporary file could not be made, written or read.
    #[error("cannot spill rows to the temporary folder `{}`", folder.display())]
    Spill { folder: PathBuf, source: io::Error },
    /// Somebody asked to end.
    #[error("sorting was interrupted")]
    Interrupted,
}

impl Failure for SortError {
    fn code(&self) -> Code {
        match self {
            Self::Spill { .. } => Code::SPOOL_FAILED,
            Self::Interrupted => Code::INTERRUPTED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Spill { .. } => "free disk space there, or set TMPDIR to a folder on a larger disk",
            Self::Interrupted => return None,
        };
        Some(help.to_owned())
    }
}

impl SortError {
    /// What an error is while rows go to files of this folder, or come from there.
    fn of(folder: &Path, stop: &Stop, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::Interrupted && stop.is_asked() {
            return Self::Interrupted;
        }
        Self::Spill { folder: folder.to_owned(), source }
    }
}

/// Takes rows in any order.
#[derive(Debug)]
pub struct Sorter {
    budget: usize,
    folder: PathBuf,
    /// Records one after the other, as they are spilled.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    spills: Vec<Spill>,
    stop: Stop,
}

/// Where a record begins, and the first bytes of its key, which decide nearly all comparisons.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: u64,
    start: usize,
}

impl Sorter {
    /// A sorter that uses about `budget` bytes of memory, then files in this folder.
    pub fn new(budget: usize, folder: &Path) -> Self {
        let (folder, stop) = (folder.to_owned(), Stop::new());
        Self { budget, folder, bytes: Vec::new(), entries: Vec::new(), spills: Vec::new(), stop }
    }

    /// The same, until somebody asks to end.
    #[must_use]
    pub fn until(self, stop: &Stop) -> Self {
        Self { stop: stop.clone(), ..self }
    }

    /// Takes a row.
    pub fn push(&mut self, key: &Key, fingerprint: Digest, row: &RowBuf) -> Result<(), SortError> {
        let (key, row) = (key.row().as_bytes(), row.as_bytes());
        if self.is_full(HEADER + key.len() + row.len()) {
            self.spill()?;
        }
        self.reserve();
        self.entries.push(Entry { prefix: prefix(key), start: self.bytes.len() });
        spill::append(&mut self.bytes, key, fingerprint, row);
        Ok(())
    }

    /// Whether one more record of this size would exceed the budget. The first one is always taken.
    fn is_full(&self, size: usize) -> bool {
        let used = self.bytes.len() + self.entries.len() * mem::size_of::<Entry>();
        !self.entries.is_empty() && used + size + mem::size_of::<Entry>() > self.budget
    }

    /// Room for everything at once: pages that are not touched cost nothing, where growing would hold two copies.
    fn reserve(&mut self) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(self.budget);
            self.entries.reserve(self.budget / (HEADER + mem::size_of::<Entry>()));
        }
    }

    /// All rows in the order of their keys' bytes, which is the order of their characters and that of the ledger.
    ///
    /// Where some are in files, all are: whoever reads them has the memory for something else.
    pub fn finish(mut self) -> Result<Sorted, SortError> {
        if !self.spills.is_empty() && !self.entries.is_empty() {
            self.write_spill()?;
            (self.bytes, self.entries) = (Vec::new(), Vec::new());
        }
        self.sort();
        let starts = self.entries.iter().map(|entry| entry.start).collect();
        Sorted::new(self.folder, self.bytes, starts, self.spills, self.stop)
    }

    fn sort(&mut self) {
        let bytes = self.bytes.as_slice();
        self.entries.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| by_key(bytes, *a, *b)));
    }

    fn spill(&mut self) -> Result<(), SortError> {
        self.write_spill()?;
        self.bytes.clear();
        self.entries.clear();
        self.compact()
    }

    fn write_spill(&mut self) -> Result<(), SortError> {
        self.sort();
        let (bytes, entries) = (&self.bytes, &self.entries);
        let spilled = Spill::write(&self.folder, 0, |file| {
            entries.iter().try_for_each(|entry| file.append(spill::record(bytes, entry.start).whole))
        });
        self.spills.push(spilled.map_err(|source| self.failed(source))?);
        Ok(())
    }

    /// Merges the spills of a generation when there are many, so that each record is copied once for each generation.
    fn compact(&mut self) -> Result<(), SortError> {
        while let Some(generation) = self.crowded() {
            let few = self.spills.split_off(self.spills.len() - FAN_IN);
            let merged = merge(&self.folder, few, generation + 1, &self.stop);
            self.spills.push(merged.map_err(|source| self.failed(source))?);
        }
        Ok(())
    }

    /// The last generation, if it is complete. Older ones stand before younger ones.
    fn crowded(&self) -> Option<u32> {
        let youngest = self.spills.last()?.generation;
        let alike = self.spills.iter().rev().take_while(|spill| spill.generation == youngest).count();
        (alike >= FAN_IN).then_some(youngest)
    }

    fn failed(&self, source: io::Error) -> SortError {
        SortError::of(&self.folder, &self.stop, source)
    }
}

/// The first eight bytes of a key, as a number that is ordered as they are.
fn prefix(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (place, byte) in first.iter_mut().zip(key) {
        *place = *byte;
    }
    u64::from_be_bytes(first)
}

fn by_key(bytes: &[u8], a: Entry, b: Entry) -> cmp::Ordering {
    let key = |entry: Entry| -> &[u8] {
        let record: Record<'_> = spill::record(bytes, entry.start);
        record.key
    };
    key(a).cmp(key(b))
}
