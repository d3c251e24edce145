//! The Analytics messages that were taken, by number; which of them are still to be applied, and which ids were seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Map;

use crate::clock::SimulatorTime;
use crate::message::{DropReason, End, Message, MessageType};

/// The messages.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    all: BTreeMap<u64, Message>,
    /// Those to be applied, in the order in which they will be.
    due: BTreeSet<(SimulatorTime, u64)>,
    /// By `messageId`: type and arrival of each that was good and not a duplicate.
    seen: HashMap<String, Vec<(MessageType, SimulatorTime)>>,
    /// Requests that brought messages so far.
    requests: u64,
}

impl Messages {
    /// The number of the next message.
    pub(crate) fn next_number(&self) -> u64 {
        self.all.last_key_value().map_or(1, |(number, _)| number + 1)
    }

    /// The number of a request that brings messages, from 1.
    pub(crate) const fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    pub(crate) fn put(&mut self, message: Message) {
        if message.end == End::Pending {
            self.due.insert((message.due, message.number));
        }
        if !matches!(message.end, End::Dropped { reason: DropReason::Duplicate | DropReason::Refused, .. }) {
            let seen = self.seen.entry(message.id.clone()).or_default();
            seen.push((message.content.kind, message.arrived_at));
        }
        self.all.insert(message.number, message);
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Message> {
        self.all.get(&number)
    }

    /// Type and arrival of each good message with that id, duplicates apart.
    pub(crate) fn seen(&self, message_id: &str) -> &[(MessageType, SimulatorTime)] {
        self.seen.get(message_id).map_or(&[], Vec::as_slice)
    }

    /// The first that is to be applied, and when.
    pub(crate) fn next_due(&self) -> Option<(SimulatorTime, u64)> {
        self.due.first().copied()
    }

    /// Says what became of a pending message. What was written to a record is not kept twice.
    pub(crate) fn settle(&mut self, number: u64, end: End) {
        let Some(message) = self.all.get_mut(&number) else { return };
        self.due.remove(&(message.due, number));
        if !matches!(end, End::Stored { .. }) {
            message.content.bag = Map::new();
        }
        message.end = end;
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Message> {
        self.all.values()
    }

    pub(crate) fn pending(&self) -> impl ExactSizeIterator<Item = &Message> {
        let numbers: Vec<u64> = self.due.iter().map(|(_, number)| *number).collect();
        let pending: Vec<&Message> = numbers.into_iter().filter_map(|number| self.all.get(&number)).collect();
        pending.into_iter()
    }
}
