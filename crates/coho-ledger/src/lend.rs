//! Lending: a plan's own file joins with a ledger, so that who holds a record is a join and not a question for each row.
//!
//! The ledger is attached under the name `ledger`, and what of it concerns a sync is told by temporary views, so that nobody
//! outside of this crate knows its tables:
//!
//! - `remembered`: the memories of the sync's scope, with `holds` where the record is still held: neither let be nor removed,
//!   or a write of it is open;
//! - `holders`: the same, for who is looked up by `target`: SQLite, which knows no sizes, would read the whole scope each time;
//! - `known_references`: object and external id of the records whose Vitally ids are known;
//! - `links`: what the users that a sync of the workspace holds are linked to: the user (`scope`, `key`, `departure`), and of
//!   each account and organization its `object` and its `name`, the external id, or Vitally's where `by_id` says so. A user is
//!   held while it is delivered or assumed, and its row has not left; one whose row left is held again as soon as that row is
//!   back, even while its write waits or is unclear. Records that were removed, and that no sync holds, are no links any more;
//!   one that was made again since then, and let be, is one.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rusqlite::Connection;

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::open::{Access, PATIENCE};
use crate::scope::SyncScope;
use crate::shape::opened_in;
use crate::{functions, mask};

impl Ledger {
    /// Lets the statements of another connection read this ledger, as far as it concerns a scope; nothing, where there is
    /// none. Only outside of a transaction. What they read is of one moment, until the transaction ends that read first.
    pub fn lend(&self, connection: &Connection, scope: Option<&SyncScope>) -> Result<(), LedgerError> {
        let lent = self.attach(connection, Access::ReadOnly).and_then(|()| views(connection, scope));
        lent.map_err(|error| Fault::from(error).on(self.named(), "joining with a plan"))
    }

    /// Ends what [`Ledger::lend`] began.
    pub fn take_back(&self, connection: &Connection) -> Result<(), LedgerError> {
        let sql = "DROP VIEW temp.remembered; DROP VIEW temp.holders; DROP VIEW temp.known_references; DROP VIEW temp.links; \
             DETACH ledger";
        let taken = connection.execute_batch(sql);
        taken.map_err(|error| Fault::from(error).on(self.named(), "joining with a plan"))
    }

    pub(crate) fn attach(&self, connection: &Connection, access: Access) -> rusqlite::Result<()> {
        connection.busy_timeout(PATIENCE)?;
        mask::teach(connection, self.masker())?;
        functions::teach(connection)?;
        connection.execute("ATTACH ?1 AS ledger", [uri(self.path(), access)]).map(|_| ())
    }
}

/// What a plan may know of a memory.
const REMEMBERED: &str = "key, departure, target, standing, pending, serial, \
    standing NOT IN ('released', 'removed') OR pending = 'open' AS holds";

fn views(connection: &Connection, scope: Option<&SyncScope>) -> rusqlite::Result<()> {
    // No scope has this number.
    let id = scope.map_or(-1, |scope| scope.id);
    connection.execute_batch(&format!(
        "CREATE TEMP VIEW remembered AS SELECT {REMEMBERED} FROM ledger.memory WHERE scope = {id};
         CREATE TEMP VIEW holders AS
           SELECT {REMEMBERED} FROM ledger.memory INDEXED BY memory_by_target WHERE scope = {id};
         CREATE TEMP VIEW known_references AS
           SELECT object, external_id FROM ledger.refs
           WHERE workspace = (SELECT workspace FROM ledger.scopes WHERE id = {id})
           UNION ALL
           SELECT object, target FROM ledger.scopes
             JOIN ledger.memory INDEXED BY memory_by_target ON memory.scope = scopes.id
           WHERE workspace = (SELECT workspace FROM ledger.scopes WHERE id = {id})
             AND vitally_id IS NOT NULL;
         CREATE TEMP VIEW links AS
           WITH ours AS (SELECT id, object FROM ledger.scopes
             WHERE workspace = (SELECT workspace FROM ledger.scopes WHERE id = {id})),
           found AS (SELECT DISTINCT user.scope, user.key, user.departure, kind.object, link.type = 'object' AS by_id,
               CASE link.type WHEN 'object' THEN json_extract(link.value, '$.id') ELSE link.value END AS name
             FROM ours JOIN ledger.memory AS user ON user.scope = ours.id
             CROSS JOIN (SELECT 'account' AS object, '$.accountIds' AS path
               UNION ALL SELECT 'organization', '$.organizationIds') AS kind
             CROSS JOIN json_each({sent} -> kind.path) AS link
             WHERE ours.object = 'user' AND link.type <> 'null' AND (user.standing IN ('delivered', 'assumed')
              OR user.standing = 'released' AND user.pending <> 'none'))
           SELECT * FROM found WHERE by_id OR NOT (
             SELECT coalesce(max(CASE standing WHEN 'removed' THEN removed_at END)
               >= max(CASE WHEN standing IN ('delivered', 'assumed') THEN {always}
                        WHEN standing = 'released' AND vitally_id IS NOT NULL THEN updated_at ELSE 0 END), FALSE)
             FROM ours JOIN ledger.memory AS record INDEXED BY memory_by_target ON record.scope = ours.id
             WHERE ours.object = found.object AND record.target = found.name)",
        sent = opened_in("ledger.shapes", "user.sent"),
        always = i64::MAX
    ))
}

/// The path as SQLite's URI, which says how the file is opened.
fn uri(path: &Path, access: Access) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/.-_".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing into a text does not fail.
            write!(uri, "%{byte:02x}").unwrap_or_default();
        }
    }
    uri + match access {
        Access::ReadOnly => "?mode=ro",
        Access::ReadWrite => "?mode=rw",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_anything_in_it_is_one_uri() {
        let uri = uri(Path::new("/a b/50%?#é.db"), Access::ReadOnly);
        assert_eq!(uri, "file:/a%20b/50%25%3f%23%c3%a9.db?mode=ro");
    }
}
