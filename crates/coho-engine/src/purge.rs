//! Purging: taking one row's values out of all that Coho keeps on this machine.
//!
//! What the ledger does about it stands in `coho_ledger::purge`; beside the ledger are the results of the last run and what
//! killed runs left in the folder for temporary files.

use std::fs;
use std::path::PathBuf;

use coho_core::key::Key;
use coho_core::sync::Sync;
use coho_ledger::purge::{Purged, PurgedValues, Scrubbed};

use crate::context::Engine;
use crate::failure::EngineError;
use crate::lost::OnLost;
use crate::owner::OnForeign;
use crate::reports::results::RESULTS;

/// What was purged.
#[derive(Clone, Debug)]
pub struct PurgeReport {
    /// From the ledger's tables.
    pub purged: Purged,
    /// From the ledger's files.
    pub scrubbed: Scrubbed,
    /// The results of the last run, where they named the row or had a value of it: they were removed.
    pub results: Option<PathBuf>,
}

impl Engine<'_> {
    /// Takes the values of a row out of everything that Coho keeps, so that nothing is sent twice because of it.
    pub fn purge(&self, sync: &Sync, key: &Key) -> Result<PurgeReport, EngineError> {
        let ledger = self.ledger_to_write(&[sync], OnLost::Refuse)?;
        let leased = self.hold(&ledger, OnForeign::Refuse)?;
        let (purged, values) = ledger.purge(leased.lease(), &sync.id, key, self.setup.clock.now())?;
        let results = self.remove_results(&values);
        self.temporary()?;
        let scrubbed = ledger.scrub(leased.lease())?;
        leased.release()?;
        Ok(PurgeReport { purged, scrubbed, results })
    }

    /// Removes the results of the last run, and what a process left that was killed while it wrote them.
    fn remove_results(&self, values: &PurgedValues) -> Option<PathBuf> {
        let path = self.results_path();
        let unfinished = format!("{RESULTS}.");
        let beside = path.parent().and_then(|folder| fs::read_dir(folder).ok());
        for entry in beside.into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&unfinished)) {
                drop(fs::remove_file(entry.path()));
            }
        }
        let has_values = fs::read_to_string(&path).is_ok_and(|text| values.are_in(&text));
        (has_values && fs::remove_file(&path).is_ok()).then_some(path)
    }
}
