//! A file by its path in its source's folder, and whether it changed while it was read.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::fault::{FileError, FileFault};

/// The three bytes that some programs put before UTF-8 text.
const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// An open file.
pub(super) struct Source {
    /// Its path relative to the folder, as the model has it.
    pub(super) name: String,
    file: File,
    stamp: Stamp,
}

/// What tells that a file is still the same.
#[derive(PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Source {
    /// Opens a file that lies in the folder and is not empty.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, FileError> {
        let failed = |fault| FileError::new(name, fault);
        let path = within(folder, name).ok_or_else(|| failed(FileFault::Outside))?;
        let file = File::open(path).map_err(|source| failed(FileFault::Unreadable(source)))?;
        let metadata = file.metadata().map_err(|source| failed(FileFault::Unreadable(source)))?;
        if metadata.is_dir() {
            return Err(failed(FileFault::Folder));
        }
        if metadata.len() == 0 {
            return Err(failed(FileFault::Empty));
        }
        Ok(Self { name: name.to_owned(), file, stamp: Stamp::of(&metadata) })
    }

    /// The file's bytes from its start, without a byte order mark.
    pub(super) fn text(&self) -> Result<File, FileError> {
        let failed = |source| FileError::new(&self.name, FileFault::Unreadable(source));
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut start = Vec::with_capacity(BOM.len());
        Read::by_ref(&mut file).take(3).read_to_end(&mut start).map_err(failed)?;
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(FileError::new(&self.name, FileFault::NotUtf8).at(1, 0));
        }
        if start != BOM {
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
        }
        Ok(file)
    }

    /// The file's bytes from a place in what [`Self::text`] gave. This moves all readers of the file: for the end of a
    /// reading, and for errors.
    pub(super) fn bytes_from(&self, at: u64) -> std::io::Result<File> {
        let mut file = self.file.try_clone()?;
        let mut start = [0; 3];
        file.seek(SeekFrom::Start(0))?;
        let marked = file.read_exact(&mut start).is_ok() && start == BOM;
        file.seek(SeekFrom::Start(at + if marked { 3 } else { 0 }))?;
        Ok(file)
    }

    /// The file itself.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// Refuses what was read if the file changed since it was opened: two passes would not have seen the same.
    pub(super) fn unchanged(&self) -> Result<(), FileError> {
        let failed = |source| FileError::new(&self.name, FileFault::Unreadable(source));
        let now = Stamp::of(&self.file.metadata().map_err(failed)?);
        if now == self.stamp { Ok(()) } else { Err(FileError::new(&self.name, FileFault::Changed)) }
    }
}

/// The path in the folder; `None` where it leads out of it. Links in the folder are followed: whoever made them chose to.
fn within(folder: &Path, name: &str) -> Option<PathBuf> {
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
