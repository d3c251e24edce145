//! An object on its way into a private file: a file without a name, which is gone with the process. Whoever reads it waits for
//! the bytes that are not there yet, so reading begins with the first of them.
//!
//! All bytes are of one version, told by the object's ETag. A stream that breaks is continued where it broke; one that cannot
//! be continued is an error, never the object's end.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use coho_storage::StorageFault;
use futures_util::stream::{BoxStream, StreamExt as _};
use object_store::{GetRange, GetResult};

use super::bucket::{Bucket, Listed};
use super::waiter::Waiter;

/// How many bytes are asked for where only a few are wanted.
const AHEAD: u64 = 64 * 1024;
/// How often a stream is continued in vain.
const CONTINUED: u32 = 5;

/// How an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From its start to its end.
    InOrder,
    /// Some parts of it.
    InParts,
}

/// A private file with room for several objects.
pub(crate) struct Spool {
    file: File,
    end: AtomicU64,
}

impl Spool {
    /// An empty one.
    pub(crate) fn new(bucket: &Bucket) -> Result<Arc<Self>, StorageFault> {
        let file = tempfile::tempfile_in(&bucket.temporary).map_err(StorageFault::Disk)?;
        Ok(Arc::new(Self { file, end: AtomicU64::new(0) }))
    }

    /// Room for so many bytes.
    fn room(&self, length: u64) -> u64 {
        self.end.fetch_add(length, Ordering::Relaxed)
    }
}

/// An object on its way.
pub(crate) struct Arrival {
    bucket: Arc<Bucket>,
    waiter: Waiter,
    object: Listed,
    spool: Arc<Spool>,
    base: u64,
    state: Mutex<State>,
}

/// What is there of it.
struct State {
    /// What comes next, in the order of the object.
    stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// How many bytes are there from the start.
    arrived: u64,
    /// Which other parts are there.
    parts: Vec<Range<u64>>,
    way: Way,
}

impl Arrival {
    /// The object of this name, whatever its version is: asks for it.
    pub(crate) fn ask(
        bucket: Arc<Bucket>,
        waiter: Waiter,
        name: &str,
        way: Way,
    ) -> Result<Self, StorageFault> {
        let range = (way == Way::InParts).then_some(GetRange::Bounded(0..AHEAD));
        let result = waiter.wait(bucket.get(name, range, None))?;
        let (length, tag) = (result.meta.size, result.meta.e_tag.clone());
        let object = Listed { name: name.to_owned(), length, tag };
        let spool = Spool::new(&bucket)?;
        let arrival = Self::of(bucket, waiter, object, spool, way)?;
        arrival.begun(result)?;
        Ok(arrival)
    }

    /// An object that was listed: it is asked for when somebody reads it.
    pub(crate) fn of(
        bucket: Arc<Bucket>,
        waiter: Waiter,
        object: Listed,
        spool: Arc<Spool>,
        way: Way,
    ) -> Result<Self, StorageFault> {
        if object.length == 0 {
            return Err(StorageFault::Empty);
        }
        let base = spool.room(object.length);
        let state = Mutex::new(State { stream: None, arrived: 0, parts: Vec::new(), way });
        Ok(Self { bucket, waiter, object, spool, base, state })
    }

    /// How many bytes the object has.
    pub(crate) fn length(&self) -> u64 {
        self.object.length
    }

    /// Reads bytes at a place; waits for them where they are not there yet.
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let wanted = at.saturating_add(buffer.len() as u64).min(self.length());
        if at >= wanted {
            return Ok(0);
        }
        let until = self.until(at, wanted).map_err(io::Error::other)?;
        let length = usize::try_from(until - at).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        let read = self.spool.file.read_at(buffer, self.base + at);
        read.map_err(|error| io::Error::other(StorageFault::Disk(error)))
    }

    /// Brings the bytes of a part that are not there yet.
    pub(crate) fn bring(&self, part: Range<u64>) -> Result<(), StorageFault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.fetch(&mut state, part.start.min(self.length())..part.end.min(self.length()))
    }

    /// How far the bytes from `at` on are there, once at least one is.
    fn until(&self, at: u64, wanted: u64) -> Result<u64, StorageFault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.way == Way::InParts {
            if state.part_with(&(at..wanted)).is_none() {
                // Footers are read from the end, in small steps.
                let start = at.min(self.length().saturating_sub(AHEAD));
                self.fetch(&mut state, start..wanted.max(at + AHEAD).min(self.length()))?;
            }
            return Ok(wanted);
        }
        while state.arrived <= at {
            self.next(&mut state)?;
        }
        Ok(state.arrived.min(wanted))
    }

    /// Waits for the next bytes of the stream. A stream that breaks is continued; some in vain end that.
    fn next(&self, state: &mut State) -> Result<(), StorageFault> {
        for _ in 0..=CONTINUED {
            if state.stream.is_none() {
                state.stream = Some(self.get(state.arrived..self.length())?.into_stream());
            }
            let Some(stream) = &mut state.stream else { continue };
            match self.waiter.wait(async { Ok(stream.next().await) })? {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    self.write(&bytes, state.arrived, self.length())?;
                    state.arrived += bytes.len() as u64;
                    return Ok(());
                }
                Some(Err(_)) | None => state.stream = None,
            }
        }
        Err(self.cut(state.arrived))
    }

    /// Brings a part, unless it is there.
    fn fetch(&self, state: &mut State, part: Range<u64>) -> Result<(), StorageFault> {
        let mut at = part.start;
        let mut vain = 0;
        while at < part.end {
            if let Some(known) = state.part_with(&(at..at + 1)) {
                at = known.end;
                continue;
            }
            let end = state.gap_end(at).min(part.end);
            let mut stream = self.get(at..end)?.into_stream();
            let start = at;
            while let Some(Ok(bytes)) = self.waiter.wait(async { Ok(stream.next().await) })? {
                self.write(&bytes, at, end)?;
                at += bytes.len() as u64;
            }
            state.add(start..at);
            vain = if at > start { 0 } else { vain + 1 };
            if vain > CONTINUED {
                return Err(self.cut(at));
            }
        }
        Ok(())
    }

    /// Takes what came with the first answer.
    fn begun(&self, result: GetResult) -> Result<(), StorageFault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.way == Way::InOrder {
            state.stream = Some(result.into_stream());
            return Ok(());
        }
        let mut stream = result.into_stream();
        let mut at = 0;
        while let Some(Ok(bytes)) = self.waiter.wait(async { Ok(stream.next().await) })? {
            self.write(&bytes, at, self.length())?;
            at += bytes.len() as u64;
        }
        state.add(0..at);
        Ok(())
    }

    fn get(&self, range: Range<u64>) -> Result<GetResult, StorageFault> {
        let tag = self.object.tag.as_deref();
        let whole = range == (0..self.length());
        let wanted = (!whole).then_some(GetRange::Bounded(range));
        let result = self.waiter.wait(self.bucket.get(&self.object.name, wanted, tag))?;
        if result.meta.size == self.length() { Ok(result) } else { Err(StorageFault::Changed) }
    }

    fn write(&self, bytes: &[u8], at: u64, end: u64) -> Result<(), StorageFault> {
        if at + bytes.len() as u64 > end {
            return Err(StorageFault::Unexpected("more bytes than the object has".to_owned()));
        }
        self.spool.file.write_all_at(bytes, self.base + at).map_err(StorageFault::Disk)
    }

    fn cut(&self, arrived: u64) -> StorageFault {
        StorageFault::Cut { arrived, length: self.length() }
    }
}

impl State {
    /// The part that has all of these bytes.
    fn part_with(&self, wanted: &Range<u64>) -> Option<Range<u64>> {
        let has = |part: &&Range<u64>| part.start <= wanted.start && wanted.end <= part.end;
        self.parts.iter().find(has).cloned()
    }

    /// Where the next part begins that is there.
    fn gap_end(&self, at: u64) -> u64 {
        self.parts.iter().map(|part| part.start).filter(|start| *start > at).min().unwrap_or(u64::MAX)
    }

    /// Keeps a part, joined with those that it touches.
    fn add(&mut self, part: Range<u64>) {
        if part.is_empty() {
            return;
        }
        let mut joined = part;
        self.parts.retain(|other| {
            let touches = other.start <= joined.end && joined.start <= other.end;
            if touches {
                joined = joined.start.min(other.start)..joined.end.max(other.end);
            }
            !touches
        });
        self.parts.push(joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_touch_are_one() {
        let mut state = State { stream: None, arrived: 0, parts: Vec::new(), way: Way::InParts };
        for part in [10..20, 40..50, 20..30, 0..0] {
            state.add(part);
        }
        assert_eq!(state.part_with(&(12..30)), Some(10..30));
        assert_eq!(state.part_with(&(29..31)), None);
        assert_eq!((state.gap_end(5), state.gap_end(30), state.gap_end(50)), (10, 40, u64::MAX));
        state.add(30..40);
        assert_eq!(state.part_with(&(10..50)), Some(10..50));
    }
}
