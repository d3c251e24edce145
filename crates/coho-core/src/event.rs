//! Events: what happens in a run, for whoever listens. A listener can never change a run.

use crate::code::Code;
use crate::key::Key;
use crate::plan::{SyncPlan, SyncSummary};
use crate::sync::SyncId;
use crate::target::ExternalId;
use crate::time::Time;
use crate::verdict::{Call, Outcome};

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The run's id.
        run: String,
        /// When.
        at: Time,
    },
    /// A sync's rows are being read.
    Reading {
        /// The sync.
        sync: SyncId,
        /// How many rows there were so far.
        rows: u64,
    },
    /// A sync is planned.
    Planned(Box<SyncPlan>),
    /// A call was made.
    Called {
        /// The sync.
        sync: SyncId,
        /// The row that it was made for.
        key: Key,
        /// The call.
        call: Box<Call>,
    },
    /// An operation came to its end.
    Settled {
        /// The sync.
        sync: SyncId,
        /// The row.
        key: Key,
        /// The record.
        target: ExternalId,
        /// What became of it.
        outcome: Outcome,
        /// Why, where it did not succeed.
        code: Option<Code>,
    },
    /// A sync came to its end.
    Ended(Box<SyncSummary>),
}

/// Whoever wants to know what happens. Implementations must not block.
pub trait Listener: Send + std::marker::Sync {
    /// Something happened.
    fn on(&self, event: &Event);
}

impl<L: Listener + ?Sized> Listener for &L {
    fn on(&self, event: &Event) {
        (**self).on(event);
    }
}

/// A listener that does not listen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Listener for Silence {
    fn on(&self, _: &Event) {}
}
