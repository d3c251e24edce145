//! Keys that meet at one record: all of them are invalid, and a record that another key holds is never removed.

use coho_core::code::Code;
use coho_core::decide::Change;
use coho_core::key::Key;
use coho_core::memory::{Pending, Standing};
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::plan::count_problem;
use coho_core::problem::Problem;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::scope::Scope;
use coho_ledger::spool::Entry;

use super::draft::Draft;
use super::{Job, PlanError};

/// Takes out the writes of keys that meet. A row that may not move keeps its record, so that no other row gets it: this goes
/// on until no further row is concerned.
pub(super) fn separate(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    for entry in draft.spool.shared_targets()? {
        invalidate(draft, &entry, "another row of the model")?;
    }
    loop {
        let moving = draft.spool.movers()?.len();
        for entry in draft.spool.newcomers()? {
            if let Some(holder) = holder(ledger, job, draft, &entry)? {
                let holder = coho_core::value::preview(holder.as_str());
                invalidate(draft, &entry, &format!("the row with key `{holder}`"))?;
            }
        }
        if draft.spool.movers()?.len() == moving {
            return Ok(());
        }
    }
}

/// Takes out the removals of records that a row still holds.
pub(super) fn spare_held(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    for entry in draft.spool.removals()? {
        spare(ledger, job, draft, &entry)?;
    }
    Ok(())
}

/// A removal of a record that a row still holds: a primary key that was renamed, say.
fn spare(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft, entry: &Entry) -> Result<(), PlanError> {
    let held = draft.spool.writes_target(&entry.target)? || holder(ledger, job, draft, entry)?.is_some();
    // A row that cannot be sent may be mended: until then its record waits.
    let fate = match (held, draft.spool.is_disputed(&entry.target)?) {
        (true, _) => Fate::Released,
        (false, true) => Fate::Held,
        (false, false) => return Ok(()),
    };
    let Some(operation) = draft.spool.operation(entry.seq)? else { return Ok(()) };
    let message = "another row of the model has this external id";
    draft.withdraw(entry.seq, &operation, fate, Code::DUPLICATE_TARGET, message)?;
    if fate == Fate::Held {
        draft.tally(Change::Hold, operation.reason, 1);
    }
    Ok(())
}

/// Another key that is in the model, is not written to another record in this run, and holds this record.
fn holder(ledger: &Ledger, job: &Job<'_>, draft: &Draft, entry: &Entry) -> Result<Option<Key>, PlanError> {
    let Some(scope) = job.scope else { return Ok(None) };
    for key in ledger.holder(scope, &entry.target)? {
        let other = key != entry.key && !draft.spool.is_absent(&key)?;
        if other && !draft.spool.moves(&key, &entry.target)? && !has_let_go(ledger, scope, draft, &key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Whether a key's record was let be or removed earlier, and its row did not come back to it.
fn has_let_go(ledger: &Ledger, scope: &Scope, draft: &Draft, key: &Key) -> Result<bool, PlanError> {
    let memory = ledger.memory(scope, key)?;
    let let_go = memory.is_none_or(|memory| {
        matches!(memory.standing, Standing::Released { .. } | Standing::Removed { .. })
            && !matches!(memory.pending, Pending::Open { .. })
    });
    Ok(let_go && !draft.spool.has_returned(key)?)
}

fn invalidate(draft: &mut Draft, entry: &Entry, other: &str) -> Result<(), PlanError> {
    let Some(operation) = draft.spool.operation(entry.seq)? else { return Ok(()) };
    let id = coho_core::value::preview(operation.target.as_str());
    let what = match operation.object {
        Object::Organization | Object::Account | Object::User => "external id",
        Object::Event => "message id",
    };
    let message = format!("{what} `{id}` is also that of {other}");
    let help = format!("make the {what} unique in the model");
    let problem = Problem::new(Code::DUPLICATE_TARGET, message).help(help);
    count_problem(&mut draft.problems, Some(&operation.key), &problem);
    withdraw(draft, entry, &operation, &problem)
}

fn withdraw(
    draft: &mut Draft,
    entry: &Entry,
    operation: &Operation,
    problem: &Problem,
) -> Result<(), PlanError> {
    let reason = operation.reason;
    draft.withdraw(entry.seq, operation, Fate::Invalid, problem.code, &problem.message)?;
    draft.tally(Change::Invalid, reason, 1);
    Ok(())
}
