//! The summary of a plan: counts, changes, examples and cost, asked of the table once nothing changes any more.

use std::collections::BTreeMap;

use coho_core::decide::{Change, Reason};
use coho_core::operation::Action;
use coho_core::plan::{GuardHit, Sample, SyncPlan};
use coho_core::private::Private;
use coho_core::sync::{Api, Mode};
use rusqlite::Row;

use crate::evaluate::Passed;
use crate::failure::PlanError;
use crate::job::Job;
use crate::notes;
use crate::sums::Sums;
use crate::table::contents::Kind;
use crate::table::read::{external_id, key, sound};
use crate::table::{Table, TableError, read_differences};

/// How many operations of each change a plan shows.
const SAMPLES: usize = 3;

/// Sums up, and checks law 1.
pub(crate) fn summarize(
    job: &Job<'_>,
    table: &Table,
    mut passed: Passed,
    guards: Vec<GuardHit>,
) -> Result<SyncPlan, PlanError> {
    let mut sums = Sums::of_passed(&passed);
    sums.add_table(table)?;
    sums.counts.check_plan().map_err(|source| PlanError::Law { sync: job.sync.id.to_string(), source })?;
    let calls = sums.calls(job, table)?;
    let portable = portable(job, &sums);
    Ok(SyncPlan {
        sync: job.sync.id.clone(),
        object: job.sync.object,
        mode: job.sync.mode,
        api: job.sync.api,
        first_run: job.first_run,
        time: job.call_costs.least_time(job.sync.api, calls, portable),
        notes: notes::notes(job, table, &sums, &mut passed)?,
        samples: samples(table, &sums.changes, &job.private)?,
        counts: sums.counts,
        changes: sums.changes,
        problems: passed.problems,
        guards,
        removals: sums.removals,
        calls,
    })
}

/// How many messages the Analytics API would take in place of a REST sync's calls, where it could carry them all.
fn portable(job: &Job<'_>, sums: &Sums) -> Option<u64> {
    let upserts = job.sync.api == Api::Rest && job.sync.mode == Mode::Upsert && sums.counts.removals == 0;
    (upserts && job.sync.matching.email().is_none()).then_some(sums.batches.messages())
}

/// The first ones of each change that is really made, and of what is remembered although Vitally holds something else.
fn samples(
    table: &Table,
    changes: &BTreeMap<(Change, Reason), u64>,
    private: &Private,
) -> Result<Vec<Sample>, TableError> {
    let mut samples = Vec::new();
    for change in Change::ALL {
        if !table.has(Kind::Operation) || !changes.keys().any(|(other, _)| *other == change) {
            continue;
        }
        for (seq, operation) in table.first_of(change, SAMPLES)? {
            let differences = match operation.action {
                Action::Write { changed, .. } => changed,
                Action::Remove | Action::Probe { .. } => Vec::new(),
            };
            let (key, target, reason) = (operation.key, operation.target, operation.reason);
            samples.push((seq, Sample { key, target, change, reason, differences }));
        }
    }
    samples.extend(differing(table)?);
    samples.sort_by_key(|(seq, _)| *seq);
    let shown = |sample: Sample| Sample { differences: private.differences(sample.differences), ..sample };
    Ok(samples.into_iter().map(|(_, sample)| shown(sample)).collect())
}

fn differing(table: &Table) -> Result<Vec<(i64, Sample)>, TableError> {
    let sample = |row: &Row<'_>| {
        let differences = sound(read_differences(row.get_ref(4)?.as_str()?))?;
        let (key, target, change, reason) =
            (key(row, 1)?, external_id(row, 3)?, Change::Learn, Reason::Baseline);
        Ok((row.get(0)?, Sample { key, target, change, reason, differences }))
    };
    table.with(|connection| {
        let mut statement = connection.prepare(
            "SELECT seq, key, departure, target, body FROM differing CROSS JOIN plan USING (seq)
             WHERE status = 'learned' ORDER BY seq LIMIT ?1",
        )?;
        statement.query_map([i64::try_from(SAMPLES).unwrap_or(i64::MAX)], sample)?.collect()
    })
}
