//! A lease that is given back, whichever way its holder ends.

use std::sync::Arc;

use coho_ledger::lease::{Holder, Lease, LeaseError};
use coho_ledger::{Ledger, LedgerError};

use crate::clock::Clock;

/// How long a lease lasts without a renewal.
pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_secs(300);

/// A lease on a ledger.
pub(crate) struct Leased<'a> {
    ledger: &'a Ledger,
    clock: &'a dyn Clock,
    lease: Arc<Lease>,
    released: bool,
}

impl<'a> Leased<'a> {
    /// Takes the lease.
    pub(crate) fn take(
        ledger: &'a Ledger,
        holder: &Holder,
        clock: &'a dyn Clock,
    ) -> Result<Self, LeaseError> {
        let lease = Arc::new(ledger.acquire(holder, clock.now(), LEASE)?);
        Ok(Self { ledger, clock, lease, released: false })
    }

    /// What is shown to each function that writes.
    pub(crate) fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Gives the lease back, and says whether that succeeded.
    pub(crate) fn release(mut self) -> Result<(), LedgerError> {
        self.released = true;
        self.ledger.give_back(&self.lease, self.clock.now())
    }
}

/// The error that ended its holder early is the one to tell.
impl Drop for Leased<'_> {
    fn drop(&mut self) {
        if !self.released {
            drop(self.ledger.give_back(&self.lease, self.clock.now()));
        }
    }
}
