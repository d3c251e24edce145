//! The objects of a ledger in the tables of a PostgreSQL schema.

use std::path::Path;
use std::time::Duration;

use coho_core::ledger_address::PostgresLedgerAddress;
use coho_core::time::Time;
use coho_storage::postgres::{PostgresFault, PostgresShelf, WriterMark};
use coho_storage::{Condition, Listed, Put, Version};

use super::store::{Objects, Presence};
use crate::moment::time;
use crate::remote_failure::StoreFault;

/// What people see in place of an empty name.
const MANIFEST: &str = "manifest";

/// The objects of a ledger in PostgreSQL.
#[derive(Debug)]
pub(super) struct InPostgres {
    shelf: PostgresShelf,
}

impl InPostgres {
    pub(super) fn open(address: &PostgresLedgerAddress) -> Result<Self, PostgresFault> {
        Ok(Self { shelf: PostgresShelf::open(address)? })
    }
}

fn row(name: &str) -> &str {
    if name.is_empty() { MANIFEST } else { name }
}

impl Objects for InPostgres {
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StoreFault> {
        Ok(self.shelf.get(row(name))?)
    }

    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StoreFault> {
        Ok(self.shelf.put(row(name), bytes, condition)?)
    }

    fn upload(&self, name: &str, file: &Path) -> Result<(), StoreFault> {
        Ok(self.shelf.upload(row(name), file)?)
    }

    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StoreFault> {
        Ok(self.shelf.download(row(name), file)?)
    }

    fn list(&self) -> Result<Vec<Listed>, StoreFault> {
        let all = self.shelf.list()?;
        Ok(all.into_iter().filter(|listed| listed.key != MANIFEST).collect())
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreFault> {
        Ok(self.shelf.remove(names)?)
    }

    fn now(&self) -> Result<Option<Time>, StoreFault> {
        Ok(time(self.shelf.now()?).ok())
    }

    fn mark(&self) -> Result<Presence, StoreFault> {
        Ok(match self.shelf.mark()? {
            WriterMark::Ours => Presence::Alone,
            WriterMark::Others => Presence::Another,
        })
    }

    fn presence(&self) -> Result<Presence, StoreFault> {
        Ok(if self.shelf.is_marked()? { Presence::Another } else { Presence::Alone })
    }

    fn check_rights(&self) -> Result<(), StoreFault> {
        Ok(self.shelf.check_rights()?)
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
