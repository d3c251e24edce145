//! SMS by Twilio: two segments at most, in the characters that every telephone takes, without keys or texts of others
//! (<https://www.twilio.com/docs/messaging/api/message-resource>, read 2026-11-27).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::limit::SMS_TEXT;
use crate::message::{Line, Notification};
use crate::request::ChannelRequest;

/// An account of Twilio, and whom it writes to.
#[derive(Clone, Debug)]
pub struct Twilio {
    /// Where the API is: [`Twilio::API`].
    pub api: String,
    /// The account's SID.
    pub account: String,
    /// The SID of an API key; the account's own where it is missing.
    pub key: Option<String>,
    /// The key's secret, or the account's token.
    pub secret: SecretString,
    /// Who sends.
    pub from: TwilioSender,
    /// The number that is told, in the form `+491701234567`.
    pub to: String,
}

/// Who sends a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwilioSender {
    /// A number of the account.
    Number(String),
    /// A messaging service, by its SID.
    Service(String),
}

impl Twilio {
    /// Twilio's own API.
    pub const API: &'static str = "https://api.twilio.com";

    /// The request that sends a message.
    pub fn request(&self, message: &Notification) -> ChannelRequest {
        let user = self.key.as_deref().unwrap_or(&self.account);
        let login = STANDARD.encode(format!("{user}:{}", self.secret.expose_secret()));
        let (name, from) = match &self.from {
            TwilioSender::Number(number) => ("From", number),
            TwilioSender::Service(sid) => ("MessagingServiceSid", sid),
        };
        let fields = [("To", self.to.as_str()), (name, from), ("Body", &text(message))];
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", self.api, self.account);
        ChannelRequest {
            url: url.into(),
            headers: vec![("authorization", format!("Basic {login}").into())],
            content: "application/x-www-form-urlencoded",
            body: form(&fields),
        }
    }
}

/// What is sent: the title, and what to type.
fn text(message: &Notification) -> String {
    let command = match message.alerts.as_slice() {
        [line] => line.command.as_deref().map(|command| format!(" - {command}")).unwrap_or_default(),
        lines => format!(": {}", lines.iter().map(brief).collect::<Vec<_>>().join("; ")),
    };
    gsm(&format!("Coho {}{command}", message.title()), SMS_TEXT)
}

fn brief(line: &Line) -> String {
    format!("{}: {} ({})", line.subject, line.brief, line.state())
}

/// Characters of GSM-7 that take one place (3GPP TS 23.038, 6.2.1), the line breaks left out.
const BASIC: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Characters that take two.
const EXTENDED: &str = "^{}\\[~]|€";

/// How many places a character takes; none where GSM-7 does not have it.
pub fn places(letter: char) -> Option<usize> {
    if BASIC.contains(letter) { Some(1) } else { EXTENDED.contains(letter).then_some(2) }
}

/// The text in GSM-7, with `?` for what it does not have, and at most so many places.
fn gsm(text: &str, most: usize) -> String {
    let mut told = String::new();
    let mut left = most;
    for letter in text.chars() {
        let letter = match letter {
            '…' => '.',
            '`' | '‘' | '’' => '\'',
            '“' | '”' => '"',
            '–' | '—' => '-',
            other => other,
        };
        let (letter, places) = places(letter).map_or(('?', 1), |places| (letter, places));
        match left.checked_sub(places) {
            Some(rest) => left = rest,
            None => break,
        }
        told.push(letter);
    }
    told
}

/// A form's body.
fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", percent(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // A `String` takes any text.
            other => write!(encoded, "%{other:02X}").unwrap_or_default(),
        }
    }
    encoded
}
