//! Notes: what is remembered when a plan is carried out, though nothing is sent. How they are stored stands in `wire`.

use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::memory::Seen;
use coho_core::target::ExternalId;
use coho_core::verdict::Fate;

/// Something that is remembered when the plan is carried out, though nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The row, or the key that left.
    pub key: Key,
    /// Where it ends.
    pub fate: Fate,
    /// Why: a reason of the decision table, or a problem's code.
    pub code: String,
    /// More of it, where there is more.
    pub message: String,
    /// The memory that replaces the one there is.
    pub memory: NewMemory,
}

/// What a note does to a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewMemory {
    /// Nothing.
    Same,
    /// It is dropped.
    Forgotten,
    /// The row was looked at again and nothing differs.
    Seen(Seen),
    /// Its record is let be.
    Released,
    /// The row is taken as delivered, though it was not sent.
    Learned {
        /// The record.
        target: ExternalId,
        /// What Vitally is taken to hold.
        sent: Sent,
        /// The row and mapping.
        seen: Seen,
    },
    /// It goes over to another key, since the row became another record.
    Split {
        /// The key under which the old record is remembered from now on.
        to: Key,
        /// The new record.
        target: ExternalId,
    },
}
