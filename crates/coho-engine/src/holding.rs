//! The ledger of a run: it is opened for writing, is this project's, and nobody else writes to it.

use coho_core::sync::Sync;
use coho_ledger::{Create, Ledger, OpenError, Opening};

use crate::context::{Engine, EngineError};
use crate::leased::Leased;
use crate::lost::OnLost;
use crate::owner::OnForeign;

impl Engine<'_> {
    /// The ledger for writing. An older one is brought up to date. Where there is none, one is made, unless these syncs have
    /// sent before: their memory is lost.
    pub(crate) fn ledger_to_write(&self, syncs: &[&Sync], on_lost: OnLost) -> Result<Ledger, EngineError> {
        let opening = Opening::new(self.setup.clock.now());
        let found = match self.open_ledger(&Opening { create: Create::No, ..opening }) {
            Ok(ledger) => Some(ledger),
            Err(OpenError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        self.look_for_memory(found.as_ref(), syncs, on_lost)?;
        let ledger = match found {
            Some(ledger) => ledger,
            None => self.open_ledger(&opening)?,
        };
        ledger.mask(&self.setup.project.masker)?;
        Ok(ledger)
    }

    /// Takes the lease of a ledger that is this project's, or becomes it.
    pub(crate) fn hold<'l>(
        &'l self,
        ledger: &'l Ledger,
        on_foreign: OnForeign,
    ) -> Result<Leased<'l>, EngineError> {
        let leased = Leased::take(ledger, &self.setup.holder, &*self.setup.clock)?;
        let lease = leased.lease();
        self.take_ownership(ledger, lease, on_foreign, self.setup.clock.now())?;
        if lease.lost_writes() > 0 {
            tracing::warn!(
                "the ledger `{}` lost {} changes: its write-ahead log was removed, or an older copy was restored; Coho sends what the ledger no longer knows again, to the same records and under the same event ids",
                self.ledger_path().display(),
                lease.lost_writes()
            );
        }
        Ok(leased)
    }
}
