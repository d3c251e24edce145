//! How the parts of a run end: their counts add up, and their status says what is left.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::{Change, Reason, RunKind};
use coho_core::event::Event;
use coho_core::lineage::Lineage;
use coho_core::plan::{SyncPlan, SyncStatus, SyncSummary};
use coho_core::started::Stage;
use coho_core::sync::{FirstRun, Sync, SyncId};
use coho_core::time::Time;
use coho_core::verdict::{Outcome, RowStatus};
use coho_ledger::run::{RunEnding, RunStatus};
use coho_ledger::scope::SyncScope;
use coho_report::json::Happened;

use super::stages::Stages;
use super::{Part, Shared};
use crate::context::Engine;
use crate::failure::EngineError;
use crate::send::sent::{Sent, Stopped};

impl Engine<'_> {
    pub(super) fn end(&self, shared: &Shared<'_>, part: Part<'_>) -> Result<SyncSummary, EngineError> {
        let now = self.setup.clock.now();
        self.stages(shared, &part).begin(Stage::Conclude, None)?;
        let status = status(shared, &part);
        let (plan, missed, lineage) = match part.planned {
            Some(planned) => (planned.plan, planned.missed, Some(planned.lineage)),
            None => (empty_plan(part.sync), 0, None),
        };
        let counts = counted(plan.counts, &part.sent);
        counts.check_run().map_err(|source| EngineError::Law { sync: part.sync.id.to_string(), source })?;
        let mut problems = plan.problems;
        for (code, count) in part.sent.problems {
            problems.entry(code).and_modify(|known| known.count += count.count).or_insert(count);
        }
        let waiting = refused(&plan.changes);
        let mut summary = SyncSummary {
            sync: part.sync.id.clone(),
            object: part.sync.object,
            status,
            counts,
            problems,
            waiting,
            guards: plan.guards,
            calls: part.sent.calls,
            millis: u64::try_from(part.worked.num_milliseconds()).unwrap_or_default(),
            notes: part.sent.notes,
        };
        let left_out = not_approved(&summary, shared);
        // What was adopted just now did not wait before.
        let adopts = shared.options.run_kind == RunKind::Adopt || plan.first_run == Some(FirstRun::Adopt);
        let waits = (!adopts).then(|| waiting_rows(&plan.changes, &summary.sync)).flatten();
        let is_left_out = left_out.is_some();
        summary.notes.extend(left_out.into_iter().chain(not_due(missed)).chain(waits));
        if summary.status == SyncStatus::Completed && (waiting > 0 || is_left_out || summary.has_errors()) {
            summary.status = SyncStatus::CompletedWithErrors;
        }
        self.close(shared, (part.sync, &part.scope), &summary, lineage.as_ref(), now)?;
        Ok(summary)
    }

    /// Writes down how a sync ended, and tells it.
    fn close(
        &self,
        shared: &Shared<'_>,
        (sync, scope): (&Sync, &SyncScope),
        summary: &SyncSummary,
        lineage: Option<&Lineage>,
        now: Time,
    ) -> Result<(), EngineError> {
        let ending = RunEnding { status: ended(&summary.status), error: error(&summary.status), at: now };
        let (run, ended) = (shared.run.id().as_str(), Happened::Ended(summary));
        let told = self.notices(run, sync, &ended, now);
        shared.ledger.end_sync_telling(shared.lease, shared.run, scope, &ending, &summary.counts, &told)?;
        shared.teller.posted(&told);
        shared.teller.event(self.event_of(run, sync, &ended, lineage, now));
        let stages = Stages { shared, scope, clock: &*self.setup.clock };
        stages.end(Some(summary.counts.read))?;
        shared.listener.on(&Event::Ended(Box::new(summary.clone())));
        Ok(())
    }
}

/// The plan's counts, with what became of its operations. What turned out stale is not planned any more.
fn counted(mut counts: Counts, sent: &Sent) -> Counts {
    counts.writes -= sent.stale_writes;
    counts.removals -= sent.stale_removals;
    counts.add_rows(RowStatus::Stale, sent.stale_writes);
    counts.add_keys(RowStatus::Stale, sent.stale_removals);
    for (outcome, number) in &sent.outcomes {
        counts.add_outcomes(*outcome, *number);
    }
    counts
}

/// What was left out because nobody agreed to it.
fn not_approved(summary: &SyncSummary, shared: &Shared<'_>) -> Option<String> {
    let stale = summary.counts.status(RowStatus::Stale);
    let noun = if stale == 1 { "operation is" } else { "operations are" };
    (stale > 0 && shared.options.approved.is_some())
        .then(|| format!("{stale} {noun} not in the approved plan: plan again"))
}

/// What a person agreed to and what is not due.
fn not_due(count: u64) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 approved operation is no longer due: it was done before, or its row changed".to_owned()),
        _ => Some(format!(
            "{count} approved operations are no longer due: they were done before, or their rows changed"
        )),
    }
}

/// Which rows wait for their next try, and how to see and hurry them.
fn waiting_rows(changes: &BTreeMap<(Change, Reason), u64>, sync: &SyncId) -> Option<String> {
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
            "{count} {noun} from earlier runs {verb} to be retried ({codes}): `coho rows {sync} --status held` lists them, \
             `coho retry {sync}` retries them now"
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
