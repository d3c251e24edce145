//! Where the ledger is, and how it is opened there: a file, objects in a bucket, or rows in PostgreSQL.

use std::path::PathBuf;

use coho_core::storage::StorageAddress;
use coho_ledger::remote::{RemoteError, RemotePlace};
use coho_ledger::{Ledger, OpenError, Opening};

use crate::context::Engine;

impl Engine<'_> {
    /// Where the ledger is: a file, or an address without a password.
    pub fn ledger_path(&self) -> PathBuf {
        let path = &self.setup.project.ledger.path;
        if self.ledger_is_remote() { PathBuf::from(path) } else { self.setup.root.join(path) }
    }

    /// Whether the ledger is in a bucket or in PostgreSQL: then there is no file that others may look at.
    pub fn ledger_is_remote(&self) -> bool {
        StorageAddress::is_meant(&self.setup.project.ledger.path)
    }

    /// What the ledger is in, as messages say it.
    pub fn ledger_medium(&self) -> &'static str {
        match (self.ledger_is_remote(), &self.setup.project.ledger.postgres) {
            (_, Some(_)) => "PostgreSQL",
            (true, None) => "a bucket",
            (false, None) => "a file",
        }
    }

    /// Opens the ledger where it is.
    pub(crate) fn open_ledger(&self, opening: &Opening) -> Result<Ledger, OpenError> {
        match self.remote_place()? {
            Some(place) => Ledger::open_remote(&place, opening, &self.setup.holder),
            None => Ledger::open(&self.ledger_path(), opening),
        }
    }

    /// Where the ledger is, if it is in no file.
    pub(crate) fn remote_place(&self) -> Result<Option<RemotePlace>, RemoteError> {
        if !self.ledger_is_remote() {
            return Ok(None);
        }
        let ledger = &self.setup.project.ledger;
        if let Some(address) = &ledger.postgres {
            return RemotePlace::in_postgres(address).map(Some);
        }
        let no_name = |_| RemoteError::NoName { place: ledger.path.clone() };
        RemotePlace::in_bucket(&StorageAddress::parse(&ledger.path).map_err(no_name)?).map(Some)
    }

    /// The folder of files that belong to the ledger and are not in it.
    pub(crate) fn beside_ledger(&self) -> PathBuf {
        let path = self.ledger_path();
        match path.parent() {
            Some(folder) if !self.ledger_is_remote() => folder.to_owned(),
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
