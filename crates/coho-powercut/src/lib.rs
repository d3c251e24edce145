//! Power cuts for tests: a layer between SQLite and the file system records what was written and what was synced, and from
//! that every state is made that a disk may be left in when the power goes.
//!
//! **What it is:** a [`Recording`] of one folder while real code works in it; at any point of it, [`Recording::cut`] gives the
//! files as a disk may hold them then. What was synced is there. Of what was not, nothing is there, or all, or any part in any
//! order, torn at the disk's sectors: see [`Loss`].
//!
//! **What it is not:** it knows nothing of Coho. What a program does to files without SQLite is not seen, such as renaming them;
//! a file that SQLite opens is taken to be on the disk as it is then.
//!
//! `vfs` is the layer, and the only place with unsafe code; `journal` the record, `replay` what becomes of it.
//!
//! ```
//! use coho_powercut::{Loss, Recording};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let recording = Recording::begin(folder.path())?;
//! let path = folder.path().join("a.db");
//! let connection = rusqlite::Connection::open(&path)?;
//! connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n)")?;
//! let promised = recording.now();
//!
//! // The power goes, and nothing that was not synced is on the disk.
//! let files = recording.cut(promised, Loss::All);
//! assert!(files.contains_key(std::path::Path::new("a.db-wal")));
//! # Ok(())
//! # }
//! ```

mod journal;
mod replay;
mod vfs;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::Journal;

/// What a power cut takes of the writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of them.
    All,
    /// None: the system had written them by chance.
    Nothing,
    /// Any part of them, sector by sector, as this seed says.
    Some(u64),
}

/// What SQLite does to the files of a folder, from [`Recording::begin`] until it is dropped.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    journal: Arc<Journal>,
}

impl Recording {
    /// Begins to record a folder. The first one puts the layer between SQLite and the file system, for the whole process.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        let folder = fs::canonicalize(folder)?;
        vfs::install()?;
        let journal = Arc::new(Journal::default());
        journal::begin(&folder, &journal);
        Ok(Self { folder, journal })
    }

    /// How much was done so far: a point at which the power may go.
    pub fn now(&self) -> usize {
        self.journal.len()
    }

    /// The points right before something is synced, and right after.
    pub fn syncs(&self) -> Vec<usize> {
        self.journal.syncs()
    }

    /// The files of the folder, by their paths in it, as they may be found when the power went at this point.
    pub fn cut(&self, at: usize, loss: Loss) -> BTreeMap<PathBuf, Vec<u8>> {
        self.journal.with(|operations| replay::replay(operations.get(..at).unwrap_or(operations), loss))
    }

    /// The same, written into an empty folder.
    pub fn cut_into(&self, at: usize, loss: Loss, folder: &Path) -> io::Result<()> {
        for (path, bytes) in self.cut(at, loss) {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(file, bytes)?;
        }
        Ok(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        journal::end(&self.folder);
    }
}
