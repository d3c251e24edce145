//! Lanes: in which order the operations of a plan are carried out, and which of them may have to wait for others.

use coho_core::decide::Reason;
use coho_core::key::Key;
use coho_core::memory::Memory;
use coho_core::operation::{Action, Operation};
use coho_core::target::ExternalId;

/// What kind of work an operation is. First come all writes, then, the other way round, what concerns absent keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Records are created and updated since their rows are new or changed; and what may have arrived is resolved.
    Fresh,
    /// What did not succeed in an earlier run is tried again.
    Retry,
    /// Records are updated only because the mapping changed.
    Backfill,
    /// Records are deleted.
    Remove,
    /// Open writes of rows that left are looked after.
    Probe,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 5] = [Self::Fresh, Self::Retry, Self::Backfill, Self::Remove, Self::Probe];

    /// The lanes of writes, the most urgent first.
    pub const WRITES: [Self; 3] = [Self::Fresh, Self::Retry, Self::Backfill];

    /// The lane of an operation.
    pub fn of(operation: &Operation) -> Self {
        match operation.action {
            Action::Write { .. } => Self::of_write(operation.reason),
            Action::Remove => Self::Remove,
            Action::Probe { .. } => Self::Probe,
        }
    }

    /// Whether its operations create and update records.
    pub fn writes(self) -> bool {
        Self::WRITES.contains(&self)
    }

    fn of_write(reason: Reason) -> Self {
        match reason {
            Reason::RejectedEarlier | Reason::DeferredEarlier | Reason::SkippedEarlier => Self::Retry,
            Reason::MappingChanged => Self::Backfill,
            Reason::NullKey
            | Reason::DuplicateKey
            | Reason::Baseline
            | Reason::OutcomeUnknown
            | Reason::Waiting(_)
            | Reason::RetriesUsedUp
            | Reason::EventSent
            | Reason::NewRecord
            | Reason::RecordReturned
            | Reason::SameRow
            | Reason::SamePayload
            | Reason::RowChanged
            | Reason::Returned
            | Reason::TargetChanged
            | Reason::Resend
            | Reason::SourceIncomplete
            | Reason::EventKept
            | Reason::EventExpired
            | Reason::NeverDelivered
            | Reason::NotOurs
            | Reason::LeftUnderKeep
            | Reason::RemovedEarlier
            | Reason::RemovalKept
            | Reason::StillClaimed
            | Reason::ExistedBefore
            | Reason::RemovedFromModel => Self::Fresh,
        }
    }

    /// The number in the spool's file: those below three are writes.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Fresh => 0,
            Self::Retry => 1,
            Self::Backfill => 2,
            Self::Remove => 3,
            Self::Probe => 4,
        }
    }

    /// The lane of this number.
    pub(super) fn numbered(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.number() == number)
    }
}

/// Whether a key's memory holds an operation's target already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldsTarget {
    /// It does.
    Already,
    /// It does not.
    NotYet,
    /// It does not, since it holds another record.
    Another,
}

impl HoldsTarget {
    pub(super) fn number(self) -> i64 {
        match self {
            Self::NotYet => 0,
            Self::Already => 1,
            Self::Another => 2,
        }
    }

    /// What a memory says of its own record.
    pub fn of(memory: Option<&Memory>, target: &ExternalId) -> Self {
        match memory {
            Some(memory) if memory.target == *target => Self::Already,
            Some(_) | None => Self::NotYet,
        }
    }
}

/// An operation without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the spool.
    pub seq: i64,
    /// The row.
    pub key: Key,
    /// The record.
    pub target: ExternalId,
    /// Where it is carried out.
    pub lane: Lane,
}
