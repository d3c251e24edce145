//! Phases: in which part of a run an operation is carried out.

use coho_core::decide::{Change, Reason};
use coho_core::operation::Operation;

/// A part of a run. In which order they come stands in the engine's `run/parts.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Records are created and updated since their rows are new or changed; and what may have arrived is resolved.
    Fresh,
    /// What did not succeed in an earlier run is tried again.
    Retry,
    /// Records are updated only because the mapping changed.
    Backfill,
    /// Records are deleted.
    Remove,
    /// Open writes of rows that left are looked after.
    Probe,
}

impl Phase {
    /// All phases.
    pub const WRITES: [Self; 3] = [Self::Fresh, Self::Retry, Self::Backfill];

    /// All phases.
    pub const ALL: [Self; 5] = [Self::Fresh, Self::Retry, Self::Backfill, Self::Remove, Self::Probe];

    /// The phase of an operation: what it was made for says it, and why.
    pub fn of(operation: &Operation) -> Self {
        match (operation.change, operation.reason) {
            (Change::Remove, _) => Self::Remove,
            (Change::Probe, _) => Self::Probe,
            (Change::Retry, _) => Self::Retry,
            (_, Reason::MappingChanged) => Self::Backfill,
            _ => Self::Fresh,
        }
    }

    /// Whether its operations create and update records.
    pub fn writes(self) -> bool {
        match self {
            Self::Fresh | Self::Retry | Self::Backfill => true,
            Self::Remove | Self::Probe => false,
        }
    }

    /// The number in the table: those below three write.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Fresh => 0,
            Self::Retry => 1,
            Self::Backfill => 2,
            Self::Remove => 3,
            Self::Probe => 4,
        }
    }

    /// The phase of this number.
    pub(crate) fn numbered(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_a_number_of_its_own_and_those_below_three_write() {
        for phase in Phase::ALL {
            assert_eq!(Phase::numbered(phase.number()), Some(phase));
            assert_eq!(phase.writes(), phase.number() < 3);
        }
        assert_eq!(Phase::numbered(5), None);
    }
}
