//! Writing a row_state: its columns as text, numbers and digests. [`super::page`] reads them back.

use std::borrow::Borrow;

use coho_core::digest::{Digest, ENCODING};
use coho_core::json;
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use coho_core::target::VitallyId;
use coho_core::time::Time;
use coho_core::value::Value;
use rusqlite::{Connection, OptionalExtension, Statement, params};

use crate::failure::Fault;
use crate::moment::{micros, stored};
use crate::scope::SyncScope;
use crate::shape::known::Shapes;
use crate::shape::scan::Kind;

const STORE: &str = "\
    INSERT INTO memory (scope, key, departure, target, standing, sent, n, vitally_id, origin, removed_at, pending, verb, operation, \
       would_send, since, why, code, tried_row, tried_mapping, tries, due, due_at, seen_row, seen_mapping, encoding, \
       updated_at, serial) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, \
       ?24, ?25, ?26, 1) \
    ON CONFLICT (scope, key, departure) DO UPDATE SET target = excluded.target, standing = excluded.standing, sent = excluded.sent, \
       n = excluded.n, vitally_id = excluded.vitally_id, origin = excluded.origin, removed_at = excluded.removed_at, \
       pending = excluded.pending, verb = excluded.verb, operation = excluded.operation, \
       would_send = excluded.would_send, since = excluded.since, why = excluded.why, code = excluded.code, \
       tried_row = excluded.tried_row, tried_mapping = excluded.tried_mapping, tries = excluded.tries, \
       due = excluded.due, due_at = excluded.due_at, seen_row = excluded.seen_row, \
       seen_mapping = excluded.seen_mapping, encoding = excluded.encoding, updated_at = excluded.updated_at, \
       serial = memory.serial + 1";

/// What an open intent was to send is what was sent: it stays where it is in the file, and no index has to change for it.
pub(crate) const ARRIVED: &str = "\
    UPDATE memory SET standing = 'delivered', sent = would_send, n = ?5, vitally_id = ?6, origin = ?7, removed_at = NULL, \
       pending = 'none', verb = NULL, operation = NULL, would_send = NULL, since = NULL, seen_row = ?8, seen_mapping = ?9, \
       encoding = ?10, updated_at = ?11, serial = serial + 1 \
    WHERE scope = ?1 AND key = ?2 AND departure = ?3 AND pending = 'open' AND operation = ?4 AND target = ?12";

/// Writes the memory of a key whose operation arrived as it was intended, with the statement [`ARRIVED`]. Gives whether it did:
/// nothing is written where the open intent is another one, or something else is to be remembered.
pub(crate) fn arrived(
    statement: &mut Statement<'_>,
    scope: &SyncScope,
    key: &Key,
    row_state: &RowState,
    operation: Digest,
    now: Time,
) -> Result<bool, Fault> {
    let (DeliveryState::Delivered { n, id, origin: from, .. }, Pending::None) =
        (&row_state.delivery, &row_state.pending)
    else {
        return Ok(false);
    };
    let written = statement.execute(params![
        scope.id,
        key.row(),
        key.departure(),
        operation.to_bytes(),
        n,
        id.as_ref().map(VitallyId::as_str),
        origin(*from),
        row_state.seen.map(|seen| seen.row.to_bytes()),
        row_state.seen.map(|seen| seen.mapping.to_bytes()),
        ENCODING,
        micros(now),
        row_state.target.as_str(),
    ])?;
    Ok(written > 0)
}

/// Writes a memory, or drops it. The serial is the ledger's own: one more than before.
pub(crate) fn store(
    connection: &Connection,
    scope: &SyncScope,
    key: &Key,
    row_state: Option<&RowState>,
    now: Time,
    shapes: &mut Shapes,
) -> Result<(), Fault> {
    let Some(row_state) = row_state else {
        connection
            .prepare_cached("DELETE FROM memory WHERE scope = ?1 AND key = ?2 AND departure = ?3")?
            .execute(params![scope.id, key.row(), key.departure()])?;
        return Ok(());
    };
    let delivery = DeliveryColumns::of(&row_state.delivery);
    let pending = PendingColumns::of(&row_state.pending);
    let mut kept = |text: Option<String>| match text {
        Some(text) => {
            let packed = shapes.text(connection, Kind::Flat, &text, micros(now))?.map(|packed| packed.text);
            Ok::<_, Fault>(Some(packed.unwrap_or(text)))
        }
        None => Ok(None),
    };
    let (sent, would_send) = (kept(delivery.sent)?, kept(pending.would_send)?);
    connection.prepare_cached(STORE)?.execute(params![
        scope.id,
        key.row(),
        key.departure(),
        row_state.target.as_str(),
        delivery.name,
        sent,
        delivery.n,
        row_state.delivery.id().map(VitallyId::as_str),
        row_state.delivery.origin().map(origin),
        delivery.removed_at,
        pending.name,
        pending.verb.map(verb),
        pending.operation,
        would_send,
        pending.since,
        pending.why.map(why),
        pending.code,
        pending.tried.map(|seen| seen.row.to_bytes()),
        pending.tried.map(|seen| seen.mapping.to_bytes()),
        pending.tries,
        pending.due.map(due),
        pending.due_at,
        row_state.seen.map(|seen| seen.row.to_bytes()),
        row_state.seen.map(|seen| seen.mapping.to_bytes()),
        ENCODING,
        micros(now),
    ])?;
    Ok(())
}

/// The operation of the key's open intent, if it has one.
pub(crate) fn open_operation(
    connection: &Connection,
    scope: &SyncScope,
    key: &Key,
) -> Result<Option<Vec<u8>>, Fault> {
    let found = connection
        .prepare_cached(
            "SELECT operation FROM memory WHERE scope = ?1 AND key = ?2 AND departure = ?3 AND pending = 'open'",
        )?
        .query_row(params![scope.id, key.row(), key.departure()], |row| row.get(0))
        .optional()?;
    Ok(found)
}

/// What was sent, as a JSON object from path to value, in the order of the paths.
pub fn sent_text<'a>(sent: impl IntoIterator<Item = (&'a FieldPath, impl Borrow<Value>)>) -> String {
    json::write_fields(sent)
}

/// The name of a verb.
pub(crate) fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Write => "write",
        Verb::Remove => "remove",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Created => "created",
        Origin::Found => "found",
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Rejected => "rejected",
        Why::Deferred => "deferred",
        Why::Skipped => "skipped",
    }
}

fn due(due: Due) -> &'static str {
    match due {
        Due::At(_) => "at",
        Due::Always => "always",
        Due::OnChange => "on-change",
    }
}

/// The columns that a standing fills, besides id and origin.
#[derive(Default)]
struct DeliveryColumns {
    name: &'static str,
    sent: Option<String>,
    n: Option<u32>,
    removed_at: Option<i64>,
}

impl DeliveryColumns {
    fn of(delivery: &DeliveryState) -> Self {
        let name = match delivery {
            DeliveryState::Never => "never",
            DeliveryState::Assumed { .. } => "assumed",
            DeliveryState::Delivered { .. } => "delivered",
            DeliveryState::Released { .. } => "released",
            DeliveryState::Removed { .. } => "removed",
        };
        let n = if let DeliveryState::Delivered { n, .. } = delivery { Some(*n) } else { None };
        let removed_at = if let DeliveryState::Removed { at } = delivery { Some(micros(*at)) } else { None };
        Self { name, sent: delivery.sent().map(sent_text), n, removed_at }
    }
}

/// The columns that a pending operation fills.
#[derive(Default)]
struct PendingColumns {
    name: &'static str,
    verb: Option<Verb>,
    operation: Option<[u8; 16]>,
    would_send: Option<String>,
    since: Option<i64>,
    why: Option<Why>,
    code: Option<&'static str>,
    tried: Option<Seen>,
    tries: Option<i64>,
    due: Option<Due>,
    due_at: Option<i64>,
}

impl PendingColumns {
    fn of(pending: &Pending) -> Self {
        match pending {
            Pending::None => Self { name: "none", ..Self::default() },
            Pending::Open { operation, would_send, verb, since } => Self {
                name: "open",
                verb: Some(*verb),
                operation: Some(operation.to_bytes()),
                would_send: Some(sent_text(would_send)),
                since: Some(micros(*since)),
                ..Self::default()
            },
            Pending::Waiting { why, code, tried, tries, due, verb } => Self {
                name: "waiting",
                verb: Some(*verb),
                why: Some(*why),
                code: Some(code.as_str()),
                tried: Some(*tried),
                tries: Some(stored(*tries)),
                due: Some(*due),
                due_at: if let Due::At(time) = due { Some(micros(*time)) } else { None },
                ..Self::default()
            },
        }
    }
}
