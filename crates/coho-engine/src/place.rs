//! Where the ledger is, and how it is opened there: a file, or objects in a bucket.

use std::path::PathBuf;

use coho_core::storage::StorageAddress;
use coho_ledger::bucket::{BucketError, BucketPlace};
use coho_ledger::{Ledger, OpenError, Opening};

use crate::context::Engine;

impl Engine<'_> {
    /// Where the ledger is: a file, or the address of an object.
    pub fn ledger_path(&self) -> PathBuf {
        let path = &self.setup.project.ledger.path;
        if self.ledger_is_in_bucket() { PathBuf::from(path) } else { self.setup.root.join(path) }
    }

    /// Whether the ledger is in a bucket: then there is no file that others may look at.
    pub fn ledger_is_in_bucket(&self) -> bool {
        StorageAddress::is_meant(&self.setup.project.ledger.path)
    }

    /// Opens the ledger where it is.
    pub(crate) fn open_ledger(&self, opening: &Opening) -> Result<Ledger, OpenError> {
        if !self.ledger_is_in_bucket() {
            return Ledger::open(&self.ledger_path(), opening);
        }
        let path = &self.setup.project.ledger.path;
        let address = StorageAddress::parse(path).map_err(|_| BucketError::NoName { place: path.clone() })?;
        Ledger::open_in_bucket(&BucketPlace::open(&address)?, opening, &self.setup.holder)
    }

    /// The folder of files that belong to the ledger and are not in it.
    pub(crate) fn beside_ledger(&self) -> PathBuf {
        let path = self.ledger_path();
        match path.parent() {
            Some(folder) if !self.ledger_is_in_bucket() => folder.to_owned(),
            Some(_) | None => self.setup.root.join(".coho"),
        }
    }

    /// Ends the writing of a ledger. What was written is stored whatever comes of it.
    pub(crate) fn finish(&self, ledger: &Ledger) {
        if let Err(error) = ledger.finish() {
            tracing::warn!(
                "cannot tidy up the ledger `{}`: {error}; nothing is lost",
                self.ledger_path().display()
            );
        }
    }
}
