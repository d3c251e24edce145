//! Endings: how the table of upsert ends. A write that was applied may have links left to take away: `exact` does that.

use coho_core::memory::{Origin, Time};
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;

use crate::wire::record::Record;

/// How a table ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The write was acknowledged.
    Applied(Box<Applied>),
    /// Anything else.
    Verdict(Verdict),
}

/// A write that was acknowledged, with what may matter of it.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) id: Option<VitallyId>,
    pub(crate) origin: Origin,
    pub(crate) notes: Vec<String>,
    /// The record, where the answer has it.
    pub(crate) record: Option<Record>,
    /// Our clock when the write was sent.
    pub(crate) at: Time,
    /// Whether the links may be others than those that were sent, where the answer does not tell them.
    pub(crate) links: Links,
}

/// Whether a record's links are known without being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// They are those that were sent, or nobody asks.
    Known,
    /// There may be more.
    Unknown,
}

impl Applied {
    pub(crate) fn verdict(self) -> Verdict {
        Verdict::Applied { id: self.id, origin: self.origin, notes: self.notes }
    }
}
