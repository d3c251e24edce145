//! Merging: the records of memory and files as one stream in the order of their keys.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::{Path, PathBuf};
use std::{io, mem};

use coho_core::digest::Digest;

use super::SortError;
use super::spill::{self, Spill, Writing};
use crate::stop::Stop;

/// How many records are passed between two looks whether somebody asked to end.
const AT_ONCE: u64 = 1_000;

/// Rows in the order of their keys, those of one key together.
#[derive(Debug)]
pub struct Sorted {
    folder: PathBuf,
    heads: Heads,
    current: Group,
    stop: Stop,
}

/// The rows of one key.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) key: Vec<u8>,
    /// Of one of the rows.
    pub(crate) fingerprint: Digest,
    /// One of the rows.
    pub(crate) row: Vec<u8>,
    /// How many there are.
    pub(crate) count: u64,
}

impl Sorted {
    pub(super) fn new(
        folder: PathBuf,
        bytes: Vec<u8>,
        starts: Vec<usize>,
        spills: Vec<Spill>,
        stop: Stop,
    ) -> Result<Self, SortError> {
        let row_state = Source::Memory { bytes, starts: starts.into_iter() };
        let sources = spills.into_iter().map(Source::File).chain([row_state]).collect();
        let heads = Heads::new(sources).map_err(|source| SortError::of(&folder, &stop, source))?;
        Ok(Self { folder, heads, current: Group::empty(), stop })
    }

    /// The next key, which stays the next one.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        self.heads.heap.peek().map(|head| head.key.as_slice())
    }

    /// Goes on to the next key and gives its rows; what is taken out of the group stays taken.
    pub(crate) fn advance(&mut self) -> Result<Option<&mut Group>, SortError> {
        let (folder, stop) = (&self.folder, &self.stop);
        let failed = |source| SortError::of(folder, stop, source);
        if !self.heads.pop(&mut self.current, stop).map_err(failed)? {
            return Ok(None);
        }
        self.current.count = 1;
        while self.heads.heap.peek().is_some_and(|head| head.key == self.current.key) {
            self.heads.drop_first(stop).map_err(failed)?;
            self.current.count += 1;
        }
        Ok(Some(&mut self.current))
    }
}

impl Group {
    /// Whether this is no row, but says that its key has none: a row has at least one cell.
    pub(crate) fn is_gone(&self) -> bool {
        self.row.is_empty()
    }

    fn empty() -> Self {
        Self { key: Vec::new(), fingerprint: Digest::from_bytes([0; 16]), row: Vec::new(), count: 0 }
    }
}

/// Merges spills into one.
pub(super) fn merge(folder: &Path, spills: Vec<Spill>, generation: u32, stop: &Stop) -> io::Result<Spill> {
    let mut heads = Heads::new(spills.into_iter().map(Source::File).collect())?;
    Spill::write(folder, generation, |file| copy(&mut heads, file, stop))
}

fn copy(heads: &mut Heads, file: &mut Writing, stop: &Stop) -> io::Result<()> {
    let mut group = Group::empty();
    let mut bytes = Vec::new();
    while heads.pop(&mut group, stop)? {
        bytes.clear();
        spill::append(&mut bytes, &group.key, group.fingerprint, &group.row);
        file.append(&bytes)?;
    }
    Ok(())
}

/// Where sorted records come from.
#[derive(Debug)]
enum Source {
    Memory { bytes: Vec<u8>, starts: std::vec::IntoIter<usize> },
    File(Spill),
}

impl Source {
    /// Reads the next record into the head's buffers. False at the end.
    fn read(&mut self, head: &mut Head) -> io::Result<bool> {
        let fingerprint = match self {
            Self::File(spill) => spill.read(&mut head.key, &mut head.row)?,
            Self::Memory { bytes, starts } => starts.next().map(|start| {
                let record = spill::record(bytes, start);
                head.key.clear();
                head.key.extend_from_slice(record.key);
                head.row.clear();
                head.row.extend_from_slice(record.row);
                record.fingerprint
            }),
        };
        head.fingerprint = fingerprint.unwrap_or(head.fingerprint);
        Ok(fingerprint.is_some())
    }
}

/// The first record of each source, the smallest key on top.
#[derive(Debug)]
struct Heads {
    sources: Vec<Source>,
    heap: BinaryHeap<Head>,
    /// How many records were passed.
    passed: u64,
}

#[derive(Debug)]
struct Head {
    key: Vec<u8>,
    fingerprint: Digest,
    row: Vec<u8>,
    source: usize,
}

impl Heads {
    fn new(sources: Vec<Source>) -> io::Result<Self> {
        let mut heads = Self { sources, heap: BinaryHeap::new(), passed: 0 };
        for (place, source) in heads.sources.iter_mut().enumerate() {
            let Group { key, fingerprint, row, .. } = Group::empty();
            let mut head = Head { key, fingerprint, row, source: place };
            if source.read(&mut head)? {
                heads.heap.push(head);
            }
        }
        Ok(heads)
    }

    /// An error where somebody asked to end, which is looked for now and then.
    fn go_on(&mut self, stop: &Stop) -> io::Result<()> {
        self.passed += 1;
        if self.passed.is_multiple_of(AT_ONCE) && stop.is_asked() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    /// Swaps the smallest record into the group, whose buffers are used again. False at the end.
    fn pop(&mut self, group: &mut Group, stop: &Stop) -> io::Result<bool> {
        self.go_on(stop)?;
        let Some(mut head) = self.heap.peek_mut() else { return Ok(false) };
        mem::swap(&mut head.key, &mut group.key);
        mem::swap(&mut head.row, &mut group.row);
        group.fingerprint = head.fingerprint;
        refill(&mut self.sources, head)?;
        Ok(true)
    }

    /// Passes over the smallest record.
    fn drop_first(&mut self, stop: &Stop) -> io::Result<()> {
        self.go_on(stop)?;
        match self.heap.peek_mut() {
            Some(head) => refill(&mut self.sources, head),
            None => Ok(()),
        }
    }
}

/// Reads the next record of the head's source in its place.
fn refill(sources: &mut [Source], mut head: PeekMut<'_, Head>) -> io::Result<()> {
    let more = match sources.get_mut(head.source) {
        Some(source) => source.read(&mut head)?,
        None => false,
    };
    if !more {
        PeekMut::pop(head);
    }
    Ok(())
}

/// Greatest is what comes first, since the heap gives the greatest.
impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then_with(|| other.source.cmp(&self.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
