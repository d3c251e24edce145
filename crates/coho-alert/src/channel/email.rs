//! E-mail: a text and a small page of HTML that say the same. Mails about the same alerts are one thread, by their ids.

use std::time::SystemTime;

use chrono::DateTime;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, MultiPartKind, SinglePart};
use secrecy::SecretString;

use crate::limit::{MAIL_SUBJECT, SHOWN, cut};
use crate::message::{Line, Notification};

/// A server that takes mails, and whom they go to.
#[derive(Clone, Debug)]
pub struct Email {
    /// The server's name.
    pub host: String,
    /// Its port; the usual one of the security where it is missing.
    pub port: Option<u16>,
    /// How the connection is kept private.
    pub security: Security,
    /// Who logs in.
    pub login: Option<SmtpLogin>,
    /// Who sends.
    pub from: Mailbox,
    /// Who is told.
    pub to: Vec<Mailbox>,
    /// A certificate in PEM that vouches for the server, besides those of the machine.
    pub authority: Option<String>,
}

/// How a connection to a mail server is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte: port 465.
    Tls,
    /// TLS after `STARTTLS`, or no mail: port 587.
    StartTls,
    /// Not at all: for a server on this machine, port 25.
    None,
}

/// Who logs in to a mail server.
#[derive(Clone, Debug)]
pub struct SmtpLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl Email {
    /// The mail.
    pub fn mail(&self, message: &Notification) -> Result<lettre::Message, lettre::error::Error> {
        let id = |id: &str| format!("<{id}@{}>", self.from.email.domain());
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(cut(&message.title(), MAIL_SUBJECT))
            .date(date(message))
            .message_id(Some(id(&message.id)))
            .raw_header(header("List-Id", format!("<{}.coho>", label(&message.project))))
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let earlier: Vec<_> = opened_before(message).iter().map(|opened| id(opened)).collect();
        if let Some(first) = earlier.first() {
            builder = builder.in_reply_to(first.clone()).references(earlier.join(" "));
        }
        builder.multipart(parts(message))
    }
}

/// The messages that opened this one's alerts, without itself. A mail names a few of them at most.
fn opened_before(message: &Notification) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for line in &message.alerts {
        if line.opened_by != message.id && !found.contains(&line.opened_by.as_str()) && found.len() < SHOWN {
            found.push(&line.opened_by);
        }
    }
    found
}

fn parts(message: &Notification) -> MultiPart {
    MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(format!("coho-{}", label(&message.id)))
        .build()
        .singlepart(part(ContentType::TEXT_PLAIN, plain(message)))
        .singlepart(part(ContentType::TEXT_HTML, html(message)))
}

/// Quoted-printable always: lines stay short, and readable in the source.
fn part(content: ContentType, text: String) -> SinglePart {
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable);
    // Quoted-printable takes every text.
    let body = body.unwrap_or_else(|_| Body::new(String::new()));
    SinglePart::builder().header(content).body(body)
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn date(message: &Notification) -> SystemTime {
    DateTime::parse_from_rfc3339(&message.at).map_or(SystemTime::UNIX_EPOCH, SystemTime::from)
}

/// A text that is a part of an id or a boundary whatever it was.
fn label(text: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let label: String = text.chars().map(letter).take(50).collect();
    if label.is_empty() { "-".to_owned() } else { label }
}

fn shown(message: &Notification) -> &[Line] {
    message.alerts.get(..message.alerts.len().min(SHOWN)).unwrap_or_default()
}

fn plain(message: &Notification) -> String {
    let mut lines = vec![message.title(), String::new()];
    for line in shown(message) {
        lines.push(format!("{}: {} ({})", line.subject, line.brief, line.state()));
        lines.extend(line.details().iter().map(|detail| format!("  {detail}")));
        lines.extend(line.link.iter().map(|link| format!("  {link}")));
        lines.extend(line.command.iter().map(|command| format!("  $ {command}")));
        lines.push(String::new());
    }
    lines.extend(more(message));
    lines.join("\n")
}

fn more(message: &Notification) -> Option<String> {
    let more = message.alerts.len().saturating_sub(SHOWN);
    (more > 0).then(|| format!("and {more} more: coho alerts"))
}

fn html(message: &Notification) -> String {
    let sections: Vec<_> = shown(message).iter().map(section).collect();
    let more = more(message).map(|more| format!("<p>{more}</p>")).unwrap_or_default();
    let title = text(&message.title());
    format!("<!doctype html><html><body><h3>{title}</h3>{}{more}</body></html>\n", sections.concat())
}

fn section(line: &Line) -> String {
    let mut lines = vec![format!("<b>{}: {}</b> ({})", text(&line.subject), text(&line.brief), line.state())];
    lines.extend(line.details().iter().map(|detail| text(detail)));
    if let Some(link) = line.link.as_ref().filter(|link| link.starts_with("http")) {
        lines.push(format!("<a href=\"{}\">Open the run</a>", text(link)));
    }
    lines.extend(line.command.iter().map(|command| format!("<code>{}</code>", text(command))));
    format!("<p>{}</p>", lines.join("<br>"))
}

/// A text as HTML shows it.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
