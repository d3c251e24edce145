//! What sending came to so far.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use coho_core::plan::ProblemCounts;
use coho_core::verdict::{Outcome, Verdict};

use super::halt::Halt;

/// What sending came to so far.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    /// Writes whose memory was another one by the time they were to be sent.
    pub(crate) stale_writes: u64,
    /// Removals whose memory was another one by then, or whose record another sync came to hold.
    pub(crate) stale_removals: u64,
    pub(crate) problems: ProblemCounts,
    /// Why the sync alone stopped, while others go on.
    pub(crate) stopped: Option<Stopped>,
    /// Why the first operation that did not reach Vitally did not.
    pub(crate) unsent: Option<Halt>,
    pub(crate) calls: u64,
    pub(crate) notes: Vec<String>,
}

/// Why one sync stops, while others go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Its time is over.
    TimeUp,
    /// Too many of its records were refused.
    TooManyRejected(Halt),
}

impl Sent {
    /// Counts so many operations with this outcome.
    pub(crate) fn count(&mut self, outcome: Outcome, number: u64) {
        if number > 0 {
            *self.outcomes.entry(outcome).or_default() += number;
        }
    }

    /// Adds what more operations came to.
    pub(crate) fn add(&mut self, more: Self) {
        for (outcome, number) in more.outcomes {
            self.count(outcome, number);
        }
        self.stale_writes += more.stale_writes;
        self.stale_removals += more.stale_removals;
        for (kind, problem) in more.problems {
            match self.problems.entry(kind) {
                Entry::Vacant(entry) => drop(entry.insert(problem)),
                Entry::Occupied(mut entry) => entry.get_mut().count += problem.count,
            }
        }
        self.stopped = self.stopped.take().or(more.stopped);
        self.unsent = self.unsent.take().or(more.unsent);
        self.calls += more.calls;
        more.notes.into_iter().for_each(|note| self.add_note(note));
    }

    fn add_note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// How many operations had this outcome.
    pub(crate) fn number(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// How many operations came to an end.
    pub(crate) fn all(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// How many Vitally refused.
    pub(crate) fn rejected(&self) -> u64 {
        self.number(Outcome::Rejected)
    }

    /// What Vitally did otherwise than asked, once each.
    pub(crate) fn note(&mut self, verdict: &Verdict) {
        if let Verdict::Applied { notes, .. } = verdict {
            for note in notes {
                self.add_note(note.clone());
            }
        }
    }
}
