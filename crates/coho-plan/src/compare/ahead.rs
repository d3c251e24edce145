//! A comparison on a thread of its own, some keys ahead of whoever evaluates them.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use coho_ledger::row_state::StateCounts;

use super::{Compared, Comparison};
use crate::failure::PlanError;

/// Keys that are handed over at once.
const AT_ONCE: usize = 128;
/// How many times so many may wait.
const WAITING: usize = 4;

/// What the thread says.
enum Part {
    /// Some keys.
    Keys(Vec<Compared>),
    /// Nothing more comes.
    Failed(PlanError),
    /// There are no more keys. So many were only counted, and these were all memories.
    End(u64, StateCounts),
}

/// Gives what a comparison gives, in its order. After an error there is nothing more.
pub(crate) struct Ahead {
    parts: Option<Receiver<Part>>,
    thread: Option<JoinHandle<()>>,
    keys: std::vec::IntoIter<Compared>,
    same: u64,
    counts: StateCounts,
}

impl Ahead {
    /// Begins to compare.
    pub(crate) fn of(comparison: Comparison) -> Self {
        let (sender, parts) = sync_channel(WAITING);
        // Where nobody listens any more, nobody needs the end.
        let thread = thread::spawn(move || compare(comparison, &sender).unwrap_or_default());
        let (parts, thread) = (Some(parts), Some(thread));
        Self { parts, thread, keys: Vec::new().into_iter(), same: 0, counts: StateCounts::default() }
    }

    /// At the end, how many keys were the same and only counted.
    pub(crate) fn same(&self) -> u64 {
        self.same
    }

    /// At the end, how many memories there were of each kind.
    pub(crate) fn counts(&self) -> StateCounts {
        self.counts
    }

    /// Ends the thread, which ends when it has something to give that nobody takes. If it panicked, so does this one.
    fn end(&mut self) {
        self.parts = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

/// Gives all keys, unless nobody listens any more.
fn compare(mut comparison: Comparison, parts: &SyncSender<Part>) -> Result<(), SendError<Part>> {
    let mut keys = Vec::with_capacity(AT_ONCE);
    for found in &mut comparison {
        match found {
            Ok(found) => keys.push(found),
            Err(error) => {
                parts.send(Part::Keys(keys))?;
                return parts.send(Part::Failed(error));
            }
        }
        if keys.len() == AT_ONCE {
            let full = std::mem::replace(&mut keys, Vec::with_capacity(AT_ONCE));
            parts.send(Part::Keys(full))?;
        }
    }
    parts.send(Part::Keys(keys))?;
    parts.send(Part::End(comparison.same(), comparison.counts()))
}

impl Iterator for Ahead {
    type Item = Result<Compared, PlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.keys.next() {
                return Some(Ok(found));
            }
            match self.parts.as_ref()?.recv() {
                Ok(Part::Keys(keys)) => self.keys = keys.into_iter(),
                Ok(Part::Failed(error)) => {
                    self.end();
                    return Some(Err(error));
                }
                Ok(Part::End(same, counts)) => (self.same, self.counts) = (same, counts),
                Err(_) => self.end(),
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end();
    }
}
