//! Sums over the table, once nothing changes any more: each row is counted where it ended, and nothing is counted down.

use std::collections::BTreeMap;

use coho_core::counts::Counts;
use coho_core::decide::{Change, Reason};
use coho_core::plan::{Calls, RemovalOrigins};
use coho_core::sync::{Api, Mode};
use coho_core::verdict::RowStatus;
use rusqlite::Row;

use crate::batches::Batches;
use crate::evaluate::Passed;
use crate::job::Job;
use crate::lists;
use crate::phase::Phase;
use crate::table::read::sound;
use crate::table::{Table, TableError};

/// What is counted of the table.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) counts: Counts,
    pub(crate) changes: BTreeMap<(Change, Reason), u64>,
    pub(crate) removals: RemovalOrigins,
    calls: Calls,
    /// Records that have to be searched by their e-mail address.
    searched: u64,
    pub(crate) batches: Batches,
}

impl Sums {
    /// What needed no place in the table.
    pub(crate) fn of_passed(passed: &Passed) -> Self {
        let mut sums = Self::default();
        (sums.counts.read, sums.counts.absent) = (passed.read, passed.absent);
        for ((status, change, reason), number) in &passed.rows {
            sums.counts.add_rows(*status, *number);
            *sums.changes.entry((*change, *reason)).or_default() += number;
        }
        for ((status, change, reason), number) in &passed.keys {
            sums.counts.add_keys(*status, *number);
            *sums.changes.entry((*change, *reason)).or_default() += number;
        }
        sums
    }

    pub(crate) fn add_table(&mut self, table: &Table) -> Result<(), TableError> {
        table.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT side, status, change, reason, phase, created, sum(max(rows, side)), sum(least), sum(most),
                   sum(searches), sum(messages), max(messages)
                 FROM plan GROUP BY side, status, change, reason, phase, created",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                self.add(row)?;
            }
            Ok(())
        })
    }

    /// Adds what some rows of the table have in common that are counted together.
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let text = |column: usize| row.get_ref(column).and_then(|text| Ok(text.as_str()?));
        let number = |column: usize| {
            let number: rusqlite::Result<Option<i64>> = row.get(column);
            number.map(|number| number.unwrap_or_default().unsigned_abs())
        };
        let (is_row, status, count) = (number(0)? == 0, text(1)?, number(6)?);
        let end = (sound(Change::parse(text(2)?))?, sound(Reason::parse(text(3)?))?);
        *self.changes.entry(end).or_default() += count;
        if status != PLANNED {
            let status = sound(RowStatus::parse(status))?;
            if is_row {
                self.counts.add_rows(status, count);
            } else {
                self.counts.add_keys(status, count);
            }
            return Ok(());
        }
        let phase = sound(Phase::numbered(row.get(4)?))?;
        if is_row {
            self.counts.writes += count;
        } else {
            self.counts.removals += count;
        }
        match row.get(5)? {
            Some(true) => self.removals.created += count,
            Some(false) => self.removals.found += count,
            None => {}
        }
        self.calls.least += number(7)?;
        self.calls.most += number(8)?;
        self.searched += number(9)?;
        self.batches.add(phase, number(10)?, number(11)?);
        Ok(())
    }

    /// The calls of all operations, with those that find what they refer to, and those that list what Vitally holds.
    pub(crate) fn calls(&self, job: &Job<'_>, table: &Table) -> Result<Calls, TableError> {
        let mut calls = match job.sync.api {
            Api::Rest => self.rest_calls(job, table)?,
            // It takes external ids.
            Api::Analytics => self.batches.calls(),
        };
        // A run lists what Vitally holds too.
        let listing = job.held.as_ref().map_or(0, |held| held.calls.len() as u64);
        calls.least += listing;
        calls.most += listing;
        Ok(calls)
    }

    fn rest_calls(&self, job: &Job<'_>, table: &Table) -> Result<Calls, TableError> {
        let unknown = table.number(
            "SELECT count(*) FROM (SELECT DISTINCT object, id FROM refs CROSS JOIN plan USING (seq) WHERE status = 'planned')
               AS wanted
             WHERE NOT EXISTS (SELECT 1 FROM temp.known_references AS known
               WHERE known.object = wanted.object AND known.external_id = wanted.id)",
            [],
        )?;
        let mut calls = self.calls;
        calls.most += lists::most_for_references(unknown);
        if job.sync.mode == Mode::Insert && job.sync.matching.email().is_none() && self.counts.writes > 0 {
            calls.most += lists::most_for_paths(job.call_costs.concurrency);
        }
        let listing = lists::most_for_addresses(self.searched);
        if listing > 0 {
            // Who is found in a list needs no search.
            calls.least = calls.least.saturating_sub(self.searched) + 1;
            calls.most += listing;
        }
        Ok(calls)
    }
}

/// The status of what is sent.
const PLANNED: &str = "planned";
