//! The schema and its steps: version 1 is the tables, version 2 adds the views for people, version 3 what deliveries of
//! many rows at once, first runs and the workspace's own custom fields need, version 4 whose ledger it is, who runs now, and
//! which statuses still stand, version 5 a column for records that rows left, version 6 what pages show of runs and calls, the
//! causes of failures, and how much of a run is kept, version 7 alerts, what was told of
//! them, and the outbox, version 8 schedules, runs that were asked for, and tokens, version 9 totals of what history no longer
//! holds, version 10 what was forgotten on purpose, and by whom, version 11 intents of whole batches, version 12 what the sums of a
//! source's buckets stand for, version 13 outlines that texts share.
//!
//! To change the schema, add a step; those that were released never change. All steps that are missing run in one
//! transaction, after a copy of the file was made beside it: see [`upgrade`]. The steps' comments are the reference:
//! [`schema_reference`] reads them back out of SQLite.

mod text;
pub(crate) mod upgrade;

use std::path::Path;

use coho_core::time::Time;
use rusqlite::{Connection, TransactionBehavior};

pub use self::text::schema_reference;
use crate::moment::micros;
use crate::open::{APPLICATION, OpenError};

/// The steps. The first one makes version 1, and so on.
const STEPS: &[&str] = &[
    include_str!("schema/steps/1-tables.sql"),
    include_str!("schema/steps/2-views.sql"),
    include_str!("schema/steps/3-deliveries.sql"),
    include_str!("schema/steps/4-project.sql"),
    include_str!("schema/steps/5-departures.sql"),
    include_str!("schema/steps/6-history.sql"),
    include_str!("schema/steps/7-alerts.sql"),
    include_str!("schema/steps/8-schedules.sql"),
    include_str!("schema/steps/9-totals.sql"),
    include_str!("schema/steps/10-forgotten.sql"),
    include_str!("schema/steps/11-batches.sql"),
    include_str!("schema/steps/12-buckets.sql"),
    include_str!("schema/steps/13-shapes.sql"),
];

/// The newest version of the schema, which this version of Coho reads and writes: the number of steps.
pub const VERSION: i64 = 13;

/// Refuses what is not a ledger before anything of it is changed. Gives its version; 0 is one that a crash left empty.
pub(crate) fn identify(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let (application, version, objects) = marks(connection).map_err(|e| OpenError::sqlite(path, e))?;
    let path = path.to_owned();
    if application != APPLICATION && (application != 0 || version != 0 || objects != 0) {
        Err(OpenError::Foreign { path })
    } else if version > VERSION {
        Err(OpenError::Newer { found: version, known: VERSION, path })
    } else {
        Ok(version)
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

/// Takes all steps that are missing, in one transaction.
pub(crate) fn climb(connection: &mut Connection, now: Time) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster, so the version is read under the lock.
    let (_, found, _) = marks(&transaction)?;
    let missing = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    for step in missing {
        transaction.execute_batch(step)?;
    }
    for version in found + 1..=VERSION {
        transaction
            .execute("INSERT INTO steps (version, taken_at) VALUES (?1, ?2)", [version, micros(now)])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_without_steps_climbs_to_the_newest_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        climb(&mut connection, Time::UNIX_EPOCH).unwrap();
        assert_eq!(marks(&connection).unwrap().1, VERSION);
        assert_eq!(i64::try_from(STEPS.len()).unwrap(), VERSION);
    }
}
