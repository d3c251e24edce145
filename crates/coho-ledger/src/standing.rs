//! Standing statuses: what a row waits with until somebody mends it. It is written once; later runs in which nothing changes
//! about it write nothing, and it is never pruned while it stands.
//!
//! The row's status now is its newest one, and it is so since that was written.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::verdict::RowStatus;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::stored;
use crate::run::Run;
use crate::scope::SyncScope;
use crate::settle::{RowResult, record_status};

impl Ledger {
    /// The keys with a standing status behind this one, in their order.
    pub fn standing(
        &self,
        scope: &SyncScope,
        after: Option<&Key>,
        most: usize,
    ) -> Result<Vec<(Key, RowStatus)>, LedgerError> {
        self.read("reading waiting rows", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key, fate FROM fates INDEXED BY fates_standing
                 WHERE standing = 1 AND scope = ?1 AND key IS NOT NULL AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3",
            )?;
            let mut rows = statement.query(params![scope.id, after.map(Key::as_str), stored(most)])?;
            let mut standing = Vec::new();
            while let Some(row) = rows.next()? {
                let status = RowStatus::parse(&row.get::<_, String>(1)?)
                    .ok_or_else(|| Fault::damaged("a row has a status that Coho never writes"))?;
                standing.push((Key::new(row.get::<_, String>(0)?), status));
            }
            Ok(standing)
        })
    }

    /// Records the rows without a key that a run found, where they are others than before. All of a sync at once.
    pub fn record_nameless(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        statuses: &[RowResult],
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "recording statuses", |connection| {
            if nameless(connection, scope)? == counted(connection, statuses)? {
                return Ok(());
            }
            connection
                .prepare_cached(
                    "UPDATE fates INDEXED BY fates_standing SET standing = 0
                     WHERE standing = 1 AND scope = ?1 AND key IS NULL",
                )?
                .execute([scope.id])?;
            statuses.iter().try_for_each(|status| record_status(connection, run, scope, status))
        })
    }
}

/// Whether a row with this status waits for somebody.
pub(crate) fn stands(status: RowStatus) -> bool {
    match status {
        RowStatus::Skipped
        | RowStatus::Rejected
        | RowStatus::Deferred
        | RowStatus::Invalid
        | RowStatus::Held
        | RowStatus::Stale => true,
        RowStatus::Delivered
        | RowStatus::Accepted
        | RowStatus::Touched
        | RowStatus::Removed
        | RowStatus::NotAttempted
        | RowStatus::Unchanged
        | RowStatus::Learned
        | RowStatus::Kept
        | RowStatus::Released
        | RowStatus::Forgotten => false,
    }
}

/// The statuses that wait for somebody, as a list in SQL.
pub(crate) fn that_stand() -> String {
    let standing = RowStatus::ALL.into_iter().filter(|status| stands(*status));
    standing.map(|status| format!("'{}'", status.as_str())).collect::<Vec<_>>().join(", ")
}

/// Whether the status that stands, `stood`, says already what `told` does. A row that was tried, and is held until its time
/// comes, is still what it was when it was tried.
pub(crate) const SAYS_IT: &str = "\
    (stood.code IS told.code AND (told.message IS NULL OR stood.message IS masked(told.message)) \
    AND (stood.fate = told.status \
      OR told.status = 'held' AND told.message IS NULL AND stood.fate IN ('skipped', 'rejected', 'deferred')))";

/// Whether a status says nothing that is not known already. What was to be done to a record always does: runs count it.
pub(crate) fn is_known(
    connection: &Connection,
    scope: &SyncScope,
    status: &RowResult,
) -> Result<bool, Fault> {
    let (None, Some(key)) = (status.op_type, &status.key) else { return Ok(false) };
    let sql = format!(
        "SELECT {SAYS_IT} FROM fates AS stood INDEXED BY fates_standing,
           (SELECT ?3 AS status, ?4 AS code, ?5 AS message) AS told
         WHERE stood.standing = 1 AND stood.scope = ?1 AND stood.key = ?2"
    );
    let (code, message) = (status.code.map(Code::as_str), &status.message);
    let says_it: Option<bool> = connection
        .prepare_cached(&sql)?
        .query_row(params![scope.id, key.as_str(), status.status.as_str(), code, message], |row| row.get(0))
        .optional()?;
    Ok(says_it.unwrap_or(matches!(status.status, RowStatus::Unchanged | RowStatus::Kept)))
}

/// Whether a status stands of any row of a sync.
pub(crate) fn is_any(connection: &Connection, scope: &SyncScope) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM fates INDEXED BY fates_standing WHERE standing = 1 AND scope = ?1 AND key IS NOT NULL LIMIT 1",
    )?;
    Ok(statement.exists([scope.id])?)
}

/// Another status takes the place of the one that stands.
pub(crate) fn lift(connection: &Connection, scope: &SyncScope, key: &Key) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE fates INDEXED BY fates_standing SET standing = 0
             WHERE standing = 1 AND scope = ?1 AND key = ?2",
        )?
        .execute(params![scope.id, key.as_str()])?;
    Ok(())
}

/// How many rows there are of each status, code and message.
type Counted = BTreeMap<(String, Option<String>, Option<String>), u64>;

/// What is kept of these.
fn counted(connection: &Connection, statuses: &[RowResult]) -> Result<Counted, Fault> {
    let mut counted = Counted::new();
    let mut masked = connection.prepare_cached("SELECT masked(?1)")?;
    for status in statuses {
        let code = status.code.map(|code| code.as_str().to_owned());
        let message = masked.query_row([&status.message], |row| row.get(0))?;
        *counted.entry((status.status.as_str().to_owned(), code, message)).or_default() += 1;
    }
    Ok(counted)
}

/// The rows without a key that stand.
fn nameless(connection: &Connection, scope: &SyncScope) -> Result<Counted, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT fate, code, message FROM fates INDEXED BY fates_standing
         WHERE standing = 1 AND scope = ?1 AND key IS NULL",
    )?;
    let mut rows = statement.query([scope.id])?;
    let mut counted = Counted::new();
    while let Some(row) = rows.next()? {
        *counted.entry((row.get(0)?, row.get(1)?, row.get(2)?)).or_default() += 1;
    }
    Ok(counted)
}
