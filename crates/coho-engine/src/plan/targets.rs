//! Keys that meet at one record: all of them are invalid, and a record that another key holds is never removed.

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::operation::Operation;
use coho_core::plan::count_problem;
use coho_core::problem::Problem;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::spool::{Entry, Lane};

use super::draft::Draft;
use super::{Job, PlanError};

/// Takes out the operations of keys that meet.
pub(super) fn separate(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    for entry in draft.spool.shared_targets()? {
        invalidate(draft, &entry, "another row of the model")?;
    }
    for entry in draft.spool.newcomers()? {
        match entry.lane {
            Lane::Write => meet_holder(ledger, job, draft, &entry)?,
            Lane::Remove => spare(ledger, job, draft, &entry)?,
            Lane::Probe => {}
        }
    }
    Ok(())
}

/// A new key of a record that a row still holds.
fn meet_holder(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft, entry: &Entry) -> Result<(), PlanError> {
    let Some(holder) = holder(ledger, job, draft, entry)? else { return Ok(()) };
    invalidate(draft, entry, &format!("the row with key `{}`", coho_core::value::preview(holder.as_str())))
}

/// A removal of a record that a row still holds: a primary key that was renamed, say.
fn spare(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft, entry: &Entry) -> Result<(), PlanError> {
    let written = draft.spool.writes_target(&entry.target)?;
    if !written && holder(ledger, job, draft, entry)?.is_none() {
        return Ok(());
    }
    let Some(operation) = draft.spool.operation(entry.seq)? else { return Ok(()) };
    let message = "another row of the model has this external id";
    Ok(draft.withdraw(entry.seq, &operation, Fate::Released, Code::DUPLICATE_TARGET, message)?)
}

/// Another key that is in the model, is not written to another record in this run, and holds this record.
fn holder(
    ledger: &Ledger,
    job: &Job<'_>,
    draft: &Draft,
    entry: &Entry,
) -> Result<Option<Key>, PlanError> {
    let Some(scope) = job.scope else { return Ok(None) };
    for key in ledger.holder(scope, &entry.target)? {
        if key != entry.key && !draft.spool.is_absent(&key)? && !draft.spool.moves(&key, &entry.target)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn invalidate(draft: &mut Draft, entry: &Entry, other: &str) -> Result<(), PlanError> {
    let Some(operation) = draft.spool.operation(entry.seq)? else { return Ok(()) };
    let id = coho_core::value::preview(operation.target.as_str());
    let message = format!("external id `{id}` is also that of {other}");
    let problem = Problem::new(Code::DUPLICATE_TARGET, message).help("make the external id unique in the model");
    count_problem(&mut draft.problems, Some(&operation.key), &problem);
    withdraw(draft, entry, &operation, &problem)
}

fn withdraw(draft: &mut Draft, entry: &Entry, operation: &Operation, problem: &Problem) -> Result<(), PlanError> {
    let reason = operation.reason;
    draft.withdraw(entry.seq, operation, Fate::Invalid, problem.code, &problem.message)?;
    draft.tally(coho_core::decide::Change::Invalid, reason, 1);
    Ok(())
}
