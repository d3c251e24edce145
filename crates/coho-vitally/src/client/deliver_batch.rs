//! Batches over HTTP: drives [`crate::analytics::batch`], and keeps what it learned for the next batch of the run.

use std::sync::PoisonError;

use coho_core::code::Code;
use coho_core::sync::Api;
use coho_core::verdict::{Call, Verdict};

use super::Client;
use super::ask::{Log, without_token};
use super::breaker::Health;
use crate::analytics::batch::{Batch, BatchStep};
use crate::analytics::limits::{BatchLimits, Lessons};
use crate::analytics::{Messages, Outgoing};

/// What became of operations that were sent in batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDelivery {
    /// A verdict for each operation, in their order.
    pub verdicts: Vec<Verdict>,
    /// Every call that was made, in order.
    pub calls: Vec<BatchCall>,
    /// How the server did: what a [`Breaker`](super::Breaker) wants to know.
    pub health: Health,
}

/// A call that carried messages of several operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchCall {
    /// The call.
    pub call: Call,
    /// The operations, by their places among those that were given.
    pub operations: Vec<usize>,
}

impl Client {
    /// Carries out operations through the Analytics API. Batches go one after the other, so that no message of a record
    /// overtakes another; several deliveries may be under way at once, of different records.
    pub async fn deliver_batch(&self, outgoing: &[Outgoing<'_>]) -> BatchDelivery {
        self.deliver_messages(outgoing.iter().map(Messages::of).collect()).await
    }

    /// The same with what was made of operations before.
    pub async fn deliver_messages(&self, outgoing: Vec<Messages>) -> BatchDelivery {
        let Some(limits) = self.batch_limits() else { return no_token(outgoing.len()) };
        let mut calls = Vec::new();
        let mut health = Health::Untried;
        let mut step = Batch::of(outgoing, limits, self.lessons());
        loop {
            match step {
                BatchStep::Ask(request, operations, batch) => {
                    let mut log = Log::default();
                    let answer = self.ask(&request, &mut log).await;
                    let made = log.calls.into_iter();
                    calls.extend(made.map(|call| BatchCall { call, operations: operations.clone() }));
                    health = log.health;
                    step = batch.on(&answer);
                }
                BatchStep::Done(verdicts, lessons) => {
                    self.keep(lessons);
                    return BatchDelivery { verdicts, calls, health };
                }
            }
        }
    }

    /// Whether a user can be taken away from an account: only the Analytics API can.
    pub fn can_unlink(&self) -> bool {
        self.line(Api::Analytics).is_some()
    }

    /// How large a batch may be; `None` where there is no token for the Analytics API.
    pub fn batch_limits(&self) -> Option<BatchLimits> {
        self.0.settings.analytics.as_ref().map(|analytics| analytics.limits)
    }

    fn lessons(&self) -> Lessons {
        self.0.lessons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, lessons: Lessons) {
        let mut kept = self.0.lessons.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = std::mem::take(&mut *kept).joined(lessons);
    }
}

fn no_token(count: usize) -> BatchDelivery {
    let message = without_token(Api::Analytics).to_owned();
    let verdict = Verdict::Halt { code: Code::UNAUTHORIZED, message };
    BatchDelivery { verdicts: vec![verdict; count], calls: Vec::new(), health: Health::Untried }
}
