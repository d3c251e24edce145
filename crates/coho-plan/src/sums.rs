//! Sums over the table, once nothing changes any more: each row is counted where it ended, and nothing is counted down.

use std::collections::BTreeMap;

use coho_core::counts::Counts;
use coho_core::decide::{Change, Reason};
use coho_core::plan::{Calls, RemovalOrigins};
use coho_core::sync::Api;
use coho_core::verdict::Fate;

use crate::batches::Batches;
use crate::evaluate::Passed;
use crate::job::Job;
use crate::lists;
use crate::phase::Phase;
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
        for ((fate, change, reason), number) in &passed.rows {
            sums.counts.add_rows(*fate, *number);
            *sums.changes.entry((*change, *reason)).or_default() += number;
        }
        for ((fate, change, reason), number) in &passed.keys {
            sums.counts.add_keys(*fate, *number);
            *sums.changes.entry((*change, *reason)).or_default() += number;
        }
        sums
    }

    pub(crate) fn add_table(&mut self, table: &Table) -> Result<(), TableError> {
        let groups: Vec<Group> = table.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT side, status, change, reason, phase, created, sum(max(rows, side)), sum(least), sum(most),
                   sum(searches), sum(messages), max(messages)
                 FROM plan GROUP BY side, status, change, reason, phase, created",
            )?;
            statement.query_map([], Group::of)?.collect()
        })?;
        groups.iter().try_for_each(|group| self.add(group).ok_or(TableError::Damaged))
    }

    fn add(&mut self, group: &Group) -> Option<()> {
        let (change, reason) = (Change::parse(&group.change)?, Reason::parse(&group.reason)?);
        *self.changes.entry((change, reason)).or_default() += group.number;
        if group.status != PLANNED {
            let fate = Fate::parse(&group.status)?;
            if group.is_row {
                self.counts.add_rows(fate, group.number);
            } else {
                self.counts.add_keys(fate, group.number);
            }
            return Some(());
        }
        let phase = Phase::numbered(group.phase?)?;
        if group.is_row {
            self.counts.writes += group.number;
        } else {
            self.counts.removals += group.number;
        }
        match group.created {
            Some(true) => self.removals.created += group.number,
            Some(false) => self.removals.found += group.number,
            None => {}
        }
        self.calls.least += group.least;
        self.calls.most += group.most;
        self.searched += group.searches;
        self.batches.add(phase, group.messages, group.largest);
        Some(())
    }

    /// The calls of all operations, with those that find what they refer to, and those that list what Vitally holds.
    pub(crate) fn calls(&self, job: &Job<'_>, table: &Table) -> Result<Calls, TableError> {
        let mut calls = match job.sync.api {
            Api::Rest => self.rest_calls(table)?,
            // It takes external ids.
            Api::Analytics => self.batches.calls(),
        };
        // A run lists what Vitally holds too.
        let listing = job.held.as_ref().map_or(0, |held| held.calls.len() as u64);
        calls.least += listing;
        calls.most += listing;
        Ok(calls)
    }

    fn rest_calls(&self, table: &Table) -> Result<Calls, TableError> {
        let unknown = table.number(
            "SELECT count(*) FROM (SELECT DISTINCT object, id FROM refs CROSS JOIN plan USING (seq) WHERE status = 'planned')
               AS wanted
             WHERE NOT EXISTS (SELECT 1 FROM temp.known_references AS known
               WHERE known.object = wanted.object AND known.external_id = wanted.id)",
            [],
        )?;
        let mut calls = self.calls;
        calls.most += lists::most_for_references(unknown);
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

/// What rows of the table have in common that are counted together.
struct Group {
    is_row: bool,
    status: String,
    change: String,
    reason: String,
    phase: Option<i64>,
    created: Option<bool>,
    number: u64,
    least: u64,
    most: u64,
    searches: u64,
    messages: u64,
    largest: u64,
}

impl Group {
    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let number = |column| {
            let number: rusqlite::Result<Option<i64>> = row.get(column);
            number.map(|number| number.unwrap_or_default().unsigned_abs())
        };
        Ok(Self {
            is_row: row.get::<_, i64>(0)? == 0,
            status: row.get(1)?,
            change: row.get(2)?,
            reason: row.get(3)?,
            phase: row.get(4)?,
            created: row.get(5)?,
            number: number(6)?,
            least: number(7)?,
            most: number(8)?,
            searches: number(9)?,
            messages: number(10)?,
            largest: number(11)?,
        })
    }
}
