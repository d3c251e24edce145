//! Causes: what failures have in common is a row of its own, so that they are grouped without reading their messages. A cause
//! is healed when no row waits with it any more, and comes back when one fails of it after that.

use coho_core::cause::Cause;
use coho_core::code::Code;
use coho_core::time::Time;
use rusqlite::{Connection, params};

use crate::failure::Fault;
use crate::moment::micros;
use crate::run::Run;
use crate::scope::SyncScope;
use crate::settle::RowResult;
use crate::standing;

/// The number of the cause that a row failed of; `None` where it did not fail.
pub(crate) fn of(
    connection: &Connection,
    run: &Run,
    scope: &SyncScope,
    status: &RowResult,
) -> Result<Option<i64>, Fault> {
    if !standing::stands(status.status) {
        return Ok(None);
    }
    // What is a secret must be masked before what is left of it is put together anew.
    let message: Option<String> = connection
        .prepare_cached("SELECT masked(?1)")?
        .query_row([status.message.as_deref()], |row| row.get(0))?;
    let cause = Cause::of(status.code, message.as_deref());
    let id = connection
        .prepare_cached(
            "INSERT INTO causes (scope, code, message, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT (scope, code, message) DO UPDATE SET
               last_at = max(last_at, excluded.last_at),
               back_in = CASE WHEN healed_at IS NULL THEN back_in ELSE ?5 END,
               healed_at = NULL
             RETURNING id",
        )?
        .query_row(
            params![
                scope.id,
                cause.code.map(Code::as_str).unwrap_or_default(),
                cause.message,
                micros(status.at),
                run.row
            ],
            |row| row.get(0),
        )?;
    Ok(Some(id))
}

/// Marks the causes of a sync that no row waits with any more.
pub(crate) fn heal(connection: &Connection, scope: i64, at: Time) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE causes SET healed_at = ?2 WHERE scope = ?1 AND healed_at IS NULL AND NOT EXISTS (
               SELECT 1 FROM fates INDEXED BY fates_standing_by_cause WHERE standing = 1 AND cause = causes.id)",
        )?
        .execute(params![scope, micros(at)])?;
    Ok(())
}
