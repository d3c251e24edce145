//! Batches: how many calls of the Analytics API a plan takes. Each lane is sent by itself, and so is each window of it.
//!
//! [`crate::send`] makes the windows; the bytes of a batch, which are bounded too, are not known here.

use std::collections::BTreeMap;

use coho_core::operation::Operation;
use coho_core::plan::Calls;
use coho_ledger::spool::Lane;

use crate::send::BATCHED;
use crate::tariff::MESSAGES_A_CALL;

/// The messages of a plan, by lane.
#[derive(Debug, Default)]
pub(super) struct Batches {
    lanes: BTreeMap<&'static str, u64>,
    /// The most messages of one operation: no window is smaller than a whole one by that many.
    largest: u64,
}

impl Batches {
    /// Counts an operation; a negative sign takes it out again.
    pub(super) fn weigh(&mut self, operation: &Operation, sign: i64) {
        let messages = operation.messages();
        self.largest = self.largest.max(messages);
        let sum = self.lanes.entry(name(Lane::of(operation))).or_default();
        *sum = if sign < 0 { sum.saturating_sub(messages) } else { sum.saturating_add(messages) };
    }

    /// All messages.
    pub(super) fn messages(&self) -> u64 {
        self.lanes.values().sum()
    }

    /// The fewest and the most calls, where nothing is refused.
    pub(super) fn calls(&self) -> Calls {
        let least = self.lanes.values().map(|messages| messages.div_ceil(MESSAGES_A_CALL)).sum();
        let mut most = self.lanes.values().map(|messages| self.most(*messages)).sum();
        let retries = self.lanes.get(name(Lane::Retry)).copied().unwrap_or_default();
        // Some of the retries come before what else there is, the rest of them after it.
        if retries > 0 && retries < self.messages() {
            most += if self.largest > 1 { in_calls(BATCHED) } else { 1 };
        }
        Calls { least, most }
    }

    /// The most calls of one lane. An operation with many messages may leave a window nearly empty before it.
    fn most(&self, messages: u64) -> u64 {
        let window = BATCHED as u64;
        let Some(smallest) = (window + 1).checked_sub(self.largest.max(1)).filter(|smallest| *smallest > 0)
        else {
            return messages;
        };
        messages / smallest * in_calls(BATCHED) + (messages % smallest).div_ceil(MESSAGES_A_CALL)
    }
}

fn in_calls(messages: usize) -> u64 {
    (messages as u64).div_ceil(MESSAGES_A_CALL)
}

fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::Fresh => "fresh",
        Lane::Retry => "retry",
        Lane::Remove => "remove",
        Lane::Probe => "probe",
        Lane::Backfill => "backfill",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(largest: u64, lanes: &[(Lane, u64)]) -> (u64, u64) {
        let lanes = lanes.iter().map(|(lane, messages)| (name(*lane), *messages)).collect();
        let Calls { least, most } = Batches { lanes, largest }.calls();
        (least, most)
    }

    #[test]
    fn where_each_operation_is_one_message_the_calls_are_known() {
        assert_eq!(calls(1, &[(Lane::Fresh, 830)]), (9, 9));
        assert_eq!(calls(1, &[(Lane::Fresh, 400), (Lane::Probe, 1)]), (5, 5));
        assert_eq!(calls(1, &[]), (0, 0));
    }

    #[test]
    fn retries_may_come_in_two_parts() {
        assert_eq!(calls(1, &[(Lane::Fresh, 100), (Lane::Retry, 100)]), (2, 3));
        assert_eq!(calls(1, &[(Lane::Retry, 100)]), (1, 1));
    }

    #[test]
    fn windows_of_users_with_several_accounts_are_not_always_full() {
        assert_eq!(calls(2, &[(Lane::Fresh, 22_000)]), (220, 221));
        assert_eq!(calls(500, &[(Lane::Fresh, 600)]), (6, 600));
    }
}
