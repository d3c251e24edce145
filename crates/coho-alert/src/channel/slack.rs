//! Slack: an incoming webhook, or a bot with a token. Both take the same blocks.
//!
//! A bot learns where its message stands (`channel` and `ts`), so what follows of the same alerts goes into its thread, and
//! the first message shows how things stand now (<https://docs.slack.dev/reference/methods/chat.postMessage> and
//! `chat.update`, read 2026-11-27).

use std::collections::BTreeMap;

use coho_core::alert::Level;
use coho_core::json::Json;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::limit::{SHOWN, SLACK_BUTTON, SLACK_HEADER, SLACK_SECTION, SLACK_TOTAL, SLACK_URL, cut};
use crate::message::{Line, Notification};
use crate::request::{ChannelAnswer, ChannelRequest, Posting, said};

/// An incoming webhook.
#[derive(Clone, Debug)]
pub struct SlackWebhook {
    /// Its address, which is a secret.
    pub url: SecretString,
}

/// A bot.
#[derive(Clone, Debug)]
pub struct SlackBot {
    /// Where the API is: [`SlackBot::API`].
    pub api: String,
    /// Its token.
    pub token: SecretString,
    /// The channel's id.
    pub channel: String,
}

/// Where a bot's message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The channel's id, as Slack answered it.
    pub channel: String,
    /// The message's time stamp, which is its id.
    pub ts: String,
    /// How many alerts it opened.
    pub alerts: u64,
}

impl SlackWebhook {
    /// The request that posts a message.
    pub fn request(&self, message: &Notification) -> ChannelRequest {
        let body = json!({ "text": fallback(message), "blocks": blocks(message) });
        ChannelRequest::json(&self.url, &body)
    }
}

impl SlackBot {
    /// Slack's own API.
    pub const API: &'static str = "https://slack.com/api";

    /// The request that posts a message: into the thread of the one message that all of its alerts were opened by, if there
    /// is one.
    pub fn post(&self, message: &Notification, threads: &BTreeMap<String, Posted>) -> ChannelRequest {
        let mut body = json!({
            "channel": self.channel,
            "text": fallback(message),
            "blocks": blocks(message),
            "unfurl_links": false,
        });
        if let ([thread], Some(fields)) = (opened(message, threads).as_slice(), body.as_object_mut()) {
            fields.insert("channel".to_owned(), thread.channel.clone().into());
            fields.insert("thread_ts".to_owned(), thread.ts.clone().into());
        }
        self.ask("chat.postMessage", &body)
    }

    /// The requests that let earlier messages show how their alerts stand now: those all of whose alerts this message tells of.
    pub fn updates(&self, message: &Notification, threads: &BTreeMap<String, Posted>) -> Vec<ChannelRequest> {
        let update = |posted: &Posted| {
            let body = json!({
                "channel": posted.channel,
                "ts": posted.ts,
                "text": fallback(message),
                "blocks": blocks(message),
            });
            self.ask("chat.update", &body)
        };
        let is_whole = |posted: &&Posted| {
            let of = |line: &&Line| threads.get(&line.opened_by) == Some(*posted);
            u64::try_from(message.alerts.iter().filter(of).count()).ok() == Some(posted.alerts)
        };
        opened(message, threads).iter().filter(is_whole).map(update).collect()
    }

    fn ask(&self, method: &str, body: &Json) -> ChannelRequest {
        let url = SecretString::from(format!("{}/{method}", self.api));
        let bearer = SecretString::from(format!("Bearer {}", self.token.expose_secret()));
        ChannelRequest {
            headers: vec![("authorization", bearer)],
            content: "application/json; charset=utf-8",
            ..ChannelRequest::json(&url, body)
        }
    }

    /// What an answer of the API means: it says `"ok": false` with a status of 200.
    pub fn interpret(answer: ChannelAnswer, message: &Notification) -> Posting {
        let ChannelAnswer::Reply { status: 200, body, .. } = &answer else { return answer.interpret() };
        let Ok(document) = serde_json::from_str::<Json>(body) else {
            return Posting::Later { after: None, why: "it did not answer with JSON".to_owned() };
        };
        if document.get("ok").and_then(Json::as_bool) == Some(true) {
            return Posting::Done {
                receipt: Posted::read(&document, new(message)).map(|posted| posted.to_receipt()),
            };
        }
        let error = document.get("error").and_then(Json::as_str).unwrap_or_default();
        let why = said(200, error);
        match error {
            "ratelimited"
            | "rate_limited"
            | "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "request_timeout" => Posting::Later { after: None, why },
            _ => Posting::Never { why },
        }
    }
}

impl Posted {
    fn read(document: &Json, alerts: u64) -> Option<Self> {
        let text = |name: &str| document.get(name).and_then(Json::as_str).map(str::to_owned);
        Some(Self { channel: text("channel")?, ts: text("ts")?, alerts })
    }

    fn to_receipt(&self) -> String {
        json!({ "channel": self.channel, "ts": self.ts, "alerts": self.alerts }).to_string()
    }

    /// What a receipt says.
    pub fn from_receipt(receipt: &str) -> Option<Self> {
        let document: Json = serde_json::from_str(receipt).ok()?;
        Self::read(&document, document.get("alerts").and_then(Json::as_u64)?)
    }
}

/// How many alerts a message opens.
fn new(message: &Notification) -> u64 {
    let opens = |line: &&Line| line.opened_by == message.id;
    u64::try_from(message.alerts.iter().filter(opens).count()).unwrap_or(u64::MAX)
}

/// The earlier messages that opened this one's alerts.
fn opened(message: &Notification, threads: &BTreeMap<String, Posted>) -> Vec<Posted> {
    let mut found = Vec::new();
    for line in message.alerts.iter().filter(|line| line.opened_by != message.id) {
        if let Some(posted) = threads.get(&line.opened_by)
            && !found.contains(posted)
        {
            found.push(posted.clone());
        }
    }
    found
}

/// What shows in notifications, where blocks do not.
fn fallback(message: &Notification) -> String {
    escaped(&message.title(), SLACK_HEADER)
}

fn blocks(message: &Notification) -> Vec<Json> {
    let sign = match (message.test, message.level()) {
        (true, _) => "🔔",
        (false, Some(Level::Critical)) => "🔴",
        (false, Some(Level::Warning)) => "🟠",
        (false, None) => "🟢",
    };
    let title = cut(&format!("{sign} {}", message.title()), SLACK_HEADER);
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": title, "emoji": false } })];
    let shown = &message.alerts.get(..message.alerts.len().min(SHOWN)).unwrap_or_default();
    // All together stay below the total, whatever the texts.
    let most = ((SLACK_TOTAL - 1_000) / shown.len().max(1)).min(SLACK_SECTION);
    blocks.extend(shown.iter().map(|line| section(&of(line, message.alerts.len() == 1), most)));
    if message.alerts.len() > shown.len() {
        blocks.push(section(&format!("and {} more: `coho alerts`", message.alerts.len() - shown.len()), 200));
    }
    blocks.extend(button(message));
    blocks
}

/// What stands in a section, before it is escaped.
fn of(line: &Line, is_alone: bool) -> String {
    let mut lines = Vec::new();
    if !is_alone {
        lines.push(format!("{}: {} ({})", line.subject, line.brief, line.state()));
    }
    lines.extend(line.details());
    if line.link.is_none() {
        lines.extend(line.command.clone());
    }
    lines.join("\n")
}

fn section(text: &str, most: usize) -> Json {
    json!({
        "type": "section",
        "text": { "type": "mrkdwn", "text": escaped(text, most), "verbatim": true },
    })
}

fn button(message: &Notification) -> Option<Json> {
    let link = message.alerts.iter().find_map(|line| line.link.as_deref())?;
    let fits = link.encode_utf16().count() <= SLACK_URL;
    let text = cut("Open the run", SLACK_BUTTON);
    fits.then(|| {
        json!({
            "type": "actions",
            "elements": [{ "type": "button", "text": { "type": "plain_text", "text": text }, "url": link }],
        })
    })
}

/// The text with `&`, `<` and `>` escaped, which alone mean something to Slack whatever else is set, and cut so that no
/// escape is torn.
fn escaped(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    let mut left = most.saturating_sub(1);
    for letter in text.chars() {
        let mut plain = [0; 4];
        let piece = match letter {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => &*other.encode_utf8(&mut plain),
        };
        let Some(rest) = left.checked_sub(piece.encode_utf16().count()) else {
            escaped.push('…');
            return escaped;
        };
        left = rest;
        escaped.push_str(piece);
    }
    escaped
}
