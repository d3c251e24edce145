//! A bucket in memory for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use coho_storage::{Condition, Listed, Put, Version};

use super::store::Objects;
use crate::remote_failure::StoreFault;

#[derive(Debug, Default)]
struct Inside {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    writes: u64,
    ignores_conditions: bool,
}

/// The bucket.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Inside>);

impl Memory {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    pub(super) fn ignore_conditions(&self) {
        self.inside().ignores_conditions = true;
    }

    fn write(&self, name: &str, bytes: &[u8], condition: Option<&Condition>) -> Put {
        let mut inside = self.inside();
        let found = inside.objects.get(name).map(|(_, version)| version_of(*version));
        let is_met = match condition {
            None => true,
            Some(Condition::Absent) => found.is_none(),
            Some(Condition::Unchanged(version)) => found.as_ref() == Some(version),
        };
        if !is_met && !inside.ignores_conditions {
            return Put::Refused;
        }
        inside.writes += 1;
        let number = inside.writes;
        inside.objects.insert(name.to_owned(), (bytes.to_vec(), number));
        Put::Done(version_of(number))
    }
}

fn version_of(number: u64) -> Version {
    Version { tag: Some(number.to_string()), number: None }
}

impl Objects for Memory {
    fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StoreFault> {
        let found = |(bytes, version): &(Vec<u8>, u64)| (bytes.clone(), version_of(*version));
        Ok(self.inside().objects.get(name).map(found))
    }

    fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StoreFault> {
        Ok(self.write(name, bytes, Some(condition)))
    }

    fn upload(&self, name: &str, file: &Path) -> Result<(), StoreFault> {
        self.write(name, &std::fs::read(file).unwrap(), None);
        Ok(())
    }

    fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, StoreFault> {
        let Some((bytes, _)) = self.get(name)? else { return Ok(None) };
        std::fs::write(file, &bytes).unwrap();
        Ok(Some(bytes.len() as u64))
    }

    fn list(&self) -> Result<Vec<Listed>, StoreFault> {
        let inside = self.inside();
        let listed = |(name, (bytes, _)): (&String, &(Vec<u8>, u64))| Listed {
            key: name.clone(),
            length: bytes.len() as u64,
        };
        Ok(inside.objects.iter().filter(|(name, _)| !name.is_empty()).map(listed).collect())
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreFault> {
        for name in names {
            self.inside().objects.remove(name);
        }
        Ok(())
    }

    fn pause(&self, _: Duration) {}
}
