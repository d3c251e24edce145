//! Settling: a verdict closes an intent. Memory, the row's status and the calls are one durable transaction.
//!
//! Rows that end before sending have a status too: [`Ledger::record`].

use std::borrow::Cow;

use coho_core::code::Code;
use coho_core::digest::Digest;
use coho_core::fields::Difference;
use coho_core::json;
use coho_core::key::Key;
use coho_core::row_state::RowState;
use coho_core::time::Time;
use coho_core::verdict::{Call, RowStatus};
use rusqlite::{CachedStatement, Connection, params};

use crate::batch::{self, BatchId, OpenedBatch};
use crate::call::Recorder;
use crate::failure::{Fault, LedgerError};
use crate::intent::{self, Intent, Opened};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::micros;
use crate::pack::Packed;
use crate::row_state::store;
use crate::run::Run;
use crate::scope::SyncScope;
use crate::shape::known::{PackedText, Shapes};
use crate::shape::scan::Kind;
use crate::{cause, standing};

/// What was to be done to a record, in the words of the views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpType {
    /// Written for the first time.
    Added,
    /// Written again.
    Changed,
    /// Deleted.
    Removed,
}

impl OpType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Added, Self::Changed, Self::Removed];

    /// The text in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }

    /// The one of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op_type| op_type.as_str() == text)
    }
}

/// Where a row, or a key that left, ended in a run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowResult {
    /// The key; absent where the row has none.
    pub key: Option<Key>,
    /// What was to be done to the record; absent where nothing was.
    pub op_type: Option<OpType>,
    /// Where it ended.
    pub status: RowStatus,
    /// Why it was to be done, as `coho_core::decide::Reason` says it.
    pub reason: String,
    /// The code of what went wrong.
    pub code: Option<Code>,
    /// What went wrong, bounded by the caller.
    pub message: Option<String>,
    /// The fields that differ.
    pub changes: Vec<Difference>,
    /// When.
    pub at: Time,
}

/// What a verdict means for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The key.
    pub key: Key,
    /// What is remembered from now on; nothing if `None`. An outcome that is not known keeps `Pending::Open`.
    pub row_state: Option<RowState>,
    /// The digest of the operation, where what is remembered as sent is what its intent was to send: that is not written again.
    pub arrived: Option<Digest>,
    /// Where the row ended.
    pub status: RowResult,
    /// The calls that were made for it.
    pub calls: Vec<Call>,
}

/// What is made durable at once while operations are sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Advance<'a> {
    /// What verdicts mean.
    pub settlements: &'a [Settlement],
    /// Calls that were made for several of the keys.
    pub calls: &'a [(Call, Vec<Key>)],
    /// What is sent next.
    pub intents: &'a [Intent],
    /// Batches whose writes are all settled.
    pub closes: &'a [BatchId],
    /// What is sent next in batches.
    pub batches: &'a [Vec<Intent>],
}

/// What became of what is sent next.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Advanced {
    /// Each intent.
    pub opened: Vec<Opened>,
    /// Each batch.
    pub batches: Vec<OpenedBatch>,
}

impl Ledger {
    /// Settles these keys in one transaction.
    pub fn settle(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        settlements: &[Settlement],
    ) -> Result<(), LedgerError> {
        self.settle_batch(lease, run, scope, settlements, &[])
    }

    /// Settles these keys, and records calls that were made for several of them, in one transaction.
    pub fn settle_batch(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        settlements: &[Settlement],
        calls: &[(Call, Vec<Key>)],
    ) -> Result<(), LedgerError> {
        let step = Advance { settlements, calls, ..Advance::default() };
        self.advance(lease, run, scope, step).map(drop)
    }

    /// Settles what a verdict was found for, and opens the intents of what is sent next, in one transaction. Gives what became
    /// of each intent.
    pub fn advance(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        step: Advance<'_>,
    ) -> Result<Advanced, LedgerError> {
        let mut settlements: Vec<_> = step.settlements.iter().collect();
        settlements.sort_by(|a, b| a.key.cmp(&b.key));
        let masker = self.masker();
        self.write_shaped(lease, "settling", |connection, shapes| {
            let mut recorder = Recorder::new(connection, run, scope, &masker, shapes)?;
            let mut hand = Hand::new(connection, run, scope)?;
            for (one, keys) in step.calls {
                recorder.shared(keys, one)?;
            }
            let mut lifts = standing::is_any(connection, scope)?;
            for settlement in settlements {
                hand.remember(settlement, recorder.shapes())?;
                let Settlement { key, status, calls, .. } = settlement;
                if let (true, Some(key)) = (lifts, &status.key) {
                    standing::lift(connection, scope, key)?;
                }
                lifts |= standing::stands(status.status);
                let changes = fields(&status.changes);
                let packed = packed(connection, status, &changes, recorder.shapes())?;
                let kept = packed.as_ref().map_or_else(|| Packed::of(changes.as_str()), as_it_is);
                let id = hand.insert(status, kept)?;
                let is_same = status.key.as_ref() == Some(key);
                let base = if is_same { PackedText::status_values(packed, id, key.as_str()) } else { None };
                recorder.exchange(key, calls, base.as_ref())?;
            }
            batch::close(connection, step.closes)?;
            let opened = intent::open_all(connection, scope, step.intents, recorder.shapes())?;
            let batches = step.batches.iter().map(|intents| batch::open(connection, scope, intents));
            Ok(Advanced { opened, batches: batches.collect::<Result<_, _>>()? })
        })
    }

    /// Records the statuses of rows and keys that end without a verdict, where they are others than before: a status that stands
    /// is not repeated, and a row that is unchanged is told only where it was not before.
    pub fn record(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        statuses: &[RowResult],
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "recording statuses", |connection| {
            for status in statuses {
                if !standing::is_known(connection, scope, status)? {
                    record_status(connection, run, scope, status)?;
                }
            }
            Ok(())
        })
    }
}

/// Records a status, in the place of the one that stands.
pub(crate) fn record_status(
    connection: &Connection,
    run: &Run,
    scope: &SyncScope,
    status: &RowResult,
) -> Result<(), Fault> {
    if let Some(key) = &status.key {
        standing::lift(connection, scope, key)?;
    }
    Hand::new(connection, run, scope)?.insert(status, Packed::of(fields(&status.changes))).map(drop)
}

/// The fields that differ as their shape and their values. What stands may outlive every shape, and is kept as it is.
fn packed<'t>(
    connection: &Connection,
    status: &RowResult,
    fields: &'t str,
    shapes: &mut Shapes,
) -> Result<Option<PackedText<'t>>, Fault> {
    if standing::stands(status.status) {
        return Ok(None);
    }
    shapes.text(connection, Kind::Differences, fields, micros(status.at))
}

/// A text that is not to be compressed.
fn as_it_is<'t>(packed: &'t PackedText<'_>) -> Packed<'t> {
    Packed { plain: Some(Cow::Borrowed(&packed.text)), zlib: None }
}

const INSERT: &str = "\
    INSERT INTO fates (run, scope, key, op_type, fate, reason, code, message, fields, at, standing, cause, fields_zlib) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, masked(?8), ?9, ?10, ?11, ?12, ?13)";

/// Writes what verdicts mean, row by row, with statements that are found once: to look for one takes as long as a part of its work.
struct Hand<'c> {
    connection: &'c Connection,
    run: &'c Run,
    scope: &'c SyncScope,
    arrived: CachedStatement<'c>,
    insert: CachedStatement<'c>,
}

impl<'c> Hand<'c> {
    fn new(connection: &'c Connection, run: &'c Run, scope: &'c SyncScope) -> Result<Self, Fault> {
        let (arrived, insert) =
            (connection.prepare_cached(store::ARRIVED)?, connection.prepare_cached(INSERT)?);
        Ok(Self { connection, run, scope, arrived, insert })
    }

    /// Writes what is remembered of a key from now on.
    fn remember(&mut self, settlement: &Settlement, shapes: &mut Shapes) -> Result<(), Fault> {
        let Settlement { key, row_state, arrived, status, .. } = settlement;
        if let (Some(row_state), Some(operation)) = (row_state, arrived)
            && store::arrived(&mut self.arrived, self.scope, key, row_state, *operation, status.at)?
        {
            return Ok(());
        }
        store::store(self.connection, self.scope, key, row_state.as_ref(), status.at, shapes)
    }

    /// Gives the number of the status.
    fn insert(&mut self, status: &RowResult, fields: Packed<'_>) -> Result<i64, Fault> {
        let cause = cause::of(self.connection, self.run, self.scope, status)?;
        self.insert.execute(params![
            self.run.row,
            self.scope.id,
            status.key.as_ref().map(Key::as_str),
            status.op_type.map(OpType::as_str),
            status.status.as_str(),
            status.reason,
            status.code.map(Code::as_str),
            status.message,
            fields.plain.unwrap_or(Cow::Borrowed("{}")),
            micros(status.at),
            standing::stands(status.status),
            cause,
            fields.zlib,
        ])?;
        Ok(self.connection.last_insert_rowid())
    }
}

/// `{"name":{"before":"Acme","after":"ACME"}}`; what was never sent has no `before`.
fn fields(changes: &[Difference]) -> String {
    let mut text = Vec::with_capacity(512);
    text.push(b'{');
    for (at, change) in changes.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        json::append_path(&mut text, &change.path);
        text.extend(b":{");
        if let Some(before) = &change.before {
            text.extend(br#""before":"#);
            json::append(&mut text, before);
            text.push(b',');
        }
        text.extend(br#""after":"#);
        json::append(&mut text, &change.after);
        text.push(b'}');
    }
    text.push(b'}');
    // All that is appended is UTF-8.
    String::from_utf8(text).unwrap_or_default()
}
