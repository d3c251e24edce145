//! Batches: operations that go through the Analytics API, many in a call.
//!
//! The order of the stages is the same as for single calls: all intents of a window are durable before the first byte
//! leaves, and what was taken is durable before it is spoken of.

use coho_core::event::Event;
use coho_core::key::Key;
use coho_core::message;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::plan::count_problem;
use coho_core::time::Time;
use coho_core::verdict::{Call, Verdict};
use coho_ledger::settle::Settlement;
use coho_plan::batches::BATCHED;
use coho_vitally::analytics::Outgoing;
use coho_vitally::client::BatchDelivery;

use super::Sender;
use super::intend::Due;
use super::outcome::{problem, said, status, unsent};
use super::sent::Sent;
use crate::conclude::conclude;
use crate::failure::EngineError;

impl Sender<'_> {
    /// Sends a window of operations in as few calls as they take.
    pub(super) async fn batch(&self, operations: Vec<Operation>, sent: &mut Sent) -> Result<(), EngineError> {
        let due = self.intend(operations, sent)?;
        if due.is_empty() {
            return Ok(());
        }
        let outgoing: Vec<_> = due.iter().map(|due| self.outgoing(due)).collect();
        let delivery = self.client.deliver_batch(&outgoing).await;
        drop(outgoing);
        self.watch(delivery.health);
        self.look_at_the_clock(sent);
        self.settle_batch(due, delivery, sent)
    }

    fn outgoing<'d>(&self, due: &'d Due) -> Outgoing<'d> {
        let operation = &due.operation;
        let message_id = match operation.object {
            Object::Event => operation.target.as_str().to_owned(),
            Object::Organization | Object::Account | Object::User => message::of_write(
                &self.sync.id,
                &operation.key,
                operation.version,
                due.at,
                operation.digest(),
            ),
        };
        Outgoing { operation, message_id, at: moment(due) }
    }

    fn settle_batch(
        &self,
        due: Vec<Due>,
        delivery: BatchDelivery,
        sent: &mut Sent,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        let keys: Vec<Key> = due.iter().map(|due| due.operation.key.clone()).collect();
        let calls: Vec<(Call, Vec<Key>)> = delivery
            .calls
            .into_iter()
            .map(|call| {
                let of = call.operations.iter().filter_map(|at| keys.get(*at).cloned()).collect();
                (call.call, of)
            })
            .collect();
        sent.calls += calls.len() as u64;
        let (mut settlements, mut events) = (Vec::with_capacity(due.len()), Vec::new());
        for (call, keys) in &calls {
            let key = keys.first().cloned().unwrap_or_else(|| Key::new(""));
            events.push(Event::Called { sync: self.sync.id.clone(), key, call: Box::new(call.clone()) });
        }
        let last: Vec<Call> = calls.last().map(|(call, _)| call.clone()).into_iter().collect();
        for (due, verdict) in due.into_iter().zip(delivery.verdicts) {
            self.react(&verdict);
            sent.unsent = sent.unsent.take().or_else(|| unsent(&verdict, &last, &self.sync.destination));
            settlements.push(self.conclude_one(&due, &verdict, now, sent, &mut events)?);
        }
        self.ledger.settle_batch(self.lease, self.run, self.scope, &settlements, &calls)?;
        for event in &events {
            self.listener.on(event);
        }
        if self.max_rejected.is_some_and(|most| sent.rejected() > most) {
            self.too_many(sent.rejected(), sent);
        }
        Ok(())
    }

    fn conclude_one(
        &self,
        due: &Due,
        verdict: &Verdict,
        now: Time,
        sent: &mut Sent,
        events: &mut Vec<Event>,
    ) -> Result<Settlement, EngineError> {
        let mut conclusion = conclude(&due.operation, verdict, self.circumstances(due, verdict, now)?);
        conclusion.message = said(&due.operation, conclusion.message, self.client.private());
        sent.count(conclusion.outcome, 1);
        let key = &due.operation.key;
        if let Some(problem) = problem(conclusion.outcome, conclusion.code, &conclusion.message) {
            count_problem(&mut sent.problems, Some(key), &problem);
        }
        events.push(self.settled(&due.operation, conclusion.outcome, conclusion.code));
        let (end, code) = (conclusion.outcome.status(), conclusion.code);
        let status = status(&due.operation, end, code, conclusion.message, now, self.client.private());
        Ok(Settlement { key: key.clone(), row_state: conclusion.row_state, status, calls: Vec::new() })
    }
}

/// Leaves as many operations as fill whole calls: users with several accounts are several messages each.
pub(super) fn cut(window: &mut Vec<(i64, Operation)>) {
    let mut messages = 0;
    let fit = window.iter().take_while(|(_, operation)| {
        messages += operation.messages();
        messages <= BATCHED as u64
    });
    let fit = fit.count().max(1);
    window.truncate(fit);
}

/// The time of a message. That of an event without a timestamp is the time of its first intent, however often it is repeated.
fn moment(due: &Due) -> Time {
    match due.operation.object {
        Object::Event => due.since(),
        Object::Organization | Object::Account | Object::User => due.at,
    }
}
