//! Evaluating: each key's row and memory become a change, and where that is a write, an operation. It only inserts.
//!
//! [`present`] evaluates keys that the model has, in one pass over rows and memories; `absent`, once it is known which writes
//! stand, those that it does not have, and records that rows leave. `differences` says what of a row differs; `writer` inserts
//! what comes of it.

mod absent;
mod differences;
mod entry;
mod present;
mod writer;

use std::collections::BTreeMap;
use std::thread::{self, Scope};

use coho_core::decide::{Change, Completeness, Reason, RunKind};
use coho_core::key::Key;
use coho_core::plan::{ProblemCounts, count_problems};
use coho_core::problem::Problem;
use coho_core::verdict::RowStatus;
use coho_ledger::row_state::{StateCounts, StateRow};

pub(crate) use self::absent::evaluate_absent;
use self::present::Evaluated;
use self::writer::TableWriter;
use crate::compare::{Ahead, Comparison, Rows, Same};
use crate::failure::PlanError;
use crate::job::{Job, Waiting};
use crate::progress::Step;
use crate::read::Read;
use crate::table::Table;

/// How many keys are evaluated between two looks whether somebody asked to end.
const AT_ONCE: u64 = 1_000;

/// What is counted on the way, since it is not worth a row of the table: nothing that comes later can change it.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// Rows that the source gave.
    pub(crate) given: u64,
    /// Those of them that are looked at.
    pub(crate) read: u64,
    /// Keys without a row, those that rows leave in this plan among them.
    pub(crate) absent: u64,
    /// Rows that end here, with why.
    pub(crate) rows: BTreeMap<(RowStatus, Change, Reason), u64>,
    /// Keys without a row that end here, with why.
    pub(crate) keys: BTreeMap<(RowStatus, Change, Reason), u64>,
    /// What is wrong with rows.
    pub(crate) problems: ProblemCounts,
    /// Events whose time is implausible.
    pub(crate) odd_times: u64,
    /// Rows with times that have more digits than Vitally takes.
    pub(crate) cut_times: u64,
    /// What was remembered before.
    pub(crate) counts: StateCounts,
    /// What is to be said of records whose keys are all new.
    pub(crate) renamed: Option<String>,
}

impl Passed {
    /// Counts rows that need no place in the table.
    fn pass_rows(&mut self, status: RowStatus, change: Change, reason: Reason, number: u64) {
        if number > 0 {
            *self.rows.entry((status, change, reason)).or_default() += number;
        }
    }

    /// Counts keys that need no place in the table.
    fn pass_keys(&mut self, status: RowStatus, change: Change, reason: Reason, number: u64) {
        if number > 0 {
            *self.keys.entry((status, change, reason)).or_default() += number;
        }
    }

    fn problem(&mut self, key: &Key, problem: &Problem, rows: u64) {
        count_problems(&mut self.problems, Some(key), problem, rows);
    }
}

/// Evaluates all keys that the model has, in their order. Those that it has not are collected in the table `gone`.
pub(crate) fn evaluate_present(job: &Job<'_>, table: &Table, read: Read) -> Result<Passed, PlanError> {
    thread::scope(|scope| evaluate_within(scope, job, table, read))
}

fn evaluate_within<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    job: &Job<'_>,
    table: &'env Table,
    read: Read,
) -> Result<Passed, PlanError> {
    let same = match job.run_kind {
        RunKind::Sync => Same::Count { mapping: read.mapping.digest() },
        RunKind::Baseline | RunKind::Adopt | RunKind::Resend | RunKind::ResendEvents => Same::Yield,
    };
    let mut passed = Passed { given: read.number, ..Passed::default() };
    if job.filter.waiting == Waiting::Too {
        (passed.read, passed.problems) = (read.number, read.problems);
        passed.pass_rows(RowStatus::Invalid, Change::Invalid, Reason::NullKey, read.nameless);
    }
    let comparison = Comparison::new(read.rows, read.row_states, same).knowing(read.known, job.stop);
    let mut compared = Ahead::of(comparison);
    let writer = TableWriter::new(scope, table);
    let mut rows = Evaluated::new(job, table, &read.mapping, writer, passed);
    let (mut keys, mut looked_at, mut gone) = (0, 0, 0);
    for found in &mut compared {
        let found = found?;
        keys += 1;
        if keys % AT_ONCE == 0 {
            job.tell(Step::Evaluating)?;
        }
        let complete = job.completeness() == Completeness::Complete;
        match found.rows {
            Rows::None if complete => rows.gone(found.key)?,
            _ if is_passed_over(job, &found.key, found.row_state.as_ref())? => {}
            Rows::One { row, fingerprint } => {
                looked_at += 1;
                let row_state = found.row_state.map(|row| row.decode()).transpose()?;
                rows.evaluate(&found.key, &row, fingerprint, row_state.as_ref())?;
            }
            Rows::Many { count } => {
                looked_at += count;
                rows.twice(&found.key, count)?;
            }
            Rows::None => gone += 1,
        }
    }
    let mut passed = rows.finish()?;
    match job.filter.waiting {
        Waiting::Too => {
            passed.pass_rows(RowStatus::Unchanged, Change::Unchanged, Reason::SameRow, compared.same());
        }
        Waiting::Only | Waiting::Because(_) => passed.read = looked_at,
    }
    passed.absent += gone;
    passed.pass_keys(RowStatus::Kept, Change::Keep, Reason::SourceIncomplete, gone);
    passed.counts = compared.counts();
    Ok(passed)
}

/// Whether only what waits is looked at, and this does not. Such a row counts as not read.
fn is_passed_over(job: &Job<'_>, key: &Key, row_state: Option<&StateRow>) -> Result<bool, PlanError> {
    if job.filter.waiting == Waiting::Too {
        return Ok(false);
    }
    Ok(!(row_state.is_some_and(StateRow::waits) && job.looks_at_waiting(key)?))
}
