//! PagerDuty, Events v2: one event for each alert, so that each is an incident of its own and is resolved by itself
//! (<https://developer.pagerduty.com/docs/send-alert-event>, read 2026-11-27).
//!
//! An incident is resolved with the key that opened it; others are taken and do nothing. The receipt of a message that opened
//! alerts is a digest of that key, so former keys may be given until their incidents are over.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use coho_core::alert::Level;
use coho_core::json::Json;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::limit::{PAGERDUTY_DEDUP, PAGERDUTY_SUMMARY, cut};
use crate::message::{Line, Notification};
use crate::request::ChannelRequest;
use crate::tell::Turn;

/// A service of PagerDuty.
#[derive(Clone, Debug)]
pub struct PagerDuty {
    /// Where events go: [`PagerDuty::EVENTS`], or another service region's address.
    pub url: String,
    /// The routing key of the integration.
    pub routing_key: SecretString,
    /// Keys that were used before, and may have incidents open.
    pub former_keys: Vec<SecretString>,
}

impl PagerDuty {
    /// The address in the US service region.
    pub const EVENTS: &'static str = "https://events.pagerduty.com/v2/enqueue";

    /// The events of a message, in order. `receipts` are those of the messages that opened its alerts. An incident whose key
    /// is not known any more cannot be resolved: the error names its alert.
    pub fn requests(
        &self,
        message: &Notification,
        receipts: &BTreeMap<String, String>,
    ) -> Result<Vec<ChannelRequest>, String> {
        let mut requests = Vec::new();
        for line in &message.alerts {
            let key = self.key(line, receipts).ok_or_else(|| lost(line))?;
            if message.test {
                requests.push(self.event(message, line, key, "trigger"));
                requests.push(self.event(message, line, key, "resolve"));
                continue;
            }
            let action = if line.turn() == Some(Turn::Recovered) { "resolve" } else { "trigger" };
            requests.push(self.event(message, line, key, action));
        }
        Ok(requests)
    }

    /// What is needed to resolve what a message opened.
    pub fn receipt(&self) -> String {
        fingerprint(&self.routing_key)
    }

    /// The key for an alert: the one that opened it, or the present one.
    fn key(&self, line: &Line, receipts: &BTreeMap<String, String>) -> Option<&SecretString> {
        let Some(receipt) = receipts.get(&line.opened_by) else { return Some(&self.routing_key) };
        let keys = std::iter::once(&self.routing_key).chain(&self.former_keys);
        keys.into_iter().find(|key| fingerprint(key) == *receipt)
    }

    fn event(&self, message: &Notification, line: &Line, key: &SecretString, action: &str) -> ChannelRequest {
        let mut event = json!({
            "routing_key": key.expose_secret(),
            "event_action": action,
            "dedup_key": dedup(&line.alert),
        });
        if action == "trigger"
            && let Some(fields) = event.as_object_mut()
        {
            fields.insert("payload".to_owned(), payload(message, line));
            fields.insert("client".to_owned(), "Coho".into());
            if let Some(link) = &line.link {
                fields.insert("client_url".to_owned(), link.clone().into());
                fields.insert("links".to_owned(), json!([{ "href": link, "text": "the run" }]));
            }
        }
        ChannelRequest::json(&SecretString::from(self.url.clone()), &event)
    }
}

/// Brief, without texts of others: it may be read to anybody.
fn payload(message: &Notification, line: &Line) -> Json {
    let severity = match line.level() {
        _ if message.test => "info",
        Some(Level::Critical) => "critical",
        Some(Level::Warning) | None => "warning",
    };
    let summary = format!("[{}] {}: {}", message.project, line.subject, line.brief);
    json!({
        "summary": cut(&summary, PAGERDUTY_SUMMARY),
        "source": cut(&format!("coho {}", message.project), PAGERDUTY_DEDUP),
        "severity": severity,
        "timestamp": message.at,
        "component": line.subject,
        "group": message.project,
        "class": line.trigger,
        "custom_details": {
            "since": line.since,
            "rows": line.count,
            "examples": line.examples,
            "help": line.remedy,
            "command": line.command,
        },
    })
}

/// The name of an alert, as a digest where it is too long.
fn dedup(alert: &str) -> String {
    if alert.chars().count() <= PAGERDUTY_DEDUP {
        return alert.to_owned();
    }
    format!("coho:{}", hexadecimal(&Sha256::digest(alert)))
}

fn fingerprint(key: &SecretString) -> String {
    let digest = Sha256::digest(format!("coho routing key {}", key.expose_secret()));
    hexadecimal(digest.get(..8).unwrap_or_default())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A `String` takes any text.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

fn lost(line: &Line) -> String {
    format!(
        "the incident of `{}` was opened with another routing key: add that key under `former_keys`, or resolve the incident in PagerDuty",
        line.alert
    )
}
