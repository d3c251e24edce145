//! Where the files of a source are, a folder of this machine or of a bucket, and which of them a model names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{FileError, FileFault};
use super::path::Source;
use super::pattern::{DeltaTables, Pattern};
use crate::storage::{Arrival, Below, Bucket, Listed, Spool, StorageFault, Waiter, Way};

/// The most files that one pattern may match.
const MOST: usize = 10_000;

/// Where files are.
pub(super) enum Shelf {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(Arc<Bucket>, Waiter),
}

impl Shelf {
    /// The files that a model names, sorted by name; at least one.
    pub(super) fn find(&self, name: &str, way: Way) -> Result<Vec<Source>, FileError> {
        let pattern = Pattern::parse(name);
        match (self, pattern) {
            (Self::Folder(folder), None) => Ok(vec![Source::open(folder, name)?]),
            (Self::Folder(folder), Some(pattern)) => {
                super::path::within(folder, name).ok_or_else(|| FileError::new(name, FileFault::Outside))?;
                let names = on_disk(folder, &pattern).map_err(|fault| FileError::new(name, fault))?;
                let names = checked(names, name, &folder.display().to_string())?;
                names.iter().map(|name| Source::find(folder, name)).collect()
            }
            (Self::Bucket(bucket, waiter), None) => {
                let shown = bucket.address.of_key(&bucket.address.key(name));
                let failed = |fault| FileError::new(&shown, FileFault::of_object(fault));
                super::path::within(Path::new(""), name).ok_or_else(|| failed(StorageFault::NoObject))?;
                let object = Arrival::ask(Arc::clone(bucket), waiter.clone(), name, way).map_err(failed)?;
                Ok(vec![Source::object(shown.clone(), object)])
            }
            (Self::Bucket(bucket, waiter), Some(pattern)) => in_bucket(bucket, waiter, name, &pattern, way),
        }
    }
}

fn in_bucket(
    bucket: &Arc<Bucket>,
    waiter: &Waiter,
    name: &str,
    pattern: &Pattern,
    way: Way,
) -> Result<Vec<Source>, FileError> {
    let place = bucket.address.to_string();
    let shown = |name: &str| bucket.address.of_key(&bucket.address.key(name));
    let failed = |name: &str, fault| FileError::new(&shown(name), FileFault::of_object(fault));
    let mut tables = DeltaTables::default();
    let below = if pattern.depth() == Some(0) { Below::OnlyNames } else { Below::Too };
    let wanted = |name: &str| {
        tables.see(name);
        pattern.matches(name)
    };
    let found =
        waiter.wait(bucket.list(&pattern.folder(), below, wanted)).map_err(|fault| failed(name, fault))?;
    if found.iter().any(|object| tables.have(&object.name)) {
        return Err(FileError::new(&shown(name), FileFault::Delta));
    }
    let mut found: Vec<Listed> = checked(found, &shown(name), &place)?;
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let shared = Spool::new(bucket).map_err(|fault| failed(name, fault))?;
    let source = |object: Listed| {
        let name = object.name.clone();
        let arrival = Arrival::of(Arc::clone(bucket), waiter.clone(), object, Arc::clone(&shared), way);
        Ok(Source::object(shown(&name), arrival.map_err(|fault| failed(&name, fault))?))
    };
    found.into_iter().map(source).collect()
}

/// Refuses none, and far too many.
fn checked<T>(found: Vec<T>, name: &str, place: &str) -> Result<Vec<T>, FileError> {
    if found.is_empty() {
        return Err(FileError::new(name, FileFault::NoMatch(place.to_owned())));
    }
    if found.len() > MOST {
        return Err(FileError::new(name, FileFault::TooMany { found: found.len(), most: MOST }));
    }
    Ok(found)
}

/// The names of a folder's files that match, sorted.
fn on_disk(folder: &Path, pattern: &Pattern) -> Result<Vec<String>, FileFault> {
    let (mut names, mut tables) = (Vec::new(), DeltaTables::default());
    let mut open = vec![(pattern.folder(), pattern.depth())];
    while let Some((below, depth)) = open.pop() {
        let entries = std::fs::read_dir(folder.join(&below)).map_err(FileFault::Unreadable)?;
        for entry in entries {
            let entry = entry.map_err(FileFault::Unreadable)?;
            // A name that is not UTF-8 and would match must not be left out: it cannot be opened, which is told.
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            tables.see(&path);
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            match (is_folder, depth) {
                (false, _) if pattern.matches(&path) => names.push(path),
                (false, _) | (true, Some(0)) => {}
                // Where any depth is meant, a link to a folder could lead in a circle.
                (true, None) if is_link => {}
                (true, depth) => open.push((path, depth.map(|depth| depth - 1))),
            }
        }
    }
    if names.iter().any(|name| tables.have(name)) {
        return Err(FileFault::Delta);
    }
    names.sort();
    Ok(names)
}
