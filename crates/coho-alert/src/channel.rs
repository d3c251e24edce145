//! Channels: where messages go, and what each takes. Each module makes bytes of a message and sends nothing.

pub mod command;
pub mod email;
pub mod pagerduty;
pub mod ping;
pub mod slack;
pub mod sms;
pub mod teams;
pub mod webhook;

use self::command::Command;
use self::email::Email;
use self::pagerduty::PagerDuty;
use self::slack::{SlackBot, SlackWebhook};
use self::sms::Twilio;
use self::teams::Teams;
use self::webhook::Webhook;

/// A channel with all that it needs. Its secrets never show.
#[derive(Clone, Debug)]
pub enum Channel {
    /// A channel of Slack, by an incoming webhook.
    Slack(SlackWebhook),
    /// A channel of Slack, by a bot.
    SlackBot(SlackBot),
    /// A service of PagerDuty.
    PagerDuty(PagerDuty),
    /// Telephones, by Twilio.
    Sms(Twilio),
    /// Mailboxes.
    Email(Email),
    /// A program of one's own, over HTTP.
    Webhook(Webhook),
    /// A channel or chat of Microsoft Teams.
    Teams(Teams),
    /// A program of one's own, on this machine.
    Command(Command),
}

impl Channel {
    /// The word in `coho.yaml`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) | Self::SlackBot(_) => "slack",
            Self::PagerDuty(_) => "pagerduty",
            Self::Sms(_) => "sms",
            Self::Email(_) => "email",
            Self::Webhook(_) => "webhook",
            Self::Teams(_) => "teams",
            Self::Command(_) => "command",
        }
    }
}
