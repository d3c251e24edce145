//! Keys without a row, and records that rows leave: what happens to them.

use coho_core::decide::{AbsentChange, Decision, Expired, Nature, Ownership, Policy, decide_absent};
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Pending, RowState};
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use coho_ledger::absent::Gone;

use super::Passed;
use crate::failure::PlanError;
use crate::job::{Job, Waiting};
use crate::progress::Step;
use crate::table::Table;
use crate::table::line::Line;
use crate::table::note::{Before, Effect, Note, Side};

/// How long the memory of a removed record is kept, in days: it tells a record that returns from a new one.
const KEEP_REMOVED_DAYS: i64 = 90;

/// How many keys are evaluated at once.
const AT_ONCE: usize = 1_000;

/// Evaluates all keys of the table `gone`.
pub(crate) fn evaluate_absent(job: &Job<'_>, table: &Table, passed: &mut Passed) -> Result<(), PlanError> {
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
    Ok(matches!(gone.row_state.pending, Pending::Waiting { .. }) && job.looks_at_waiting(&gone.key)?)
}

/// What the decision table needs to know besides row and memory.
pub(super) fn policy(job: &Job<'_>, ownership: Ownership, expired: Expired) -> Policy {
    let nature = match job.sync.object {
        Object::Event => Nature::Event { expired },
        Object::Organization | Object::Account | Object::User => Nature::Record,
    };
    Policy {
        run_kind: job.run_kind,
        nature,
        removal: job.sync.removal,
        ownership,
        now: job.now,
        forget_removed_before: job.now - chrono::TimeDelta::days(KEEP_REMOVED_DAYS),
    }
}

/// Whether another sync holds a record, once the plans before this one are carried out: what those write is theirs, what they
/// let go is not.
fn ownership(job: &Job<'_>, gone: &Gone) -> Result<Ownership, PlanError> {
    let (Some(scope), row_state) = (job.scope, &gone.row_state) else { return Ok(gone.ownership) };
    for (_, table) in job.before {
        if table.takes(&row_state.target)? {
            return Ok(Ownership::Shared);
        }
    }
    if gone.ownership == Ownership::OursAlone || job.before.is_empty() {
        return Ok(gone.ownership);
    }
    let (object, id) = (job.sync.object, row_state.delivery.id());
    for (sync, key) in job.ledger.claimants(scope, object, &row_state.target, id)? {
        let theirs = job.before.iter().find(|(before, _)| **before == sync);
        let is_let_go = theirs.map(|(_, table)| table.lets_go(&key, &row_state.target)).transpose()?;
        if is_let_go != Some(true) {
            return Ok(Ownership::Shared);
        }
    }
    Ok(Ownership::OursAlone)
}

/// Whether the memory of an event is past its retention: it counts from when the model was first seen without it.
fn expired(job: &Job<'_>, row_state: &RowState, updated: Time) -> Expired {
    let left = matches!(row_state.delivery, DeliveryState::Released { .. });
    match job.sync.remember_days {
        Some(days) if left && updated + chrono::TimeDelta::days(days.into()) < job.now => Expired::Yes,
        Some(_) | None => Expired::No,
    }
}

fn absent(job: &Job<'_>, table: &Table, passed: &mut Passed, gone: &Gone) -> Result<(), PlanError> {
    let updated = if gone.mover.is_some() { job.now } else { gone.updated };
    let policy = policy(job, ownership(job, gone)?, expired(job, &gone.row_state, updated));
    let decision = decide_absent(job.completeness(), &gone.row_state, &policy);
    let (status, effect) = match decision.change {
        AbsentChange::Remove => return operate(job, table, gone, decision, Action::Remove),
        AbsentChange::Probe => return operate(job, table, gone, decision, probe(&gone.row_state)),
        AbsentChange::Forget => (RowStatus::Forgotten, Effect::Forgotten),
        AbsentChange::Release => (RowStatus::Released, Effect::Released),
        AbsentChange::Hold => (RowStatus::Held, Effect::None),
        AbsentChange::Keep => (RowStatus::Kept, kept(job, &gone.row_state)),
    };
    if status == RowStatus::Kept && effect == Effect::None && gone.mover.is_none() {
        passed.pass_keys(status, decision.change.into(), decision.reason, 1);
        return Ok(());
    }
    let note = Line::note(Note {
        key: &gone.key,
        side: Side::Key,
        target: Some(&gone.row_state.target),
        change: decision.change.into(),
        reason: decision.reason,
        status,
        code: None,
        message: None,
        effect,
        address: None,
        before: Before::NOTHING,
        mover: gone.mover,
    });
    Ok(table.insert([note])?)
}

/// An event that is remembered for a while only: its time begins when its row is missed.
fn kept(job: &Job<'_>, row_state: &RowState) -> Effect {
    let is_event = job.sync.object == Object::Event;
    let missed = match row_state.delivery {
        DeliveryState::Delivered { .. } | DeliveryState::Assumed { .. } => row_state.pending == Pending::None,
        DeliveryState::Never | DeliveryState::Released { .. } | DeliveryState::Removed { .. } => false,
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
    let row_state = &gone.row_state;
    let operation = Operation {
        key: gone.key.clone(),
        object: job.sync.object,
        target: row_state.target.clone(),
        email: email(job, row_state),
        action,
        known: Known::of(Some(row_state)),
        change: decision.change.into(),
        reason: decision.reason,
        seen: row_state.seen,
        version: row_state.version,
    };
    let before = Before::of(Some(row_state), &row_state.target, false);
    let digest = job.approved.map(|_| operation.digest());
    Ok(table.insert([Line::operation(&operation, &before, digest, gone.mover)])?)
}

/// The e-mail address that a record was found by, as it was acknowledged last.
fn email(job: &Job<'_>, row_state: &RowState) -> Option<String> {
    job.sync.matching.email()?;
    let sent = match &row_state.pending {
        Pending::Open { would_send, .. } if !would_send.is_empty() => Some(would_send),
        Pending::Open { .. } | Pending::None | Pending::Waiting { .. } => row_state.delivery.sent(),
    };
    sent?.get(&FieldPath::new("email"))?.as_text().map(str::to_owned)
}

fn probe(row_state: &RowState) -> Action {
    match &row_state.pending {
        Pending::Open { verb, would_send, .. } => {
            Action::Probe { verb: *verb, would_send: would_send.clone() }
        }
        Pending::None | Pending::Waiting { .. } => Action::Remove,
    }
}
