//! Rows, memories and policies, as short as the table's own words: what the tests in `../decide.rs` are given.

use coho_core::code::Code;
use coho_core::decide::{
    AbsentChange, Completeness, Nature, Ownership, Policy, PresentChange, Reason, RunKind, decide_absent,
    decide_present,
};
use coho_core::digest::Digest;
use coho_core::fields::Sent;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use coho_core::sync::Removal;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;

/// What the source says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceRow {
    /// One row.
    Present(Seen),
    /// No row.
    Absent(Completeness),
}

/// A row of the table, its change by name, and its reason.
pub(crate) type Said = (u8, &'static str, Reason);

/// Asks the half of the table that a key belongs to. A key without a row has a memory, or nobody would ask.
pub(crate) fn decide(row: SourceRow, known: Option<&RowState>, policy: &Policy) -> Said {
    match row {
        SourceRow::Present(seen) => {
            let decision = decide_present(seen, known, policy);
            (decision.row, present(decision.change), decision.reason)
        }
        SourceRow::Absent(completeness) => {
            let never = row_state(DeliveryState::Never, Pending::None);
            let decision = decide_absent(completeness, known.unwrap_or(&never), policy);
            (decision.row, absent(decision.change), decision.reason)
        }
    }
}

fn present(change: PresentChange) -> &'static str {
    match change {
        PresentChange::Learn => "Learn",
        PresentChange::Unchanged => "Unchanged",
        PresentChange::Add => "Add",
        PresentChange::Compare => "Compare",
        PresentChange::Update => "Update",
        PresentChange::Retry => "Retry",
        PresentChange::Resolve => "Resolve",
        PresentChange::Hold => "Hold",
    }
}

fn absent(change: AbsentChange) -> &'static str {
    match change {
        AbsentChange::Keep => "Keep",
        AbsentChange::Forget => "Forget",
        AbsentChange::Release => "Release",
        AbsentChange::Hold => "Hold",
        AbsentChange::Remove => "Remove",
        AbsentChange::Probe => "Probe",
    }
}

/// The moment of the run.
pub(crate) const NOW: Time = at(1_000);

/// Not before the moment after it.
pub(crate) const LATER: Due = Due::At(at(1_001));

/// A moment, in seconds since 1970.
pub(crate) const fn at(second: i64) -> Time {
    match Time::from_timestamp(second, 0) {
        Some(time) => time,
        None => Time::UNIX_EPOCH,
    }
}

/// A row of this content under a mapping of this content.
pub(crate) fn seen(row: &str, mapping: &str) -> Seen {
    Seen { row: Digest::of(row.as_bytes()), mapping: Digest::of(mapping.as_bytes()) }
}

/// The row as the memories of [`row_state`] saw it last.
pub(crate) fn same() -> SourceRow {
    SourceRow::Present(seen("row", "mapping"))
}

/// The row after one of its columns changed.
pub(crate) fn other_row() -> SourceRow {
    SourceRow::Present(seen("other row", "mapping"))
}

/// The same row after its mapping changed.
pub(crate) fn other_mapping() -> SourceRow {
    SourceRow::Present(seen("row", "other mapping"))
}

/// No row, in a source that was read to its end.
pub(crate) const GONE: SourceRow = SourceRow::Absent(Completeness::Complete);

/// A record that this sync delivered.
pub(crate) fn delivered(origin: Origin) -> DeliveryState {
    DeliveryState::Delivered { sent: Sent::new(), n: 1, id: Some(VitallyId::new("v-1")), origin }
}

/// A record that was left in place.
pub(crate) fn released() -> DeliveryState {
    DeliveryState::Released { sent: Sent::new(), id: None, origin: Origin::Created }
}

/// A record that was never sent, but taken to be there.
pub(crate) fn assumed() -> DeliveryState {
    DeliveryState::Assumed { sent: Sent::new() }
}

/// A record that was removed at this second.
pub(crate) fn removed(second: i64) -> DeliveryState {
    DeliveryState::Removed { at: at(second) }
}

/// An intent without a verdict.
pub(crate) fn open(verb: Verb) -> Pending {
    Pending::Open { operation: Digest::of(b"operation"), would_send: Sent::new(), verb, since: at(900) }
}

/// Something that is tried again, last tried with the row of [`same`].
pub(crate) fn waiting(verb: Verb, why: Why, due: Due) -> Pending {
    let code = match why {
        Why::Rejected => Code::REFUSED,
        Why::Deferred => Code::REFERENCE_MISSING,
        Why::Skipped => Code::NOT_FOUND,
    };
    Pending::Waiting { why, code, tried: seen("row", "mapping"), tries: 2, due, verb }
}

/// A memory that saw the row of [`same`].
#[expect(clippy::expect_used, reason = "`acme` is an external id")]
pub(crate) fn row_state(delivery: DeliveryState, pending: Pending) -> RowState {
    let target = ExternalId::parse("acme").expect("an external id");
    RowState { target, delivery, pending, seen: Some(seen("row", "mapping")), version: 7 }
}

/// A sync of records that deletes, alone in its workspace.
pub(crate) const PLAIN: Policy = Policy {
    run_kind: RunKind::Sync,
    nature: Nature::Record,
    removal: Removal::Delete,
    ownership: Ownership::OursAlone,
    now: NOW,
    forget_removed_before: at(500),
};
