//! The place of a ledger: one file with one name, which appears whole or not at all.
//!
//! SQLite keeps its write-ahead log beside the name by which a file was opened, and the lease its lock. Under a second name
//! there would be another log and another lock for the same file: so a file with several names is refused, and symbolic links
//! are followed first.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use coho_core::time::Time;
use rusqlite::Connection;
use tempfile::TempPath;

use crate::open::{OpenError, beside};
use crate::schema;

/// What stands between the name of a ledger and the chance ending of one that is being made.
const UNFINISHED: &str = ".new-";

/// How often a new ledger is begun anew where another process took its unfinished file for one that a crash left.
const TRIES: u32 = 5;

/// Whether there is a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    File,
}

/// Looks whether a file is in its place, under no other name than this.
pub(crate) fn look(path: &Path) -> Result<Found, OpenError> {
    let owned = || path.to_owned();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(OpenError::IsFolder { path: owned() }),
        Ok(found) if names(&found) > 1 => Err(OpenError::SeveralNames { path: owned() }),
        Ok(_) if is_mounted(&real(path)) => Err(OpenError::Mounted { path: owned() }),
        Ok(_) => Ok(Found::File),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(source) => Err(OpenError::Unreadable { path: owned(), source }),
    }
}

/// The file that a path leads to, whether it is there or not.
pub(crate) fn real(path: &Path) -> PathBuf {
    let of_link = || Some(folder_of(path).join(fs::read_link(path).ok()?));
    fs::canonicalize(path).ok().or_else(of_link).unwrap_or_else(|| path.to_owned())
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn names(found: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    found.nlink()
}

#[cfg(not(unix))]
fn names(_: &fs::Metadata) -> u64 {
    1
}

/// Whether the file itself is a mount, as a container's may be: what is beside it there is beside another file than here.
fn is_mounted(real: &Path) -> bool {
    fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| mounts_at(&mounts, real))
}

/// Whether the kernel's list of mounts has one at this path. Blanks in it are written as `\040`.
fn mounts_at(mounts: &str, real: &Path) -> bool {
    let Some(real) = real.to_str() else { return false };
    let real =
        real.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012");
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(&real))
}

/// Makes a ledger, with its folder. Where another process is faster, that one's stays.
///
/// It is made under a name of its own, schema and all, and gets its name when it is on the disk.
pub(crate) fn make(path: &Path, now: Time) -> Result<(), OpenError> {
    let real = real(path);
    let folder = folder_of(&real);
    let failed = |source| cannot_make(path, folder, source);
    make_folder(folder).map_err(failed)?;
    for _ in 0..TRIES {
        let (made, file) = unfinished(&real).map_err(failed)?;
        fill(&made, now).map_err(|source| OpenError::sqlite(path, source))?;
        file.sync_all().map_err(failed)?;
        match made.persist_noclobber(&real) {
            Ok(()) => {
                sync_folder(&real);
                return Ok(());
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error.error)),
        }
    }
    Err(failed(io::ErrorKind::NotFound.into()))
}

fn cannot_make(path: &Path, folder: &Path, source: io::Error) -> OpenError {
    if source.kind() == io::ErrorKind::StorageFull {
        OpenError::Full { path: path.to_owned() }
    } else {
        OpenError::Folder { path: folder.to_owned(), source }
    }
}

/// A private file beside the ledger. It is locked for as long as its maker lives.
fn unfinished(real: &Path) -> io::Result<(TempPath, File)> {
    let mut prefix = real.file_name().unwrap_or_default().to_owned();
    prefix.push(UNFINISHED);
    let (file, path) = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder_of(real))?.into_parts();
    // Where there are no locks, nobody takes it for one that a crash left, since nobody gets its lock.
    drop(file.try_lock());
    Ok((path, file))
}

/// Nobody sees the file before it is whole, so it needs no journal.
fn fill(path: &Path, now: Time) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    schema::climb(&mut connection, now)?;
    connection.close().map_err(|(_, error)| error)
}

/// Removes what a process left that was killed while it made a ledger here.
pub(crate) fn clear(path: &Path) {
    let real = real(path);
    let Some(name) = real.file_name().and_then(|name| name.to_str()) else { return };
    let prefix = format!("{name}{UNFINISHED}");
    let Ok(entries) = fs::read_dir(folder_of(&real)) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
            remove_unheld(&entry.path());
        }
    }
}

/// Removes a file that no living process has locked.
fn remove_unheld(path: &Path) {
    let held = OpenOptions::new().write(true).open(path).map(|file| file.try_lock().map(|()| file));
    if let Ok(Ok(_file)) = held {
        drop(fs::remove_file(path));
    }
}

/// A name survives a power cut once its folder is on the disk. A folder that cannot be synced is as safe as its file system
/// makes it.
pub(crate) fn sync_folder(path: &Path) {
    drop(File::open(folder_of(path)).and_then(|folder| folder.sync_all()));
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Where the lock of a ledger is.
pub(crate) fn lock_of(path: &Path) -> PathBuf {
    beside(&real(path), ".lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_a_mount_is_told_from_one_in_a_mounted_folder() {
        let mounts = "36 35 98:0 / /data rw,noatime - ext4 /dev/a rw\n\
                      37 35 98:0 /x.db /app/my\\040ledger.db rw - ext4 /dev/a rw\n";
        assert!(mounts_at(mounts, Path::new("/app/my ledger.db")));
        assert!(!mounts_at(mounts, Path::new("/data/ledger.db")));
        assert!(!mounts_at(mounts, Path::new("/app")));
    }

    #[test]
    fn what_a_killed_maker_left_is_removed_and_what_is_being_made_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let left = folder.path().join("ledger.db.new-a1");
        fs::write(&left, "half").unwrap();
        let (making, _file) = unfinished(&path).unwrap();
        clear(&path);
        assert!(!left.exists());
        assert!(making.exists());
    }
}
