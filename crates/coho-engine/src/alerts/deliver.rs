//! Delivery: what waits in the outbox is claimed, sent and settled, for all recipients at the same time and for each in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use coho_alert::channel::Channel;
use coho_alert::channel::webhook::Webhook;
use coho_alert::message::Notification;
use coho_alert::request::Posting;
use coho_alert::send::Notifier;
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::outbox::{Claimed, DeliveryAttempt};
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use crate::context::Engine;
use crate::failure::EngineError;

/// How long a run stays to send what it has to tell. The rest goes with the next one.
pub const BOUND: Duration = Duration::from_secs(20);

/// How long one message may take, all of its requests together.
const ATTEMPT: Duration = Duration::from_secs(50);

/// How long nobody else may send a message that was claimed: longer than an attempt.
const CLAIM: TimeDelta = TimeDelta::seconds(90);

/// The wait after a first attempt; each further one doubles.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);

/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// After this time a message is given up; what it told is told anew.
const PATIENCE: TimeDelta = TimeDelta::days(3);

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Messages that were taken.
    pub sent: u64,
    /// Messages that were not.
    pub failed: u64,
}

impl Engine<'_> {
    /// Sends what is due, for so long at most.
    pub(crate) async fn deliver(&self, ledger: &Ledger, bound: Duration) -> Result<Delivered, EngineError> {
        if ledger.waiting_messages()?.is_empty() {
            return Ok(Delivered::default());
        }
        let sender = self.sender()?;
        let until = Instant::now() + bound;
        let channels = self.channels();
        let of_alerts =
            channels.iter().map(|(recipient, channel)| (recipient.name.clone(), Way::Channel(channel)));
        let webhooks = self.webhooks();
        let of_syncs = webhooks.iter().map(|(name, webhook)| (name.clone(), Way::Webhook(webhook)));
        let all = of_alerts.chain(of_syncs).map(|(recipient, way)| {
            let one = Delivery { engine: self, ledger, sender: &sender, recipient, way, until };
            async move { one.drain().await }
        });
        let mut delivered = Delivered::default();
        for one in join_all(all).await {
            let one = one?;
            delivered.sent += one.sent;
            delivered.failed += one.failed;
        }
        Ok(delivered)
    }
}

/// How a recipient is reached.
enum Way<'a> {
    /// By the channel of a recipient of alerts of alerts; the reason where it cannot be used.
    Channel(&'a Result<Channel, String>),
    /// By HTTP, with the body as it was written.
    Webhook(&'a Webhook),
}

/// The delivery to one recipient.
struct Delivery<'a> {
    engine: &'a Engine<'a>,
    ledger: &'a Ledger,
    sender: &'a Notifier,
    recipient: String,
    way: Way<'a>,
    until: Instant,
}

impl Delivery<'_> {
    /// Sends until nothing is due, an attempt fails or the time is over.
    async fn drain(&self) -> Result<Delivered, EngineError> {
        let mut delivered = Delivered::default();
        while Instant::now() < self.until {
            let now = self.engine.setup.clock.now();
            let holder = &self.engine.setup.holder.id;
            let Some(claimed) = self.ledger.claim(&self.recipient, holder, now, now + CLAIM)? else {
                break;
            };
            let sent = self.send(&claimed, now).await?;
            let now = self.engine.setup.clock.now();
            let attempt = attempt(sent, &claimed, now);
            let is_sent = matches!(attempt, DeliveryAttempt::Sent { .. });
            self.ledger.settle_message(&claimed.id, holder, &attempt, now)?;
            if let DeliveryAttempt::Later { error, .. } | DeliveryAttempt::Failed { error } = &attempt {
                tracing::warn!("cannot deliver a message to `{}`: {error}", self.recipient);
            }
            delivered.sent += u64::from(is_sent);
            delivered.failed += u64::from(!is_sent);
        }
        Ok(delivered)
    }

    async fn send(&self, claimed: &Claimed, now: Time) -> Result<Posting, EngineError> {
        let channel = match self.way {
            Way::Channel(Ok(channel)) => channel,
            Way::Channel(Err(why)) => return Ok(Posting::Never { why: why.clone() }),
            Way::Webhook(webhook) => {
                let sending = self.sender.notify(webhook, &claimed.id, claimed.body.clone(), now);
                return Ok(timeout(ATTEMPT, sending).await.unwrap_or_else(|_| late()));
            }
        };
        let Some(message) = Notification::from_json(&claimed.body) else {
            return Ok(Posting::Never {
                why: "the message was written by another version of Coho".to_owned(),
            });
        };
        let receipts = self.receipts(&message)?;
        let sending = self.sender.send(channel, &message, &receipts, now);
        Ok(timeout(ATTEMPT, sending).await.unwrap_or_else(|_| late()))
    }

    fn receipts(&self, message: &Notification) -> Result<BTreeMap<String, String>, EngineError> {
        let earlier = message.alerts.iter().map(|line| line.opened_by.clone()).filter(|id| *id != message.id);
        let earlier: BTreeSet<_> = earlier.collect();
        if earlier.is_empty() {
            return Ok(BTreeMap::new());
        }
        Ok(self.ledger.receipts(&earlier)?)
    }
}

fn late() -> Posting {
    Posting::Later { after: None, why: "no response in time".to_owned() }
}

/// What is written of an attempt: when the next one is due, or that there is none.
fn attempt(sent: Posting, claimed: &Claimed, now: Time) -> DeliveryAttempt {
    match sent {
        Posting::Done { receipt } => DeliveryAttempt::Sent { receipt },
        Posting::Never { why } => DeliveryAttempt::Failed { error: why },
        Posting::Later { why, .. } if now - claimed.created > PATIENCE => {
            DeliveryAttempt::Failed { error: why }
        }
        Posting::Later { after, why } => {
            let doublings = u32::try_from(claimed.attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
            let wait = FIRST_WAIT.checked_mul(1 << doublings).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
            let asked = after.and_then(|seconds| TimeDelta::try_seconds(i64::try_from(seconds).ok()?));
            let wait = asked.map_or(wait, |asked| asked.clamp(wait, TimeDelta::days(1)));
            DeliveryAttempt::Later { due: now + wait, error: why }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_end_after_three_days() {
        let created = Time::UNIX_EPOCH;
        let minutes = |attempts, after| {
            let (id, recipient, body) = (String::new(), String::new(), String::new());
            let claimed = Claimed { id, recipient, body, created, attempts };
            match attempt(Posting::Later { after, why: String::new() }, &claimed, created) {
                DeliveryAttempt::Later { due, .. } => (due - created).num_minutes(),
                DeliveryAttempt::Sent { .. } | DeliveryAttempt::Failed { .. } => 0,
            }
        };
        let waits: Vec<_> = (1..=8).map(|attempts| minutes(attempts, None)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!((minutes(1, Some(600)), minutes(1, Some(1)), minutes(1, Some(u64::MAX))), (10, 1, 1));
        let claimed = Claimed {
            id: String::new(),
            recipient: String::new(),
            body: String::new(),
            created,
            attempts: 9,
        };
        let late = created + TimeDelta::days(4);
        let sent = Posting::Later { after: None, why: String::new() };
        assert!(matches!(attempt(sent, &claimed, late), DeliveryAttempt::Failed { .. }));
    }
}
