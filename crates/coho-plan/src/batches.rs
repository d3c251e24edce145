//! Batches: how many calls of the Analytics API a plan takes. Each phase is sent by itself. An operation stays whole, so that a
//! call is not always full; the bytes of a batch, which are bounded too, are not known here.

use std::collections::BTreeMap;

use coho_core::plan::Calls;

use crate::call_costs::MESSAGES_A_CALL;
use crate::phase::Phase;

/// The messages of a plan, by phase.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    phases: BTreeMap<Phase, u64>,
    /// The most messages of one operation: no call but the last is smaller than a full one by that many.
    largest: u64,
}

impl Batches {
    /// Counts messages of a phase, of operations that have at most so many each.
    pub(crate) fn add(&mut self, phase: Phase, messages: u64, largest: u64) {
        *self.phases.entry(phase).or_default() += messages;
        self.largest = self.largest.max(largest);
    }

    /// All messages.
    pub(crate) fn messages(&self) -> u64 {
        self.phases.values().sum()
    }

    /// The fewest and the most calls, where nothing is refused.
    pub(crate) fn calls(&self) -> Calls {
        let least = self.phases.values().map(|messages| messages.div_ceil(MESSAGES_A_CALL)).sum();
        let mut most = self.phases.values().map(|messages| self.most(*messages)).sum();
        let retries = self.phases.get(&Phase::Retry).copied().unwrap_or_default();
        // Some of the retries come before what else there is, the rest of them after it.
        most += u64::from(retries > 0 && retries < self.messages());
        Calls { least, most }
    }

    /// The most calls of one phase. An operation with many messages may leave a call nearly empty before it.
    fn most(&self, messages: u64) -> u64 {
        match (MESSAGES_A_CALL + 1).checked_sub(self.largest.max(1)) {
            Some(smallest) if smallest > 0 => messages.div_ceil(smallest),
            Some(_) | None => messages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(largest: u64, phases: &[(Phase, u64)]) -> (u64, u64) {
        let phases = phases.iter().copied().collect();
        let Calls { least, most } = Batches { phases, largest }.calls();
        (least, most)
    }

    #[test]
    fn where_each_operation_is_one_message_the_calls_are_known() {
        assert_eq!(calls(1, &[(Phase::Fresh, 830)]), (9, 9));
        assert_eq!(calls(1, &[(Phase::Fresh, 400), (Phase::Probe, 1)]), (5, 5));
        assert_eq!(calls(1, &[]), (0, 0));
    }

    #[test]
    fn retries_may_come_in_two_parts() {
        assert_eq!(calls(1, &[(Phase::Fresh, 100), (Phase::Retry, 100)]), (2, 3));
        assert_eq!(calls(1, &[(Phase::Retry, 100)]), (1, 1));
    }

    #[test]
    fn calls_for_users_with_several_accounts_are_not_always_full() {
        assert_eq!(calls(2, &[(Phase::Fresh, 22_000)]), (220, 223));
        assert_eq!(calls(500, &[(Phase::Fresh, 600)]), (6, 600));
    }
}
