//! The decision table: what a row and its memory mean together.
//!
//! It is total, pure and finite: 22 numbered rows, listed in `docs/design/decision-table.md`, each with a test of its number in
//! `tests/decide.rs` and all together checked against an oracle there. [`decide_present`] reads the rows for keys that the
//! model has, [`decide_absent`] those for keys that it has not: each can say only what may happen to such a key.

use std::fmt;

use crate::code::Code;
use crate::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use crate::sync::Removal;
use crate::time::Time;

/// Whether the source was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It was: what is not there has left.
    Complete,
    /// It was not: absence means nothing.
    Partial,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// To send what changed.
    Sync,
    /// To remember the rows as they are, without sending.
    Baseline,
    /// The same, but only what Vitally is seen to hold.
    Adopt,
    /// To send records again though nothing changed.
    Resend,
    /// To send records and events again though nothing changed.
    ResendEvents,
}

impl RunKind {
    /// The text in the ledger and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Baseline => "baseline",
            Self::Adopt => "adopt",
            Self::Resend => "resend",
            Self::ResendEvents => "resend-events",
        }
    }
}

/// What a sync's rows become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Records, which change.
    Record,
    /// Events, which happened once.
    Event {
        /// From when on an event that left the model may be forgotten.
        expired: Expired,
    },
}

/// Whether an event's memory is past its retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Whether another sync holds the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Only this one.
    OursAlone,
    /// Another one too.
    Shared,
}

/// What the table needs to know besides row and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the run is for.
    pub run_kind: RunKind,
    /// What the rows become.
    pub nature: Nature,
    /// What happens to a record whose row left.
    pub removal: Removal,
    /// Whether another sync holds the record.
    pub ownership: Ownership,
    /// The run's time.
    pub now: Time,
    /// Memories of records that were removed before this moment are forgotten.
    pub forget_removed_before: Time,
}

/// What is to be done about a key that the model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PresentChange {
    /// Remember the row as if it had been delivered.
    Learn,
    /// Nothing.
    Unchanged,
    /// Write a record that was never delivered, or was removed.
    Add,
    /// Render the row: write what differs, or only remember that nothing does.
    Compare,
    /// Write the whole record again.
    Update,
    /// Try again what did not succeed, with the row as it is now.
    Retry,
    /// Look what became of an earlier write, then write if needed.
    Resolve,
    /// Wait.
    Hold,
}

/// What is to be done about a key that the model does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AbsentChange {
    /// Nothing; the memory stays.
    Keep,
    /// Drop the memory.
    Forget,
    /// Let the record be, and remember that its row left.
    Release,
    /// Wait.
    Hold,
    /// Delete the record.
    Remove,
    /// Look what became of an earlier write, and write nothing.
    Probe,
}

/// What is done about a key or a row, as plans count it: what the table says, and what becomes of rows that never get
/// there or do not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Nothing; the row itself is wrong.
    Invalid,
    /// The row is remembered as if it had been delivered.
    Learn,
    /// Nothing.
    Unchanged,
    /// A record is written that was never delivered, or was removed.
    Add,
    /// What differs is written, or the whole record again.
    Update,
    /// What did not succeed is tried again, with the row as it is now.
    Retry,
    /// Somebody looks what became of an earlier write, and writes if needed.
    Resolve,
    /// Somebody looks what became of an earlier write, and writes nothing.
    Probe,
    /// It waits.
    Hold,
    /// The record is deleted.
    Remove,
    /// The record is let be, and that its row left is remembered.
    Release,
    /// Nothing; the memory stays.
    Keep,
    /// The memory is dropped.
    Forget,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Invalid,
        Self::Learn,
        Self::Unchanged,
        Self::Add,
        Self::Update,
        Self::Retry,
        Self::Resolve,
        Self::Probe,
        Self::Hold,
        Self::Remove,
        Self::Release,
        Self::Keep,
        Self::Forget,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Learn => "learn",
            Self::Unchanged => "unchanged",
            Self::Add => "add",
            Self::Update => "update",
            Self::Retry => "retry",
            Self::Resolve => "resolve",
            Self::Probe => "probe",
            Self::Hold => "hold",
            Self::Remove => "remove",
            Self::Release => "release",
            Self::Keep => "keep",
            Self::Forget => "forget",
        }
    }

    /// The change of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == text)
    }
}

/// A row that is compared is updated where something differs.
impl From<PresentChange> for Change {
    fn from(change: PresentChange) -> Self {
        match change {
            PresentChange::Learn => Self::Learn,
            PresentChange::Unchanged => Self::Unchanged,
            PresentChange::Add => Self::Add,
            PresentChange::Compare | PresentChange::Update => Self::Update,
            PresentChange::Retry => Self::Retry,
            PresentChange::Resolve => Self::Resolve,
            PresentChange::Hold => Self::Hold,
        }
    }
}

impl From<AbsentChange> for Change {
    fn from(change: AbsentChange) -> Self {
        match change {
            AbsentChange::Keep => Self::Keep,
            AbsentChange::Forget => Self::Forget,
            AbsentChange::Release => Self::Release,
            AbsentChange::Hold => Self::Hold,
            AbsentChange::Remove => Self::Remove,
            AbsentChange::Probe => Self::Probe,
        }
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each member is its own text, and the table explains it")]
pub enum Reason {
    NullKey,
    DuplicateKey,
    Baseline,
    OutcomeUnknown,
    Waiting(Code),
    RetriesUsedUp,
    RejectedEarlier,
    DeferredEarlier,
    SkippedEarlier,
    EventSent,
    NewRecord,
    RecordReturned,
    SameRow,
    SamePayload,
    RowChanged,
    MappingChanged,
    Returned,
    TargetChanged,
    Resend,
    SourceIncomplete,
    EventKept,
    EventExpired,
    NeverDelivered,
    NotOurs,
    LeftUnderKeep,
    RemovedEarlier,
    RemovalKept,
    StillClaimed,
    ExistedBefore,
    RemovedFromModel,
}

impl Reason {
    /// The text in plans, reports and the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NullKey => "null-key",
            Self::DuplicateKey => "duplicate-key",
            Self::Baseline => "baseline",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Waiting(code) => code.as_str(),
            Self::RetriesUsedUp => "retries-used-up",
            Self::RejectedEarlier => "rejected-earlier",
            Self::DeferredEarlier => "deferred-earlier",
            Self::SkippedEarlier => "skipped-earlier",
            Self::EventSent => "event-sent",
            Self::NewRecord => "new-record",
            Self::RecordReturned => "record-returned",
            Self::SameRow => "same-row",
            Self::SamePayload => "same-payload",
            Self::RowChanged => "row-changed",
            Self::MappingChanged => "mapping-changed",
            Self::Returned => "returned",
            Self::TargetChanged => "target-changed",
            Self::Resend => "resend",
            Self::SourceIncomplete => "source-incomplete",
            Self::EventKept => "event-kept",
            Self::EventExpired => "event-expired",
            Self::NeverDelivered => "never-delivered",
            Self::NotOurs => "not-ours",
            Self::LeftUnderKeep => "left-under-keep",
            Self::RemovedEarlier => "removed-earlier",
            Self::RemovalKept => "removal-kept",
            Self::StillClaimed => "still-claimed",
            Self::ExistedBefore => "existed-before",
            Self::RemovedFromModel => "removed-from-model",
        }
    }
}

impl Reason {
    /// The reason of this text.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = [
            Self::NullKey,
            Self::DuplicateKey,
            Self::Baseline,
            Self::OutcomeUnknown,
            Self::RetriesUsedUp,
            Self::RejectedEarlier,
            Self::DeferredEarlier,
            Self::SkippedEarlier,
            Self::EventSent,
            Self::NewRecord,
            Self::RecordReturned,
            Self::SameRow,
            Self::SamePayload,
            Self::RowChanged,
            Self::MappingChanged,
            Self::Returned,
            Self::TargetChanged,
            Self::Resend,
            Self::SourceIncomplete,
            Self::EventKept,
            Self::EventExpired,
            Self::NeverDelivered,
            Self::NotOurs,
            Self::LeftUnderKeep,
            Self::RemovedEarlier,
            Self::RemovalKept,
            Self::StillClaimed,
            Self::ExistedBefore,
            Self::RemovedFromModel,
        ];
        let known = plain.into_iter().find(|reason| reason.as_str() == text);
        known.or_else(|| Code::parse(text).map(Self::Waiting))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be done, why, and which row of the table says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<C> {
    /// The row of the table, from 1.
    pub row: u8,
    /// What is to be done.
    pub change: C,
    /// Why.
    pub reason: Reason,
}

fn say<C>(row: u8, change: C, reason: Reason) -> Decision<C> {
    Decision { row, change, reason }
}

/// Decides about a key that the model has: what its row and its memory mean together. No memory is the same as one of a key
/// that was never delivered.
pub fn decide_present(seen: Seen, row_state: Option<&RowState>, policy: &Policy) -> Decision<PresentChange> {
    if matches!(policy.run_kind, RunKind::Baseline | RunKind::Adopt) {
        return say(1, PresentChange::Learn, Reason::Baseline);
    }
    let delivery = row_state.map_or(&DeliveryState::Never, |row_state| &row_state.delivery);
    let pending = row_state.map_or(&Pending::None, |row_state| &row_state.pending);
    match pending {
        Pending::Open { .. } => say(2, PresentChange::Resolve, Reason::OutcomeUnknown),
        Pending::Waiting { verb: Verb::Write, why, code, tried, due, .. } => {
            let due_now = due.is_due(policy.now) || seen != *tried || resends(policy);
            if due_now {
                say(4, PresentChange::Retry, earlier(*why))
            } else {
                say(3, PresentChange::Hold, waiting(*due, *code))
            }
        }
        Pending::None | Pending::Waiting { verb: Verb::Remove, .. } => {
            settled(seen, row_state.and_then(|row_state| row_state.seen), delivery, policy)
        }
    }
}

fn settled(
    seen: Seen,
    before: Option<Seen>,
    delivery: &DeliveryState,
    policy: &Policy,
) -> Decision<PresentChange> {
    match delivery {
        DeliveryState::Assumed { .. } | DeliveryState::Delivered { .. } | DeliveryState::Released { .. }
            if matches!(policy.nature, Nature::Event { .. }) && policy.run_kind != RunKind::ResendEvents =>
        {
            say(5, PresentChange::Unchanged, Reason::EventSent)
        }
        DeliveryState::Never => say(6, PresentChange::Add, Reason::NewRecord),
        DeliveryState::Removed { .. } => say(7, PresentChange::Add, Reason::RecordReturned),
        DeliveryState::Assumed { .. } | DeliveryState::Delivered { .. } | DeliveryState::Released { .. }
            if resends(policy) =>
        {
            say(10, PresentChange::Update, Reason::Resend)
        }
        DeliveryState::Released { .. } => say(9, PresentChange::Compare, Reason::Returned),
        DeliveryState::Assumed { .. } | DeliveryState::Delivered { .. } => match before {
            Some(before) if before == seen => say(8, PresentChange::Unchanged, Reason::SameRow),
            // Another mapping reads other columns, so the digests of the rows say nothing.
            Some(before) if before.mapping != seen.mapping => {
                say(9, PresentChange::Compare, Reason::MappingChanged)
            }
            Some(_) | None => say(9, PresentChange::Compare, Reason::RowChanged),
        },
    }
}

/// Decides about a key that the ledger remembers and the model does not have.
pub fn decide_absent(
    completeness: Completeness,
    row_state: &RowState,
    policy: &Policy,
) -> Decision<AbsentChange> {
    if completeness == Completeness::Partial {
        return say(11, AbsentChange::Keep, Reason::SourceIncomplete);
    }
    let (delivery, pending) = (&row_state.delivery, &row_state.pending);
    let closed = !matches!(pending, Pending::Open { .. }) && *delivery != DeliveryState::Never;
    if let (true, Nature::Event { expired }) = (closed, policy.nature) {
        return match expired {
            Expired::No => say(12, AbsentChange::Keep, Reason::EventKept),
            Expired::Yes => say(12, AbsentChange::Forget, Reason::EventExpired),
        };
    }
    match (delivery, pending) {
        (_, Pending::Open { .. }) => say(13, AbsentChange::Probe, Reason::OutcomeUnknown),
        (DeliveryState::Never, _) => say(14, AbsentChange::Forget, Reason::NeverDelivered),
        (DeliveryState::Assumed { .. }, _) => say(15, AbsentChange::Keep, Reason::NotOurs),
        (DeliveryState::Released { .. }, Pending::None) => say(16, AbsentChange::Keep, Reason::LeftUnderKeep),
        (DeliveryState::Released { .. }, Pending::Waiting { .. }) => {
            say(16, AbsentChange::Release, Reason::LeftUnderKeep)
        }
        (DeliveryState::Removed { at }, _) => {
            let forgets = *at < policy.forget_removed_before;
            let change = if forgets { AbsentChange::Forget } else { AbsentChange::Keep };
            say(17, change, Reason::RemovedEarlier)
        }
        (DeliveryState::Delivered { origin, .. }, pending) => removal(*origin, pending, policy),
    }
}

fn removal(origin: Origin, pending: &Pending, policy: &Policy) -> Decision<AbsentChange> {
    match (policy.removal, policy.ownership, origin, pending) {
        (Removal::Keep, _, _, _) => say(18, AbsentChange::Release, Reason::RemovalKept),
        (_, Ownership::Shared, _, _) => say(19, AbsentChange::Release, Reason::StillClaimed),
        (Removal::DeleteCreated, Ownership::OursAlone, Origin::Found, _) => {
            say(20, AbsentChange::Release, Reason::ExistedBefore)
        }
        (_, _, _, Pending::Waiting { verb: Verb::Remove, due, code, .. })
            if !due.is_due(policy.now) && !resends(policy) =>
        {
            say(21, AbsentChange::Hold, waiting(*due, *code))
        }
        (
            Removal::Delete | Removal::DeleteCreated,
            Ownership::OursAlone,
            Origin::Created | Origin::Found,
            _,
        ) => say(22, AbsentChange::Remove, Reason::RemovedFromModel),
    }
}

fn resends(policy: &Policy) -> bool {
    matches!(policy.run_kind, RunKind::Resend | RunKind::ResendEvents)
}

fn earlier(why: Why) -> Reason {
    match why {
        Why::Rejected => Reason::RejectedEarlier,
        Why::Deferred => Reason::DeferredEarlier,
        Why::Skipped => Reason::SkippedEarlier,
    }
}

fn waiting(due: Due, code: Code) -> Reason {
    match due {
        Due::OnChange => Reason::RetriesUsedUp,
        Due::At(_) | Due::Always => Reason::Waiting(code),
    }
}
