//! Remembering what a plan says without sending, before the first write: by joins with the plan's table, in bounded pieces.

use coho_core::plan::ProblemCounts;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::SyncScope;
use coho_ledger::settle::RowResult;
use coho_plan::failure::PlanError;
use coho_plan::table::Table;

use crate::failure::EngineError;

/// Rows of the table of which something is made durable at once.
const ROWS_AT_ONCE: i64 = 20_000;

/// The most rows that are recorded for one status and reason; the run's counts have all of them.
const MOST_RECORDED: i64 = 100_000;

/// Where what is remembered goes.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) lease: &'a Lease,
    pub(crate) run: &'a Run,
    pub(crate) scope: &'a SyncScope,
    pub(crate) now: Time,
    /// Whether to go on, asked between two pieces.
    pub(crate) goes_on: &'a (dyn Fn() -> bool + Sync),
}

impl To<'_> {
    /// Carries out all notes of a plan, and records how its rows end that are not sent.
    pub(crate) fn remember(self, table: &Table) -> Result<(), EngineError> {
        self.notes(table)?;
        self.statuses(table)
    }

    /// Ends what stood of rows that were invalid, refused or held before, and of which this plan has nothing more to say.
    pub(crate) fn lift(self, table: &Table) -> Result<(), EngineError> {
        Ok(table.lift(self.ledger, self.lease, self.run, self.scope, self.now)?)
    }

    fn notes(self, table: &Table) -> Result<(), EngineError> {
        let mut after = 0;
        while let Some(rows) = table.notes(after, ROWS_AT_ONCE)? {
            after = *rows.end();
            table.remember(self.ledger, self.lease, self.scope, rows, self.now)?;
            self.check()?;
        }
        Ok(())
    }

    fn statuses(self, table: &Table) -> Result<(), EngineError> {
        if table.ends(0, 1)?.is_some() {
            table.cut(MOST_RECORDED)?;
        }
        let mut after = 0;
        while let Some(rows) = table.ends(after, ROWS_AT_ONCE)? {
            after = *rows.end();
            table.record(self.ledger, self.lease, self.run, self.scope, rows, self.now)?;
            self.check()?;
        }
        Ok(())
    }

    fn check(self) -> Result<(), EngineError> {
        if (self.goes_on)() { Ok(()) } else { Err(PlanError::Interrupted.into()) }
    }
}

/// The most rows without a key that are recorded for one problem: nothing tells one of them from another.
const MOST_NAMELESS: u64 = 10;

/// The statuses of rows that have no key, and so no place in the table.
pub(crate) fn nameless(problems: &ProblemCounts, at: Time) -> Vec<RowResult> {
    let without_key = problems.values().filter(|problem| problem.key.is_none());
    let statuses = without_key.flat_map(|problem| {
        let status = RowResult {
            key: None,
            op_type: None,
            status: RowStatus::Invalid,
            reason: problem.first.code.to_string(),
            code: Some(problem.first.code),
            message: Some(problem.first.message.clone()),
            changes: Vec::new(),
            at,
        };
        (0..problem.count.min(MOST_NAMELESS)).map(move |_| status.clone())
    });
    statuses.collect()
}
