//! How a run differs from the runs before it: each number of a sync beside the median of its earlier runs.

use coho_ledger::look::home::SyncRun;
use coho_ledger::run::{RunStatus, SyncRecord};
use coho_report::words::{counted, number, time};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::sum::Sum;
use crate::moment::millis;

/// So many earlier runs are compared with.
pub(super) const RUNS: usize = 100;

/// So few runs have no median worth naming.
const FEWEST: usize = 3;

/// A sync's numbers beside those of its earlier runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// How many earlier runs there are.
    runs: u64,
    read: Pair,
    sent: Pair,
    failed: Pair,
    /// In milliseconds.
    took: Pair,
}

/// A number of this run, and the median of the same in earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pair {
    now: u64,
    median: u64,
}

/// What is compared of a run.
struct Numbers {
    read: u64,
    sent: u64,
    failed: u64,
    took: u64,
}

impl Comparison {
    /// The sync beside its earlier runs; `None` where there are too few, or it has not ended.
    pub(super) fn of(sync: &SyncRecord, earlier: &[&SyncRun]) -> Option<Self> {
        let counts = sync.counts.as_ref()?;
        let now = numbers(&Sum::of(counts), millis(sync.started, sync.ended?));
        let ended =
            earlier.iter().filter(|run| matches!(run.status, RunStatus::Success | RunStatus::Warning));
        let past: Vec<_> = ended
            .filter_map(|run| Some(numbers(&Sum::of(run.counts.as_ref()?), millis(run.started, run.ended?))))
            .collect();
        if past.len() < FEWEST {
            return None;
        }
        let pair =
            |of: fn(&Numbers) -> u64| Pair { now: of(&now), median: median(past.iter().map(of).collect()) };
        Some(Self {
            runs: past.len() as u64,
            read: pair(|numbers| numbers.read),
            sent: pair(|numbers| numbers.sent),
            failed: pair(|numbers| numbers.failed),
            took: pair(|numbers| numbers.took),
        })
    }

    /// A line for each number that differs much, or that nothing does.
    pub(super) fn show(&self) -> Markup {
        let of = counted(self.runs, "earlier run");
        let lines = [
            ("read", self.read, number as fn(u64) -> String),
            ("sent", self.sent, number),
            ("failed", self.failed, number),
            ("time", self.took, time),
        ];
        html! {
            table .diff.compare {
                caption .visually-hidden { "Compared with the median of " (of) }
                thead { tr { th {} @for (name, ..) in lines { th .num { (name) } } } }
                tbody {
                    tr { th scope="row" { "this run" } @for (_, pair, shown) in lines {
                        td .num.odd[pair.is_odd()] { (shown(pair.now)) }
                    } }
                    tr .faint { th scope="row" { "median of " (of) } @for (_, pair, shown) in lines { td .num { (shown(pair.median)) } } }
                }
            }
        }
    }
}

impl Pair {
    /// Whether the number is less than half, or more than double the median: worth a look.
    fn is_odd(self) -> bool {
        let (now, median) = (u128::from(self.now), u128::from(self.median));
        now > 2 * median.max(1) || now.max(1) * 2 < median
    }
}

fn numbers(sum: &Sum, took: u64) -> Numbers {
    Numbers { read: sum.read, sent: sum.sent(), failed: sum.failed(), took }
}

/// The middle one; of an even number of them the smaller of the two.
fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_one_of_the_numbers() {
        assert_eq!([vec![], vec![7], vec![9, 1], vec![5, 1, 9]].map(median), [0, 7, 1, 5]);
    }

    #[test]
    fn half_and_double_are_odd() {
        let odd = |now, median| Pair { now, median }.is_odd();
        assert!(odd(0, 100) && odd(201, 100) && odd(49, 100) && odd(3, 0));
        assert!(!odd(50, 100) && !odd(200, 100) && !odd(0, 0) && !odd(1, 0) && !odd(0, 1));
    }
}
