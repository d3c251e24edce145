//! Sending: one attempt to deliver a message. No repeats and no waits; those are the outbox's.
//!
//! What is told of an attempt that failed holds no address, no token, and what a service answered only with secrets masked.

mod command;
mod http;
mod mail;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use coho_core::secret::Masker;
use coho_core::time::Time;

use crate::channel::Channel;
use crate::channel::pagerduty::PagerDuty;
use crate::channel::ping::{Check, Ping};
use crate::channel::slack::{Posted, SlackBot};
use crate::channel::webhook::Webhook;
use crate::message::Notification;
use crate::request::{ChannelRequest, Posting};

/// How long one attempt may take.
pub const ATTEMPT: Duration = Duration::from_secs(10);

/// Sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Notifier {
    http: reqwest::Client,
    masker: Masker,
}

/// The client of HTTP could not be made.
#[derive(Debug, thiserror::Error)]
#[error("alerts cannot be sent: the HTTP client could not be made")]
pub struct SenderError(#[source] reqwest::Error);

impl Notifier {
    /// A sender that masks these secrets in all that it tells.
    pub fn new(masker: Masker) -> Result<Self, SenderError> {
        let http = http::client(ATTEMPT).map_err(|error| SenderError(error.without_url()))?;
        Ok(Self { http, masker })
    }

    /// Tries once to deliver a message. `receipts` are those of the messages that opened its alerts.
    pub async fn send(
        &self,
        channel: &Channel,
        message: &Notification,
        receipts: &BTreeMap<String, String>,
        now: Time,
    ) -> Posting {
        let sent = match channel {
            Channel::Slack(slack) => http::post(&self.http, &slack.request(message)).await.interpret(),
            Channel::SlackBot(bot) => self.post(bot, message, receipts).await,
            Channel::PagerDuty(pagerduty) => self.raise(pagerduty, message, receipts).await,
            Channel::Sms(twilio) => http::post(&self.http, &twilio.request(message)).await.interpret(),
            Channel::Email(email) => mail::send(email, message).await,
            Channel::Webhook(webhook) => {
                http::post(&self.http, &webhook.request(message, now)).await.interpret()
            }
            Channel::Teams(teams) => http::post(&self.http, &teams.request(message)).await.interpret(),
            Channel::Command(command) => command::run(command, message).await,
        };
        self.masked(sent)
    }

    /// Tries once to deliver a body to a webhook.
    pub async fn notify(&self, webhook: &Webhook, id: &str, body: String, now: Time) -> Posting {
        self.attempt(&webhook.signed(id, body, now)).await
    }

    /// Tries once to post what is no message, such as an event of lineage.
    pub async fn attempt(&self, request: &ChannelRequest) -> Posting {
        let sent = http::post(&self.http, request).await.interpret();
        self.masked(sent)
    }

    /// Pings a check.
    pub async fn ping(&self, check: &Check, ping: Ping, summary: &str) -> Posting {
        let summary = self.masker.mask(summary);
        let sent = http::post(&self.http, &check.request(ping, &summary)).await.interpret();
        self.masked(sent)
    }

    /// A bot posts, and then lets the earlier messages show how things stand. Those are kept at best: the post has told it.
    async fn post(
        &self,
        bot: &SlackBot,
        message: &Notification,
        receipts: &BTreeMap<String, String>,
    ) -> Posting {
        let read = |(id, receipt): (&String, &String)| Some((id.clone(), Posted::from_receipt(receipt)?));
        let threads: BTreeMap<_, _> = receipts.iter().filter_map(read).collect();
        let sent = SlackBot::interpret(http::post(&self.http, &bot.post(message, &threads)).await, message);
        if matches!(sent, Posting::Done { .. }) {
            for update in bot.updates(message, &threads) {
                drop(http::post(&self.http, &update).await);
            }
        }
        sent
    }

    /// Events that PagerDuty took already are the same incidents when they come again.
    async fn raise(
        &self,
        pagerduty: &PagerDuty,
        message: &Notification,
        receipts: &BTreeMap<String, String>,
    ) -> Posting {
        let requests = match pagerduty.requests(message, receipts) {
            Ok(requests) => requests,
            Err(why) => return Posting::Never { why },
        };
        for request in requests {
            match http::post(&self.http, &request).await.interpret() {
                Posting::Done { .. } => {}
                refused @ (Posting::Later { .. } | Posting::Never { .. }) => return refused,
            }
        }
        Posting::Done { receipt: Some(pagerduty.receipt()) }
    }

    fn masked(&self, sent: Posting) -> Posting {
        let mask = |why: String| self.masker.mask(&why).into_owned();
        match sent {
            Posting::Done { receipt } => Posting::Done { receipt },
            Posting::Later { after, why } => Posting::Later { after, why: mask(why) },
            Posting::Never { why } => Posting::Never { why: mask(why) },
        }
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}
