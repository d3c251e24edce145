//! The schema and its steps: version 1 is the tables, version 2 adds the views for people, version 3 what deliveries of
//! many rows at once, first runs and the workspace's own custom fields need, version 4 a column for records that rows left.
//!
//! To change the schema, add a step; those that were released never change. Each step runs in one transaction, after a copy
//! of the file was made beside it. The steps' comments are the reference: [`schema_reference`] reads them back out of SQLite.

mod text;

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use coho_core::memory::Time;
use rusqlite::{Connection, TransactionBehavior};

pub use self::text::schema_reference;
use crate::moment::micros;
use crate::open::{APPLICATION, Access, OpenError, Opening, beside, private};

/// The steps. The first one makes version 1, and so on.
const STEPS: &[&str] = &[
    include_str!("schema/steps/1-tables.sql"),
    include_str!("schema/steps/2-views.sql"),
    include_str!("schema/steps/3-deliveries.sql"),
    include_str!("schema/steps/4-departures.sql"),
];

/// The newest version of the schema, which this version of Coho reads and writes: the number of steps.
pub const VERSION: i64 = 4;

/// Refuses what is not a ledger before anything of it is changed.
pub(crate) fn identify(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let (application, version, objects) = marks(connection).map_err(|e| OpenError::sqlite(path, e))?;
    let path = path.to_owned();
    if application != APPLICATION && (application != 0 || version != 0 || objects != 0) {
        Err(OpenError::Foreign { path })
    } else if version > VERSION {
        Err(OpenError::Newer { found: version, known: VERSION, path })
    } else {
        Ok(())
    }
}

/// Application id, version and number of tables.
fn marks(connection: &Connection) -> rusqlite::Result<(i32, i64, i64)> {
    Ok((
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
        connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
    ))
}

/// Brings the schema up to date.
pub(crate) fn settle(connection: &mut Connection, path: &Path, opening: &Opening) -> Result<(), OpenError> {
    identify(connection, path)?;
    let failed = |source| OpenError::sqlite(path, source);
    let (_, found, _) = marks(connection).map_err(failed)?;
    match opening.access {
        _ if found == VERSION => Ok(()),
        // An empty file is one that a crash left before the first step.
        Access::ReadOnly if found == 0 => Err(OpenError::Missing { path: path.to_owned() }),
        Access::ReadOnly => Err(OpenError::Older { found, known: VERSION, path: path.to_owned() }),
        Access::ReadWrite => {
            let _alone = alone(path, found)?;
            if found > 0 {
                copy(connection, path, found)?;
            }
            climb(connection, opening.now).map_err(failed)
        }
    }
}

/// While a run of an earlier version holds the ledger, its schema stays as it is.
fn alone(path: &Path, found: i64) -> Result<Option<File>, OpenError> {
    if found == 0 {
        return Ok(None);
    }
    match crate::lease::lock(path) {
        Ok(lock) => Ok(Some(lock)),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

fn climb(connection: &mut Connection, now: Time) -> rusqlite::Result<()> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster, so the version is read under the lock.
        let (_, version, _) = marks(&transaction)?;
        let Some(step) = usize::try_from(version).ok().and_then(|version| STEPS.get(version)) else {
            return Ok(());
        };
        transaction.execute_batch(step)?;
        let taken = [version + 1, micros(now)];
        transaction.execute("INSERT INTO steps (version, taken_at) VALUES (?1, ?2)", taken)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

/// `ledger.db.v1.bak`: the file as it was. It is complete before it has that name.
fn copy(connection: &Connection, path: &Path, version: i64) -> Result<(), OpenError> {
    let copy = beside(path, &format!(".v{version}.bak"));
    let unfinished = beside(path, &format!(".v{version}.bak.unfinished"));
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Copy {
        path: path.to_owned(),
        copy: copy.clone(),
        source,
    };
    // SQLite fills an empty file, which is how the copy is private from the beginning.
    private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(&unfinished)
        .map_err(|error| failed(error.into()))?;
    let name = unfinished.to_str().ok_or_else(|| failed("the path is not UTF-8".into()))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| failed(error.into()))?;
    fs::rename(&unfinished, &copy).map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_without_steps_climbs_to_the_newest_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        climb(&mut connection, Time::UNIX_EPOCH).unwrap();
        assert_eq!(marks(&connection).unwrap().1, VERSION);
    }
}
