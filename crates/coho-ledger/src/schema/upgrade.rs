//! Bringing an older ledger up to date: alone, after a copy, in one transaction. A process that is killed on the way leaves
//! the older ledger, whole, and the next one begins again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use coho_core::time::Time;
use rusqlite::Connection;

use super::{VERSION, climb, identify};
use crate::open::{OpenError, beside, private};
use crate::place;

/// How often another process is waited for that is bringing the ledger up to date, and how long each time.
const WAITS: u32 = 100;
const WAIT: Duration = Duration::from_millis(20);

/// Brings a ledger up to date that was opened for writing.
pub(crate) fn upgrade(connection: &mut Connection, path: &Path, now: Time) -> Result<(), OpenError> {
    let Some(_alone) = alone(connection, path)? else { return Ok(()) };
    let found = identify(connection, path)?;
    if (1..VERSION).contains(&found) {
        copy(connection, path, found)?;
    }
    climb(connection, now).map_err(|source| OpenError::sqlite(path, source))
}

/// What was found when the ledger was to be changed.
struct Alone {
    /// Absent where the file system has no locks.
    _lock: Option<File>,
}

/// While a run holds the ledger, its schema stays as it is. `None` where another process has brought it up to date meanwhile.
fn alone(connection: &Connection, path: &Path) -> Result<Option<Alone>, OpenError> {
    for _ in 0..WAITS {
        match crate::lease::lock(path) {
            Ok(lock) => return Ok(Some(Alone { _lock: Some(lock) })),
            Err(TryLockError::Error(_)) => return Ok(Some(Alone { _lock: None })),
            Err(TryLockError::WouldBlock) => std::thread::sleep(WAIT),
        }
        if identify(connection, path)? == VERSION {
            return Ok(None);
        }
    }
    Err(OpenError::Locked { path: path.to_owned() })
}

/// `ledger.db.v1.bak`: the file as it was. It is complete, and on the disk, before it has that name.
fn copy(connection: &Connection, path: &Path, version: i64) -> Result<(), OpenError> {
    let real = place::real(path);
    let copy = beside(&real, &format!(".v{version}.bak"));
    let unfinished = beside(&real, &format!(".v{version}.bak.unfinished"));
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Copy {
        path: path.to_owned(),
        copy: copy.clone(),
        source,
    };
    // SQLite fills an empty file, which is how the copy is private from the beginning.
    let file = private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(&unfinished)
        .map_err(|error| failed(error.into()))?;
    let name = unfinished.to_str().ok_or_else(|| failed("the path is not UTF-8".into()))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| failed(error.into()))?;
    file.sync_all().map_err(|error| failed(error.into()))?;
    fs::rename(&unfinished, &copy).map_err(|error| failed(error.into()))?;
    place::sync_folder(&real);
    Ok(())
}
