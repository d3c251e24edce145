//! A bucket in memory for tests, with the faults that a real one has: answers that are lost, writes that never arrive, other writers.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use coho_core::storage::StorageKind;
use coho_storage::{Condition, Listed, Put, StorageFault, Version};
use flate2::read::ZlibDecoder;

use super::store::Objects;

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

#[derive(Debug, Default)]
struct Inside {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    writes: u64,
    /// The last one comes first.
    upsets: Vec<Upset>,
    ignores_conditions: bool,
    removes_nothing: bool,
}

/// The bucket.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Inside>);

impl Memory {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// What happens to the next writes, in this order.
    pub(super) fn upset(&self, upsets: &[Upset]) {
        self.inside().upsets = upsets.iter().rev().copied().collect();
    }

    pub(super) fn ignore_conditions(&self) {
        self.inside().ignores_conditions = true;
    }

    /// Whether removals are denied.
    pub(super) fn deny_removals(&self, denies: bool) {
        self.inside().removes_nothing = denies;
    }

    /// The names of the objects that have these bytes somewhere, compressed behind a first line or not.
    pub(super) fn with_bytes(&self, wanted: &[u8]) -> Vec<String> {
        let inside = self.inside();
        let has = |bytes: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        let unpacked = |bytes: &[u8]| {
            let body = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let mut unpacked = Vec::new();
            // What is not compressed gives nothing.
            drop(ZlibDecoder::new(&bytes[body..]).read_to_end(&mut unpacked));
            unpacked
        };
        let found = inside.objects.iter().filter(|(_, (bytes, _))| has(bytes) || has(&unpacked(bytes)));
        found.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.inside().objects.keys().cloned().collect()
    }

    pub(super) fn drop_object(&self, name: &str) {
        self.inside().objects.remove(name);
    }

    fn write(&self, name: &str, bytes: &[u8], condition: Option<&Condition>) -> Result<Put, StorageFault> {
        let mut inside = self.inside();
        let upset = inside.upsets.pop().unwrap_or(Upset::None);
        let lost = || StorageFault::Unreachable { host: "bucket".to_owned(), why: "reset".to_owned() };
        if upset == Upset::Before {
            return Err(lost());
        }
        let found = inside.objects.get(name).map(|(_, version)| version_of(*version));
        let is_met = match condition {
            None => true,
            Some(Condition::Absent) => found.is_none(),
            Some(Condition::Unchanged(version)) => found.as_ref() == Some(version),
        };
        if !is_met && !inside.ignores_conditions {
            return if upset == Upset::After { Err(lost()) } else { Ok(Put::Refused) };
        }
        inside.writes += 1;
        let number = inside.writes;
        inside.objects.insert(name.to_owned(), (bytes.to_vec(), number));
        if upset == Upset::After { Err(lost()) } else { Ok(Put::Done(version_of(number))) }
    }
}

fn version_of(number: u64) -> Version {
    Version { tag: Some(number.to_string()), number: None }
}

impl Objects for Memory {
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageFault> {
        let found = |(bytes, version): &(Vec<u8>, u64)| (bytes.clone(), version_of(*version));
        Ok(self.inside().objects.get(name).map(found))
    }

    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StorageFault> {
        self.write(name, bytes, Some(condition))
    }

    fn upload(&self, name: &str, file: &Path) -> Result<(), StorageFault> {
        self.write(name, &std::fs::read(file).unwrap(), None).map(drop)
    }

    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StorageFault> {
        let Some((bytes, _)) = self.get(name)? else { return Ok(None) };
        std::fs::write(file, &bytes).unwrap();
        Ok(Some(bytes.len() as u64))
    }

    fn list(&self) -> Result<Vec<Listed>, StorageFault> {
        let inside = self.inside();
        let listed = |(name, (bytes, _)): (&String, &(Vec<u8>, u64))| Listed {
            key: name.clone(),
            length: bytes.len() as u64,
        };
        Ok(inside.objects.iter().filter(|(name, _)| !name.is_empty()).map(listed).collect())
    }

    fn remove(&self, names: &[String]) -> Result<(), StorageFault> {
        if self.inside().removes_nothing {
            return Err(StorageFault::Denied { code: None, store: StorageKind::S3 });
        }
        for name in names {
            self.drop_object(name);
        }
        Ok(())
    }

    fn pause(&self, _: Duration) {}
}
