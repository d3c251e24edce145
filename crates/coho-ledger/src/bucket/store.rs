//! The port to a bucket: what a ledger asks of it, and the bucket that does it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coho_core::storage::StorageAddress;
use coho_storage::{Bucket, Condition, Listed, Put, Shelf, StorageFault, Version};

use crate::bucket_failure::BucketError;

/// The objects of one ledger. The manifest's name is empty; the others have names such as `log/3-1`.
pub(crate) trait Objects: fmt::Debug + Send + Sync {
    /// An object; `None` where there is none.
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageFault>;

    /// Writes an object under a condition.
    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StorageFault>;

    /// Writes a file as an object of a name that nobody else uses.
    fn upload(&self, name: &str, file: &Path) -> Result<(), StorageFault>;

    /// Writes an object into a file; `None` where there is none.
    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StorageFault>;

    /// The objects of the ledger besides its manifest.
    fn list(&self) -> Result<Vec<Listed>, StorageFault>;

    /// Removes objects.
    fn remove(&self, names: &[String]) -> Result<(), StorageFault>;

    /// Waits before another attempt.
    fn pause(&self, time: Duration);
}

/// Where a ledger is in a bucket.
#[derive(Clone, Debug)]
pub struct BucketPlace {
    pub(crate) objects: Arc<dyn Objects>,
    name: String,
}

/// How often a call is made in vain.
const ATTEMPTS: u32 = 3;

impl BucketPlace {
    /// The place at this address. Credentials come from the environment, or from the machine.
    pub fn open(address: &StorageAddress) -> Result<Self, BucketError> {
        let name = address.to_string();
        if address.prefix.is_empty() {
            return Err(BucketError::NoName { place: name });
        }
        let shelf = Bucket::open(address, &[], Bucket::PATIENCE).and_then(Shelf::new);
        match shelf {
            Ok(shelf) => Ok(Self::of(Arc::new(InBucket { shelf, key: address.prefix.clone() }), name)),
            Err(source) => Err(BucketError::Storage { place: name, doing: "opening", source }),
        }
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
        mut work: impl FnMut() -> Result<T, StorageFault>,
    ) -> Result<T, BucketError> {
        let mut wait = Duration::from_secs(1);
        for _ in 1..ATTEMPTS {
            match work() {
                Err(fault) if passes(&fault) => self.objects.pause(wait),
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
    ) -> Result<Option<Version>, BucketError> {
        self.patiently(doing, || match self.objects.put(name, bytes, condition)? {
            Put::Done(version) => Ok(Some(version)),
            Put::Refused => match self.objects.get(name)? {
                Some((found, version)) if found == bytes => Ok(Some(version)),
                // Somebody else's write of it was under way, and came to nothing.
                None if *condition == Condition::Absent => {
                    Err(StorageFault::Unexpected("the object is there, and is not".to_owned()))
                }
                Some(_) | None => Ok(None),
            },
        })
    }

    pub(crate) fn get(
        &self,
        doing: &'static str,
        name: &str,
    ) -> Result<Option<(Vec<u8>, Version)>, BucketError> {
        self.patiently(doing, || self.objects.get(name))
    }

    pub(crate) fn fault(&self, doing: &'static str, source: StorageFault) -> BucketError {
        let place = self.name.clone();
        if matches!(source, StorageFault::NoConditions) {
            BucketError::NoConditions { place }
        } else {
            BucketError::Storage { place, doing, source }
        }
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> BucketError {
        BucketError::Damaged { place: self.name.clone(), what: what.into() }
    }

    pub(crate) fn lost(&self) -> BucketError {
        BucketError::Lost { place: self.name.clone() }
    }

    pub(crate) fn disk(&self, source: std::io::Error) -> BucketError {
        BucketError::Disk { place: self.name.clone(), source }
    }

    pub(crate) fn sqlite(&self, source: rusqlite::Error) -> BucketError {
        BucketError::Sqlite { place: self.name.clone(), source }
    }
}

/// Whether the next attempt may go better.
fn passes(fault: &StorageFault) -> bool {
    matches!(
        fault,
        StorageFault::Unreachable { .. }
            | StorageFault::Busy { .. }
            | StorageFault::Unexpected(_)
            | StorageFault::Cut { .. }
            | StorageFault::TooLong
    )
}

/// The objects of a ledger in a bucket.
#[derive(Debug)]
struct InBucket {
    shelf: Shelf,
    key: String,
}

impl InBucket {
    fn key(&self, name: &str) -> String {
        if name.is_empty() { self.key.clone() } else { format!("{}.d/{name}", self.key) }
    }
}

impl Objects for InBucket {
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageFault> {
        self.shelf.get(&self.key(name))
    }

    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StorageFault> {
        self.shelf.put(&self.key(name), bytes, condition)
    }

    fn upload(&self, name: &str, file: &Path) -> Result<(), StorageFault> {
        self.shelf.upload(&self.key(name), file)
    }

    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StorageFault> {
        self.shelf.download(&self.key(name), file)
    }

    fn list(&self) -> Result<Vec<Listed>, StorageFault> {
        let folder = self.key("");
        let start = format!("{folder}.d/");
        let named =
            |listed: Listed| Some(Listed { key: listed.key.strip_prefix(&start)?.to_owned(), ..listed });
        Ok(self.shelf.list(start.trim_end_matches('/'))?.into_iter().filter_map(named).collect())
    }

    fn remove(&self, names: &[String]) -> Result<(), StorageFault> {
        self.shelf.remove(&names.iter().map(|name| self.key(name)).collect::<Vec<_>>())
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
