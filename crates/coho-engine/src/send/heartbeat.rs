//! The heartbeat of a run: its lease is renewed now and then.

use std::cell::Cell;

use coho_core::memory::Time;
use coho_ledger::lease::Lease;
use coho_ledger::{Ledger, LedgerError};

use crate::clock::Clock;

/// Renews a lease now and then, whoever asks.
pub(crate) struct Heartbeat<'a> {
    ledger: &'a Ledger,
    lease: &'a Lease,
    clock: &'a dyn Clock,
    last: Cell<Time>,
}

/// How long a lease lasts without a renewal.
pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_secs(300);

impl<'a> Heartbeat<'a> {
    pub(crate) fn new(ledger: &'a Ledger, lease: &'a Lease, clock: &'a dyn Clock) -> Self {
        Self { ledger, lease, clock, last: Cell::new(clock.now()) }
    }

    pub(crate) fn beat(&self) -> Result<(), LedgerError> {
        let now = self.clock.now();
        if now - self.last.get() < chrono::TimeDelta::seconds(30) {
            return Ok(());
        }
        self.ledger.renew(self.lease, now, LEASE)?;
        self.last.set(now);
        Ok(())
    }
}
