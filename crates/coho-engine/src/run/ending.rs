//! How the parts of a run end: their counts add up, and their status says what is left.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::decide::{Change, Reason, RunKind};
use coho_core::event::Event;
use coho_core::plan::{SyncPlan, SyncStatus, SyncSummary};
use coho_core::started::Stage;
use coho_core::sync::{FirstRun, Sync, SyncId};
use coho_core::verdict::{Outcome, RowStatus};
use coho_ledger::run::{RunEnding, RunStatus};
use coho_report::json::Happened;

use super::stages::Stages;
use super::{Part, Shared};
use crate::context::Engine;
use crate::failure::EngineError;
use crate::send::sent::Stopped;

impl Engine<'_> {
    pub(super) fn end(&self, shared: &Shared<'_>, part: Part<'_>) -> Result<SyncSummary, EngineError> {
        let now = self.setup.clock.now();
        self.stages(shared, &part).begin(Stage::Conclude, None)?;
        let status = status(shared, &part);
        let (plan, missed, lineage) = match part.planned {
            Some(planned) => (planned.plan, planned.missed, Some(planned.lineage)),
            None => (empty_plan(part.sync), 0, None),
        };
        let mut counts = plan.counts;
        // What turned out stale is not planned any more.
        counts.writes -= part.sent.stale_writes;
        counts.removals -= part.sent.stale_removals;
        counts.add_rows(RowStatus::Stale, part.sent.stale_writes);
        counts.add_keys(RowStatus::Stale, part.sent.stale_removals);
        part.sent.outcomes.iter().for_each(|(outcome, number)| counts.add_outcomes(*outcome, *number));
        counts.check_run().map_err(|source| EngineError::Law { sync: part.sync.id.to_string(), source })?;
        let waits = refused(&plan.changes) > 0;
        let mut problems = plan.problems;
        for (code, count) in part.sent.problems {
            problems.entry(code).and_modify(|known| known.count += count.count).or_insert(count);
        }
        let mut summary = SyncSummary {
            sync: part.sync.id.clone(),
            object: part.sync.object,
            status,
            counts,
            problems,
            waiting: refused(&plan.changes),
            guards: plan.guards,
            calls: part.sent.calls,
            millis: u64::try_from(part.worked.num_milliseconds()).unwrap_or_default(),
            notes: part.sent.notes,
        };
        let stale = summary.counts.status(RowStatus::Stale);
        if stale > 0 && shared.options.permit.is_some() {
            let noun = if stale == 1 { "operation is" } else { "operations are" };
            summary.notes.push(format!("{stale} {noun} not in the plan that was agreed to: plan again"));
        }
        summary.notes.extend(not_due(missed));
        // What was adopted just now did not wait before.
        let adopts = shared.options.run_kind == RunKind::Adopt || plan.first_run == Some(FirstRun::Adopt);
        if !adopts {
            summary.notes.extend(waiting(&plan.changes, &summary.sync));
        }
        let left_out = stale > 0 && shared.options.permit.is_some();
        if summary.status == SyncStatus::Completed && (waits || left_out || summary.has_errors()) {
            summary.status = SyncStatus::CompletedWithErrors;
        }
        let ending = RunEnding { status: ended(&summary.status), error: error(&summary.status), at: now };
        let run = shared.run.id().as_str();
        let told = self.notices(run, part.sync, &Happened::Ended(&summary), now);
        shared.ledger.end_sync_telling(
            shared.lease,
            shared.run,
            &part.scope,
            &ending,
            &summary.counts,
            &told,
        )?;
        shared.teller.posted(&told);
        let ended = Happened::Ended(&summary);
        shared.teller.event(self.event_of(run, part.sync, &ended, lineage.as_ref(), now));
        let stages = Stages { shared, scope: &part.scope, clock: &*self.setup.clock };
        stages.end(Some(summary.counts.read))?;
        shared.listener.on(&Event::Ended(Box::new(summary.clone())));
        Ok(summary)
    }
}

/// What a person agreed to and what is not due.
fn not_due(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some(
            "1 operation that was agreed to is not due: done before, or its row changed since".to_owned(),
        ),
        _ => Some(format!(
            "{count} operations that were agreed to are not due: done before, or their rows changed since"
        )),
    }
}

/// Which rows wait for their next try, and how to see and hurry them.
fn waiting(changes: &BTreeMap<(Change, Reason), u64>, sync: &SyncId) -> Option<String> {
    let mut codes = BTreeMap::new();
    for ((change, reason), count) in changes {
        if let (Change::Hold, Reason::Waiting(_) | Reason::RetriesUsedUp) = (change, reason) {
            *codes.entry(reason.as_str()).or_insert(0) += count;
        }
    }
    let count: u64 = codes.values().sum();
    let (noun, verb) = if count == 1 { ("row", "waits") } else { ("rows", "wait") };
    let codes = codes.into_keys().collect::<Vec<_>>().join(", ");
    (count > 0).then(|| {
        format!(
            "{count} {noun} of earlier runs {verb} for another try ({codes}): `coho rows {sync} --fate held` lists them, \
             `coho retry {sync}` tries them now"
        )
    })
}

/// How many rows wait that Vitally refused earlier: a run that does not come to them has errors all the same. Rows that the
/// mode forbids wait too, and are none.
fn refused(changes: &BTreeMap<(Change, Reason), u64>) -> u64 {
    let waits = |(change, reason): &(Change, Reason)| match (change, reason) {
        (Change::Hold, Reason::Waiting(code)) => !matches!(*code, Code::NOT_FOUND | Code::ALREADY_EXISTS),
        (Change::Hold, Reason::RetriesUsedUp) => true,
        _ => false,
    };
    changes.iter().filter(|(change, _)| waits(change)).map(|(_, count)| count).sum()
}

fn status(shared: &Shared<'_>, part: &Part<'_>) -> SyncStatus {
    let unattempted = part.planned.is_none() || part.sent.number(Outcome::NotAttempted) > 0;
    if !part.problems.is_empty() {
        return SyncStatus::Failed(part.problems.clone());
    }
    match (&part.sent.stopped, unattempted) {
        (Some(Stopped::TooManyRejected(halt)), _) => {
            return SyncStatus::Halted {
                code: halt.code,
                message: halt.message.clone(),
                at: Some(halt.at.clone()),
            };
        }
        (Some(Stopped::TimeUp), true) if !shared.halt.is_halted() && !shared.stop.is_asked() => {
            return SyncStatus::TimeUp;
        }
        (Some(Stopped::TimeUp) | None, _) => {}
    }
    match (shared.halt.get(), unattempted) {
        (Some(halt), true) => {
            return SyncStatus::Halted { code: halt.code, message: halt.message, at: Some(halt.at) };
        }
        (None, true) => return unfinished(shared, part),
        (_, false) => {}
    }
    if part.planned.as_ref().is_some_and(|planned| !planned.plan.guards.is_empty()) {
        SyncStatus::Held
    } else {
        SyncStatus::Completed
    }
}

/// Nobody halted the run, and still not all was tried: a person stopped it, or some operations did not reach Vitally.
fn unfinished(shared: &Shared<'_>, part: &Part<'_>) -> SyncStatus {
    match &part.sent.unsent {
        Some(unsent) if !shared.stop.is_asked() => SyncStatus::Halted {
            code: unsent.code,
            message: unsent.message.clone(),
            at: Some(part.sync.destination.clone()),
        },
        Some(_) | None => SyncStatus::Interrupted,
    }
}

fn empty_plan(sync: &Sync) -> SyncPlan {
    SyncPlan {
        sync: sync.id.clone(),
        object: sync.object,
        mode: sync.mode,
        api: sync.api,
        first_run: None,
        time: coho_core::plan::LeastTime::default(),
        notes: Vec::new(),
        counts: coho_core::counts::Counts::default(),
        changes: BTreeMap::new(),
        samples: Vec::new(),
        problems: BTreeMap::new(),
        guards: Vec::new(),
        removals: coho_core::plan::RemovalOrigins::default(),
        calls: coho_core::plan::Calls::default(),
    }
}

pub(super) fn ended(status: &SyncStatus) -> RunStatus {
    match status {
        SyncStatus::Completed | SyncStatus::TimeUp => RunStatus::Success,
        SyncStatus::CompletedWithErrors | SyncStatus::Held => RunStatus::Warning,
        SyncStatus::Failed(_) => RunStatus::Failed,
        SyncStatus::Halted { .. } => RunStatus::Halted,
        SyncStatus::Interrupted => RunStatus::Interrupted,
    }
}

fn error(status: &SyncStatus) -> Option<String> {
    match status {
        SyncStatus::Completed
        | SyncStatus::CompletedWithErrors
        | SyncStatus::Held
        | SyncStatus::TimeUp
        | SyncStatus::Interrupted => None,
        SyncStatus::Halted { code, message, .. } => Some(format!("{message} [{code}]")),
        SyncStatus::Failed(problems) => {
            Some(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    }
}
