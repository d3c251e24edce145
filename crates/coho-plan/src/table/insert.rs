//! Inserting: what evaluation knows of a row or key, as a row of the plan's table. Nothing is ever taken out again.

use coho_core::code::Code;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{Difference, Sent};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::row_state::{DeliveryState, Origin, Pending, RowState, Seen};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::RowStatus;
use coho_ledger::row_state::sent_text;
use coho_vitally::exchange::cost;
use rusqlite::{Connection, params};

use super::{Table, TableError, wire};
use crate::phase::Phase;

/// Whether a row of the table is about a row of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The model has it, so many times.
    Rows(u64),
    /// The model does not have it.
    Key,
}

/// Whether a key's memory holds a target already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldsTarget {
    /// It does.
    Already,
    /// It does not.
    NotYet,
    /// It does not, since it holds another record.
    Another,
}

/// What is remembered when the plan is carried out, though nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The row was looked at again and nothing differs.
    Seen(Seen),
    /// The row is taken as delivered, with what Vitally is taken to hold.
    Learned(Sent, Seen),
    /// Its record is let be.
    Released,
    /// The memory is dropped.
    Forgotten,
}

/// A row or key that is not sent.
#[derive(Debug)]
pub struct Note<'a> {
    /// The row, or the key that left.
    pub key: &'a Key,
    /// Which of both.
    pub side: Side,
    /// The record, where it is known.
    pub target: Option<&'a ExternalId>,
    /// What is done.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// Where it ends.
    pub status: RowStatus,
    /// The code of what went wrong; the reason, where nothing did.
    pub code: Option<Code>,
    /// More of it, where there is more.
    pub message: Option<String>,
    /// What is remembered.
    pub effect: Effect,
    /// The e-mail address that finds the record, where that does.
    pub address: Option<&'a str>,
    /// What the key's memory says of records.
    pub before: Before,
    /// Of a departure: the write by which its row leaves the record.
    pub mover: Option<i64>,
}

/// What a key's memory says of records, where that matters for other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    holds: HoldsTarget,
    /// The record that it has so far, and whether it holds on to that.
    leaves: Option<(ExternalId, bool)>,
    /// Whether its row came back to a record that was let be, and needs no write.
    returned: bool,
}

impl Before {
    /// Nothing is known.
    pub const NOTHING: Self = Self { holds: HoldsTarget::NotYet, leaves: None, returned: false };

    /// What a memory says where the row is this record now. `moved` is whether the row became another record than the one
    /// that Vitally may hold.
    pub fn of(row_state: Option<&RowState>, target: &ExternalId, moved: bool) -> Self {
        let Some(row_state) = row_state else { return Self::NOTHING };
        if row_state.target == *target {
            return Self { holds: HoldsTarget::Already, ..Self::NOTHING };
        }
        let let_go =
            matches!(row_state.delivery, DeliveryState::Released { .. } | DeliveryState::Removed { .. });
        let keeps = !let_go || matches!(row_state.pending, Pending::Open { .. });
        let holds = if moved { HoldsTarget::Another } else { HoldsTarget::NotYet };
        Self { holds, leaves: Some((row_state.target.clone(), keeps)), returned: false }
    }

    /// A row that came back to the record that it had let be.
    pub fn returned() -> Self {
        Self { holds: HoldsTarget::Already, leaves: None, returned: true }
    }

    /// Fills the columns that it has.
    fn fill<'a>(&'a self, row: &mut Columns<'a>) {
        row.holds = match self.holds {
            HoldsTarget::NotYet => 0,
            HoldsTarget::Already => 1,
            HoldsTarget::Another => 2,
        };
        (row.leaves, row.keeps) =
            self.leaves.as_ref().map(|(target, keeps)| (target.as_str(), *keeps)).unzip();
        row.returned = self.returned.then_some(true);
    }
}

/// A row of the table, of which most columns are empty.
#[derive(Default)]
struct Columns<'a> {
    key: &'a str,
    departure: u32,
    side: i64,
    rows: i64,
    target: Option<&'a str>,
    leaves: Option<&'a str>,
    holds: i64,
    keeps: Option<bool>,
    returned: Option<bool>,
    mover: Option<i64>,
    phase: Option<i64>,
    change: &'static str,
    reason: &'static str,
    status: &'static str,
    code: Option<&'static str>,
    message: Option<&'a str>,
    effect: Option<&'static str>,
    least: Option<i64>,
    most: Option<i64>,
    searches: Option<bool>,
    messages: Option<i64>,
    created: Option<bool>,
    vitally_id: Option<&'a str>,
    address: Option<&'a str>,
    digest: Option<[u8; 16]>,
    seen: Option<Seen>,
    body: Option<String>,
}

const INSERT: &str = "
    INSERT INTO plan (key, departure, side, rows, target, leaves, holds, keeps, returned, mover, phase, change, reason,
        status, code, message, effect, least, most, searches, messages, created, vitally_id, address, match, digest, seen_row,
        seen_mapping)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
        ?25, ?26, ?27, ?28)";

impl Columns<'_> {
    /// Inserts it. Gives its number.
    fn insert(self, connection: &Connection) -> rusqlite::Result<i64> {
        connection.prepare_cached(INSERT)?.execute(params![
            self.key,
            self.departure,
            self.side,
            self.rows,
            self.target,
            self.leaves,
            self.holds,
            self.keeps,
            self.returned,
            self.mover,
            self.phase,
            self.change,
            self.reason,
            self.status,
            self.code,
            self.message,
            self.effect,
            self.least,
            self.most,
            self.searches,
            self.messages,
            self.created,
            self.vitally_id,
            self.address,
            self.address.map(|address| match_digest(address).to_bytes()),
            self.digest,
            self.seen.map(|seen| seen.row.to_bytes()),
            self.seen.map(|seen| seen.mapping.to_bytes()),
        ])?;
        let seq = connection.last_insert_rowid();
        if let Some(body) = self.body {
            let mut statement =
                connection.prepare_cached("INSERT INTO bodies (seq, body) VALUES (?1, ?2)")?;
            statement.execute(params![seq, body])?;
        }
        Ok(seq)
    }
}

impl Table {
    /// Adds a row or key that is not sent.
    pub(crate) fn note(&self, note: &Note<'_>) -> Result<(), TableError> {
        self.with(|connection| insert_note(connection, note))
    }

    /// Adds an operation, with its digest where an approved plan will be asked for it. A departure has its `mover`.
    pub(crate) fn operation(
        &self,
        operation: &Operation,
        before: &Before,
        digest: Option<Digest>,
        mover: Option<i64>,
    ) -> Result<(), TableError> {
        self.with(|connection| insert_operation(connection, operation, before, digest, mover))
    }

    /// Shows in what a record that was learned differs.
    pub(crate) fn differs(&self, differences: &[Difference]) -> Result<(), TableError> {
        self.with(|connection| {
            let seq = connection.last_insert_rowid();
            let mut statement =
                connection.prepare_cached("INSERT INTO differing (seq, body) VALUES (?1, ?2)")?;
            statement.execute(params![seq, wire::write_differences(differences)]).map(drop)
        })
    }

    /// Remembers Vitally's ids of records that are adopted, and of what they are linked to.
    pub(crate) fn name(&self, ids: &[(Object, ExternalId, VitallyId)]) -> Result<(), TableError> {
        self.with(|connection| {
            let mut statement = connection
                .prepare_cached("INSERT INTO ids (object, external_id, vitally_id) VALUES (?1, ?2, ?3)")?;
            ids.iter().try_for_each(|(object, external_id, id)| {
                statement.execute(params![object.name(), external_id.as_str(), id.as_str()]).map(drop)
            })
        })
    }

    /// Remembers that a row of the source finds its record by this e-mail address. Each row is seen once.
    pub(crate) fn see_address(&self, address: &str) -> Result<(), TableError> {
        let digest = match_digest(address).to_bytes();
        self.change("INSERT INTO matches (digest) VALUES (?1)", params![digest]).map(drop)
    }

    /// Adds a key that the model does not have.
    pub(crate) fn gone(&self, key: &Key) -> Result<(), TableError> {
        let sql = "INSERT INTO gone (key, departure, source) VALUES (?1, ?2, ?2)";
        self.change(sql, params![key.row(), key.departure()]).map(drop)
    }
}

fn insert_note(connection: &Connection, note: &Note<'_>) -> rusqlite::Result<()> {
    let mut row = Columns {
        key: note.key.row(),
        departure: note.key.departure(),
        target: note.target.map(ExternalId::as_str),
        mover: note.mover,
        change: note.change.name(),
        reason: note.reason.as_str(),
        status: note.status.as_str(),
        code: note.code.map(Code::as_str),
        message: note.message.as_deref(),
        address: note.address,
        ..Columns::default()
    };
    (row.side, row.rows) = match note.side {
        Side::Rows(rows) => (0, stored(rows)),
        Side::Key => (1, 0),
    };
    note.before.fill(&mut row);
    (row.effect, row.seen, row.body) = match &note.effect {
        Effect::None => (None, None, None),
        Effect::Seen(seen) => (Some("seen"), Some(*seen), None),
        Effect::Learned(sent, seen) => (Some("learned"), Some(*seen), Some(sent_text(sent))),
        Effect::Released => (Some("released"), None, None),
        Effect::Forgotten => (Some("forgotten"), None, None),
    };
    row.insert(connection).map(drop)
}

fn insert_operation(
    connection: &Connection,
    operation: &Operation,
    before: &Before,
    digest: Option<Digest>,
    mover: Option<i64>,
) -> rusqlite::Result<()> {
    let (phase, cost) = (Phase::of(operation), cost(operation));
    let mut row = Columns {
        key: operation.key.row(),
        departure: operation.key.departure(),
        target: Some(operation.target.as_str()),
        mover,
        phase: Some(phase.number()),
        change: operation.change.name(),
        reason: operation.reason.as_str(),
        status: "planned",
        least: Some(stored(cost.least)),
        most: Some(stored(cost.most)),
        searches: Some(operation.searches()),
        messages: Some(stored(operation.messages())),
        address: if phase.writes() { operation.email.as_deref() } else { None },
        digest: digest.map(Digest::to_bytes),
        body: Some(wire::write(operation)),
        ..Columns::default()
    };
    (row.side, row.rows) = if phase.writes() { (0, 1) } else { (1, 0) };
    if operation.action == Action::Remove {
        row.created = operation.known.origin().map(|origin| origin == Origin::Created);
        row.vitally_id = operation.known.id().map(VitallyId::as_str);
    }
    before.fill(&mut row);
    let seq = row.insert(connection)?;
    insert_beside(connection, seq, operation)
}

/// The fields that an operation clears, and the records that it refers to.
fn insert_beside(connection: &Connection, seq: i64, operation: &Operation) -> rusqlite::Result<()> {
    for path in wire::nulled(operation) {
        let mut statement = connection.prepare_cached("INSERT INTO nulled (seq, path) VALUES (?1, ?2)")?;
        statement.execute(params![seq, path.to_string()])?;
    }
    for (object, id) in operation.references() {
        let mut statement =
            connection.prepare_cached("INSERT INTO refs (seq, object, id) VALUES (?1, ?2, ?3)")?;
        statement.execute(params![seq, object.name(), id.as_str()])?;
    }
    Ok(())
}

/// Stands for an e-mail address, whatever its case.
fn match_digest(address: &str) -> Digest {
    Digest::of(address.to_lowercase().as_bytes())
}

/// A number as it is stored.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
