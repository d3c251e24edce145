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
use crate::table::contents::Kind;
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

    /// Adds all rows of the table: what is planned, and what ends without being sent. SQLite would sort them all to group them, and
    /// there are few groups.
    pub(crate) fn add_table(&mut self, table: &Table) -> Result<(), TableError> {
        if table.has(Kind::Operation) {
            self.add_rows(table, OF_PLANNED)?;
        }
        self.add_rows(table, OF_OTHERS)
    }

    fn add_rows(&mut self, table: &Table, sql: &str) -> Result<(), TableError> {
        table.with(|connection| {
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut groups: Vec<Group> = Vec::new();
            while let Some(row) = rows.next()? {
                let end = End::of(row)?;
                match groups.iter_mut().find(|group| group.has(&end)) {
                    Some(group) => group.add(row)?,
                    None => groups.push(Group::of(&end, row)?),
                }
            }
            groups.iter().try_for_each(|group| self.add(group))
        })
    }

    /// Adds what some rows of the table have in common that are counted together.
    fn add(&mut self, group: &Group) -> rusqlite::Result<()> {
        let count = group.count;
        let end = (sound(Change::parse(&group.change))?, sound(Reason::parse(&group.reason))?);
        *self.changes.entry(end).or_default() += count;
        if group.status != PLANNED {
            let status = sound(RowStatus::parse(&group.status))?;
            if group.is_row {
                self.counts.add_rows(status, count);
            } else {
                self.counts.add_keys(status, count);
            }
            return Ok(());
        }
        let phase = sound(group.phase.and_then(Phase::numbered))?;
        if group.is_row {
            self.counts.writes += count;
        } else {
            self.counts.removals += count;
        }
        match group.created {
            Some(true) => self.removals.created += count,
            Some(false) => self.removals.found += count,
            None => {}
        }
        self.calls.least += group.calls.least;
        self.calls.most += group.calls.most;
        self.searched += group.searched;
        self.batches.add(phase, group.messages, group.largest);
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

/// Where a row of the table ends, and why: what is counted together has all of it in common.
struct End<'r> {
    is_row: bool,
    status: &'r str,
    change: &'r str,
    reason: &'r str,
    phase: Option<i64>,
    created: Option<bool>,
}

/// Rows of the table that are counted together.
struct Group {
    is_row: bool,
    status: String,
    change: String,
    reason: String,
    phase: Option<i64>,
    created: Option<bool>,
    count: u64,
    calls: Calls,
    searched: u64,
    messages: u64,
    /// The most messages of one of them.
    largest: u64,
}

impl<'r> End<'r> {
    fn of(row: &'r Row<'_>) -> rusqlite::Result<Self> {
        let text = |column: usize| row.get_ref(column).and_then(|text| Ok(text.as_str()?));
        let status = text(1)?;
        let is_planned = status == PLANNED;
        Ok(Self {
            is_row: row.get::<_, i64>(0)? == 0,
            status,
            change: text(2)?,
            reason: text(3)?,
            phase: if is_planned { row.get(5)? } else { None },
            created: if is_planned { row.get(6)? } else { None },
        })
    }
}

impl Group {
    fn of(end: &End<'_>, row: &Row<'_>) -> rusqlite::Result<Self> {
        let End { is_row, status, change, reason, phase, created } = *end;
        let mut group = Self {
            is_row,
            status: status.to_owned(),
            change: change.to_owned(),
            reason: reason.to_owned(),
            phase,
            created,
            count: 0,
            calls: Calls::default(),
            searched: 0,
            messages: 0,
            largest: 0,
        };
        group.add(row)?;
        Ok(group)
    }

    fn has(&self, end: &End<'_>) -> bool {
        (self.is_row, self.phase, self.created) == (end.is_row, end.phase, end.created)
            && (self.status.as_str(), self.change.as_str(), self.reason.as_str())
                == (end.status, end.change, end.reason)
    }

    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let number = |column: usize| {
            let number: rusqlite::Result<Option<i64>> = row.get(column);
            number.map(|number| number.unwrap_or_default().unsigned_abs())
        };
        self.count += number(4)?;
        if self.status != PLANNED {
            return Ok(());
        }
        self.calls.least += number(7)?;
        self.calls.most += number(8)?;
        self.searched += number(9)?;
        let messages = number(10)?;
        self.messages += messages;
        self.largest = self.largest.max(messages);
        Ok(())
    }
}

/// The status of what is sent.
const PLANNED: &str = "planned";

const OF_PLANNED: &str = "
    SELECT side, status, change, reason, max(rows, side), phase, created, least, most, searches, messages
    FROM plan WHERE status = 'planned'";

const OF_OTHERS: &str =
    "SELECT side, status, change, reason, max(rows, side) FROM plan WHERE status <> 'planned'";
