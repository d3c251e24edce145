//! Plans and summaries: what a run will do, and what it did, as plain values that reports show.

use std::collections::BTreeMap;
use std::fmt;

use crate::code::Code;
use crate::counts::Counts;
use crate::decide::{Change, Reason};
use crate::fields::Difference;
use crate::key::Key;
use crate::object::Object;
use crate::path::FieldPath;
use crate::problem::Problem;
use crate::sync::{Api, FirstRun, Mode, SyncId};
use crate::target::ExternalId;

/// What one sync's run will do. The operations themselves are spooled; these are their counts and first examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// The sync.
    pub sync: SyncId,
    /// The object that its rows become.
    pub object: Object,
    /// What may happen to a record.
    pub mode: Mode,
    /// Through which API it is sent.
    pub api: Api,
    /// What is done with rows that were there before the sync: in its first run only.
    pub first_run: Option<FirstRun>,
    /// Rows and keys, and where they end.
    pub counts: Counts,
    /// Rows and keys by change and reason, the unchanged among them.
    pub changes: BTreeMap<(Change, Reason), u64>,
    /// The first operations of each change.
    pub samples: Vec<Sample>,
    /// Rows that cannot be sent, by code.
    pub problems: ProblemCounts,
    /// Guards that hold something.
    pub guards: Vec<GuardHit>,
    /// Planned removals of records that this sync created, and of those that were there before.
    pub removals: RemovalOrigins,
    /// The fewest and the most calls, references among them.
    pub calls: Calls,
    /// The least time that the calls take at the rate that is allowed.
    pub time: LeastTime,
    /// What a person should know besides, one sentence each.
    pub notes: Vec<String>,
}

/// The least time that a plan's calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastTime {
    /// The calls a minute that are allowed to the sync's API; 0 where that is not known.
    pub rate: u32,
    /// What a write costs of that, in thousandths of a call, as far as it was learned.
    pub write_price: u32,
    /// The time, in milliseconds.
    pub millis: u64,
    /// The time that the same writes would take through the Analytics API, in milliseconds, where it could carry them.
    pub by_analytics: Option<u64>,
}

impl Default for LeastTime {
    fn default() -> Self {
        Self { rate: 0, write_price: 1_000, millis: 0, by_analytics: None }
    }
}

/// An example of a planned operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The row.
    pub key: Key,
    /// The record.
    pub target: ExternalId,
    /// What is done.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// Before and after of each field that is sent; empty for removals.
    pub differences: Vec<Difference>,
}

/// Problems of rows by kind, with the first of each.
pub type ProblemCounts = BTreeMap<ProblemKind, ProblemCount>;

/// Problems are of one kind where code and field are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProblemKind {
    /// What is wrong.
    pub code: Code,
    /// With which field of the record, where it is one field's problem.
    pub field: Option<FieldPath>,
}

impl ProblemKind {
    /// The kind of a problem.
    pub fn of(problem: &Problem) -> Self {
        Self { code: problem.code, field: problem.field.clone() }
    }
}

/// `cast-failed traits.seats`
impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{} {field}", self.code),
            None => write!(f, "{}", self.code),
        }
    }
}

/// How often a problem occurred, and where first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemCount {
    /// How many rows, or keys without a row, have it.
    pub count: u64,
    /// The first row that has it; `None` where its key is null.
    pub key: Option<Key>,
    /// The problem of that row.
    pub first: Problem,
}

/// Counts one more row with a problem.
pub fn count_problem(problems: &mut ProblemCounts, key: Option<&Key>, problem: &Problem) {
    count_problems(problems, key, problem, 1);
}

/// Counts so many more rows with a problem.
pub fn count_problems(problems: &mut ProblemCounts, key: Option<&Key>, problem: &Problem, number: u64) {
    let entry = problems.entry(ProblemKind::of(problem)).or_insert_with(|| ProblemCount {
        count: 0,
        key: key.cloned(),
        first: problem.clone(),
    });
    entry.count += number;
}

/// A guard that holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardHit {
    /// Which guard.
    pub code: Code,
    /// What it saw: `37 of 91 records would be removed; 20 are allowed`.
    pub message: String,
    /// How to go on, where this is meant.
    pub help: String,
    /// How many operations it holds.
    pub held: u64,
}

/// Planned removals by the origin of their records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RemovalOrigins {
    /// Created by this sync.
    pub created: u64,
    /// There before.
    pub found: u64,
}

/// How many calls something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Calls {
    /// At least.
    pub least: u64,
    /// At most, as long as nothing fails.
    pub most: u64,
}

/// How a sync's run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncStatus {
    /// All was sent, or there was nothing to send.
    Completed,
    /// All was tried; some rows are invalid, rejected or deferred.
    CompletedWithErrors,
    /// A guard holds something; the rest was sent.
    Held,
    /// The time that it may take in one run is over; the next run goes on.
    TimeUp,
    /// It did not begin: its files, mapping or source are wrong.
    Failed(Vec<Problem>),
    /// It stopped by itself.
    Halted {
        /// The stable code.
        code: Code,
        /// What happened.
        message: String,
        /// The destination at which it happened, where it did at one: a halt there ends the syncs of all others too.
        at: Option<String>,
    },
    /// A person stopped it.
    Interrupted,
}

impl SyncStatus {
    /// Why it did not begin: nothing where it did.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Failed(problems) => problems,
            Self::Completed
            | Self::CompletedWithErrors
            | Self::Held
            | Self::TimeUp
            | Self::Halted { .. }
            | Self::Interrupted => &[],
        }
    }

    /// One word, as reports and the ledger have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed-with-errors",
            Self::Held => "held",
            Self::TimeUp => "time-up",
            Self::Failed(_) => "failed",
            Self::Halted { .. } => "halted",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What one sync's run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncSummary {
    /// The sync.
    pub sync: SyncId,
    /// The object that its rows become.
    pub object: Object,
    /// How it ended.
    pub status: SyncStatus,
    /// Rows, keys and operations by status.
    pub counts: Counts,
    /// Problems of rows, from before and after sending, by code.
    pub problems: ProblemCounts,
    /// Rows that Vitally refused in earlier runs and that wait for another attempt.
    pub waiting: u64,
    /// Guards that held something.
    pub guards: Vec<GuardHit>,
    /// The number of calls, including look-ups and repeats.
    pub calls: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// What Vitally did otherwise than asked, once each.
    pub notes: Vec<String>,
}

impl SyncSummary {
    /// Whether rows remain that a person should look at.
    pub fn has_errors(&self) -> bool {
        use crate::verdict::RowStatus;
        [RowStatus::Invalid, RowStatus::Rejected, RowStatus::Deferred]
            .into_iter()
            .any(|status| self.counts.status(status) > 0)
    }
}
