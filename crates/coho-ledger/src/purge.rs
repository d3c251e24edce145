//! Purging: taking one row's values out of everything that the ledger keeps, on purpose and for good.
//!
//! What stays is what keeps Coho from sending twice, and from deleting a user with its last account: the row's key, the ids of its
//! record and of those that it is linked to, and digests. All other values of the row go: what was acknowledged, what differed in each run, messages, and the bodies, headers and queries of calls, also of calls
//! for other rows that show this record. [`values`] finds what a row's values are, [`Ledger::scrub`] takes them out of free
//! pages, the write-ahead log, and copies that were made before an upgrade.

mod values;

use std::fs;
use std::path::PathBuf;

use coho_core::key::Key;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, params};

use self::values::Values;
use crate::amend::AmendError;
use crate::call::{Bodies, texts, texts_read};
use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored};
use crate::place;
use crate::shape::{opened, unused};

/// What stands in place of a text that was purged.
const PURGED: &str = "purged";

/// What a purge changed in the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Row states whose values are gone.
    pub row_states: u64,
    /// Rows of runs whose changes and messages are gone.
    pub rows: u64,
    /// Calls for this row whose bodies, headers and queries are gone.
    pub calls: u64,
    /// Calls for other rows that showed the record: their bodies are gone as a whole.
    pub others_calls: u64,
    /// Alerts and messages to recipients that had a value.
    pub messages: u64,
}

impl Purged {
    /// Whether nothing was known of the row.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What was taken out of the ledger's files, besides its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Copies from before an upgrade, which were removed.
    pub copies: Vec<PathBuf>,
    /// Copies that could not be removed.
    pub left: Vec<PathBuf>,
    /// Whether the write-ahead log could be emptied: not while another process reads it.
    pub log_is_empty: bool,
}

/// Says of a text outside of the ledger whether it has values of the row, or names it.
#[derive(Clone, Debug)]
pub struct PurgedValues(Values);

impl PurgedValues {
    /// Whether the text has one of them.
    pub fn are_in(&self, text: &str) -> bool {
        self.0.are_in(text) || self.0.names(text)
    }
}

impl Ledger {
    /// Takes the values of a row of a sync out of all tables, in every workspace; nothing, where it has an open intent. To be
    /// followed by [`Ledger::scrub`].
    pub fn purge(
        &self,
        lease: &Lease,
        sync: &SyncId,
        key: &Key,
        now: Time,
    ) -> Result<(Purged, PurgedValues), AmendError> {
        self.write_shaped(lease, "purging", |connection, shapes| {
            let scopes = scopes(connection, sync)?;
            let open: i64 = scopes
                .iter()
                .try_fold(0, |open, scope| Ok::<i64, Fault>(open + number(connection, OPEN, *scope, key)?))?;
            if open > 0 {
                return Ok(Err(AmendError::Open(count(open))));
            }
            let mut values = Values::new(key);
            for scope in &scopes {
                values.collect(connection, *scope, key)?;
            }
            let mut purged = Purged::default();
            for scope in &scopes {
                purged.row_states += changed(connection, &row_states(), *scope, key, now)?;
                purged.calls += changed(connection, CALLS, *scope, key, now)?;
                purged.rows += rows(connection, *scope, key)?;
            }
            purged.others_calls = others_calls(connection, &values)?;
            purged.messages = values.mask_all(connection)?;
            unused::delete(connection)?;
            shapes.forget();
            Ok(Ok((purged, PurgedValues(values))))
        })?
    }

    /// Takes what was deleted out of the ledger's files: free pages are dropped, the write-ahead log is emptied, and copies from
    /// before an upgrade are removed; in a bucket, all objects that the newest one replaced. Takes as long, and as much of the disk, as copying the ledger.
    pub fn scrub(&self, lease: &Lease) -> Result<Scrubbed, LedgerError> {
        self.write_in(lease, "removing values from free pages", |_| Ok(()))?;
        let (copies, left) = self.remove_copies();
        let log_is_empty = {
            let connection = self.connection();
            vacuum(&connection)
                .map_err(|error| Fault::from(error).on(self.named(), "removing values from free pages"))?
        };
        if let Some(hold) = self.hold() {
            hold.store_whole(&self.connection())?;
            hold.remove_replaced()?;
        }
        Ok(Scrubbed { copies, left, log_is_empty })
    }

    /// Removes `ledger.db.v9.bak` and its like, whole or unfinished. Gives those that are gone, and those that stay all the same.
    fn remove_copies(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let real = place::real(self.path());
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let prefix = format!("{name}.v");
        let folder = place::folder_of(&real).to_owned();
        // Who may not look into the folder is told of all of it.
        let Ok(entries) = fs::read_dir(&folder) else { return (Vec::new(), vec![folder]) };
        let is_copy = |name: &str| {
            name.strip_prefix(&prefix).is_some_and(|rest| {
                let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
                rest == ".bak" || rest == ".bak.unfinished"
            })
        };
        let copies = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_copy));
        let mut copies: Vec<PathBuf> = copies.map(|entry| entry.path()).collect();
        copies.sort();
        copies.into_iter().partition(|path| fs::remove_file(path).is_ok())
    }
}

/// The file is written anew, without what was in its free pages. The rows that it sorts for that may be many, so they wait in
/// a file without a name and not in memory. Gives whether the log is empty.
fn vacuum(connection: &Connection) -> rusqlite::Result<bool> {
    connection.execute_batch("PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// The numbers of a sync's scopes: one in each workspace.
fn scopes(connection: &Connection, sync: &SyncId) -> Result<Vec<i64>, Fault> {
    // What is overwritten is overwritten in the file too, should the vacuum that follows not come to its end.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    let mut statement = connection.prepare("SELECT id FROM scopes WHERE sync = ?1 ORDER BY id")?;
    let scopes = statement.query_map([sync.as_str()], |row| row.get(0))?;
    Ok(scopes.collect::<rusqlite::Result<_>>()?)
}

const OPEN: &str = "SELECT count(*) FROM memory WHERE scope = ?1 AND key = ?2 AND pending = 'open'";

/// The members of what was sent that have the ids of other records: a user is linked to them.
pub(crate) const LINKS: [&str; 2] = ["accountIds", "organizationIds"];

/// The values, not the ids and digests. The serial grows, so that no operation that was planned with them applies.
fn row_states() -> String {
    format!(
        "UPDATE memory SET sent = links.kept, serial = serial + 1, updated_at = ?3 \
         FROM (SELECT key AS of, departure AS which, (SELECT json_group_object(member.key, json(member.value)) \
             FROM json_each({}) AS member WHERE member.key IN ('accountIds', 'organizationIds')) AS kept \
           FROM memory AS held WHERE scope = ?1 AND key = ?2 AND sent IS NOT NULL) AS links \
         WHERE scope = ?1 AND key = links.of AND departure = links.which AND sent <> links.kept",
        opened("held.sent")
    )
}

/// What a call for this row told, alone or with others in a batch.
const CALLS: &str = "\
    UPDATE calls SET request = NULL, request_zlib = NULL, response = 'purged', response_zlib = NULL, response_headers = NULL, \
      shape = NULL, fate = NULL, own = NULL, \
      path = CASE instr(path, '?') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '?')) || 'purged' END \
    WHERE scope = ?1 AND ?3 IS NOT NULL AND (response <> 'purged' OR shape IS NOT NULL OR coalesce(request, request_zlib) IS NOT NULL) \
      AND (id IN ( \
        SELECT id FROM calls AS own WHERE own.scope = ?1 AND (own.key = ?2 OR substr(own.key, 1, length(?2) + 6) = ?2 || ' (was ')) \
      OR id IN (SELECT call FROM call_keys WHERE key = ?2 OR substr(key, 1, length(?2) + 6) = ?2 || ' (was '))";

/// The rows of runs, with those of records that the row left: `KEY (was TARGET)`.
const OF_ROW: &str = "scope = ?1 AND (key = ?2 OR substr(key, 1, length(?2) + 6) = ?2 || ' (was ')";

fn number(connection: &Connection, sql: &str, scope: i64, key: &Key) -> Result<i64, Fault> {
    Ok(connection.prepare_cached(sql)?.query_row(params![scope, key.row()], |row| row.get(0))?)
}

fn changed(connection: &Connection, sql: &str, scope: i64, key: &Key, now: Time) -> Result<u64, Fault> {
    let changed = connection.prepare_cached(sql)?.execute(params![scope, key.row(), micros(now)])?;
    Ok(count(stored(changed)))
}

/// Takes the values out of rows of runs. What they failed of is a cause without a message from now on; the causes that they had
/// go with their last row.
fn rows(connection: &Connection, scope: i64, key: &Key) -> Result<u64, Fault> {
    let failed: Vec<(i64, String)> = connection
        .prepare(&format!(
            "SELECT DISTINCT causes.id, causes.code FROM fates JOIN causes ON causes.id = fates.cause
             WHERE fates.{OF_ROW} AND causes.message <> ''"
        ))?
        .query_map(params![scope, key.row()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (cause, code) in failed {
        let plain = plain_cause(connection, scope, cause, &code)?;
        connection.execute(
            &format!("UPDATE fates SET cause = ?3 WHERE {OF_ROW} AND cause = ?4"),
            params![scope, key.row(), plain, cause],
        )?;
        connection.execute(
            "DELETE FROM causes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM fates WHERE cause = causes.id)",
            [cause],
        )?;
    }
    let sql = format!(
        "UPDATE fates SET fields = '{{}}', fields_zlib = NULL, message = CASE WHEN message IS NULL THEN NULL ELSE 'purged' END
         WHERE {OF_ROW} AND (fields <> '{{}}' OR fields_zlib IS NOT NULL OR message <> 'purged')"
    );
    Ok(count(stored(connection.execute(&sql, params![scope, key.row()])?)))
}

/// The cause of this code that says nothing more, with the times of the one that it stands for.
fn plain_cause(connection: &Connection, scope: i64, cause: i64, code: &str) -> Result<i64, Fault> {
    Ok(connection
        .prepare_cached(
            "INSERT INTO causes (scope, code, message, first_at, last_at, healed_at)
             SELECT ?1, ?3, '', first_at, last_at, healed_at FROM causes WHERE id = ?2
             ON CONFLICT (scope, code, message) DO UPDATE SET
               first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
               healed_at = CASE WHEN healed_at IS NULL OR excluded.healed_at IS NULL THEN NULL
                 ELSE max(healed_at, excluded.healed_at) END
             RETURNING id",
        )?
        .query_row(params![scope, cause, code], |row| row.get(0))?)
}

/// Calls for other rows, or for none, whose bodies show the record, such as a page of a list.
fn others_calls(connection: &Connection, values: &Values) -> Result<u64, Fault> {
    let mut showing = Vec::new();
    let columns = texts_read(Bodies::Read);
    let mut statement =
        connection.prepare(&format!("SELECT id, path, {columns} FROM calls WHERE response <> 'purged'"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let told = texts(row, 2)?;
        let shows = told.request.iter().chain([&told.response]).any(|body| values.show_in(body));
        if shows || values.show_in_query(&row.get::<_, String>(1)?) {
            showing.push((row.get::<_, i64>(0)?, told.headers));
        }
    }
    for (id, headers) in &showing {
        connection
            .prepare_cached(
                "UPDATE calls SET request = NULL, request_zlib = NULL, response = ?2, response_zlib = NULL,
                   response_headers = ?3, shape = NULL, fate = NULL, own = NULL,
                   path = CASE instr(path, '?') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '?')) || ?2 END
                 WHERE id = ?1",
            )?
            .execute(params![id, PURGED, headers])?;
    }
    Ok(count(stored(showing.len())))
}
