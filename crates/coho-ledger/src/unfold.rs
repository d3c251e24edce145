//! Unfolding: a run that died leaves intents of whole batches. Each becomes an open intent in the memory of each key, as if it had
//! been written by itself. Whoever takes the lease begins with that; a plan is made from a copy in which it is done.
//!
//! How a batch is written down stands in [`Write`]; [`crate::batch`] opens and closes batches, [`crate::intent`] single intents.

use coho_core::digest::{Digest, ENCODING};
use rusqlite::{Connection, Statement, params};

use crate::failure::Fault;

/// A write of a batch: key, departure, target, verb, digest, what is remembered.
pub(crate) type Write<T> = (T, u32, T, T, String, T);

/// An intent, as its columns have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open<'a> {
    pub(crate) scope: i64,
    pub(crate) key: &'a str,
    pub(crate) departure: u32,
    pub(crate) target: &'a str,
    pub(crate) verb: &'a str,
    pub(crate) operation: Digest,
    /// What is remembered if it arrives, as it is kept.
    pub(crate) would_send: &'a str,
    pub(crate) since: i64,
}

pub(crate) const OPEN: &str = "\
    INSERT INTO memory (scope, key, departure, target, standing, pending, verb, operation, would_send, since, encoding, updated_at, \
       serial) \
    VALUES (?1, ?2, ?3, ?4, 'never', 'open', ?5, ?6, ?7, ?8, ?9, ?8, 1) ON CONFLICT DO NOTHING";

/// What is waiting is taken over by the intent; what was acknowledged stands until the verdict. Where an earlier write may
/// have arrived, it counts from that one: a record that was born since is ours. That another record was removed says nothing of
/// this one.
const REOPEN: &str = "\
    UPDATE memory SET removed_at = CASE WHEN target = ?4 THEN removed_at END, \
       standing = CASE WHEN standing = 'removed' AND target <> ?4 THEN 'never' ELSE standing END, target = ?4, pending = 'open', verb = ?5, operation = ?6, would_send = ?7, \
       since = CASE WHEN pending = 'open' THEN since ELSE ?8 END, updated_at = ?8, why = NULL, code = NULL, tried_row = NULL, tried_mapping = NULL, tries = NULL, due = NULL, \
       due_at = NULL, serial = serial + 1 \
    WHERE scope = ?1 AND key = ?2 AND departure = ?3";

impl Open<'_> {
    /// Writes it into the memory of its key, which there is.
    pub(crate) fn write(self, connection: &Connection) -> Result<(), Fault> {
        let Self { scope, key, departure, target, verb, operation, would_send, since } = self;
        let operation = operation.to_bytes();
        let of = params![scope, key, departure, target, verb, operation, would_send, since];
        connection.prepare_cached(REOPEN)?.execute(of)?;
        Ok(())
    }

    /// Writes it into a new memory, with the statement [`OPEN`]. Gives whether it did: where its key has a memory already, nothing
    /// is written.
    pub(crate) fn write_new(self, statement: &mut Statement<'_>) -> Result<bool, Fault> {
        let Self { scope, key, departure, target, verb, operation, would_send, since } = self;
        let operation = operation.to_bytes();
        let of = params![scope, key, departure, target, verb, operation, would_send, since, ENCODING];
        Ok(statement.execute(of)? > 0)
    }
}

/// Whether there are batches; none of them is under way where no run is.
pub(crate) fn has_batches(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM batches)", [], |row| row.get(0))
}

/// Makes open intents of all batches.
pub(crate) fn unfold(connection: &Connection) -> Result<(), Fault> {
    let mut statement = connection.prepare("SELECT scope, since, writes FROM batches ORDER BY id")?;
    let mut new = connection.prepare_cached(OPEN)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (scope, since) = (row.get(0)?, row.get(1)?);
        let writes: Vec<Write<String>> =
            serde_json::from_str(row.get_ref(2)?.as_str().map_err(|_| damaged())?).map_err(|_| damaged())?;
        for (key, departure, target, verb, operation, would_send) in &writes {
            let operation = Digest::from_hex(operation).ok_or_else(damaged)?;
            let open = Open { scope, key, departure: *departure, target, verb, operation, would_send, since };
            if !open.write_new(&mut new)? {
                open.write(connection)?;
            }
        }
    }
    connection.execute("DELETE FROM batches", [])?;
    Ok(())
}

fn damaged() -> Fault {
    Fault::damaged("a batch holds a value that Coho never writes")
}
