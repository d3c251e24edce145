//! Parcels: operations that go through the Analytics API together, as many as fill a call. Their messages are made before their
//! intent is durable, since their bytes say how many go together; one row of the ledger is the intent of all of them.

use std::collections::VecDeque;
use std::sync::Arc;

use coho_core::key::Key;
use coho_core::message;
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::time::Time;
use coho_core::verdict::Call;
use coho_ledger::batch::{BatchId, OpenedBatch};
use coho_ledger::intent::{Intent, Opened};
use coho_vitally::analytics::limits::BatchLimits;
use coho_vitally::analytics::{Messages, Outgoing};

use super::stale::Stale;
use super::{Due, Next, Writer};
use crate::failure::EngineError;
use crate::send::Delivered;

/// How many operations are read at once.
const READ_AT_ONCE: usize = 100;

/// Where the next parcel begins.
pub(in crate::send) struct Ahead {
    /// What is read next.
    next: Next,
    /// What was read, and belongs into the next parcel.
    rest: VecDeque<(i64, Operation)>,
}

/// A parcel whose intent is not durable yet.
pub(in crate::send) struct Parcel {
    /// The operations, with the intent and the messages of each.
    operations: Vec<Operation>,
    intents: Vec<Intent>,
    messages: Vec<Messages>,
    stale: Vec<(Operation, Stale)>,
    at: Time,
    /// How many messages it has.
    size: usize,
    bytes: usize,
    /// The number of the last operation that was read for it, and how many were.
    pub(in crate::send) last: i64,
    pub(in crate::send) read: usize,
}

/// A parcel that may be sent.
pub(in crate::send) struct Sending {
    pub(in crate::send) id: Option<BatchId>,
    pub(in crate::send) due: Vec<Due>,
    pub(in crate::send) messages: Vec<Messages>,
}

/// A parcel that came back.
pub(in crate::send) struct Returned {
    pub(in crate::send) id: Option<BatchId>,
    pub(in crate::send) done: Vec<Delivered>,
    /// The calls that were made for it, each with the rows that it carried.
    pub(in crate::send) calls: Vec<(Call, Vec<Key>)>,
}

impl Ahead {
    pub(in crate::send) fn new(next: Next) -> Self {
        Self { next, rest: VecDeque::new() }
    }
}

impl Writer {
    /// Makes the next parcel; none where there are no more operations. It blocks.
    pub(in crate::send) fn prepare(&self, ahead: &mut Ahead) -> Result<Option<Parcel>, EngineError> {
        let limits = self.client.batch_limits().unwrap_or_default();
        let mut parcel = Parcel::new(self.clock.now());
        while let Some((number, operation)) = self.next_of(ahead)? {
            if let Some(why) = self.not_ours(&operation)? {
                parcel.stale.push((operation, why));
            } else {
                let (intent, messages) = self.made(&operation, parcel.at);
                if !parcel.has_room(&messages, limits) {
                    ahead.rest.push_front((number, operation));
                    break;
                }
                parcel.push(operation, intent, messages);
            }
            (parcel.last, parcel.read) = (number, parcel.read + 1);
        }
        Ok((parcel.read > 0).then_some(parcel))
    }

    fn next_of(&self, ahead: &mut Ahead) -> Result<Option<(i64, Operation)>, EngineError> {
        let Next { phase, after, most } = &mut ahead.next;
        if ahead.rest.is_empty() && *most > 0 {
            ahead.rest = self.table.operations(*phase, *after, READ_AT_ONCE.min(*most))?.into();
            *after = ahead.rest.back().map_or(*after, |(last, _)| *last);
            *most = if ahead.rest.is_empty() { 0 } else { most.saturating_sub(ahead.rest.len()) };
        }
        Ok(ahead.rest.pop_front())
    }

    /// The intent of an operation, and its messages.
    fn made(&self, operation: &Operation, at: Time) -> (Intent, Messages) {
        let intent = Intent::of(operation, at);
        let (sync, key, version) = (self.scope.sync(), &operation.key, operation.version);
        let message_id = match operation.object {
            Object::Event => operation.target.as_str().to_owned(),
            Object::Organization | Object::Account | Object::User => {
                message::of_write(sync, key, version, at, intent.operation)
            }
        };
        let messages = Messages::of(&Outgoing { operation, message_id, at: moment(operation, at) });
        (intent, messages)
    }
}

/// The time of a message. That of an event without a timestamp is the time of its first intent, however often it is repeated.
fn moment(operation: &Operation, at: Time) -> Time {
    match (operation.object, &operation.known) {
        (Object::Event, Known::Unclear { since, .. }) => *since,
        _ => at,
    }
}

impl Parcel {
    fn new(at: Time) -> Self {
        Self {
            operations: Vec::new(),
            intents: Vec::new(),
            messages: Vec::new(),
            stale: Vec::new(),
            at,
            size: 0,
            bytes: "[]".len(),
            last: 0,
            read: 0,
        }
    }

    /// Whether more messages belong into it. An operation stays whole, however many it has.
    fn has_room(&self, more: &Messages, limits: BatchLimits) -> bool {
        let fits = self.size + more.count() <= limits.messages && self.bytes + more.bytes() <= limits.bytes;
        fits || self.operations.is_empty()
    }

    fn push(&mut self, operation: Operation, intent: Intent, messages: Messages) {
        self.size += messages.count();
        self.bytes += messages.bytes();
        self.operations.push(operation);
        self.intents.push(intent);
        self.messages.push(messages);
    }

    /// Its intents, which it needs no more once they are durable.
    pub(super) fn intents(&mut self) -> Vec<Intent> {
        std::mem::take(&mut self.intents)
    }

    /// What of it may be sent.
    pub(super) fn opened(self, opened: OpenedBatch, stale: &mut Vec<(Operation, Stale)>) -> Sending {
        stale.extend(self.stale);
        let mut sending = Sending { id: opened.id, due: Vec::new(), messages: Vec::new() };
        let all = self.operations.into_iter().zip(self.messages).zip(opened.opened);
        for ((operation, messages), opened) in all {
            match opened {
                Opened::Durable { before } => {
                    let operation = Arc::new(operation);
                    sending.due.push(Due { operation, before, at: self.at, intent: None });
                    sending.messages.push(messages);
                }
                Opened::Stale => stale.push((operation, Stale::Changed)),
            }
        }
        sending
    }
}
