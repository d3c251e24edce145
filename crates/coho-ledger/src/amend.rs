//! Amending memory on purpose: forgetting, and trying again now.

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::key::Key;
use coho_core::started::Started;
use coho_core::time::Time;
use rusqlite::{Connection, params};

use crate::failure::{Fault, LedgerError};
use crate::forgotten;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored};
use crate::scope::SyncScope;

/// Memory could not be amended.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There are open intents.
    #[error("{0} of these keys have a write whose result is unknown")]
    Open(u64),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Which of the rows that wait are tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// All of them.
    All,
    /// The one with this key.
    Key(Key),
    /// Those that failed of one cause.
    Cause(CauseFilter),
}

/// Which causes of failures are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CauseFilter {
    /// The one with this number in the ledger.
    Number(u64),
    /// All with this code.
    Code(Code),
}

impl CauseFilter {
    /// The number and the code, of which one is null.
    pub(crate) fn columns(self) -> (Option<i64>, Option<&'static str>) {
        match self {
            // What is too large for a number of the ledger is none.
            Self::Number(number) => (Some(i64::try_from(number).unwrap_or(-1)), None),
            Self::Code(code) => (None, Some(code.as_str())),
        }
    }
}

impl Failure for AmendError {
    fn code(&self) -> Code {
        match self {
            Self::Open(_) => Code::LEDGER_FAILED,
            Self::Ledger(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Open(_) => "run the sync first: it checks what became of them",
            Self::Ledger(error) => return error.help(),
        };
        Some(help.to_owned())
    }
}

impl Ledger {
    /// Forgets one key, or all of a scope, whose sync then runs as for the first time; nothing, where one of them has an open
    /// intent. Returns how many. Who asked is written down with it.
    pub fn forget(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        key: Option<&Key>,
        asked: &Started,
        now: Time,
    ) -> Result<u64, AmendError> {
        self.write_in(lease, "forgetting", |connection| {
            let (filter, text) = of_key(key);
            let open_now: i64 = connection.query_row(
                &format!("SELECT count(*) FROM memory WHERE scope = ?1 AND {filter} AND pending = 'open'"),
                params![scope.id, text],
                |row| row.get(0),
            )?;
            if open_now > 0 {
                return Ok(Err(AmendError::Open(count(open_now))));
            }
            if key.is_none() {
                connection.execute("UPDATE scopes SET first_run_at = NULL WHERE id = ?1", [scope.id])?;
            }
            let sql = format!("DELETE FROM memory WHERE scope = ?1 AND {filter}");
            let rows = count(stored(connection.execute(&sql, params![scope.id, text])?));
            if rows > 0 {
                forgotten::record(connection, scope, key, rows, asked, now)?;
            }
            Ok(Ok(rows))
        })?
    }

    /// Makes what waits due now. Returns how many rows.
    pub fn retry(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        retried: &Retried,
        now: Time,
    ) -> Result<u64, LedgerError> {
        self.write_in(lease, "making rows due", |connection| match retried {
            Retried::All => make_due(connection, scope, None, now),
            Retried::Key(key) => make_due(connection, scope, Some(key), now),
            Retried::Cause(cause) => make_cause_due(connection, scope, *cause, now),
        })
    }

    /// Whether the row with this key waits because of such a cause.
    pub fn waits_because(
        &self,
        scope: &SyncScope,
        key: &Key,
        cause: CauseFilter,
    ) -> Result<bool, LedgerError> {
        let (number, code) = cause.columns();
        self.read("looking for a cause", |connection| {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM fates INDEXED BY fates_standing
                   WHERE standing = 1 AND scope = ?1 AND key = ?2 AND {OF_CAUSE})"
            );
            let parameters = params![scope.id, key.as_str(), number, code];
            Ok(connection.prepare_cached(&sql)?.query_row(parameters, |row| row.get(0))?)
        })
    }
}

/// Whether a status is of the cause with the number `?3`, or of one with the code `?4`.
const OF_CAUSE: &str = "(fates.cause = ?3 OR ?4 IS NOT NULL AND fates.code = ?4)";

fn make_due(connection: &Connection, scope: &SyncScope, key: Option<&Key>, now: Time) -> Result<u64, Fault> {
    let (filter, key) = of_key(key);
    let sql = format!(
        "UPDATE memory SET due = 'at', due_at = ?3, updated_at = ?3, serial = serial + 1
         WHERE scope = ?1 AND {filter} AND pending = 'waiting'"
    );
    Ok(count(stored(connection.execute(&sql, params![scope.id, key, micros(now)])?)))
}

fn make_cause_due(
    connection: &Connection,
    scope: &SyncScope,
    cause: CauseFilter,
    now: Time,
) -> Result<u64, Fault> {
    let (number, code) = cause.columns();
    let sql = format!(
        "UPDATE memory SET due = 'at', due_at = ?2, updated_at = ?2, serial = serial + 1
         WHERE scope = ?1 AND pending = 'waiting' AND EXISTS (
           SELECT 1 FROM fates INDEXED BY fates_standing
           WHERE standing = 1 AND fates.scope = ?1 AND {OF_CAUSE} AND fates.key =
             CASE departure WHEN 0 THEN memory.key ELSE memory.key || ' (was ' || target || ')' END)"
    );
    Ok(count(stored(connection.execute(&sql, params![scope.id, micros(now), number, code])?)))
}

/// A key as a person types it: a row's, or what is shown of a record that a row left.
fn of_key(key: Option<&Key>) -> (&'static str, Option<&str>) {
    match key {
        Some(key) => (
            "((key = ?2 AND departure = 0) OR (departure > 0 AND key || ' (was ' || target || ')' = ?2))",
            Some(key.as_str()),
        ),
        None => ("?2 IS NULL", None),
    }
}
