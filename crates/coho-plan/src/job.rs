//! What a sync is planned from.

use std::ops::ControlFlow;
use std::path::Path;

use coho_core::decide::{Completeness, RunKind};
use coho_core::key::Key;
use coho_core::model::Model;
use coho_core::private::Private;
use coho_core::problem::Problem;
use coho_core::sync::{FirstRun, Sync, SyncId};
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::amend::CauseFilter;
use coho_ledger::scope::SyncScope;
use coho_mapping::{Facts, Filters};
use coho_source::Connection;
use coho_source::cache::CacheTable;

use crate::adopt::Held;
use crate::approved::ApprovedPlan;
use crate::call_costs::CallCosts;
use crate::failure::PlanError;
use crate::progress::{Progress, Step};
use crate::stop::Stop;
use crate::table::Table;

/// Which rows a run looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// At most so many rows, whichever the source gives first.
    pub limit: Option<u64>,
    /// Only the row with this key.
    pub key: Option<Key>,
    /// Only rows that wait for another attempt.
    pub waiting: Waiting,
}

/// Whether a run looks only at rows that wait for another attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// At those that wait and at all others.
    #[default]
    Too,
    /// At no others.
    Only,
    /// Only at those that wait because of such a cause.
    Because(CauseFilter),
}

impl Filter {
    /// Whether absence from such a reading means that a row left.
    pub fn completeness(&self) -> Completeness {
        if self.limit.is_none() && self.key.is_none() {
            Completeness::Complete
        } else {
            Completeness::Partial
        }
    }
}

/// Where rows are compared with what was seen of them last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparing {
    /// Here: all of them are read.
    #[default]
    Here,
    /// In their source, as far as that can be done. Nothing is learned for the next time.
    InSource,
    /// The same, and what is learned is given, to be remembered.
    InSourceLearning,
}

/// What a sync is planned from.
pub struct Job<'a> {
    /// The sync.
    pub sync: &'a Sync,
    /// The filters that its templates may call besides those of the dialect.
    pub filters: &'a Filters,
    /// Its model.
    pub model: &'a Model,
    /// Where its rows are.
    pub connection: &'a Connection,
    /// Where its rows are compared.
    pub comparing: Comparing,
    /// The cache that they are compared with there, if there is to be one.
    pub cache: Option<&'a CacheTable>,
    /// What is remembered.
    pub ledger: &'a Ledger,
    /// Its part of that; absent where the sync never ran.
    pub scope: Option<&'a SyncScope>,
    /// What it is for; the policy of a first run is in it already.
    pub run_kind: RunKind,
    /// The policy of the sync's first run, in that run only.
    pub first_run: Option<FirstRun>,
    /// A sync of events that the project has no more, and that this one may be under another id.
    pub earlier: Option<SyncId>,
    /// What Vitally holds, where rows are adopted.
    pub held: Option<Held>,
    /// The plans of syncs of the same records that are carried out before this one is made, where they are not yet.
    pub before: &'a [(&'a SyncId, &'a Table)],
    /// What may be sent, where a person agreed to a plan.
    pub approved: Option<&'a ApprovedPlan>,
    /// The workspace that it is for.
    pub workspace: String,
    /// What is hidden from people of the records that it sends.
    pub private: Private,
    /// How fast calls may be made, and what they cost.
    pub call_costs: CallCosts,
    /// Which rows.
    pub filter: &'a Filter,
    /// The run's time.
    pub now: Time,
    /// What templates may know of the sync and the run.
    pub facts: Facts,
    /// The time in it.
    pub moment: Time,
    /// Where spill files and the plan's table go.
    pub folder: &'a Path,
    /// What ends the making of the plan at once.
    pub stop: &'a Stop,
    /// Who hears how far it is.
    pub progress: Progress<'a>,
}

impl Job<'_> {
    /// Whether a row that waits is one of those that the run looks at.
    pub(crate) fn looks_at_waiting(&self, key: &Key) -> Result<bool, PlanError> {
        Ok(match (self.filter.waiting, self.scope) {
            (Waiting::Too | Waiting::Only, _) => true,
            (Waiting::Because(cause), Some(scope)) => self.ledger.waits_because(scope, key, cause)?,
            (Waiting::Because(_), None) => false,
        })
    }

    /// Tells how far the plan is; an error where it is to end.
    pub(crate) fn tell(&self, step: Step) -> Result<(), PlanError> {
        match (self.progress)(step) {
            ControlFlow::Continue(()) if !self.stop.is_asked() => Ok(()),
            ControlFlow::Continue(()) | ControlFlow::Break(()) => Err(PlanError::Interrupted),
        }
    }

    /// Whether rows are only remembered.
    pub(crate) fn learns(&self) -> bool {
        matches!(self.run_kind, RunKind::Baseline | RunKind::Adopt)
    }

    /// Whether a key without a row has left. In a baseline it has not: nothing is sent there, not even removals.
    pub(crate) fn completeness(&self) -> Completeness {
        if self.learns() { Completeness::Partial } else { self.filter.completeness() }
    }

    pub(crate) fn failed(&self, problems: Vec<Problem>) -> PlanError {
        PlanError::Problems { sync: self.sync.id.to_string(), problems }
    }
}
