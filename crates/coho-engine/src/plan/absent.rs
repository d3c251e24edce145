//! Keys without a row: what happens to their records.

use coho_core::decide::{
    Change, Claim, Completeness, Decision, Expired, Nature, Policy, Purpose, RowState, decide,
};
use coho_core::key::Key;
use coho_core::memory::{Memory, Pending, Standing, Time};
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::Fate;
use coho_ledger::scope::Scope;
use coho_ledger::spool::{HoldsTarget, NewMemory};
use coho_ledger::{Ledger, LedgerError};

use super::draft::Draft;
use super::{Job, PlanError};

/// How long the memory of a removed record is kept, in days: it tells a record that returns from a new one.
const KEEP_REMOVED_DAYS: i64 = 90;

/// Whether a key without a row has left. In a baseline it has not: nothing is sent there, not even removals.
pub(super) fn completeness(job: &Job<'_>) -> Completeness {
    match job.purpose {
        Purpose::Baseline | Purpose::Adopt => Completeness::Partial,
        Purpose::Sync | Purpose::Resend | Purpose::ResendEvents => job.filter.completeness(),
    }
}

/// What the decision table needs to know besides row and memory.
pub(super) fn policy(job: &Job<'_>, claim: Claim, expired: Expired) -> Policy {
    let nature = match job.sync.object {
        Object::Event => Nature::Event { expired },
        Object::Organization | Object::Account | Object::User => Nature::Record,
    };
    Policy {
        purpose: job.purpose,
        nature,
        removal: job.sync.removal,
        claim,
        now: job.now,
        forget_removed_before: job.now - chrono::TimeDelta::days(KEEP_REMOVED_DAYS),
    }
}

/// Whether the memory of an event is past its retention: it counts from when the model was first seen without it.
fn expired(job: &Job<'_>, memory: &Memory, updated: Time) -> Expired {
    let left = matches!(memory.standing, Standing::Released { .. });
    match job.sync.remember_days {
        Some(days) if left && updated + chrono::TimeDelta::days(days.into()) < job.now => Expired::Yes,
        Some(_) | None => Expired::No,
    }
}

/// Judges a key that the ledger remembers and the model does not have. `updated` is when what is remembered changed last.
pub(super) fn absent(
    ledger: &Ledger,
    job: &Job<'_>,
    draft: &mut Draft,
    key: &Key,
    memory: &Memory,
    updated: Time,
    completeness: Completeness,
) -> Result<(), PlanError> {
    draft.counts.absent += 1;
    let policy = policy(job, claim(ledger, job, memory)?, expired(job, memory, updated));
    let decision = decide(RowState::Absent(completeness), Some(memory), &policy);
    if completeness == Completeness::Complete {
        draft.spool.absent(key)?;
    }
    let (fate, new) = match decision.change {
        Change::Remove => return operate(job, draft, key, memory, decision, Action::Remove),
        Change::Probe => return operate(job, draft, key, memory, decision, probe(memory)),
        Change::Forget => (Fate::Forgotten, NewMemory::Forgotten),
        Change::Release => (Fate::Released, NewMemory::Released),
        Change::Hold => (Fate::Held, NewMemory::Same),
        Change::Invalid
        | Change::Learn
        | Change::Unchanged
        | Change::Add
        | Change::Compare
        | Change::Update
        | Change::Retry
        | Change::Resolve
        | Change::Keep => (Fate::Kept, kept(job, memory, completeness)),
    };
    draft.tally(decision.change, decision.reason, 1);
    draft.counts.key(fate);
    if new == NewMemory::Same && fate == Fate::Kept {
        return Ok(());
    }
    Ok(draft.note(key, fate, decision.reason, new)?)
}

/// An event that is remembered for a while only: its time begins when its row is missed.
fn kept(job: &Job<'_>, memory: &Memory, completeness: Completeness) -> NewMemory {
    let is_event = job.sync.object == Object::Event;
    let missed = match memory.standing {
        Standing::Delivered { .. } | Standing::Assumed { .. } => memory.pending == Pending::None,
        Standing::Never | Standing::Released { .. } | Standing::Removed { .. } => false,
    };
    let bounded = job.sync.remember_days.is_some() && completeness == Completeness::Complete;
    if is_event && missed && bounded { NewMemory::Released } else { NewMemory::Same }
}

fn claim(ledger: &Ledger, job: &Job<'_>, memory: &Memory) -> Result<Claim, PlanError> {
    let Some(scope) = job.scope.filter(|_| job.sync.object != Object::Event) else {
        return Ok(Claim::OursAlone);
    };
    let shared = claimed(ledger, scope, job.sync.object, &memory.target, memory.standing.id())?;
    Ok(if shared { Claim::Shared } else { Claim::OursAlone })
}

/// Whether another sync holds a record. One that was found by its e-mail address is known by Vitally's id.
pub(crate) fn claimed(
    ledger: &Ledger,
    scope: &Scope,
    object: Object,
    target: &ExternalId,
    id: Option<&VitallyId>,
) -> Result<bool, LedgerError> {
    if ledger.claimed_elsewhere(scope, object, target)? {
        return Ok(true);
    }
    id.map_or(Ok(false), |id| ledger.claimed_elsewhere_by_id(scope, object, id))
}

fn operate(
    job: &Job<'_>,
    draft: &mut Draft,
    key: &Key,
    memory: &Memory,
    decision: Decision,
    action: Action,
) -> Result<(), PlanError> {
    let operation = Operation {
        key: key.clone(),
        object: job.sync.object,
        target: memory.target.clone(),
        email: email(job, memory),
        action,
        known: Known::of(Some(memory)),
        reason: decision.reason,
        seen: memory.seen,
        serial: memory.serial,
    };
    Ok(draft.push(&operation, HoldsTarget::Already)?)
}

/// The e-mail address that a record was found by, as it was acknowledged last.
fn email(job: &Job<'_>, memory: &Memory) -> Option<String> {
    job.sync.matching.email()?;
    let sent = match &memory.pending {
        Pending::Open { would_send, .. } if !would_send.is_empty() => Some(would_send),
        Pending::Open { .. } | Pending::None | Pending::Waiting { .. } => memory.standing.sent(),
    };
    sent?.get(&FieldPath::new("email"))?.as_text().map(str::to_owned)
}

fn probe(memory: &Memory) -> Action {
    match &memory.pending {
        Pending::Open { verb, would_send, .. } => {
            Action::Probe { verb: *verb, would_send: would_send.clone() }
        }
        Pending::None | Pending::Waiting { .. } => Action::Remove,
    }
}
