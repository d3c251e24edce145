//! Why a sync could not be planned.

use coho_core::code::Code;
use coho_core::counts::BrokenSum;
use coho_core::problem::Problem;
use coho_ledger::LedgerError;

use crate::sort::SortError;
use crate::table::TableError;

/// A sync could not be planned.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum PlanError {
    /// Its mapping does not fit its model, or its source failed.
    #[error("sync `{sync}` cannot run")]
    Problems { sync: String, problems: Vec<Problem> },
    /// Somebody asked to end.
    #[error("planning was interrupted")]
    Interrupted,
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The plan's table could not be written.
    #[error(transparent)]
    Table(TableError),
    /// Rows could not be sorted.
    #[error(transparent)]
    Sort(SortError),
    /// Law 1 does not hold: a mistake in Coho itself.
    #[error("the plan of sync `{sync}` does not add up; nothing was sent")]
    Law { sync: String, source: BrokenSum },
}

impl From<TableError> for PlanError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Interrupted => Self::Interrupted,
            TableError::Create { .. } | TableError::Sql { .. } | TableError::Damaged => Self::Table(error),
        }
    }
}

impl From<SortError> for PlanError {
    fn from(error: SortError) -> Self {
        match error {
            SortError::Interrupted => Self::Interrupted,
            SortError::Spill { .. } => Self::Sort(error),
        }
    }
}

impl PlanError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Problems { problems, .. } => {
                problems.first().map_or(Code::SOURCE_FAILED, |problem| problem.code)
            }
            Self::Interrupted => Code::INTERRUPTED,
            Self::Ledger(error) => error.code(),
            Self::Table(error) => error.code(),
            Self::Sort(error) => error.code(),
            Self::Law { .. } => Code::LEDGER_FAILED,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Problems { .. } => None,
            Self::Interrupted => Code::INTERRUPTED.help(),
            Self::Ledger(error) => error.help().map(str::to_owned),
            Self::Table(error) => error.help().map(str::to_owned),
            Self::Sort(error) => error.help().map(str::to_owned),
            Self::Law { .. } => Some("nothing is lost; please report this".to_owned()),
        }
    }
}
