//! Guards: what looks like an accident is held, and the rest is sent.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::decide::{Change, Purpose, Reason};
use coho_core::object::Object;
use coho_core::plan::GuardHit;
use coho_core::sync::{EmptySource, Limit, OnGuard};
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::scope::Scope;
use coho_ledger::spool::Lane;

use super::draft::{Draft, change_of};
use super::{Job, PlanError};
use crate::repeats::{self, Evidence, Past};

/// Applies all guards of a sync.
pub(super) fn guard(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    new_ids(ledger, job, draft)?;
    empty_source(job, draft)?;
    max_removed(job, draft)?;
    max_changed(job, draft)?;
    max_nulled(job, draft)?;
    if job.sync.guards.on_guard == OnGuard::Stop && !draft.guards.is_empty() {
        let code = draft.guards.first().map_or(Code::MAX_REMOVED, |guard| guard.code);
        for lane in Lane::ALL {
            let all = draft.spool.numbers(lane)?;
            hold(draft, &all, code)?;
        }
        draft.spool.drop_splits()?;
    }
    Ok(())
}

/// Events under new ids are held, and of records it is said that their keys are new. Who asks for all to be sent again, or for
/// nothing to be sent, has said what these rows are.
fn new_ids(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    if job.purpose != Purpose::Sync {
        return Ok(());
    }
    let told = match (&job.earlier, evidence(ledger, job, draft)?) {
        (Some(earlier), _) if draft.counts.writes > 0 => repeats::renamed_sync(&job.sync.id, earlier),
        (_, Some(evidence)) if job.sync.object == Object::Event && repeats::are_renamed(&evidence) => {
            repeats::renamed_keys(&job.sync.id, &evidence)
        }
        (_, Some(evidence)) if job.sync.object != Object::Event && repeats::are_all_new(&evidence) => {
            draft.renamed = Some(repeats::renamed_records(&evidence));
            return Ok(());
        }
        _ => return Ok(()),
    };
    let (message, help) = told;
    let all = writes(draft)?;
    draft.guards.push(GuardHit { code: Code::NEW_EVENT_IDS, message, help, held: all.len() as u64 });
    hold(draft, &all, Code::NEW_EVENT_IDS)
}

/// What a plan says of its rows' keys. `None` where some of them are remembered, as is usual.
fn evidence(ledger: &Ledger, job: &Job<'_>, draft: &Draft) -> Result<Option<Evidence>, PlanError> {
    let Some(scope) = job.scope else { return Ok(None) };
    let count = |map: &BTreeMap<Fate, u64>| map.get(&Fate::Invalid).copied().unwrap_or_default();
    let rows = draft.counts.read.saturating_sub(count(&draft.counts.rows));
    let new = draft.changes.get(&(Change::Add, Reason::NewRecord)).copied().unwrap_or_default();
    if rows == 0 || new != rows {
        return Ok(None);
    }
    let standings = ledger.standings(scope)?;
    let remembered = standings.delivered + standings.assumed;
    let twins = if job.sync.object == Object::Event { twins(ledger, scope, draft)? } else { 0 };
    Ok(Some(Evidence { rows, new, twins, remembered }))
}

/// How many planned events look like ones that are remembered under other keys.
fn twins(ledger: &Ledger, scope: &Scope, draft: &Draft) -> Result<u64, PlanError> {
    let past = Past::of(ledger, scope)?;
    let mut count = 0;
    for seq in writes(draft)? {
        let operation = draft.spool.operation(seq)?;
        count += u64::from(operation.is_some_and(|operation| past.has(&operation)));
    }
    Ok(count)
}

fn empty_source(job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    // Models of events often show only the newest ones, and no event is ever removed.
    let removes = job.sync.object != Object::Event;
    let empty = removes && draft.counts.read == 0 && draft.known > 0;
    let complete = job.filter.completeness() == coho_core::decide::Completeness::Complete;
    if !empty || !complete || job.sync.guards.empty_source == EmptySource::Allow {
        return Ok(());
    }
    let message = format!("the model has no rows, and {} records were delivered from it", draft.known);
    let removals = draft.spool.numbers(Lane::Remove)?;
    trip(draft, Code::EMPTY_SOURCE, message, "empty_source: allow", &removals)
}

fn max_removed(job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    let Some(limit) = job.sync.guards.max_removed else { return Ok(()) };
    let removals = draft.spool.numbers(Lane::Remove)?;
    exceed(draft, limit, Code::MAX_REMOVED, "be removed", "max_removed", &removals)
}

fn max_changed(job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    let Some(limit) = job.sync.guards.max_changed else { return Ok(()) };
    let mut updates = Vec::new();
    for seq in writes(draft)? {
        let operation = draft.spool.operation(seq)?;
        let updates_record = |operation| change_of(operation) == coho_core::decide::Change::Update;
        if operation.as_ref().is_some_and(updates_record) {
            updates.push(seq);
        }
    }
    exceed(draft, limit, Code::MAX_CHANGED, "change", "max_changed", &updates)
}

/// The numbers of all writes.
fn writes(draft: &Draft) -> Result<Vec<i64>, PlanError> {
    let mut numbers = Vec::new();
    for lane in Lane::WRITES {
        numbers.extend(draft.spool.numbers(lane)?);
    }
    Ok(numbers)
}

fn max_nulled(job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    let Some(limit) = job.sync.guards.max_nulled else { return Ok(()) };
    while let Some((path, count)) = draft.spool.most_nulled()? {
        if count <= limit.allows(draft.known) {
            break;
        }
        let nulling = draft.spool.nulling(&path)?;
        exceed(draft, limit, Code::MAX_NULLED, &format!("have `{path}` cleared"), "max_nulled", &nulling)?;
    }
    Ok(())
}

fn exceed(
    draft: &mut Draft,
    limit: Limit,
    code: Code,
    what: &str,
    key: &str,
    operations: &[i64],
) -> Result<(), PlanError> {
    let (count, allowed) = (operations.len() as u64, limit.allows(draft.known));
    if count <= allowed {
        return Ok(());
    }
    let are = if allowed == 1 { "is" } else { "are" };
    let message = format!("{count} of {} records would {what}, {allowed} {are} allowed", draft.known);
    trip(draft, code, message, &format!("{key}: {{ share: 100% }}"), operations)
}

fn trip(
    draft: &mut Draft,
    code: Code,
    message: String,
    allow: &str,
    operations: &[i64],
) -> Result<(), PlanError> {
    let help = format!("check the model; where this is meant, set `guards: {{ {allow} }}` in the sync");
    draft.guards.push(GuardHit { code, message, help, held: operations.len() as u64 });
    hold(draft, operations, code)
}

fn hold(draft: &mut Draft, operations: &[i64], code: Code) -> Result<(), PlanError> {
    for seq in operations {
        if let Some(operation) = draft.spool.operation(*seq)? {
            let reason = operation.reason;
            draft.withdraw(*seq, &operation, Fate::Held, code, "held by a guard")?;
            draft.tally(coho_core::decide::Change::Hold, reason, 1);
        }
    }
    Ok(())
}
