//! What a summary counts: at most eight kinds of rows. The finer statuses are in JSON and in the ledger.

use coho_core::counts::Counts;
use coho_core::verdict::RowStatus;

use crate::style::Tone;
use crate::words;

/// The most kinds that a summary has.
const MOST: usize = 8;

/// Statuses that people read as one, by the first of them, in the order in which they are counted.
const KINDS: [&[RowStatus]; 13] = [
    &[RowStatus::Delivered],
    &[RowStatus::Accepted],
    &[RowStatus::Removed],
    &[RowStatus::Unchanged, RowStatus::Touched],
    &[RowStatus::Learned],
    &[RowStatus::Skipped],
    &[RowStatus::Rejected],
    &[RowStatus::Deferred],
    &[RowStatus::Invalid],
    &[RowStatus::Held],
    &[RowStatus::Stale],
    &[RowStatus::NotAttempted],
    &[RowStatus::Kept, RowStatus::Released, RowStatus::Forgotten],
];

/// What is counted as `other` first, where there are more kinds than a summary has.
const LEAST: [RowStatus; 6] = [
    RowStatus::Kept,
    RowStatus::Learned,
    RowStatus::NotAttempted,
    RowStatus::Stale,
    RowStatus::Skipped,
    RowStatus::Removed,
];

/// Statuses that are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// What they are called.
    pub(super) name: &'static str,
    /// How their number looks.
    pub(super) tone: Tone,
    statuses: Vec<RowStatus>,
}

impl Tally {
    fn of(kind: &[RowStatus]) -> Option<Self> {
        let first = *kind.first()?;
        Some(Self { name: first.as_str(), tone: words::tone(first), statuses: kind.to_vec() })
    }

    /// How many rows and keys ended so.
    pub(super) fn count(&self, counts: &Counts) -> u64 {
        self.statuses.iter().map(|status| counts.status(*status)).sum()
    }

    fn has(&self, status: RowStatus) -> bool {
        self.statuses.contains(&status)
    }
}

/// The kinds of the statuses that are wanted.
pub(super) fn tallies(is_wanted: impl Fn(RowStatus) -> bool) -> Vec<Tally> {
    let wanted = KINDS.iter().filter(|kind| kind.iter().any(|status| is_wanted(*status)));
    let mut tallies: Vec<Tally> = wanted.filter_map(|kind| Tally::of(kind)).collect();
    let mut others = Vec::new();
    for least in LEAST {
        if tallies.len() + usize::from(!others.is_empty()) <= MOST {
            break;
        }
        if let Some(at) = tallies.iter().position(|tally| tally.has(least)) {
            others.extend(tallies.remove(at).statuses);
        }
    }
    if !others.is_empty() {
        tallies.push(Tally { name: "other", tone: Tone::Plain, statuses: others });
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(is_wanted: impl Fn(RowStatus) -> bool) -> Vec<&'static str> {
        tallies(is_wanted).into_iter().map(|tally| tally.name).collect()
    }

    #[test]
    fn fine_statuses_are_counted_with_their_kind() {
        let found = names(|status| {
            matches!(
                status,
                RowStatus::Touched | RowStatus::Released | RowStatus::Forgotten | RowStatus::Held
            )
        });
        assert_eq!(found, ["unchanged", "held", "kept"]);
    }

    #[test]
    fn a_summary_has_at_most_eight_kinds_and_forgets_none() {
        let all = names(|_| true);
        assert_eq!(
            all,
            ["delivered", "accepted", "unchanged", "rejected", "deferred", "invalid", "held", "other"]
        );
        let statuses: usize = tallies(|_| true).iter().map(|tally| tally.statuses.len()).sum();
        assert_eq!(statuses, RowStatus::ALL.len());
    }
}
