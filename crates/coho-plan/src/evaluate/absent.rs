//! Keys without a row, and records that rows leave: what happens to them.

use coho_core::decide::{AbsentChange, Claim, Decision, Expired, Nature, Policy, decide_absent};
use coho_core::memory::{Memory, Pending, Standing, Time};
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::verdict::Fate;
use coho_ledger::absent::Gone;

use super::Passed;
use crate::failure::PlanError;
use crate::job::{Job, Waiting};
use crate::progress::Step;
use crate::table::Table;
use crate::table::insert::{Before, Effect, Note, Side};

/// How long the memory of a removed record is kept, in days: it tells a record that returns from a new one.
const KEEP_REMOVED_DAYS: i64 = 90;

/// How many keys are evaluated at once.
const AT_ONCE: usize = 1_000;

/// Evaluates all keys of the table `gone`.
pub(crate) fn evaluate(job: &Job<'_>, table: &Table, passed: &mut Passed) -> Result<(), PlanError> {
    let Some(scope) = job.scope else { return Ok(()) };
    let mut after = 0;
    loop {
        let found = job.ledger.gone(&table.connection(), scope, after, AT_ONCE)?;
        let Some(last) = found.last() else { return Ok(()) };
        after = last.id;
        for gone in &found {
            if is_looked_at(job, gone)? {
                passed.absent += 1;
                absent(job, table, passed, gone)?;
            }
        }
        job.tell(Step::Evaluating)?;
    }
}

/// Whether a key is looked at: where only what waits is, others are none.
fn is_looked_at(job: &Job<'_>, gone: &Gone) -> Result<bool, PlanError> {
    if job.filter.waiting == Waiting::Too || gone.mover.is_some() {
        return Ok(true);
    }
    Ok(matches!(gone.memory.pending, Pending::Waiting { .. }) && job.looks_at_waiting(&gone.key)?)
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

/// Whether another sync holds a record, once the plans before this one are carried out: what those write is theirs, what they
/// let go is not.
fn claim(job: &Job<'_>, gone: &Gone) -> Result<Claim, PlanError> {
    let (Some(scope), memory) = (job.scope, &gone.memory) else { return Ok(gone.claim) };
    for (_, table) in job.before {
        if table.takes(&memory.target)? {
            return Ok(Claim::Shared);
        }
    }
    if gone.claim == Claim::OursAlone || job.before.is_empty() {
        return Ok(gone.claim);
    }
    let (object, id) = (job.sync.object, memory.standing.id());
    for (sync, key) in job.ledger.claimants(scope, object, &memory.target, id)? {
        let theirs = job.before.iter().find(|(before, _)| **before == sync);
        let is_let_go = theirs.map(|(_, table)| table.lets_go(&key, &memory.target)).transpose()?;
        if is_let_go != Some(true) {
            return Ok(Claim::Shared);
        }
    }
    Ok(Claim::OursAlone)
}

/// Whether the memory of an event is past its retention: it counts from when the model was first seen without it.
fn expired(job: &Job<'_>, memory: &Memory, updated: Time) -> Expired {
    let left = matches!(memory.standing, Standing::Released { .. });
    match job.sync.remember_days {
        Some(days) if left && updated + chrono::TimeDelta::days(days.into()) < job.now => Expired::Yes,
        Some(_) | None => Expired::No,
    }
}

fn absent(job: &Job<'_>, table: &Table, passed: &mut Passed, gone: &Gone) -> Result<(), PlanError> {
    let updated = if gone.mover.is_some() { job.now } else { gone.updated };
    let policy = policy(job, claim(job, gone)?, expired(job, &gone.memory, updated));
    let decision = decide_absent(job.completeness(), &gone.memory, &policy);
    let (fate, effect) = match decision.change {
        AbsentChange::Remove => return operate(job, table, gone, decision, Action::Remove),
        AbsentChange::Probe => return operate(job, table, gone, decision, probe(&gone.memory)),
        AbsentChange::Forget => (Fate::Forgotten, Effect::Forgotten),
        AbsentChange::Release => (Fate::Released, Effect::Released),
        AbsentChange::Hold => (Fate::Held, Effect::None),
        AbsentChange::Keep => (Fate::Kept, kept(job, &gone.memory)),
    };
    if fate == Fate::Kept && effect == Effect::None && gone.mover.is_none() {
        passed.pass_keys(fate, decision.change.into(), decision.reason, 1);
        return Ok(());
    }
    Ok(table.note(&Note {
        key: &gone.key,
        side: Side::Key,
        target: Some(&gone.memory.target),
        change: decision.change.into(),
        reason: decision.reason,
        fate,
        code: None,
        message: None,
        effect,
        address: None,
        before: Before::NOTHING,
        mover: gone.mover,
    })?)
}

/// An event that is remembered for a while only: its time begins when its row is missed.
fn kept(job: &Job<'_>, memory: &Memory) -> Effect {
    let is_event = job.sync.object == Object::Event;
    let missed = match memory.standing {
        Standing::Delivered { .. } | Standing::Assumed { .. } => memory.pending == Pending::None,
        Standing::Never | Standing::Released { .. } | Standing::Removed { .. } => false,
    };
    if is_event && missed && job.sync.remember_days.is_some() { Effect::Released } else { Effect::None }
}

fn operate(
    job: &Job<'_>,
    table: &Table,
    gone: &Gone,
    decision: Decision<AbsentChange>,
    action: Action,
) -> Result<(), PlanError> {
    let memory = &gone.memory;
    let operation = Operation {
        key: gone.key.clone(),
        object: job.sync.object,
        target: memory.target.clone(),
        email: email(job, memory),
        action,
        known: Known::of(Some(memory)),
        change: decision.change.into(),
        reason: decision.reason,
        seen: memory.seen,
        serial: memory.serial,
    };
    let before = Before::of(Some(memory), &memory.target, false);
    let digest = job.approved.map(|_| operation.digest());
    Ok(table.operation(&operation, &before, digest, gone.mover)?)
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
