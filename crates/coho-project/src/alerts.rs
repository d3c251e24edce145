//! What a project says of alerts: who is told, by which channel, and from where on something is bad.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use coho_core::alert::Recipient;
use coho_core::alert::rules::{Rules, Shares};
use coho_core::sync::SyncId;
use secrecy::SecretString;

/// How long something is critical before it is told again, if the project does not say.
pub(crate) const REMIND_HOURS: i64 = 24;

/// What a project says of alerts.
#[derive(Clone, Debug)]
pub struct AlertsSpec {
    /// Who is told, by which channel, in the order of the names.
    pub recipients: Vec<(Recipient, ChannelSpec)>,
    /// After which time something that is still critical is told again.
    pub remind: Option<TimeDelta>,
    /// How much of the ledger's disk must be free, in thousandths.
    pub disk: Shares,
    /// The rules of each sync; none for those of which nobody is told.
    pub rules: BTreeMap<SyncId, Rules>,
    /// Where Coho's pages are, without a slash at the end.
    pub public_url: Option<String>,
    /// What is pinged when runs begin and end.
    pub ping: Option<SecretString>,
}

impl Default for AlertsSpec {
    fn default() -> Self {
        Self {
            recipients: Vec::new(),
            remind: Some(TimeDelta::hours(REMIND_HOURS)),
            disk: Shares::default(),
            rules: BTreeMap::new(),
            public_url: None,
            ping: None,
        }
    }
}

/// By which channel somebody is told.
#[derive(Clone, Debug)]
pub enum ChannelSpec {
    /// Slack, by an incoming webhook.
    Slack {
        /// Its address.
        url: SecretString,
    },
    /// Slack, by a bot.
    SlackBot {
        /// Its token.
        token: SecretString,
        /// The channel's id.
        channel: String,
        /// Another address of the API.
        api_url: Option<String>,
    },
    /// PagerDuty.
    PagerDuty {
        /// The routing key.
        routing_key: SecretString,
        /// Keys that were used before.
        former_keys: Vec<SecretString>,
        /// Another address for events.
        url: Option<String>,
    },
    /// Mailboxes.
    Email {
        /// The server.
        server: SmtpSpec,
        /// User and password.
        login: Option<(String, SecretString)>,
        /// The file of an authority that vouches for the server, besides those of the machine.
        ca_file: Option<String>,
        /// Who sends.
        from: String,
        /// Who is told.
        to: Vec<String>,
    },
    /// Twilio.
    Sms {
        /// The account's SID.
        account: String,
        /// The API key's SID.
        api_key: Option<String>,
        /// Its secret.
        secret: SecretString,
        /// The number that sends, or nothing where a service does.
        from: Option<String>,
        /// The messaging service that sends.
        service: Option<String>,
        /// The number to send to.
        to: String,
        /// Another address of the API.
        api_url: Option<String>,
    },
    /// Microsoft Teams.
    Teams {
        /// The workflow's address.
        url: SecretString,
    },
    /// A program over HTTP.
    Webhook {
        /// Its address.
        url: SecretString,
        /// What messages are signed with.
        secrets: Vec<SecretString>,
    },
    /// A program on this machine.
    Command {
        /// The program and its arguments.
        run: Vec<String>,
        /// How long the program may take.
        timeout: Duration,
    },
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpSpec {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// Whether TLS begins with the first byte.
    pub is_tls: bool,
}

impl SmtpSpec {
    /// Whether it is on this machine, where nothing need be hidden.
    pub fn is_local(&self) -> bool {
        ["localhost", "127.0.0.1", "::1"].contains(&self.host.as_str())
    }

    /// The server of an address: `smtps://host:port`, `smtp://host`.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (is_tls, rest) = match url.split_once("://")? {
            ("smtps", rest) => (true, rest),
            ("smtp", rest) => (false, rest),
            _ => return None,
        };
        let (host, port) = match rest.trim_end_matches('/').rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (rest.trim_end_matches('/'), None),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        (!host.is_empty() && host.chars().all(is_host)).then(|| Self { host: host.to_owned(), port, is_tls })
    }
}

/// What a sync's file says of its alerts.
#[derive(Clone, Debug, Default)]
pub(crate) struct SyncAlerts {
    /// Whether nobody is told of it.
    pub(crate) is_off: bool,
    /// Who is told, where it is not everybody.
    pub(crate) to: Option<BTreeSet<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_an_address_without_user_and_path() {
        let parsed = SmtpSpec::parse("smtps://mail.example.com:465");
        let host = "mail.example.com".to_owned();
        assert_eq!(parsed, Some(SmtpSpec { host, port: Some(465), is_tls: true }));
        assert!(SmtpSpec::parse("smtp://localhost/").is_some_and(|server| server.is_local()));
        for wrong in ["mail.example.com", "smtp://", "smtp://a@b", "smtp://a:b", "https://a"] {
            assert_eq!(SmtpSpec::parse(wrong), None, "{wrong}");
        }
    }
}
