//! Lines: what evaluation knows of a row or key, ready to be inserted into the plan's table by whichever thread does that.

use coho_core::code::Code;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::Difference;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::row_state::{Origin, Seen};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::RowStatus;
use coho_vitally::exchange::cost;

use super::note::{Before, Effect, HoldsTarget, Note, Side};
use super::read::Named;
use super::wire;
use crate::phase::Phase;

/// What is inserted.
pub(crate) enum Line {
    /// A row that is learned and of whose key nothing more is to be said, of which there may be one for each row of the model.
    Learned(Learned),
    /// Any other row or key.
    Row(Box<Columns>),
    /// In what the record differs that was learned with the line before.
    Differences(String),
    /// Vitally's ids of records that are adopted, and of what they are linked to.
    Names(Vec<Named>),
    /// A key that the model does not have.
    Gone(Key),
}

/// A row that is learned.
pub(crate) struct Learned {
    pub(super) key: String,
    pub(super) target: String,
    pub(super) seen: Seen,
    /// What is remembered, as JSON.
    pub(super) sent: String,
}

/// What is done about such a row, why, and where it ends.
const LEARNED: (Change, Reason, RowStatus) = (Change::Learn, Reason::Baseline, RowStatus::Learned);

/// A row of the table, of which most columns are empty.
#[derive(Default)]
pub(crate) struct Columns {
    pub(super) key: String,
    pub(super) departure: u32,
    pub(super) side: i64,
    pub(super) rows: i64,
    pub(super) target: Option<String>,
    pub(super) leaves: Option<String>,
    pub(super) holds: i64,
    pub(super) keeps: Option<bool>,
    pub(super) returned: Option<bool>,
    pub(super) mover: Option<i64>,
    pub(super) phase: Option<i64>,
    pub(super) change: &'static str,
    pub(super) reason: &'static str,
    pub(super) status: &'static str,
    pub(super) code: Option<&'static str>,
    pub(super) message: Option<String>,
    pub(super) effect: Option<&'static str>,
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
    pub(super) searches: Option<bool>,
    pub(super) messages: Option<i64>,
    pub(super) created: Option<bool>,
    pub(super) vitally_id: Option<String>,
    pub(super) address: Option<String>,
    pub(super) digest: Option<[u8; 16]>,
    pub(super) seen: Option<Seen>,
    pub(super) body: Option<Body>,
    /// The fields that an operation clears.
    pub(super) nulled: Vec<String>,
    /// The records that it refers to.
    pub(super) references: Vec<(Object, ExternalId)>,
}

/// What stands beside a row.
pub(crate) enum Body {
    /// What is remembered, as JSON.
    Sent(String),
    /// An operation.
    Operation(Vec<u8>),
}

impl Line {
    /// A row or key that is not sent.
    pub(crate) fn note(note: Note<'_>) -> Self {
        match note {
            Note { target: Some(target), effect: Effect::Learned(sent, seen), .. } if says_no_more(&note) => {
                let (key, target) = (note.key.row().to_owned(), target.as_str().to_owned());
                Self::Learned(Learned { key, target, seen, sent })
            }
            _ => Self::Row(Box::new(Columns::note(note))),
        }
    }

    /// An operation, with its digest where an approved plan will be asked for it. A departure has its `mover`.
    pub(crate) fn operation(
        operation: &Operation,
        before: &Before,
        digest: Option<Digest>,
        mover: Option<i64>,
    ) -> Self {
        let digest = digest.map(Digest::to_bytes);
        Self::Row(Box::new(Columns { mover, digest, ..Columns::operation(operation).beside(before) }))
    }

    /// In what the record differs that was learned with the line before.
    pub(crate) fn differences(differences: &[Difference]) -> Self {
        Self::Differences(wire::write_differences(differences))
    }
}

/// Whether nothing is to be said of a row but that it is learned.
fn says_no_more(note: &Note<'_>) -> bool {
    (note.change, note.reason, note.status) == LEARNED
        && (note.side, &note.before) == (Side::Rows(1), &Before::NOTHING)
        && !note.key.is_departed()
        && (note.code, note.mover, note.address) == (None, None, None)
        && note.message.is_none()
}

impl Columns {
    fn note(note: Note<'_>) -> Self {
        let (side, rows) = match note.side {
            Side::Rows(rows) => (0, stored(rows)),
            Side::Key => (1, 0),
        };
        let (effect, seen, body) = match note.effect {
            Effect::None => (None, None, None),
            Effect::Seen(seen) => (Some("seen"), Some(seen), None),
            Effect::Learned(sent, seen) => (Some("learned"), Some(seen), Some(Body::Sent(sent))),
            Effect::Released => (Some("released"), None, None),
            Effect::Forgotten => (Some("forgotten"), None, None),
        };
        Self {
            key: note.key.row().to_owned(),
            departure: note.key.departure(),
            side,
            rows,
            target: note.target.map(|target| target.as_str().to_owned()),
            mover: note.mover,
            change: note.change.name(),
            reason: note.reason.as_str(),
            status: note.status.as_str(),
            code: note.code.map(Code::as_str),
            message: note.message,
            address: note.address.map(str::to_owned),
            effect,
            seen,
            body,
            ..Self::default()
        }
        .beside(&note.before)
    }

    fn operation(operation: &Operation) -> Self {
        let (phase, cost) = (Phase::of(operation), cost(operation));
        let removed = (operation.action == Action::Remove).then_some(&operation.known);
        let (side, rows) = if phase.writes() { (0, 1) } else { (1, 0) };
        Self {
            key: operation.key.row().to_owned(),
            departure: operation.key.departure(),
            side,
            rows,
            target: Some(operation.target.as_str().to_owned()),
            phase: Some(phase.number()),
            change: operation.change.name(),
            reason: operation.reason.as_str(),
            status: "planned",
            least: Some(stored(cost.least)),
            most: Some(stored(cost.most)),
            searches: Some(operation.searches()),
            messages: Some(stored(operation.messages())),
            address: operation.email.clone().filter(|_| phase.writes()),
            created: removed.and_then(Known::origin).map(|origin| origin == Origin::Created),
            vitally_id: removed.and_then(|known| known.id()).map(VitallyId::as_str).map(str::to_owned),
            body: Some(Body::Operation(wire::write(operation))),
            nulled: wire::nulled(operation).into_iter().map(ToString::to_string).collect(),
            references: operation.references(),
            ..Self::default()
        }
    }

    /// With what a key's memory says of records.
    fn beside(self, before: &Before) -> Self {
        let holds = match before.holds {
            HoldsTarget::NotYet => 0,
            HoldsTarget::Already => 1,
            HoldsTarget::Another => 2,
        };
        let (leaves, keeps) =
            before.leaves.as_ref().map(|(target, keeps)| (target.as_str().to_owned(), *keeps)).unzip();
        Self { holds, leaves, keeps, returned: before.returned.then_some(true), ..self }
    }
}

/// A number as it is stored.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
