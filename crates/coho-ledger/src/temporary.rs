//! Temporary files: what only one process needs, and what others left when they were killed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// How the folders of temporary ledgers begin.
const FOLDERS: &str = "coho-ledger-";

/// How the files of plans begin.
const PLANS: &str = "coho-plan-";

/// The file in a temporary folder that its process has locked for as long as it lives.
const HELD: &str = "held";

/// A private folder that is gone when it is dropped, or swept away by a later process.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    folder: TempDir,
    _held: File,
}

impl TemporaryFolder {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(FOLDERS).tempdir()?;
        let held = File::create(folder.path().join(HELD))?;
        // Where there are no locks, nobody sweeps, since nobody gets its lock.
        drop(held.try_lock());
        Ok(Self { folder, _held: held })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the plans and temporary ledgers from a folder that no living process holds: they have rows of killed runs in them.
///
/// What cannot be looked at or removed is let be; it may be another user's.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
        if kind.is_file() && name.starts_with(PLANS) && is_left(&path) {
            drop(fs::remove_file(path));
        } else if kind.is_dir() && name.starts_with(FOLDERS) && is_free(&path.join(HELD)) {
            drop(fs::remove_dir_all(path));
        }
    }
}

/// Whether a plan's file has something in it, and no process uses it: a plan is locked by SQLite from its first table on.
fn is_left(path: &Path) -> bool {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let begun = fs::metadata(path).is_ok_and(|found| found.len() > 0);
    begun
        && Connection::open_with_flags(path, flags)
            .and_then(|connection| connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK"))
            .is_ok()
}

fn is_free(held: &Path) -> bool {
    OpenOptions::new().write(true).open(held).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_swept_away_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("coho-plan-left");
        Connection::open(&left).unwrap().execute_batch("CREATE TABLE operations (body TEXT)").unwrap();
        let used = folder.path().join("coho-plan-used");
        let living_plan = Connection::open(&used).unwrap();
        living_plan
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE operations (body TEXT)")
            .unwrap();
        let begun = folder.path().join("coho-plan-begun");
        let others = folder.path().join("notes.db");
        fs::write(&begun, "").unwrap();
        fs::write(&others, "mine").unwrap();
        let dead = folder.path().join("coho-ledger-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(HELD), "").unwrap();
        let living = folder.path().join("coho-ledger-living");
        fs::create_dir(&living).unwrap();
        let held = File::create(living.join(HELD)).unwrap();
        held.try_lock().unwrap();

        sweep(folder.path());
        assert_eq!([&left, &dead].map(|path| path.exists()), [false, false]);
        assert_eq!([&used, &begun, &others, &living].map(|path| path.exists()), [true; 4]);
        drop(living_plan);
        sweep(folder.path());
        assert!(!used.exists());
    }
}
