//! A store for tests with the faults that a real one has: answers that are lost, writes that never arrive. Its leases are judged by the
//! clock of whoever asks.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use coho_core::storage::StorageKind;
use coho_storage::{Condition, Listed, Put, StorageFault, Version};
use flate2::read::ZlibDecoder;

use super::store::Objects;
use crate::remote_failure::StoreFault;

/// What happens to the next calls that write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upset {
    /// It is made.
    None,
    /// It never arrives.
    Before,
    /// It is made, and its answer is lost.
    After,
}

/// A store whose writes may be upset.
#[derive(Debug)]
pub(super) struct Unsteady {
    store: Box<dyn Objects>,
    /// The last one comes first.
    upsets: Mutex<Vec<Upset>>,
    denies_removals: AtomicBool,
}

impl Unsteady {
    pub(super) fn new(store: impl Objects + 'static) -> Self {
        Self { store: Box::new(store), upsets: Mutex::default(), denies_removals: AtomicBool::default() }
    }

    /// Whether removals are denied.
    pub(super) fn deny_removals(&self, denies: bool) {
        self.denies_removals.store(denies, Ordering::SeqCst);
    }

    /// The names of the objects that have these bytes somewhere, compressed behind a first line or not.
    pub(super) fn with_bytes(&self, wanted: &[u8]) -> Vec<String> {
        let has = |bytes: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        let unpacked = |bytes: &[u8]| {
            let body = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let mut unpacked = Vec::new();
            // What is not compressed gives nothing.
            drop(ZlibDecoder::new(&bytes[body..]).read_to_end(&mut unpacked));
            unpacked
        };
        let names = self.names().into_iter().chain([String::new()]);
        let found = names.filter(|name| {
            let (bytes, _) = self.store.get(name).unwrap().unwrap_or_default();
            has(&bytes) || has(&unpacked(&bytes))
        });
        found.collect()
    }

    fn upsets(&self) -> MutexGuard<'_, Vec<Upset>> {
        self.upsets.lock().unwrap()
    }

    /// What happens to the next writes, in this order.
    pub(super) fn upset(&self, upsets: &[Upset]) {
        *self.upsets() = upsets.iter().rev().copied().collect();
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.store.list().unwrap().into_iter().map(|listed| listed.key).collect()
    }

    pub(super) fn drop_object(&self, name: &str) {
        self.store.remove(&[name.to_owned()]).unwrap();
    }

    fn write<T>(&self, work: impl FnOnce() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        let upset = self.upsets().pop().unwrap_or(Upset::None);
        let lost = || {
            StoreFault::from(StorageFault::Unreachable { host: "store".to_owned(), why: "reset".to_owned() })
        };
        match upset {
            Upset::None => work(),
            Upset::Before => Err(lost()),
            Upset::After => work().and(Err(lost())),
        }
    }
}

impl Objects for Unsteady {
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StoreFault> {
        self.store.get(name)
    }

    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StoreFault> {
        self.write(|| self.store.put(name, bytes, condition))
    }

    fn upload(&self, name: &str, file: &Path) -> Result<(), StoreFault> {
        self.write(|| self.store.upload(name, file))
    }

    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StoreFault> {
        self.store.download(name, file)
    }

    fn list(&self) -> Result<Vec<Listed>, StoreFault> {
        self.store.list()
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreFault> {
        if self.denies_removals.load(Ordering::SeqCst) {
            return Err(StorageFault::Denied { code: None, store: StorageKind::S3 }.into());
        }
        self.store.remove(names)
    }

    fn pause(&self, _: Duration) {}
}
