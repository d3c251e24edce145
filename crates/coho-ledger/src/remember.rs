//! Remembering without sending: what a plan says of rows that need no call, carried out by joins with the plan's own file.
//!
//! That file has it in a view `notes`: `seq`, `key`, `departure`, `effect`, `target`, `sent`, `seen_row`, `seen_mapping` and
//! `splits_to`. The effects are
//!
//! - `seen`: the row was looked at again and nothing differs;
//! - `learned`: the row is taken as delivered, though it was not sent;
//! - `released`: its record is let be;
//! - `forgotten`: the row_state is dropped;
//!
//! and where `splits_to` is not null, the row becomes another record, `target`, and what is remembered so far goes on under
//! that departure. An open intent stays as it is, whatever a note says: only a verdict closes it.
//!
//! Two more views tell of which keys the plan has something to say, `told`, and which the model does not have, `left`.

use std::ops::RangeInclusive;

use coho_core::digest::ENCODING;
use coho_core::time::Time;
use rusqlite::{Connection, named_params};

use crate::failure::{Fault, LedgerError};
use crate::lease::{self, Lease};
use crate::ledger::Ledger;
use crate::moment::micros;
use crate::open::Access;
use crate::run::Run;
use crate::scope::SyncScope;

/// What is remembered of a pending operation, and is void once nothing is pending.
pub(crate) const NOTHING_PENDING: &str = "\
    pending = 'none', verb = NULL, operation = NULL, would_send = NULL, since = NULL, why = NULL, code = NULL, \
    tried_row = NULL, tried_mapping = NULL, tries = NULL, due = NULL, due_at = NULL, serial = memory.serial + 1, \
    updated_at = :now";

/// The notes at hand, each with the memory of its key.
const OF_NOTES: &str = "\
    FROM main_notes AS notes WHERE memory.scope = :scope AND memory.key = notes.key AND memory.departure = notes.departure \
      AND notes.seq BETWEEN :first AND :last";

impl Ledger {
    /// Carries out the notes of these numbers, in one transaction on the connection of the plan's file.
    pub fn remember(
        &self,
        lease: &Lease,
        connection: &Connection,
        scope: &SyncScope,
        notes: RangeInclusive<i64>,
        now: Time,
    ) -> Result<(), LedgerError> {
        self.joined(lease, connection, "saving state changes", || carry_out(connection, scope, &notes, now))
    }

    /// Ends the statuses that stand of rows of which a plan of all rows has nothing more to say: the row is as it was delivered,
    /// or it left the model.
    pub fn lift(
        &self,
        lease: &Lease,
        connection: &Connection,
        run: &Run,
        scope: &SyncScope,
        now: Time,
    ) -> Result<(), LedgerError> {
        if self.standing(scope, None, 1)?.is_empty() {
            return Ok(());
        }
        self.joined(lease, connection, "recording statuses", || {
            connection.execute(
                &over(),
                named_params! { ":run": run.row, ":scope": scope.id, ":now": micros(now) },
            )?;
            connection.execute(&lift(), named_params! { ":scope": scope.id }).map(drop)
        })
    }

    /// Writes to the ledger in one transaction on the connection of a plan's file.
    pub(crate) fn joined(
        &self,
        lease: &Lease,
        connection: &Connection,
        doing: &'static str,
        work: impl FnOnce() -> rusqlite::Result<()>,
    ) -> Result<(), LedgerError> {
        let told = |fault: Fault| fault.on(self.named(), doing);
        self.attach(connection, Access::ReadWrite).map_err(|error| told(error.into()))?;
        if self.hold().is_some() {
            // What is committed is stored before it goes into the file.
            connection.execute_batch("PRAGMA wal_autocheckpoint = 0").map_err(|error| told(error.into()))?;
        }
        let done = connection
            .execute_batch(
                "PRAGMA ledger.synchronous = FULL; PRAGMA ignore_check_constraints = ON; BEGIN IMMEDIATE",
            )
            .map_err(Fault::from)
            .and_then(|()| lease::check_in(connection, "ledger", lease))
            .and_then(|writes| work().map(|()| writes).map_err(Fault::from));
        let ended = match &done {
            Ok(_) => connection.execute_batch("COMMIT"),
            Err(_) => connection.execute_batch("ROLLBACK"),
        };
        let left = connection.execute_batch("DETACH ledger");
        let writes = done.map_err(told)?;
        ended.map_err(|error| told(error.into()))?;
        if let Some(hold) = self.hold() {
            hold.store()?;
        }
        lease.wrote(writes);
        left.map_err(|error| told(error.into()))
    }
}

/// The standing statuses that a plan does not tell of.
const UNTOLD: &str = "\
    standing = 1 AND scope = :scope AND key IS NOT NULL AND key NOT IN (SELECT key FROM temp.told)";

/// How such a row ends now.
fn over() -> String {
    format!(
        "INSERT INTO ledger.fates (run, scope, key, fate, reason, fields, at, standing)
         SELECT :run, :scope, key,
           CASE WHEN is_known = 0 THEN 'forgotten' WHEN has_left THEN 'kept' ELSE 'unchanged' END,
           CASE WHEN is_known = 0 OR has_left THEN 'left the model' ELSE 'as it was delivered' END, '{{}}', :now, 0
         FROM (SELECT key, key IN (SELECT key FROM temp.left) AS has_left,
             EXISTS (SELECT 1 FROM ledger.memory WHERE memory.scope = :scope AND memory.key = stood.key) AS is_known
           FROM ledger.fates AS stood INDEXED BY fates_standing WHERE {UNTOLD})"
    )
}

fn lift() -> String {
    format!("UPDATE ledger.fates INDEXED BY fates_standing SET standing = 0 WHERE {UNTOLD}")
}

fn carry_out(
    connection: &Connection,
    scope: &SyncScope,
    notes: &RangeInclusive<i64>,
    now: Time,
) -> rusqlite::Result<()> {
    let [splits, seen_again, let_be, dropped, taken] = effects(connection, notes)?;
    let all = [
        (splits, split_off()),
        (splits, begin_anew()),
        (seen_again, seen()),
        (let_be, released()),
        (dropped, forgotten()),
        (taken, learned()),
    ];
    for (_, sql) in all.into_iter().filter(|(has, _)| *has) {
        let sql = sql.replace("main_notes", "temp.notes");
        let mut statement = connection.prepare_cached(&sql)?;
        // Each statement takes those of these that it names.
        let all = named_params! {
            ":scope": scope.id, ":first": notes.start(), ":last": notes.end(), ":now": micros(now), ":encoding": ENCODING,
        };
        for (name, value) in all {
            if let Some(place) = statement.parameter_index(name)? {
                statement.raw_bind_parameter(place, value)?;
            }
        }
        statement.raw_execute()?;
    }
    Ok(())
}

/// Which effects are among these notes, in the order of the statements that carry them out: most have one alone, and a statement
/// for nothing would read all of them.
fn effects(connection: &Connection, notes: &RangeInclusive<i64>) -> rusqlite::Result<[bool; 5]> {
    let mut statement = connection.prepare_cached(
        "SELECT max(splits_to IS NOT NULL), max(effect IS 'seen'), max(effect IS 'released'), max(effect IS 'forgotten'),
           max(effect IS 'learned')
         FROM temp.notes WHERE seq BETWEEN ?1 AND ?2",
    )?;
    statement.query_row([notes.start(), notes.end()], |row| {
        let has = |column: usize| row.get::<_, Option<bool>>(column).map(Option::unwrap_or_default);
        Ok([has(0)?, has(1)?, has(2)?, has(3)?, has(4)?])
    })
}

/// The record that a row leaves goes on under a departure of its own. What was let be of the same record there is older.
fn split_off() -> String {
    format!(
        "INSERT OR REPLACE INTO ledger.memory (scope, key, departure, target, standing, sent, n, vitally_id, origin,
           removed_at, pending, verb, operation, would_send, since, why, code, tried_row, tried_mapping, tries, due, due_at,
           seen_row, seen_mapping, encoding, serial, updated_at)
         SELECT scope, memory.key, notes.splits_to, memory.target, standing, memory.sent, n, vitally_id, origin, removed_at,
           pending, verb, operation, would_send, since, why, code, tried_row, tried_mapping, tries, due, due_at,
           memory.seen_row, memory.seen_mapping, encoding, 1 + coalesce((SELECT there.serial FROM ledger.memory AS there
             WHERE there.scope = :scope AND there.key = notes.key AND there.departure = notes.splits_to), 0), :now
         {} AND notes.splits_to IS NOT NULL",
        OF_NOTES.replace("AS notes WHERE", "AS notes JOIN ledger.memory ON")
    )
}

fn begin_anew() -> String {
    format!(
        "UPDATE ledger.memory SET target = notes.target, standing = 'never', sent = NULL, n = NULL, vitally_id = NULL,
           origin = NULL, removed_at = NULL, seen_row = NULL, seen_mapping = NULL, encoding = :encoding, {NOTHING_PENDING}
         {OF_NOTES} AND notes.splits_to IS NOT NULL"
    )
}

/// A record that was let be, and whose row is back, is delivered again.
fn seen() -> String {
    format!(
        "UPDATE ledger.memory SET seen_row = notes.seen_row, seen_mapping = notes.seen_mapping, encoding = :encoding,
           n = CASE standing WHEN 'released' THEN 1 ELSE n END,
           standing = CASE standing WHEN 'released' THEN 'delivered' ELSE standing END, {NOTHING_PENDING}
         {OF_NOTES} AND notes.effect = 'seen' AND memory.pending <> 'open'"
    )
}

fn released() -> String {
    format!(
        "UPDATE ledger.memory SET n = NULL, origin = CASE standing WHEN 'assumed' THEN 'found' ELSE origin END,
           standing = CASE WHEN standing IN ('delivered', 'assumed') THEN 'released' ELSE standing END, {NOTHING_PENDING}
         {OF_NOTES} AND notes.effect = 'released' AND memory.pending <> 'open'"
    )
}

fn forgotten() -> String {
    "DELETE FROM ledger.memory WHERE scope = :scope AND pending <> 'open' AND (key, departure) IN
       (SELECT key, departure FROM main_notes WHERE effect = 'forgotten' AND seq BETWEEN :first AND :last)"
        .to_owned()
}

/// What was delivered before stays so, and ours.
fn learned() -> String {
    let stays = "memory.target = excluded.target AND memory.standing IN ('delivered', 'released')";
    format!(
        "INSERT INTO ledger.memory (scope, key, departure, target, standing, sent, pending, seen_row, seen_mapping, encoding,
           serial, updated_at)
         SELECT :scope, key, departure, target, 'assumed', sent, 'none', seen_row, seen_mapping, :encoding, 1, :now
         FROM main_notes WHERE effect = 'learned' AND seq BETWEEN :first AND :last
         ON CONFLICT (scope, key, departure) DO UPDATE SET
           n = CASE WHEN NOT ({stays}) THEN NULL WHEN memory.standing = 'released' THEN 1 ELSE memory.n END,
           vitally_id = CASE WHEN {stays} THEN memory.vitally_id END,
           origin = CASE WHEN {stays} THEN memory.origin END,
           standing = CASE WHEN {stays} THEN 'delivered' ELSE 'assumed' END,
           target = excluded.target, sent = excluded.sent, removed_at = NULL, seen_row = excluded.seen_row,
           seen_mapping = excluded.seen_mapping, encoding = excluded.encoding, {NOTHING_PENDING}
         WHERE memory.pending <> 'open'"
    )
}
