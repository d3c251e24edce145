//! Verdicts, outcomes and statuses: what Vitally answered, what that means for a row, and where every row ends.

use std::fmt;

pub use crate::call::Call;
use crate::code::Code;
use crate::path::FieldPath;
use crate::row_state::Origin;
use crate::target::VitallyId;
use crate::value::Value;

/// What an exchange found out. The transport gives exactly one for each operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer shows the record.
    Applied {
        /// The record's id, where Vitally told it.
        id: Option<VitallyId>,
        /// Whether an answer proves that this sync created the record.
        origin: Origin,
        /// What Vitally did otherwise than asked, such as a name that it did not take.
        notes: Vec<String>,
        /// What is not to be remembered, since Vitally does not show it: links that were sent once, and after a look what an
        /// earlier write was to set.
        lost: Vec<(FieldPath, Value)>,
    },
    /// The Analytics API took the message. What becomes of it shows later, if at all: this is not [`Verdict::Applied`].
    Accepted,
    /// The record is gone, by this call or before it.
    Gone,
    /// Update mode, or a probe: there is no such record.
    Missing,
    /// Insert mode: there is such a record.
    Exists,
    /// Several records match.
    Ambiguous,
    /// Vitally refused the record.
    Rejected {
        /// The stable code.
        code: Code,
        /// Vitally's own text, bounded.
        message: String,
    },
    /// A record that this one refers to is not there.
    Deferred {
        /// Which, as `account acme`.
        message: String,
    },
    /// Nothing left us: the intent can be closed.
    Unsent {
        /// Why.
        why: String,
    },
    /// The write may have arrived: the intent stays open.
    Unsure {
        /// Why.
        why: String,
    },
    /// The run must stop. The write was not carried out.
    Halt {
        /// The stable code.
        code: Code,
        /// What happened.
        message: String,
    },
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Written and acknowledged.
    Delivered,
    /// Taken by the Analytics API, which does not say what it does with it.
    Accepted,
    /// Deleted and acknowledged.
    Removed,
    /// The mode forbids it.
    Skipped,
    /// Vitally refused it.
    Rejected,
    /// Something is not there yet, or not known yet.
    Deferred,
    /// The run ended before.
    NotAttempted,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Delivered,
        Self::Accepted,
        Self::Removed,
        Self::Skipped,
        Self::Rejected,
        Self::Deferred,
        Self::NotAttempted,
    ];

    /// The status of a row with this outcome.
    pub fn status(self) -> RowStatus {
        match self {
            Self::Delivered => RowStatus::Delivered,
            Self::Accepted => RowStatus::Accepted,
            Self::Removed => RowStatus::Removed,
            Self::Skipped => RowStatus::Skipped,
            Self::Rejected => RowStatus::Rejected,
            Self::Deferred => RowStatus::Deferred,
            Self::NotAttempted => RowStatus::NotAttempted,
        }
    }
}

/// Where a row, or a key that left, ends in a run. Every one ends in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the glossary explains each; the text is the name")]
pub enum RowStatus {
    Delivered,
    Accepted,
    Touched,
    Removed,
    Skipped,
    Rejected,
    Deferred,
    NotAttempted,
    Unchanged,
    Learned,
    Invalid,
    Held,
    Stale,
    Kept,
    Released,
    Forgotten,
}

impl RowStatus {
    /// All statuses.
    pub const ALL: [Self; 16] = [
        Self::Delivered,
        Self::Accepted,
        Self::Touched,
        Self::Removed,
        Self::Skipped,
        Self::Rejected,
        Self::Deferred,
        Self::NotAttempted,
        Self::Unchanged,
        Self::Learned,
        Self::Invalid,
        Self::Held,
        Self::Stale,
        Self::Kept,
        Self::Released,
        Self::Forgotten,
    ];

    /// The text in reports, the ledger and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Accepted => "accepted",
            Self::Touched => "touched",
            Self::Removed => "removed",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Deferred => "deferred",
            Self::NotAttempted => "not-attempted",
            Self::Unchanged => "unchanged",
            Self::Learned => "learned",
            Self::Invalid => "invalid",
            Self::Held => "held",
            Self::Stale => "stale",
            Self::Kept => "kept",
            Self::Released => "released",
            Self::Forgotten => "forgotten",
        }
    }

    /// The status of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for RowStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
