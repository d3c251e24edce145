//! The objects of a ledger in a bucket.

use std::path::Path;
use std::time::Duration;

use coho_core::storage::StorageAddress;
use coho_storage::{Bucket, Condition, Listed, Put, Shelf, StorageFault, Version};

use super::store::Objects;
use crate::remote_failure::StoreFault;

/// The objects of a ledger in a bucket.
#[derive(Debug)]
pub(super) struct InBucket {
    shelf: Shelf,
    key: String,
}

impl InBucket {
    pub(super) fn open(address: &StorageAddress) -> Result<Self, StorageFault> {
        let shelf = Shelf::new(Bucket::open(address, &[], Bucket::PATIENCE)?)?;
        Ok(Self { shelf, key: address.prefix.clone() })
    }

    fn key(&self, name: &str) -> String {
        if name.is_empty() { self.key.clone() } else { format!("{}.d/{name}", self.key) }
    }
}

impl Objects for InBucket {
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StoreFault> {
        Ok(self.shelf.get(&self.key(name))?)
    }

    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StoreFault> {
        Ok(self.shelf.put(&self.key(name), bytes, condition)?)
    }

    fn upload(&self, name: &str, file: &Path) -> Result<(), StoreFault> {
        Ok(self.shelf.upload(&self.key(name), file)?)
    }

    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StoreFault> {
        Ok(self.shelf.download(&self.key(name), file)?)
    }

    fn list(&self) -> Result<Vec<Listed>, StoreFault> {
        let folder = self.key("");
        let start = format!("{folder}.d/");
        let named =
            |listed: Listed| Some(Listed { key: listed.key.strip_prefix(&start)?.to_owned(), ..listed });
        Ok(self.shelf.list(start.trim_end_matches('/'))?.into_iter().filter_map(named).collect())
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreFault> {
        Ok(self.shelf.remove(&names.iter().map(|name| self.key(name)).collect::<Vec<_>>())?)
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
