//! A plan in the making: counts, examples and the spool, kept in step.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::{Change, Reason};
use coho_core::key::Key;
use coho_core::operation::{Action, Operation};
use coho_core::plan::{Calls, GuardHit, ProblemCounts, RemovalOrigins, Sample, SyncPlan, count_problem};
use coho_core::problem::Problem;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::spool::{HoldsTarget, Lane, NewMemory, Note, Spool, SpoolError};

use super::{Job, PlanError, Planned};

/// How many operations of each change a plan shows.
const SAMPLES: usize = 3;

/// A plan in the making.
pub(super) struct Draft {
    pub(super) spool: Spool,
    pub(super) counts: Counts,
    pub(super) changes: BTreeMap<(Change, Reason), u64>,
    pub(super) samples: Vec<Sample>,
    pub(super) problems: ProblemCounts,
    pub(super) guards: Vec<GuardHit>,
    pub(super) removals: RemovalOrigins,
    pub(super) calls: Calls,
    /// Records that were delivered before.
    pub(super) known: u64,
}

impl Draft {
    /// An empty plan.
    pub(super) fn new(spool: Spool, counts: Counts, problems: ProblemCounts) -> Self {
        Self {
            spool,
            counts,
            changes: BTreeMap::new(),
            samples: Vec::new(),
            problems,
            guards: Vec::new(),
            removals: RemovalOrigins::default(),
            calls: Calls::default(),
            known: 0,
        }
    }

    /// Counts a change.
    pub(super) fn tally(&mut self, change: Change, reason: Reason, count: u64) {
        *self.changes.entry((change, reason)).or_default() += count;
    }

    /// Adds an operation.
    pub(super) fn push(&mut self, operation: &Operation, holds: HoldsTarget) -> Result<(), SpoolError> {
        let change = change_of(operation);
        self.spool.push(operation, holds)?;
        self.tally(change, operation.reason, 1);
        match Lane::of(operation) {
            Lane::Write => self.counts.writes += 1,
            Lane::Remove | Lane::Probe => self.counts.removals += 1,
        }
        self.weigh(operation, 1);
        if self.samples.iter().filter(|sample| sample.change == change).count() < SAMPLES {
            self.samples.push(sample(operation, change));
        }
        Ok(())
    }

    /// Takes an operation out again; its row ends with this fate.
    pub(super) fn withdraw(
        &mut self,
        seq: i64,
        operation: &Operation,
        fate: Fate,
        code: Code,
        message: &str,
    ) -> Result<(), SpoolError> {
        self.spool.remove(seq)?;
        self.weigh(operation, -1);
        let tallied = (change_of(operation), operation.reason);
        if let Some(count) = self.changes.get_mut(&tallied) {
            *count = count.saturating_sub(1);
        }
        self.changes.retain(|_, count| *count > 0);
        self.samples.retain(|sample| sample.key != operation.key || sample.change != tallied.0);
        match Lane::of(operation) {
            Lane::Write => {
                self.counts.writes -= 1;
                self.counts.row(fate);
                if fate == Fate::Invalid {
                    self.spool.dispute(&operation.target)?;
                }
            }
            Lane::Remove | Lane::Probe => {
                self.counts.removals -= 1;
                self.counts.key(fate);
            }
        }
        let released = fate == Fate::Released;
        self.spool.note(&Note {
            key: operation.key.clone(),
            fate,
            code: code.to_string(),
            message: message.to_owned(),
            memory: if released { NewMemory::Released } else { NewMemory::Same },
        })
    }

    fn weigh(&mut self, operation: &Operation, sign: i64) {
        let (least, most) = operation.calls();
        let add = |sum: u64, calls: u64| {
            if sign < 0 { sum.saturating_sub(calls) } else { sum.saturating_add(calls) }
        };
        self.calls.least = add(self.calls.least, least);
        self.calls.most = add(self.calls.most, most);
        if let (Action::Remove, Some(origin)) = (&operation.action, operation.known.origin()) {
            let count = match origin {
                coho_core::memory::Origin::Created => &mut self.removals.created,
                coho_core::memory::Origin::Found => &mut self.removals.found,
            };
            *count = add(*count, 1);
        }
    }

    /// Notes how a row or key ends that is not sent.
    pub(super) fn note(
        &mut self,
        key: &Key,
        fate: Fate,
        reason: Reason,
        memory: NewMemory,
    ) -> Result<(), SpoolError> {
        let code = reason.to_string();
        self.spool.note(&Note { key: key.clone(), fate, code, message: String::new(), memory })
    }

    /// Notes an invalid row.
    pub(super) fn invalid(&mut self, key: &Key, problems: &[Problem]) -> Result<(), SpoolError> {
        self.counts.row(Fate::Invalid);
        for problem in problems {
            count_problem(&mut self.problems, Some(key), problem);
        }
        let code = problems.first().map(|problem| problem.code.to_string()).unwrap_or_default();
        let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        self.spool.note(&Note {
            key: key.clone(),
            fate: Fate::Invalid,
            code,
            message,
            memory: NewMemory::Same,
        })
    }

    /// Checks law 1 and adds the look-ups of references.
    pub(super) fn finish(mut self, ledger: &Ledger, job: &Job<'_>) -> Result<Planned, PlanError> {
        self.counts
            .check_plan()
            .map_err(|source| PlanError::Law { sync: job.sync.id.to_string(), source })?;
        let references = self.spool.references()?;
        let mut unknown = references.len();
        if let Some(scope) = job.scope {
            for object in coho_core::object::Object::ALL {
                let of_object = references.iter().filter(|(other, _)| *other == object);
                let ids: Vec<_> = of_object.map(|(_, id)| id.clone()).collect();
                unknown -= ledger.references(scope.workspace(), object, &ids)?.len();
            }
        }
        self.calls.most += unknown as u64;
        let plan = SyncPlan {
            sync: job.sync.id.clone(),
            object: job.sync.object,
            mode: job.sync.mode,
            counts: self.counts,
            changes: self.changes,
            samples: self.samples,
            problems: self.problems,
            guards: self.guards,
            removals: self.removals,
            calls: self.calls,
        };
        Ok(Planned { plan, spool: self.spool })
    }
}

/// The change that an operation was made for.
pub(super) fn change_of(operation: &Operation) -> Change {
    match (&operation.action, operation.reason) {
        (Action::Remove, _) => Change::Remove,
        (Action::Probe { .. }, _) => Change::Probe,
        (Action::Write { .. }, Reason::NewRecord | Reason::RecordReturned | Reason::TargetChanged) => {
            Change::Add
        }
        (Action::Write { .. }, Reason::OutcomeUnknown) => Change::Resolve,
        (
            Action::Write { .. },
            Reason::RejectedEarlier | Reason::DeferredEarlier | Reason::SkippedEarlier,
        ) => Change::Retry,
        (Action::Write { .. }, _) => Change::Update,
    }
}

fn sample(operation: &Operation, change: Change) -> Sample {
    let differences = match &operation.action {
        Action::Write { changed, .. } => changed.clone(),
        Action::Remove | Action::Probe { .. } => Vec::new(),
    };
    Sample {
        key: operation.key.clone(),
        target: operation.target.clone(),
        change,
        reason: operation.reason,
        differences,
    }
}
