//! Standing fates: what a row waits with until somebody mends it. It is written once; later runs in which nothing changes
//! about it write nothing, and it is never pruned while it stands.
//!
//! The row's fate now is its newest one, and it is so since that was written.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::verdict::Fate;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::stored;
use crate::run::Run;
use crate::scope::Scope;
use crate::settle::{RowFate, record_fate};

impl Ledger {
    /// The keys with a standing fate behind this one, in their order.
    pub fn standing(
        &self,
        scope: &Scope,
        after: Option<&Key>,
        most: usize,
    ) -> Result<Vec<(Key, Fate)>, LedgerError> {
        self.read("reading standing fates", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key, fate FROM fates INDEXED BY fates_standing
                 WHERE standing = 1 AND scope = ?1 AND key IS NOT NULL AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3",
            )?;
            let mut rows = statement.query(params![scope.id, after.map(Key::as_str), stored(most)])?;
            let mut standing = Vec::new();
            while let Some(row) = rows.next()? {
                let fate = Fate::parse(&row.get::<_, String>(1)?)
                    .ok_or_else(|| Fault::damaged("a fate is none that Coho writes"))?;
                standing.push((Key::new(row.get::<_, String>(0)?), fate));
            }
            Ok(standing)
        })
    }

    /// Records the rows without a key that a run found, where they are others than before. All of a sync at once.
    pub fn record_nameless(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &Scope,
        fates: &[RowFate],
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "recording fates", |connection| {
            if nameless(connection, scope)? == counted(connection, fates)? {
                return Ok(());
            }
            connection
                .prepare_cached(
                    "UPDATE fates INDEXED BY fates_standing SET standing = 0
                     WHERE standing = 1 AND scope = ?1 AND key IS NULL",
                )?
                .execute([scope.id])?;
            fates.iter().try_for_each(|fate| record_fate(connection, run, scope, fate))
        })
    }
}

/// Whether a row with this fate waits for somebody.
pub(crate) fn stands(fate: Fate) -> bool {
    match fate {
        Fate::Skipped | Fate::Rejected | Fate::Deferred | Fate::Invalid | Fate::Held | Fate::Stale => true,
        Fate::Delivered
        | Fate::Accepted
        | Fate::Touched
        | Fate::Removed
        | Fate::NotAttempted
        | Fate::Unchanged
        | Fate::Learned
        | Fate::Kept
        | Fate::Released
        | Fate::Forgotten => false,
    }
}

/// The fates that wait for somebody, as a list in SQL.
pub(crate) fn that_stand() -> String {
    let standing = Fate::ALL.into_iter().filter(|fate| stands(*fate));
    standing.map(|fate| format!("'{}'", fate.as_str())).collect::<Vec<_>>().join(", ")
}

/// Whether the fate that stands, `stood`, says already what `told` does. A row that was tried, and is held until its time
/// comes, is still what it was when it was tried.
pub(crate) const SAYS_IT: &str = "\
    (stood.code IS told.code AND (told.message IS NULL OR stood.message IS masked(told.message)) \
    AND (stood.fate = told.fate \
      OR told.fate = 'held' AND told.message IS NULL AND stood.fate IN ('skipped', 'rejected', 'deferred')))";

/// Whether a fate says nothing that is not known already. What was to be done to a record always does: runs count it.
pub(crate) fn is_known(connection: &Connection, scope: &Scope, fate: &RowFate) -> Result<bool, Fault> {
    let (None, Some(key)) = (fate.op_type, &fate.key) else { return Ok(false) };
    let sql = format!(
        "SELECT {SAYS_IT} FROM fates AS stood INDEXED BY fates_standing,
           (SELECT ?3 AS fate, ?4 AS code, ?5 AS message) AS told
         WHERE stood.standing = 1 AND stood.scope = ?1 AND stood.key = ?2"
    );
    let (code, message) = (fate.code.map(Code::as_str), &fate.message);
    let says_it: Option<bool> = connection
        .prepare_cached(&sql)?
        .query_row(params![scope.id, key.as_str(), fate.fate.as_str(), code, message], |row| row.get(0))
        .optional()?;
    Ok(says_it.unwrap_or(matches!(fate.fate, Fate::Unchanged | Fate::Kept)))
}

/// Another fate takes the place of the one that stands.
pub(crate) fn lift(connection: &Connection, scope: &Scope, key: &Key) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE fates INDEXED BY fates_standing SET standing = 0
             WHERE standing = 1 AND scope = ?1 AND key = ?2",
        )?
        .execute(params![scope.id, key.as_str()])?;
    Ok(())
}

/// How many rows there are of each fate, code and message.
type Counted = BTreeMap<(String, Option<String>, Option<String>), u64>;

/// What is kept of these.
fn counted(connection: &Connection, fates: &[RowFate]) -> Result<Counted, Fault> {
    let mut counted = Counted::new();
    let mut masked = connection.prepare_cached("SELECT masked(?1)")?;
    for fate in fates {
        let code = fate.code.map(|code| code.as_str().to_owned());
        let message = masked.query_row([&fate.message], |row| row.get(0))?;
        *counted.entry((fate.fate.as_str().to_owned(), code, message)).or_default() += 1;
    }
    Ok(counted)
}

/// The rows without a key that stand.
fn nameless(connection: &Connection, scope: &Scope) -> Result<Counted, Fault> {
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
