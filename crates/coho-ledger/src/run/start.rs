//! What started a run, as it is written and read.

use coho_core::started::{Commit, Started, StartedBy};
use rusqlite::{Connection, Row, params};

use crate::failure::Fault;
use crate::moment::{micros, time};

/// The columns that [`read`] reads, in its order.
pub(crate) const COLUMNS: &str =
    "started_by, user, host, arguments, scheduled_at, coho_version, project_digest, git_commit, git_dirty";

pub(super) fn write(connection: &Connection, run: i64, started: &Started) -> Result<(), Fault> {
    connection.execute(
        "UPDATE runs SET started_by = ?2, user = ?3, host = ?4, arguments = masked(?5), scheduled_at = ?6,
           coho_version = ?7, project_digest = ?8, git_commit = ?9, git_dirty = ?10 WHERE id = ?1",
        params![
            run,
            started.by.map(StartedBy::as_str),
            started.user,
            started.host,
            started.arguments,
            started.scheduled.map(micros),
            started.version,
            started.project,
            started.commit.as_ref().map(|commit| commit.id.as_str()),
            started.commit.as_ref().map(|commit| commit.is_dirty),
        ],
    )?;
    Ok(())
}

/// What started a run, whose columns begin at a place.
pub(crate) fn read(row: &Row<'_>, from: usize) -> Result<Started, Fault> {
    let by = row.get::<_, Option<String>>(from)?;
    let commit = row.get::<_, Option<String>>(from + 7)?;
    let is_dirty = row.get::<_, Option<bool>>(from + 8)?.unwrap_or_default();
    Ok(Started {
        by: by.and_then(|text| StartedBy::parse(&text)),
        user: row.get(from + 1)?,
        host: row.get(from + 2)?,
        arguments: row.get(from + 3)?,
        scheduled: row.get::<_, Option<i64>>(from + 4)?.map(time).transpose()?,
        version: row.get(from + 5)?,
        project: row.get(from + 6)?,
        commit: commit.map(|id| Commit { id, is_dirty }),
    })
}
