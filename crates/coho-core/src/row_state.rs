//! Memory: what the ledger remembers of a key.

use chrono::TimeDelta;

use crate::code::Code;
use crate::digest::Digest;
use crate::fields::Sent;
use crate::target::{ExternalId, VitallyId};
use crate::time::Time;

/// What is remembered of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowState {
    /// The record that the key's row became, or was to become.
    pub target: ExternalId,
    /// What Vitally is known to hold.
    pub delivery: DeliveryState,
    /// What is under way or waiting.
    pub pending: Pending,
    /// The row as it was evaluated last; absent means "render again".
    pub seen: Option<Seen>,
    /// Grows with each change of this memory: an operation applies only while it stands.
    pub version: u64,
}

/// The row and the mapping as they were evaluated last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The digest of the columns that the mapping reads.
    pub row: Digest,
    /// The digest of the mapping.
    pub mapping: Digest,
}

/// What Vitally is known to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Nothing was ever acknowledged.
    Never,
    /// Remembered without being sent: compared with, never ours to delete.
    Assumed {
        /// What is taken to be there.
        sent: Sent,
    },
    /// Delivered and acknowledged.
    Delivered {
        /// What was acknowledged.
        sent: Sent,
        /// How many deliveries were acknowledged.
        n: u32,
        /// The record's id, where Vitally told it.
        id: Option<VitallyId>,
        /// Whether this sync created it.
        origin: Origin,
    },
    /// Its row left under `keep`, or another sync still holds it.
    Released {
        /// What was acknowledged.
        sent: Sent,
        /// The record's id, where Vitally told it.
        id: Option<VitallyId>,
        /// Whether this sync created it.
        origin: Origin,
    },
    /// Removed, and acknowledged.
    Removed {
        /// When.
        at: Time,
    },
}

impl DeliveryState {
    /// What was acknowledged, where anything was.
    pub fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Assumed { sent } | Self::Delivered { sent, .. } | Self::Released { sent, .. } => Some(sent),
            Self::Never | Self::Removed { .. } => None,
        }
    }

    /// The record's id, where it is known.
    pub fn id(&self) -> Option<&VitallyId> {
        match self {
            Self::Delivered { id, .. } | Self::Released { id, .. } => id.as_ref(),
            Self::Never | Self::Assumed { .. } | Self::Removed { .. } => None,
        }
    }

    /// Whether this sync created the record, where that is known.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::Delivered { origin, .. } | Self::Released { origin, .. } => Some(*origin),
            Self::Never | Self::Assumed { .. } | Self::Removed { .. } => None,
        }
    }
}

/// Whether this sync created a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// It did.
    Created,
    /// It was there before.
    Found,
}

/// What is under way or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Nothing.
    None,
    /// An intent whose outcome is not known: the write may have arrived.
    Open {
        /// The operation's digest.
        operation: Digest,
        /// What is remembered if it turns out to have arrived.
        would_send: Sent,
        /// What it was to do.
        verb: Verb,
        /// When the intent was made durable.
        since: Time,
    },
    /// Something that did not succeed and is tried again.
    Waiting {
        /// Why it waits.
        why: Why,
        /// The code of the last try.
        code: Code,
        /// The row and mapping of the last try.
        tried: Seen,
        /// How often it was tried.
        tries: u16,
        /// When it is tried again.
        due: Due,
        /// What it was to do.
        verb: Verb,
    },
}

/// What an operation does to its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Creates or updates it, as the sync's mode says.
    Write,
    /// Deletes it.
    Remove,
}

/// Why an operation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Vitally refused it.
    Rejected,
    /// Something that it needs is not there yet.
    Deferred,
    /// The mode forbids it for now.
    Skipped,
}

/// The longest time that a waiting operation waits. What is due later was put off by a clock that was wrong.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// When a waiting operation is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// In the first run from then on.
    At(Time),
    /// In every run.
    Always,
    /// Only when the row or the mapping changes, or a person asks for it.
    OnChange,
}

impl Due {
    /// Whether it is tried at this moment.
    pub fn is_due(self, now: Time) -> bool {
        match self {
            Self::At(time) => time <= now || time > now + LONGEST_WAIT,
            Self::Always => true,
            Self::OnChange => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wrong_clock_put_off_is_due() {
        let now = Time::UNIX_EPOCH + TimeDelta::days(20_000);
        let due = |wait| Due::At(now + wait).is_due(now);
        assert!(due(TimeDelta::zero()));
        assert!(!due(TimeDelta::seconds(1)));
        assert!(!due(LONGEST_WAIT));
        assert!(due(LONGEST_WAIT + TimeDelta::microseconds(1)));
        assert!(due(TimeDelta::days(3_650)));
    }
}
