//! The heartbeat of a run: its lease is renewed now and then.

use std::sync::{Mutex, PoisonError};

use coho_core::time::Time;
use coho_ledger::lease::Lease;
use coho_ledger::{Ledger, LedgerError};

use crate::clock::Clock;
use crate::leased::LEASE;

/// Renews a lease now and then, whoever asks.
pub(crate) struct Heartbeat<'a> {
    ledger: &'a Ledger,
    lease: &'a Lease,
    clock: &'a dyn Clock,
    last: Mutex<Time>,
}

impl<'a> Heartbeat<'a> {
    pub(crate) fn new(ledger: &'a Ledger, lease: &'a Lease, clock: &'a dyn Clock) -> Self {
        Self { ledger, lease, clock, last: Mutex::new(clock.now()) }
    }

    pub(crate) fn beat(&self) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if now - *last < chrono::TimeDelta::seconds(30) {
            return Ok(());
        }
        self.ledger.renew(self.lease, now, LEASE)?;
        *last = now;
        Ok(())
    }
}
