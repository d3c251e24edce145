//! Unlinking: what is remembered of users once accounts and organizations that they were linked to are deleted.
//!
//! Vitally unlinks the users of a record that is deleted, and deletes those that have no other link (vitally-rest, "Deletes").
//! A record that is made again later is another one, and nobody is linked to it. So memory forgets such links, and the rows of
//! those users are compared anew: one that still names the record waits until it is there again.

use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{micros, time};
use crate::remember::NOTHING_PENDING;
use crate::run::Run;
use crate::shape::opened;

/// The records that were removed since a moment.
const GONE: &str = "
    CREATE TEMP TABLE IF NOT EXISTS unlinked (workspace INTEGER, object TEXT, target TEXT, at INTEGER,
        PRIMARY KEY (workspace, object, target)) WITHOUT ROWID;
    DELETE FROM temp.unlinked;";

const FILL: &str = "
    INSERT INTO temp.unlinked SELECT workspace, object, target, max(removed_at)
    FROM scopes CROSS JOIN memory ON memory.scope = scopes.id
    WHERE standing = 'removed' AND removed_at >= ?1 AND object IN ('account', 'organization') GROUP BY 1, 2, 3";

/// Nobody goes by the ids of what was removed any more, as far as they were not seen again since: what was looked up, and what
/// syncs remember that let the record be.
const IDS: &str = "
    DELETE FROM refs WHERE (workspace, object, external_id) IN (SELECT workspace, object, target FROM temp.unlinked)
      AND seen_at <= (SELECT at FROM temp.unlinked AS gone WHERE gone.workspace = refs.workspace
        AND gone.object = refs.object AND gone.target = refs.external_id);
    UPDATE memory SET vitally_id = NULL WHERE (scope, key, departure) IN (
      SELECT other.scope, other.key, other.departure
      FROM temp.unlinked AS gone CROSS JOIN scopes ON scopes.workspace = gone.workspace AND scopes.object = gone.object
        CROSS JOIN memory AS other INDEXED BY memory_by_target ON other.scope = scopes.id AND other.target = gone.target
      WHERE other.standing = 'released' AND other.vitally_id IS NOT NULL AND other.updated_at <= gone.at);";

/// Each kind of link, and the field that has them.
const LINKS: [(&str, &str); 2] = [("account", "accountIds"), ("organization", "organizationIds")];

impl Ledger {
    /// Forgets the links of users to accounts and organizations that were removed since this moment, and Vitally's ids of those. A
    /// user who had no others is removed too. What was written of a user after the removal stays, and so does an open intent.
    pub fn unlink(&self, lease: &Lease, since: Time, now: Time) -> Result<(), LedgerError> {
        self.write_in(lease, "forgetting links", |connection| {
            connection.execute_batch(GONE)?;
            if connection.execute(FILL, [micros(since)])? == 0 {
                return Ok(());
            }
            connection.execute_batch(IDS)?;
            let mut statement =
                connection.prepare("SELECT id, workspace FROM scopes WHERE object = 'user'")?;
            let scopes = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            scopes.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?.into_iter().try_for_each(
                |(scope, workspace)| {
                    let of = named_params! { ":scope": scope, ":workspace": workspace, ":now": micros(now) };
                    connection.execute(&went_along(), of)?;
                    LINKS.iter().try_for_each(|(object, field)| {
                        connection.execute(&forget(object, field), of).map(drop).map_err(Fault::from)
                    })
                },
            )
        })
    }

    /// When the run before this one began, if that was interrupted: what it removed may not be unlinked yet.
    pub fn interrupted_before(&self, run: &Run) -> Result<Option<Time>, LedgerError> {
        self.read("reading the run before", |connection| interrupted(connection, run))
    }
}

fn interrupted(connection: &Connection, run: &Run) -> Result<Option<Time>, Fault> {
    let sql = "SELECT status, started_at FROM runs WHERE id < ?1 ORDER BY id DESC LIMIT 1";
    let before: Option<(String, i64)> =
        connection.query_row(sql, params![run.row], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    before.filter(|(status, _)| status == "interrupted").map(|(_, at)| time(at)).transpose()
}

/// The links of one kind in what was sent of a user.
fn links(field: &str) -> String {
    format!("json_each(coalesce({} -> '$.{field}', '[]')) AS link", opened("memory.sent"))
}

/// Whether a link is to a record that is gone; links by Vitally's ids are told by no name.
fn is_gone(object: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM temp.unlinked AS gone WHERE gone.workspace = :workspace AND gone.object = '{object}'
           AND link.type = 'text' AND gone.target = link.value AND memory.updated_at <= gone.at)"
    )
}

/// Users of this scope that are linked to what is gone.
fn touched(object: &str, field: &str) -> String {
    format!("EXISTS (SELECT 1 FROM {} WHERE {})", links(field), is_gone(object))
}

const OF_SCOPE: &str = "scope = :scope AND pending <> 'open' AND sent IS NOT NULL";

/// Users who have no link left.
fn went_along() -> String {
    let any = LINKS.map(|(object, field)| touched(object, field)).join(" OR ");
    let left = LINKS.map(|(object, field)| {
        format!("NOT EXISTS (SELECT 1 FROM {} WHERE NOT {})", links(field), is_gone(object))
    });
    format!(
        "UPDATE memory SET standing = 'removed', removed_at = :now, sent = NULL, n = NULL, vitally_id = NULL, origin = NULL,
           seen_row = NULL, seen_mapping = NULL, {NOTHING_PENDING}
         WHERE {OF_SCOPE} AND ({any}) AND {}",
        left.join(" AND ")
    )
}

/// Takes links out of what was sent, and lets the row be looked at again.
fn forget(object: &str, field: &str) -> String {
    let kept = format!(
        "SELECT json_group_array(CASE link.type WHEN 'object' THEN json(link.value) ELSE link.value END)
         FROM {} WHERE NOT {}",
        links(field),
        is_gone(object)
    );
    format!(
        "UPDATE memory SET sent = json_set({}, '$.{field}', json(({kept}))), seen_row = NULL, seen_mapping = NULL,
           serial = serial + 1, updated_at = :now
         WHERE {OF_SCOPE} AND {}",
        opened("memory.sent"),
        touched(object, field)
    )
}
