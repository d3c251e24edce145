//! Purging: taking one row's values out of all that Coho keeps on this machine.
//!
//! What the ledger does about it stands in `coho_ledger::purge`; beside the ledger are the results of the last run and what
//! killed runs left in the folder for temporary files.

use std::fs;
use std::io::ErrorKind;
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
    /// Files that have a value, or may have one, and could not be removed.
    pub left: Vec<PathBuf>,
}

impl Engine<'_> {
    /// Takes the values of a row out of everything that Coho keeps, so that nothing is sent twice because of it.
    pub fn purge(&self, sync: &Sync, key: &Key) -> Result<PurgeReport, EngineError> {
        let ledger = self.ledger_to_write(&[sync], OnLost::Refuse)?;
        let leased = self.hold(&ledger, OnForeign::Refuse)?;
        self.temporary()?;
        let (purged, values) = ledger.purge(leased.lease(), &sync.id, key, self.setup.clock.now())?;
        let (results, mut left) = self.remove_results(&values);
        let scrubbed = ledger.scrub(leased.lease())?;
        leased.release()?;
        self.finish(&ledger);
        left.extend(scrubbed.left.iter().cloned());
        Ok(PurgeReport { purged, scrubbed, results, left })
    }

    /// Removes the results of the last run, and what a process left that was killed while it wrote them. Gives them, and what could
    /// not be removed.
    fn remove_results(&self, values: &PurgedValues) -> (Option<PathBuf>, Vec<PathBuf>) {
        let path = self.results_path();
        let unfinished = format!("{RESULTS}.");
        let beside = path.parent().and_then(|folder| fs::read_dir(folder).ok());
        let is_unfinished = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&unfinished))
        };
        let all = beside.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_unfinished);
        let mut left: Vec<_> = all.filter(|path| fs::remove_file(path).is_err()).collect();
        let may_have_values = match fs::read(&path) {
            Ok(bytes) => values.are_in(&String::from_utf8_lossy(&bytes)),
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if !may_have_values {
            return (None, left);
        }
        if fs::remove_file(&path).is_ok() {
            return (Some(path), left);
        }
        left.push(path);
        (None, left)
    }
}
