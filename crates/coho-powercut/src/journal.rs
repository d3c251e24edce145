//! The record: what was done to which file, in order; and which folders are recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What was done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The file's path in the folder.
    pub(crate) file: PathBuf,
    pub(crate) done: Done,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It was opened, and was there already with this content.
    Found(Vec<u8>),
    /// It was made.
    Made,
    /// Bytes were written from this place on.
    Written(usize, Vec<u8>),
    /// It was cut to this length.
    Cut(usize),
    /// All that was done to it so far is on the disk, and so is its name.
    Synced,
    /// It was deleted.
    Deleted,
}

/// All that was done in a folder.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Vec<Operation>>);

impl Journal {
    pub(crate) fn with<T>(&self, look: impl FnOnce(&[Operation]) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn push(&self, operation: Operation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }

    pub(crate) fn len(&self) -> usize {
        self.with(<[Operation]>::len)
    }

    pub(crate) fn syncs(&self) -> Vec<usize> {
        self.with(|operations| {
            let synced =
                operations.iter().enumerate().filter(|(_, operation)| operation.done == Done::Synced);
            synced.flat_map(|(at, _)| [at, at + 1]).collect()
        })
    }
}

/// The folders that are recorded at this moment.
static FOLDERS: Mutex<BTreeMap<PathBuf, Arc<Journal>>> = Mutex::new(BTreeMap::new());

pub(crate) fn begin(folder: &Path, journal: &Arc<Journal>) {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.insert(folder.to_owned(), Arc::clone(journal));
}

pub(crate) fn end(folder: &Path) {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).remove(folder);
}

/// The record that a file belongs to, and its path in the recorded folder.
pub(crate) fn of(file: &Path) -> Option<(Arc<Journal>, PathBuf)> {
    let folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders
        .iter()
        .find_map(|(folder, journal)| Some((Arc::clone(journal), file.strip_prefix(folder).ok()?.to_owned())))
}
