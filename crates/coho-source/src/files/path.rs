//! A file that a model names, and whether it changed while it was read.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::contents::Contents;
use super::fault::{Binary, FileError, FileFault};
use crate::storage::Arrival;

/// The three bytes that some programs put before UTF-8 text.
const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// So many bytes tell what a file is.
const TOLD_BY: usize = 5;

/// A file.
pub(super) struct Source {
    /// Its path relative to the folder, as the model has it; the whole address of an object.
    pub(super) name: String,
    held: Held,
}

/// Where the file is.
enum Held {
    /// It is open: who writes a new one in its place disturbs nobody.
    Open(Arc<File>, Stamp),
    /// One of many, each open only while it is read.
    Closed(PathBuf, Stamp),
    /// In object storage.
    Object(Arc<Arrival>),
}

/// What tells that a file is still the same.
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// Of a file that is not empty.
    fn of(metadata: &Metadata) -> Result<Self, FileFault> {
        match metadata.len() {
            _ if metadata.is_dir() => Err(FileFault::Folder),
            0 => Err(FileFault::Empty),
            length => Ok(Self { length, modified: metadata.modified().ok() }),
        }
    }
}

impl Source {
    /// Opens a file that lies in the folder and is not empty.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, FileError> {
        let failed = |fault| FileError::new(name, fault);
        let path = within(folder, name).ok_or_else(|| failed(FileFault::Outside))?;
        let file = File::open(path).map_err(|source| failed(FileFault::Unreadable(source)))?;
        let metadata = file.metadata().map_err(|source| failed(FileFault::Unreadable(source)))?;
        let stamp = Stamp::of(&metadata).map_err(failed)?;
        Ok(Self { name: name.to_owned(), held: Held::Open(Arc::new(file), stamp) })
    }

    /// One of many files of the folder.
    pub(super) fn find(folder: &Path, name: &str) -> Result<Self, FileError> {
        let failed = |fault| FileError::new(name, fault);
        let path = folder.join(name);
        let metadata = std::fs::metadata(&path).map_err(|source| failed(FileFault::Unreadable(source)))?;
        let stamp = Stamp::of(&metadata).map_err(failed)?;
        Ok(Self { name: name.to_owned(), held: Held::Closed(path, stamp) })
    }

    /// An object by its address.
    pub(super) fn object(name: String, object: Arrival) -> Self {
        Self { name, held: Held::Object(Arc::new(object)) }
    }

    /// The file's bytes from its start.
    pub(super) fn contents(&self) -> Result<Contents, FileError> {
        match &self.held {
            Held::Open(file, stamp) => Ok(Contents::file(Arc::clone(file), stamp.length)),
            Held::Closed(path, stamp) => {
                let file = File::open(path).map_err(|source| self.unreadable(source))?;
                self.compare(file.metadata(), stamp)?;
                Ok(Contents::file(Arc::new(file), stamp.length))
            }
            Held::Object(object) => Ok(Contents::object(Arc::clone(object))),
        }
    }

    /// The same without a byte order mark.
    pub(super) fn text(&self) -> Result<Contents, FileError> {
        let contents = self.contents()?;
        let mut start = Vec::with_capacity(TOLD_BY);
        let read = contents.clone().take(TOLD_BY as u64).read_to_end(&mut start);
        read.map_err(|source| self.unreadable(source))?;
        if let Some(kind) = Binary::of(&start) {
            return Err(FileError::new(&self.name, FileFault::Binary(kind)));
        }
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(FileError::new(&self.name, FileFault::NotUtf8).at(1, 0));
        }
        Ok(if start.starts_with(&BOM) { contents.from(BOM.len() as u64) } else { contents })
    }

    /// The file's bytes from a place in what [`Self::text`] gave.
    pub(super) fn bytes_from(&self, at: u64) -> Result<Contents, FileError> {
        let text = self.text()?;
        let start = text.place();
        Ok(text.from(start + at))
    }

    /// Refuses what was read if the file changed since it was opened: two passes would not have seen the same. An object's bytes
    /// are of one version in any case.
    pub(super) fn unchanged(&self) -> Result<(), FileError> {
        match &self.held {
            Held::Open(file, stamp) => self.compare(file.metadata(), stamp),
            Held::Closed(path, stamp) => self.compare(std::fs::metadata(path), stamp),
            Held::Object(_) => Ok(()),
        }
    }

    fn compare(&self, now: std::io::Result<Metadata>, stamp: &Stamp) -> Result<(), FileError> {
        let now = now.map_err(|source| self.unreadable(source))?;
        let is_same = now.len() == stamp.length && now.modified().ok() == stamp.modified;
        if is_same { Ok(()) } else { Err(FileError::new(&self.name, FileFault::Changed)) }
    }

    fn unreadable(&self, source: std::io::Error) -> FileError {
        FileError::new(&self.name, FileFault::of(source))
    }
}

/// The path in the folder; `None` where it leads out of it. Links in the folder are followed: whoever made them chose to.
pub(super) fn within(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut depth = 0_u32;
    for component in Path::new(name).components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth = depth.checked_sub(1)?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (depth > 0).then(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_its_folder() {
        let inside = |name| within(Path::new("data"), name).is_some();
        assert!(inside("users.csv") && inside("./2026/users.csv") && inside("a/../users.csv"));
        for wrong in ["", ".", "..", "../users.csv", "a/../../users.csv", "/etc/passwd"] {
            assert!(!inside(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_that_grows_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "a\n1\n").unwrap();
        let source = Source::open(folder.path(), "a.csv").unwrap();
        assert!(source.unchanged().is_ok());
        std::fs::write(folder.path().join("a.csv"), "a\n1\n2\n").unwrap();
        assert!(matches!(source.unchanged().unwrap_err().fault, FileFault::Changed));
    }
}
