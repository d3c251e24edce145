//! Batches: operations that go through the Analytics API, many in a call.
//!
//! The order of the stages is the same as for single calls: all intents of a window are durable before the first byte
//! leaves, and what was taken is durable before it is spoken of. A window is settled in the transaction that opens the next.

use coho_core::key::Key;
use coho_core::message;
use coho_core::object::Object;
use coho_core::time::Time;
use coho_core::verdict::Call;
use coho_plan::batches::BATCHED;
use coho_plan::phase::Phase;
use coho_vitally::analytics::Outgoing;

use super::flow::joined;
use super::outcome::is_rejected;
use super::sent::Sent;
use super::writer::{Due, Group, Next};
use super::{Delivered, OpRange, Sender};
use crate::failure::EngineError;

impl Sender<'_> {
    /// Carries out the operations of a stretch, window by window. Gives what is left of it.
    pub(super) async fn batches(
        &self,
        phase: Phase,
        range: OpRange,
        sent: &mut Sent,
    ) -> Result<OpRange, EngineError> {
        let mut next = Next { phase, api: self.sync.api, after: range.after, most: range.most };
        let mut group = Group::default();
        loop {
            self.look_at_the_clock(sent);
            let begins = !self.ends() && sent.stopped.is_none() && next.most > 0;
            group.next = begins.then(|| Next { most: next.most.min(BATCHED), ..next });
            if group.next.is_none() && group.done.is_empty() {
                return Ok(OpRange { after: next.after, most: next.most });
            }
            self.heartbeat.beat()?;
            let asks = group.next.is_some();
            let mut written = joined(&mut self.write(group)).await?;
            next = next.behind(&written);
            if asks && written.last.is_none() {
                next.most = 0;
            }
            let due = std::mem::take(&mut written.due);
            self.tell(written, sent);
            group = self.batch(due, sent).await;
        }
    }

    /// Sends a window of operations in as few calls as they take.
    async fn batch(&self, due: Vec<Due>, sent: &mut Sent) -> Group {
        if due.is_empty() {
            return Group::default();
        }
        if self.ends() || sent.stopped.is_some() {
            return Group { done: due.into_iter().map(Delivered::unsent).collect(), ..Group::default() };
        }
        let outgoing: Vec<_> = due.iter().map(|due| self.outgoing(due)).collect();
        let delivery = self.client.deliver_batch(&outgoing).await;
        drop(outgoing);
        self.watch(delivery.health);
        let keys: Vec<Key> = due.iter().map(|due| due.operation.key.clone()).collect();
        let of = |at: &usize| keys.get(*at).cloned();
        let calls = delivery.calls.into_iter();
        let shared: Vec<(Call, Vec<Key>)> =
            calls.map(|call| (call.call, call.operations.iter().filter_map(of).collect())).collect();
        let mut done = Vec::with_capacity(due.len());
        for (due, verdict) in due.into_iter().zip(delivery.verdicts) {
            self.react(&verdict);
            done.push(Delivered { due, looked: None, verdict, calls: Vec::new() });
        }
        let refused = done.iter().filter(|done| is_rejected(&done.verdict)).count() as u64;
        self.look_at_refusals(sent.rejected() + refused, sent);
        Group { done, shared, next: None }
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
}

/// The time of a message. That of an event without a timestamp is the time of its first intent, however often it is repeated.
fn moment(due: &Due) -> Time {
    match due.operation.object {
        Object::Event => due.since(),
        Object::Organization | Object::Account | Object::User => due.at,
    }
}
