//! A plan in the making: counts, examples and the spool, kept in step.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::{Change, Purpose, Reason};
use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::plan::{Calls, GuardHit, ProblemCounts, RemovalOrigins, Sample, SyncPlan, count_problem};
use coho_core::problem::Problem;
use coho_core::sync::{Api, Associations, Mode};
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::spool::{HoldsTarget, Lane, NewMemory, Note, Spool, SpoolError};

use super::adopt::Named;
use super::batches::Batches;
use super::{Job, PlanError, Planned};
use crate::send::dependents::{Dependents, Removable};
use crate::send::matches;

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
    /// Events whose time nobody means.
    pub(super) odd_times: u64,
    /// Operations that the permit has, where there is one.
    pub(super) permitted: u64,
    /// Records that have to be searched by their e-mail address.
    searched: u64,
    /// Messages that the Analytics API would take for the operations.
    batches: Batches,
    /// Records that are adopted, and of which Vitally holds something else than the row says.
    differing: u64,
    /// Vitally's ids of the records that are adopted, and of what they are linked to.
    pub(super) ids: Vec<Named>,
    /// Stands for all that decides what rows become and how they are sent.
    pub(super) rules: Digest,
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
            odd_times: 0,
            permitted: 0,
            searched: 0,
            batches: Batches::default(),
            differing: 0,
            ids: Vec::new(),
            rules: Digest::of(b""),
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
            Lane::Fresh | Lane::Retry | Lane::Backfill => self.counts.writes += 1,
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
            Lane::Fresh | Lane::Retry | Lane::Backfill => {
                self.counts.writes -= 1;
                self.counts.row(fate);
                // The row is there all the same: its record is not removed for another key that left it.
                if matches!(fate, Fate::Invalid | Fate::Stale) {
                    self.spool.dispute(&operation.target)?;
                }
                self.stay(&operation.key)?;
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

    /// A row whose new record is not written keeps the old one: that does not depart.
    fn stay(&mut self, key: &Key) -> Result<(), SpoolError> {
        let Some(departed) = self.spool.take_split(key)? else { return Ok(()) };
        for seq in self.spool.numbers_of(&departed)? {
            if let Some(operation) = self.spool.operation(seq)? {
                self.withdraw(seq, &operation, Fate::Kept, Code::STALE, "its row keeps it")?;
            }
        }
        Ok(())
    }

    fn weigh(&mut self, operation: &Operation, sign: i64) {
        let Calls { least, most } = coho_vitally::exchange::cost(operation);
        let add = |sum: u64, calls: u64| {
            if sign < 0 { sum.saturating_sub(calls) } else { sum.saturating_add(calls) }
        };
        self.searched = add(self.searched, u64::from(operation.searches()));
        self.batches.weigh(operation, sign);
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

    /// Counts a record that is adopted though it differs, and shows the first ones.
    pub(super) fn differs(&mut self, sample: Sample) {
        self.differing += 1;
        if self.samples.iter().filter(|other| other.change == sample.change).count() < SAMPLES {
            self.samples.push(sample);
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
        self.invalid_but(key, problems, NewMemory::Same)
    }

    /// Notes an invalid row of which something is remembered all the same.
    pub(super) fn invalid_but(
        &mut self,
        key: &Key,
        problems: &[Problem],
        memory: NewMemory,
    ) -> Result<(), SpoolError> {
        self.counts.row(Fate::Invalid);
        for problem in problems {
            count_problem(&mut self.problems, Some(key), problem);
        }
        let code = problems.first().map(|problem| problem.code.to_string()).unwrap_or_default();
        let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        self.spool.note(&Note { key: key.clone(), fate: Fate::Invalid, code, message, memory })
    }

    /// Checks law 1 and adds the look-ups of references.
    pub(super) fn finish(mut self, ledger: &Ledger, job: &Job<'_>) -> Result<Planned, PlanError> {
        self.counts
            .check_plan()
            .map_err(|source| PlanError::Law { sync: job.sync.id.to_string(), source })?;
        let taken_along = self.taken_along(ledger, job)?;
        let references = match job.sync.api {
            Api::Rest => self.spool.references()?,
            // It takes external ids.
            Api::Analytics => Vec::new(),
        };
        let mut unknown = references.len();
        if let Some(scope) = job.scope {
            for object in coho_core::object::Object::RECORDS {
                let of_object = references.iter().filter(|(other, _)| *other == object);
                let ids: Vec<_> = of_object.map(|(_, id)| id.clone()).collect();
                unknown -= ledger.references(scope.workspace(), object, &ids)?.len();
            }
        }
        self.calls.most += crate::send::references::most_calls(unknown);
        let listing = matches::most_calls(usize::try_from(self.searched).unwrap_or(usize::MAX));
        if listing > 0 {
            // Who is found in a list needs no search.
            self.calls.least = self.calls.least.saturating_sub(self.searched) + 1;
            self.calls.most += listing;
        }
        if job.sync.api == Api::Analytics {
            self.calls = self.batches.calls();
        }
        let plan = SyncPlan {
            sync: job.sync.id.clone(),
            object: job.sync.object,
            mode: job.sync.mode,
            api: job.sync.api,
            first_run: job.first_run,
            time: job.tariff.least_time(
                job.sync.api,
                self.calls,
                portable(job, self.batches.messages(), self.counts.removals),
            ),
            notes: self.notes(job, taken_along),
            counts: self.counts,
            changes: self.changes,
            samples: self.samples,
            problems: self.problems,
            guards: self.guards,
            removals: self.removals,
            calls: self.calls,
        };
        let (spool, ids, rules) = (self.spool, self.ids, self.rules);
        let missed = job.permit.map_or(0, |permit| permit.count(&job.sync.id).saturating_sub(self.permitted));
        let (known, workspace) = (self.known, job.workspace.clone());
        Ok(Planned {
            plan,
            spool,
            ids,
            rules,
            moment: job.moment,
            known,
            missed,
            workspace,
            calls: Vec::new(),
        })
    }

    /// How many of the planned removals would take users along that a sync holds now.
    fn taken_along(&self, ledger: &Ledger, job: &Job<'_>) -> Result<u64, PlanError> {
        let may = matches!(job.sync.object, Object::Account | Object::Organization);
        if !may || self.removals == RemovalOrigins::default() {
            return Ok(0);
        }
        let mut dependents = Dependents::of(ledger, &job.workspace)?;
        let mut count = 0;
        for seq in self.spool.numbers(Lane::Remove)? {
            if let Some(operation) = self.spool.operation(seq)? {
                count += u64::from(dependents.remove(&operation) == Removable::TakesUsersAlong);
            }
        }
        Ok(count)
    }

    /// What a person should know besides.
    fn notes(&self, job: &Job<'_>, taken_along: u64) -> Vec<String> {
        let mut notes = Vec::new();
        if taken_along > 0 {
            let noun = if taken_along == 1 { "removal is" } else { "removals are" };
            notes.push(format!(
                "{taken_along} {noun} left out, unless the users that would be deleted too leave in the same run [{}]",
                Code::TAKES_USERS_ALONG
            ));
        }
        if self.differing > 0 {
            let noun = if self.differing == 1 { "record differs" } else { "records differ" };
            notes.push(format!(
                "{} {noun} from what Vitally holds: the next run sends what differs",
                self.differing
            ));
        }
        let missing = self.changes.get(&(Change::Hold, Reason::Waiting(Code::NOT_FOUND))).copied();
        if let (Some(missing), Purpose::Adopt) = (missing, job.purpose) {
            let rows = if missing == 1 { "row has" } else { "rows have" };
            notes.push(format!(
                "{missing} {rows} no record in Vitally, or more than one: the next run sends what is missing"
            ));
        }
        if job.sync.associations == Associations::Exact && self.counts.planned() > 0 {
            let note = "exact links: what Vitally shows beyond the row is unlinked too, each account with a call of its own";
            notes.push(note.to_owned());
        }
        if self.odd_times > 0 {
            let noun = if self.odd_times == 1 { "event has a time" } else { "events have a time" };
            notes.push(format!("{} {noun} before the year 2000 or more than a day ahead", self.odd_times));
        }
        let accepts = job.sync.api == Api::Analytics && self.counts.planned() > 0;
        if accepts && job.sync.object == Object::Event {
            let note =
                "events of churned or ignored customers are taken and not kept; Vitally does not say which";
            notes.push(note.to_owned());
        }
        notes
    }
}

/// How many messages the Analytics API would take in place of a REST sync's calls, where it could carry them all.
fn portable(job: &Job<'_>, messages: u64, removals: u64) -> Option<u64> {
    let upserts = job.sync.api == Api::Rest && job.sync.mode == Mode::Upsert && removals == 0;
    (upserts && job.sync.matching.email().is_none()).then_some(messages)
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
