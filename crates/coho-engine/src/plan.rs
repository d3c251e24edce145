//! Planning: read, compare, decide, render, seal, spool. Nothing is sent and nothing is remembered.
//!
//! [`read`] sorts the model's rows, [`beginning`] says what a first run does with them, [`judge`] gives each key its change,
//! [`adopt`] what is remembered of a record that Vitally holds, [`absent`] those without a row, [`targets`] finds keys that
//! meet at one record, [`departures`] looks after the records that keys leave, [`permitted`] leaves out what a permit does
//! not have, [`guards`] holds what looks like an accident, [`batches`] counts calls, [`draft`] is the plan in the making.

mod read;
pub(crate) mod beginning;
pub(crate) mod adopt;
mod judge;
mod absent;
mod targets;
pub(crate) mod departures;
mod permitted;
mod guards;
mod batches;
mod draft;

use std::path::Path;

use coho_core::code::Code;
use coho_core::counts::Broken;
use coho_core::decide::{Completeness, Purpose};
use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_core::memory::Time;
use coho_core::model::Model;
use coho_core::plan::SyncPlan;
use coho_core::problem::Problem;
use coho_core::sync::{FirstRun, Sync, SyncId};
use coho_core::verdict::Call;
use coho_ledger::spool::{Lane, Spool, SpoolError};
use coho_ledger::{Ledger, LedgerError};
use coho_mapping::Facts;
use coho_source::Connection;

use crate::permit::Permit;
use crate::tariff::Tariff;

pub(crate) use self::absent::claimed;
pub(crate) use self::read::{key_columns, key_problem, source_problem};

/// Which rows a run looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// At most so many rows, whichever the source gives first.
    pub limit: Option<u64>,
    /// Only the row with this key.
    pub key: Option<Key>,
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

/// What a sync is planned from.
pub(crate) struct Job<'a> {
    pub(crate) sync: &'a Sync,
    pub(crate) model: &'a Model,
    pub(crate) connection: &'a Connection,
    /// Absent where the sync never ran.
    pub(crate) scope: Option<&'a coho_ledger::scope::Scope>,
    /// What it is for; the policy of a first run is in it already.
    pub(crate) purpose: Purpose,
    /// The policy of the sync's first run, in that run only.
    pub(crate) first_run: Option<FirstRun>,
    /// A sync of events that the project has no more, and that this one may be under another id.
    pub(crate) earlier: Option<SyncId>,
    /// What Vitally holds, where rows are adopted.
    pub(crate) held: Option<&'a adopt::Held>,
    /// What may be sent, where a person agreed to a plan.
    pub(crate) permit: Option<&'a Permit>,
    /// The workspace that it is for.
    pub(crate) workspace: String,
    /// How fast calls may be made, and what they cost.
    pub(crate) tariff: Tariff,
    pub(crate) filter: &'a Filter,
    pub(crate) now: Time,
    /// What templates may know of the sync and the run.
    pub(crate) facts: Facts,
    /// The time in it.
    pub(crate) moment: Time,
    /// Where spill files and the spool go.
    pub(crate) folder: &'a Path,
    pub(crate) progress: &'a dyn Fn(u64),
}

/// A sync's plan with its operations.
#[derive(Debug)]
pub struct Planned {
    /// Counts and examples.
    pub plan: SyncPlan,
    /// Operations and notes.
    pub spool: Spool,
    /// Stands for all that decides what rows become and how they are sent.
    pub(crate) rules: Digest,
    /// The time that templates read.
    pub(crate) moment: Time,
    /// The workspace that it is for.
    pub(crate) workspace: String,
    /// Vitally's ids of the records that are adopted, and of what they are linked to.
    pub(crate) ids: Vec<adopt::Named>,
    /// Records that were delivered before.
    pub(crate) known: u64,
    /// Operations that a permit has, and that are not due.
    pub(crate) missed: u64,
    /// The calls that planning took: what Vitally holds was listed.
    pub(crate) calls: Vec<Call>,
}

/// A sync could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Its mapping does not fit its model, or its source failed.
    #[error("sync `{sync}` cannot run")]
    Problems {
        /// The sync.
        sync: String,
        /// All of them.
        problems: Vec<Problem>,
    },
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The spool could not be written.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Rows could not be sorted.
    #[error(transparent)]
    Sort(#[from] coho_ledger::sort::SortError),
    /// Rows and memories could not be compared.
    #[error(transparent)]
    Compare(#[from] coho_ledger::compare::CompareError),
    /// Law 1 does not hold: a mistake in Coho itself.
    #[error("the plan of sync `{sync}` does not add up; nothing was sent")]
    Law {
        /// The sync.
        sync: String,
        /// What does not.
        #[source]
        source: Broken,
    },
}

/// Plans one sync.
pub(crate) async fn plan(ledger: &Ledger, job: &Job<'_>) -> Result<Planned, PlanError> {
    let read = read::read(job).await?;
    let mut draft = judge::judge(ledger, job, read)?;
    targets::separate(ledger, job, &mut draft)?;
    permitted::restrict(job, &mut draft, &Lane::WRITES)?;
    departures::depart(ledger, job, &mut draft)?;
    targets::spare_held(ledger, job, &mut draft)?;
    permitted::restrict(job, &mut draft, &[Lane::Remove, Lane::Probe])?;
    guards::guard(ledger, job, &mut draft)?;
    draft.finish(ledger, job)
}

impl PlanError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Problems { problems, .. } => {
                problems.first().map_or(Code::SOURCE_FAILED, |problem| problem.code)
            }
            Self::Ledger(error) => error.code(),
            Self::Spool(error) => error.code(),
            Self::Sort(error) => error.code(),
            Self::Compare(error) => error.code(),
            Self::Law { .. } => Code::LEDGER_FAILED,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Problems { .. } => None,
            Self::Ledger(error) => error.help().map(str::to_owned),
            Self::Spool(error) => Some(error.help().to_owned()),
            Self::Sort(error) => error.help().map(str::to_owned),
            Self::Compare(error) => error.help().map(str::to_owned),
            Self::Law { .. } => Some("nothing is lost; please report this".to_owned()),
        }
    }
}
