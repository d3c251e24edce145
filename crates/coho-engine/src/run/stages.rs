//! The stages of a part, written to the ledger as they begin and end, and why all of its rows were evaluated.

use coho_core::decide::{Reason, RunKind};
use coho_core::plan::SyncPlan;
use coho_core::started::{FullWhy, Stage};
use coho_ledger::LedgerError;
use coho_ledger::scope::SyncScope;
use coho_ledger::stages::StageStart;
use coho_plan::phase::Phase;

use super::Shared;
use crate::clock::Clock;

/// Writes down when stages of a part begin and end.
#[derive(Clone, Copy)]
pub(super) struct Stages<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) scope: &'a SyncScope,
    pub(super) clock: &'a dyn Clock,
}

impl Stages<'_> {
    /// A stage begins where the one before ends.
    pub(super) fn begin(self, stage: Stage, before: Option<u64>) -> Result<(), LedgerError> {
        self.next(before, Some(StageStart { stage, phase: None, at: self.clock.now() }))
    }

    /// Operations of a phase are sent.
    pub(super) fn send(self, phase: Phase) -> Result<(), LedgerError> {
        let start = StageStart { stage: Stage::Send, phase: Some(name(phase)), at: self.clock.now() };
        self.next(None, Some(start))
    }

    /// The stage that goes on ends, after so many rows.
    pub(super) fn end(self, rows: Option<u64>) -> Result<(), LedgerError> {
        self.next(rows, None)
    }

    fn next(self, rows: Option<u64>, next: Option<StageStart>) -> Result<(), LedgerError> {
        let at = next.map_or_else(|| self.clock.now(), |next| next.at);
        let Shared { ledger, lease, run, .. } = *self.shared;
        ledger.next_stage(lease, run, self.scope, (at, rows), next)
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Fresh => "fresh",
        Phase::Retry => "retry",
        Phase::Remove => "remove",
        Phase::Probe => "probe",
        Phase::Backfill => "backfill",
    }
}

/// Why all rows were evaluated; `None` where only changed ones were.
pub(super) fn full_why(run_kind: RunKind, plan: &SyncPlan, other_encoding: bool) -> Option<FullWhy> {
    let mapping_changed = plan.changes.keys().any(|(_, reason)| *reason == Reason::MappingChanged);
    match run_kind {
        RunKind::Baseline => Some(FullWhy::Baseline),
        RunKind::Adopt => Some(FullWhy::Adopt),
        _ if plan.first_run.is_some() => Some(FullWhy::FirstRun),
        RunKind::Resend => Some(FullWhy::Resend),
        RunKind::ResendEvents => Some(FullWhy::ResendEvents),
        RunKind::Sync if other_encoding => Some(FullWhy::EncodingChanged),
        RunKind::Sync => mapping_changed.then_some(FullWhy::MappingChanged),
    }
}
