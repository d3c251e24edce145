//! Counts of a run, and law 1: every row ends in exactly one status.

use std::collections::BTreeMap;

use crate::verdict::{Outcome, RowStatus};

/// How many rows and keys a sync's plan and run concern.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that the source gave.
    pub read: u64,
    /// Keys of the ledger that the source did not give.
    pub absent: u64,
    /// Rows that are written: added, updated, retried, resolved.
    pub writes: u64,
    /// Absent keys whose records are removed, or whose open writes are looked after.
    pub removals: u64,
    /// Rows that end before sending, by status.
    pub rows: BTreeMap<RowStatus, u64>,
    /// Absent keys that end before sending, by status.
    pub keys: BTreeMap<RowStatus, u64>,
    /// Operations by outcome; empty in a plan.
    pub outcomes: BTreeMap<Outcome, u64>,
}

/// A sum that law 1 demands and that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("conservation: {law}: {left} is not {right}")]
pub struct BrokenSum {
    /// The equation.
    pub law: &'static str,
    /// Its left side.
    pub left: u64,
    /// Its right side.
    pub right: u64,
}

impl Counts {
    /// One more row that ends before sending.
    pub fn row(&mut self, status: RowStatus) {
        self.add_rows(status, 1);
    }

    /// One more absent key that ends before sending.
    pub fn key(&mut self, status: RowStatus) {
        self.add_keys(status, 1);
    }

    /// One more operation with this outcome.
    pub fn outcome(&mut self, outcome: Outcome) {
        self.add_outcomes(outcome, 1);
    }

    /// So many more rows that end before sending.
    pub fn add_rows(&mut self, status: RowStatus, number: u64) {
        add(&mut self.rows, status, number);
    }

    /// So many more absent keys that end before sending.
    pub fn add_keys(&mut self, status: RowStatus, number: u64) {
        add(&mut self.keys, status, number);
    }

    /// So many more operations with this outcome.
    pub fn add_outcomes(&mut self, outcome: Outcome, number: u64) {
        add(&mut self.outcomes, outcome, number);
    }

    /// Operations that are planned.
    pub fn planned(&self) -> u64 {
        self.writes + self.removals
    }

    /// How many rows, keys and operations ended so.
    pub fn status(&self, status: RowStatus) -> u64 {
        let ended = |statuses: &BTreeMap<RowStatus, u64>| statuses.get(&status).copied().unwrap_or_default();
        let sent: u64 = self
            .outcomes
            .iter()
            .filter(|(outcome, _)| outcome.status() == status)
            .map(|(_, count)| count)
            .sum();
        ended(&self.rows) + ended(&self.keys) + sent
    }

    /// Checks law 1 for what is planned.
    pub fn check_plan(&self) -> Result<(), BrokenSum> {
        let rows = self.rows.values().sum::<u64>() + self.writes;
        same("rows read = ended before sending + planned writes", self.read, rows)?;
        let keys = self.keys.values().sum::<u64>() + self.removals;
        same("absent keys = kept + released + forgotten + held + planned removals", self.absent, keys)
    }

    /// Checks law 1 for what was done.
    pub fn check_run(&self) -> Result<(), BrokenSum> {
        self.check_plan()?;
        let outcomes = self.outcomes.values().sum();
        same("planned = sum of outcomes", self.planned(), outcomes)
    }

    /// Adds another sync's counts.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.absent += other.absent;
        self.writes += other.writes;
        self.removals += other.removals;
        other.rows.iter().for_each(|(status, count)| add(&mut self.rows, *status, *count));
        other.keys.iter().for_each(|(status, count)| add(&mut self.keys, *status, *count));
        other.outcomes.iter().for_each(|(outcome, count)| add(&mut self.outcomes, *outcome, *count));
    }
}

/// What is not there is not listed.
fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, number: u64) {
    if number > 0 {
        *counts.entry(key).or_default() += number;
    }
}

fn same(law: &'static str, left: u64, right: u64) -> Result<(), BrokenSum> {
    if left == right { Ok(()) } else { Err(BrokenSum { law, left, right }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_status_breaks_the_law() {
        let mut counts = Counts { read: 3, writes: 1, ..Counts::default() };
        counts.row(RowStatus::Unchanged);
        assert!(counts.check_plan().is_err());
        counts.row(RowStatus::Invalid);
        assert_eq!(counts.check_plan(), Ok(()));
        assert!(counts.check_run().is_err());
        counts.outcome(Outcome::Delivered);
        assert_eq!(counts.check_run(), Ok(()));
        assert_eq!(counts.status(RowStatus::Delivered), 1);
    }

    #[test]
    fn totals_have_rows_absent_keys_and_outcomes_of_all() {
        let mut one = Counts { read: 3, absent: 2, writes: 1, removals: 1, ..Counts::default() };
        one.add_rows(RowStatus::Unchanged, 2);
        one.add_keys(RowStatus::Kept, 1);
        one.add_outcomes(Outcome::Delivered, 1);
        let mut total = one.clone();
        total.add(&one);
        assert_eq!((total.read, total.absent, total.writes, total.removals), (6, 4, 2, 2));
        assert_eq!(
            [RowStatus::Unchanged, RowStatus::Kept, RowStatus::Delivered].map(|status| total.status(status)),
            [4, 2, 2]
        );
        assert_eq!(total.check_plan(), Ok(()));
    }
}
