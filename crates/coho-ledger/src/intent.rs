//! Intents: before the first byte of a write leaves, it is written down that it may arrive (law 2).
//!
//! Many intents are one durable transaction, with what is settled at the same time: [`Ledger::advance`]. [`crate::settle`] closes
//! what a verdict was found for.

use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_core::operation::Operation;
use coho_core::row_state::{RowState, Verb};
use coho_core::target::ExternalId;
use coho_core::time::Time;
use rusqlite::{Connection, Statement};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::micros;
use crate::row_state::{self, store};
use crate::scope::SyncScope;
use crate::shape::known::Shapes;
use crate::shape::scan::Kind;
use crate::unfold::{OPEN, Open};

/// A write that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The row.
    pub key: Key,
    /// The record.
    pub target: ExternalId,
    /// The operation's digest.
    pub operation: Digest,
    /// What is remembered if it turns out to have arrived, as [`sent_text`](crate::row_state::sent_text) writes it.
    pub would_send: String,
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
            would_send: operation.remembered().map_or_else(|| "{}".to_owned(), store::sent_text),
            verb: operation.verb(),
            since,
            version: operation.version,
        }
    }
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is durable: its operation may be sent.
    Durable {
        /// The memory that the operation was made from.
        before: Option<RowState>,
    },
    /// The memory of its key is not the one that its operation was made from (law 4): nothing was written.
    Stale,
}

impl Ledger {
    /// Makes intents durable in one transaction: their operations may be sent then. Gives what became of each.
    pub fn open_intents(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        intents: &[Intent],
    ) -> Result<Vec<Opened>, LedgerError> {
        self.write_shaped(lease, "opening intents", |connection, shapes| {
            open_all(connection, scope, intents, shapes)
        })
    }
}

/// Opens intents, in their order.
pub(crate) fn open_all(
    connection: &Connection,
    scope: &SyncScope,
    intents: &[Intent],
    shapes: &mut Shapes,
) -> Result<Vec<Opened>, Fault> {
    let mut new = connection.prepare_cached(OPEN)?;
    intents.iter().map(|intent| open(connection, &mut new, scope, intent, shapes)).collect()
}

/// Opens an intent where the memory of its key is the expected one. Where none is expected, none is looked for: the row is made,
/// unless there is one.
fn open(
    connection: &Connection,
    new: &mut Statement<'_>,
    scope: &SyncScope,
    intent: &Intent,
    shapes: &mut Shapes,
) -> Result<Opened, Fault> {
    let is_new = intent.version == 0;
    let opened = if is_new { Opened::Durable { before: None } } else { look(connection, scope, intent)? };
    if opened == Opened::Stale {
        return Ok(opened);
    }
    let packed = shapes.text(connection, Kind::Flat, &intent.would_send, micros(intent.since))?;
    let open = Open {
        scope: scope.id,
        key: intent.key.row(),
        departure: intent.key.departure(),
        target: intent.target.as_str(),
        verb: store::verb(intent.verb),
        operation: intent.operation,
        would_send: packed.as_ref().map_or(intent.would_send.as_str(), |packed| &packed.text),
        since: micros(intent.since),
    };
    if !is_new {
        open.write(connection)?;
    } else if !open.write_new(new)? {
        return Ok(Opened::Stale);
    }
    Ok(opened)
}

/// Whether an intent may be opened: the memory of its key is the expected one.
pub(crate) fn look(connection: &Connection, scope: &SyncScope, intent: &Intent) -> Result<Opened, Fault> {
    let before = row_state::load(connection, scope, &intent.key)?;
    let version = before.as_ref().map_or(0, |row_state| row_state.version);
    Ok(if version == intent.version { Opened::Durable { before } } else { Opened::Stale })
}
