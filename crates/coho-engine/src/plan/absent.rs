//! Keys without a row: what happens to their records.

use coho_core::decide::{Change, Claim, Completeness, Decision, Nature, Policy, Purpose, RowState, decide};
use coho_core::key::Key;
use coho_core::memory::{Memory, Pending};
use coho_core::operation::{Action, Known, Operation};
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::spool::{HoldsTarget, NewMemory};

use super::draft::Draft;
use super::{Job, PlanError};

/// How long the memory of a removed record is kept, in days: it tells a record that returns from a new one.
const KEEP_REMOVED_DAYS: i64 = 90;

/// Whether a key without a row has left. In a baseline it has not: nothing is sent there, not even removals.
pub(super) fn completeness(job: &Job<'_>) -> Completeness {
    match job.purpose {
        Purpose::Baseline => Completeness::Partial,
        Purpose::Sync | Purpose::Resend | Purpose::ResendEvents => job.filter.completeness(),
    }
}

/// What the decision table needs to know besides row and memory.
pub(super) fn policy(job: &Job<'_>, claim: Claim) -> Policy {
    Policy {
        purpose: job.purpose,
        nature: Nature::Record,
        removal: job.sync.removal,
        claim,
        now: job.now,
        forget_removed_before: job.now - chrono::TimeDelta::days(KEEP_REMOVED_DAYS),
    }
}

/// Judges a key that the ledger remembers and the model does not have.
pub(super) fn absent(
    ledger: &Ledger,
    job: &Job<'_>,
    draft: &mut Draft,
    key: &Key,
    memory: &Memory,
    completeness: Completeness,
) -> Result<(), PlanError> {
    draft.counts.absent += 1;
    let policy = policy(job, claim(ledger, job, memory)?);
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
        | Change::Keep => (Fate::Kept, NewMemory::Same),
    };
    draft.tally(decision.change, decision.reason, 1);
    draft.counts.key(fate);
    if fate == Fate::Kept { Ok(()) } else { Ok(draft.note(key, fate, decision.reason, new)?) }
}

fn claim(ledger: &Ledger, job: &Job<'_>, memory: &Memory) -> Result<Claim, PlanError> {
    match job.scope {
        Some(scope) if ledger.claimed_elsewhere(scope, job.sync.object, &memory.target)? => Ok(Claim::Shared),
        Some(_) | None => Ok(Claim::OursAlone),
    }
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
        action,
        known: Known::of(Some(memory)),
        reason: decision.reason,
        seen: memory.seen,
        serial: memory.serial,
    };
    Ok(draft.push(&operation, HoldsTarget::Already)?)
}

fn probe(memory: &Memory) -> Action {
    match &memory.pending {
        Pending::Open { verb, would_send, .. } => {
            Action::Probe { verb: *verb, would_send: would_send.clone() }
        }
        Pending::None | Pending::Waiting { .. } => Action::Remove,
    }
}
