//! The port to a store: what a ledger asks of it. [`super::bucket`] and [`super::postgres`] do it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coho_core::ledger_address::PostgresLedgerAddress;
use coho_core::storage::StorageAddress;
use coho_core::time::Time;
use coho_storage::{Condition, Listed, Put, StorageFault, Version};

use super::bucket::InBucket;
use super::postgres::InPostgres;
use crate::remote_failure::{RemoteError, StoreFault};

/// The objects of one ledger. The manifest's name is empty; the others have names such as `log/3-1`.
pub(crate) trait Objects: fmt::Debug + Send + Sync {
    /// An object; `None` where there is none.
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StoreFault>;

    /// Writes an object under a condition.
    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StoreFault>;

    /// Writes a file as an object of a name that nobody else uses.
    fn upload(&self, name: &str, file: &Path) -> Result<(), StoreFault>;

    /// Writes an object into a file; `None` where there is none.
    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StoreFault>;

    /// The objects of the ledger besides its manifest.
    fn list(&self) -> Result<Vec<Listed>, StoreFault>;

    /// Removes objects.
    fn remove(&self, names: &[String]) -> Result<(), StoreFault>;

    /// The store's own clock, by which leases are judged; `None` where it has none that can be asked.
    fn now(&self) -> Result<Option<Time>, StoreFault> {
        Ok(None)
    }

    /// Marks this process as the one that writes for as long as it lives, unless another one is marked.
    fn mark(&self) -> Result<Presence, StoreFault> {
        Ok(Presence::Unknown)
    }

    /// Whether any process is marked, where the store can tell.
    fn presence(&self) -> Result<Presence, StoreFault> {
        Ok(Presence::Unknown)
    }

    /// Whether whoever asks may do what a run does, as far as that can be told before it.
    fn check_rights(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    /// Waits before another attempt.
    fn pause(&self, time: Duration);
}

/// What a store knows of another process that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// There is one.
    Another,
    /// There is none.
    Alone,
    /// It cannot tell.
    Unknown,
}

/// Where a ledger is that is in no file.
#[derive(Clone, Debug)]
pub struct RemotePlace {
    pub(crate) objects: Arc<dyn Objects>,
    name: String,
}

/// How often a call is made in vain.
const ATTEMPTS: u32 = 3;

impl RemotePlace {
    /// The place in a bucket. Credentials come from the environment, or from the machine.
    pub fn in_bucket(address: &StorageAddress) -> Result<Self, RemoteError> {
        let name = address.to_string();
        if address.prefix.is_empty() {
            return Err(RemoteError::NoName { place: name });
        }
        Self::opened(InBucket::open(address).map_err(StoreFault::from), name)
    }

    /// The place in PostgreSQL.
    pub fn in_postgres(address: &PostgresLedgerAddress) -> Result<Self, RemoteError> {
        Self::opened(InPostgres::open(address).map_err(StoreFault::from), address.to_string())
    }

    fn opened(
        objects: Result<impl Objects + 'static, StoreFault>,
        name: String,
    ) -> Result<Self, RemoteError> {
        match objects {
            Ok(objects) => Ok(Self::of(Arc::new(objects), name)),
            Err(source) => Err(RemoteError::Store { place: name, doing: "opening", source }),
        }
    }

    /// Whether a run may do there what it does, as far as that can be told before it.
    pub fn check_rights(&self) -> Result<(), RemoteError> {
        self.patiently("opening", || self.objects.check_rights())
    }

    /// The moment by which leases are judged: the store's, or this one.
    pub(crate) fn now(&self, here: Time) -> Result<Time, RemoteError> {
        Ok(self.patiently("asking the clock of", || self.objects.now())?.unwrap_or(here))
    }

    /// Whether any process is marked as the one that writes.
    pub(crate) fn presence(&self) -> Result<Presence, RemoteError> {
        self.patiently("looking for who writes", || self.objects.presence())
    }

    /// Marks this process as the one that writes.
    pub(crate) fn mark(&self) -> Result<Presence, RemoteError> {
        self.patiently("taking", || self.objects.mark())
    }

    pub(crate) fn of(objects: Arc<dyn Objects>, name: String) -> Self {
        Self { objects, name }
    }

    /// Its address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does what a passing fault may keep from being done, some times.
    pub(crate) fn patiently<T>(
        &self,
        doing: &'static str,
        mut work: impl FnMut() -> Result<T, StoreFault>,
    ) -> Result<T, RemoteError> {
        let mut wait = Duration::from_secs(1);
        for _ in 1..ATTEMPTS {
            match work() {
                Err(fault) if fault.passes() => self.objects.pause(wait),
                done => return done.map_err(|source| self.fault(doing, source)),
            }
            wait *= 3;
        }
        work().map_err(|source| self.fault(doing, source))
    }

    /// Writes an object under a condition. `None` where the condition was not met; an earlier attempt of the same write, whose answer was
    /// lost, counts as made. So what is written must be of this process alone.
    pub(crate) fn put(
        &self,
        doing: &'static str,
        name: &str,
        bytes: &[u8],
        condition: &Condition,
    ) -> Result<Option<Version>, RemoteError> {
        self.patiently(doing, || match self.objects.put(name, bytes, condition)? {
            Put::Done(version) => Ok(Some(version)),
            Put::Refused => match self.objects.get(name)? {
                Some((found, version)) if found == bytes => Ok(Some(version)),
                // Somebody else's write of it was under way, and came to nothing.
                None if *condition == Condition::Absent => {
                    Err(StorageFault::Unexpected("the object is there, and is not".to_owned()).into())
                }
                Some(_) | None => Ok(None),
            },
        })
    }

    pub(crate) fn get(
        &self,
        doing: &'static str,
        name: &str,
    ) -> Result<Option<(Vec<u8>, Version)>, RemoteError> {
        self.patiently(doing, || self.objects.get(name))
    }

    pub(crate) fn fault(&self, doing: &'static str, source: StoreFault) -> RemoteError {
        let place = self.name.clone();
        if matches!(source, StoreFault::Storage(StorageFault::NoConditions)) {
            RemoteError::NoConditions { place }
        } else {
            RemoteError::Store { place, doing, source }
        }
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> RemoteError {
        RemoteError::Damaged { place: self.name.clone(), what: what.into() }
    }

    pub(crate) fn lost(&self) -> RemoteError {
        RemoteError::Lost { place: self.name.clone() }
    }

    pub(crate) fn disk(&self, source: std::io::Error) -> RemoteError {
        RemoteError::Disk { place: self.name.clone(), source }
    }

    pub(crate) fn sqlite(&self, source: rusqlite::Error) -> RemoteError {
        RemoteError::Sqlite { place: self.name.clone(), source }
    }
}
