//! Intents: before the first byte of a write leaves, it is written down that it may arrive (law 2).
//!
//! A window of operations is one durable transaction. [`crate::settle`] closes what a verdict was found for.

use coho_core::digest::{Digest, ENCODING};
use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::operation::Operation;
use coho_core::row_state::Verb;
use coho_core::target::ExternalId;
use coho_core::time::Time;
use rusqlite::{Connection, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{micros, stored};
use crate::row_state::store;
use crate::scope::SyncScope;

/// A write that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The row.
    pub key: Key,
    /// The record.
    pub target: ExternalId,
    /// The operation's digest.
    pub operation: Digest,
    /// What is remembered if it turns out to have arrived.
    pub would_send: Sent,
    /// What it is to do.
    pub verb: Verb,
    /// When it is made durable.
    pub since: Time,
    /// The serial of the memory that the operation was made from; 0 where there was none.
    pub version: u64,
}

impl Intent {
    /// The intent of an operation.
    pub fn of(operation: &Operation, since: Time) -> Self {
        Self {
            key: operation.key.clone(),
            target: operation.target.clone(),
            operation: operation.digest(),
            would_send: operation.would_send(),
            verb: operation.verb(),
            since,
            version: operation.version,
        }
    }
}

const OPEN: &str = "\
    INSERT INTO memory (scope, key, departure, target, standing, pending, verb, operation, would_send, since, encoding, updated_at, \
       serial) \
    SELECT ?1, ?2, ?10, ?3, 'never', 'open', ?4, ?5, ?6, ?7, ?8, ?7, 1 WHERE ?9 = 0 \
    ON CONFLICT DO NOTHING";

/// What is waiting is taken over by the intent; what was acknowledged stands until the verdict. Where an earlier write may
/// have arrived, it counts from that one: a record that was born since is ours.
const REOPEN: &str = "\
    UPDATE memory SET target = ?3, pending = 'open', verb = ?4, operation = ?5, would_send = ?6, \
       since = CASE WHEN pending = 'open' THEN since ELSE ?7 END, updated_at = ?7, why = NULL, code = NULL, tried_row = NULL, tried_mapping = NULL, tries = NULL, due = NULL, \
       due_at = NULL, serial = serial + 1 \
    WHERE scope = ?1 AND key = ?2 AND departure = ?9 AND serial = ?8";

impl Ledger {
    /// Makes a window of intents durable in one transaction: their operations may be sent then. Left out, and given, are the
    /// keys whose memory is not the one that their operations were made from (law 4).
    pub fn open_intents(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        intents: &[Intent],
    ) -> Result<Vec<Key>, LedgerError> {
        let mut intents: Vec<_> = intents.iter().collect();
        intents.sort_by(|a, b| a.key.cmp(&b.key));
        self.write_in(lease, "opening intents", |connection| {
            let mut stale = Vec::new();
            for intent in intents {
                if !open(connection, scope, intent)? {
                    stale.push(intent.key.clone());
                }
            }
            Ok(stale)
        })
    }
}

/// Whether the serial was the expected one.
fn open(connection: &Connection, scope: &SyncScope, intent: &Intent) -> Result<bool, Fault> {
    let (key, departure, target) = (intent.key.row(), intent.key.departure(), intent.target.as_str());
    let (verb, operation) = (store::verb(intent.verb), intent.operation.to_bytes());
    let (would_send, since, version) =
        (store::sent(&intent.would_send), micros(intent.since), stored(intent.version));
    let mut changed = connection
        .prepare_cached(REOPEN)?
        .execute(params![scope.id, key, target, verb, operation, would_send, since, version, departure])?;
    if changed == 0 {
        changed = connection.prepare_cached(OPEN)?.execute(params![
            scope.id, key, target, verb, operation, would_send, since, ENCODING, version, departure
        ])?;
    }
    Ok(changed > 0)
}
