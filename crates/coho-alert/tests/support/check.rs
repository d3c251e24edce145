//! What each service documents of the requests that it takes, checked as it would: a description of the first fault.

use std::collections::BTreeMap;

use coho_core::json::Json;

type Checked = Result<(), String>;

fn demand(holds: bool, what: &str) -> Checked {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn document(body: &str) -> Result<Json, String> {
    serde_json::from_str(body).map_err(|error| format!("not JSON: {error}"))
}

fn text<'v>(value: &'v Json, pointer: &str) -> Result<&'v str, String> {
    value.pointer(pointer).and_then(Json::as_str).ok_or_else(|| format!("no text at {pointer}"))
}

/// UTF-16 units, the strictest way to count characters.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Blocks of Slack: 50, a header of 150, sections of 3,000, escaped.
pub(crate) fn slack(body: &str) -> Checked {
    let body = document(body)?;
    demand(!text(&body, "/text")?.is_empty(), "the text is empty")?;
    let blocks = body.get("blocks").and_then(Json::as_array).ok_or("no blocks")?;
    demand((1..=50).contains(&blocks.len()), "too many blocks")?;
    for block in blocks {
        match text(block, "/type")? {
            "header" => {
                demand(text(block, "/text/type")? == "plain_text", "a header is plain text")?;
                demand((1..=150).contains(&units(text(block, "/text/text")?)), "a header is too long")?;
            }
            "section" => {
                let shown = text(block, "/text/text")?;
                demand((1..=3_000).contains(&units(shown)), "a section is empty or too long")?;
                demand(!shown.contains(['<', '>']), "a section is not escaped")?;
                let torn = shown
                    .split('&')
                    .skip(1)
                    .any(|rest| !["amp;", "lt;", "gt;"].iter().any(|escape| rest.starts_with(escape)));
                demand(!torn, "an escape is torn")?;
            }
            "actions" => {
                demand(units(text(block, "/elements/0/text/text")?) <= 75, "a button is too long")?;
                demand(units(text(block, "/elements/0/url")?) <= 3_000, "an address is too long")?;
            }
            other => return Err(format!("an unknown block {other}")),
        }
    }
    let all: usize = blocks.iter().filter_map(|block| text(block, "/text/text").ok()).map(units).sum();
    demand(all <= 13_200, "msg_blocks_too_long")
}

/// Events of PagerDuty.
pub(crate) fn pagerduty(body: &str) -> Checked {
    demand(body.len() <= 512 * 1_024, "an event is too large")?;
    let event = document(body)?;
    demand(!text(&event, "/routing_key")?.is_empty(), "no routing key")?;
    demand((1..=255).contains(&text(&event, "/dedup_key")?.chars().count()), "the dedup key is too long")?;
    match text(&event, "/event_action")? {
        "resolve" => Ok(()),
        "trigger" => {
            let summary = text(&event, "/payload/summary")?;
            demand((1..=1_024).contains(&units(summary)), "the summary is too long")?;
            demand(!text(&event, "/payload/source")?.is_empty(), "no source")?;
            let severities = ["critical", "error", "warning", "info"];
            demand(severities.contains(&text(&event, "/payload/severity")?), "an unknown severity")
        }
        other => Err(format!("an unknown action {other}")),
    }
}

/// The fields of a form.
pub(crate) fn form(body: &str) -> Result<BTreeMap<String, String>, String> {
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or("a field without `=`")?;
        Ok((decoded(name)?, decoded(value)?))
    };
    body.split('&').map(field).collect()
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'%' {
            let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let digits = digits.ok_or("a torn escape")?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| "no digits")?);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            demand(first.is_ascii_alphanumeric() || b"-._~".contains(first), "a raw character")?;
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// A message of Twilio: two segments of GSM-7.
pub(crate) fn twilio(body: &str) -> Checked {
    let fields = form(body)?;
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    demand(
        names == ["Body", "From", "To"] || names == ["Body", "MessagingServiceSid", "To"],
        "other fields",
    )?;
    let places = |letter: char| match letter {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Ok(2),
        letter if GSM.contains(letter) => Ok(1),
        letter => Err(format!("{letter:?} is not GSM-7")),
    };
    let all = fields["Body"].chars().map(places).sum::<Result<usize, _>>()?;
    demand((1..=300).contains(&all), "the message is empty or longer than 300")
}

/// A message of a workflow of Teams.
pub(crate) fn teams(body: &str) -> Checked {
    demand(body.len() <= 28 * 1_024, "the message is too large")?;
    let body = document(body)?;
    demand(text(&body, "/type")? == "message", "not a message")?;
    let attachment = "/attachments/0";
    let content = text(&body, &format!("{attachment}/contentType"))?;
    demand(content == "application/vnd.microsoft.card.adaptive", "not an adaptive card")?;
    demand(text(&body, &format!("{attachment}/content/type"))? == "AdaptiveCard", "not an adaptive card")?;
    demand(text(&body, &format!("{attachment}/content/version"))? == "1.4", "another version")?;
    let elements = body.pointer("/attachments/0/content/body").and_then(Json::as_array).ok_or("no body")?;
    demand(!elements.is_empty(), "an empty card")?;
    for element in elements {
        demand(text(element, "/type")? == "RichTextBlock", "another element")?;
        demand(text(element, "/inlines/0/type")? == "TextRun", "another inline")?;
        demand(!text(element, "/inlines/0/text")?.is_empty(), "an empty text")?;
    }
    Ok(())
}

/// A mail as RFC 5322 has it: ASCII, short lines, each header once, a text and HTML.
pub(crate) fn mail(mail: &str) -> Checked {
    demand(mail.is_ascii(), "not ASCII")?;
    for line in mail.split("\r\n") {
        demand(line.len() <= 998, "a line is too long")?;
        demand(!line.contains(['\r', '\n']), "a bare line end")?;
    }
    let (head, body) = mail.split_once("\r\n\r\n").ok_or("no body")?;
    for name in ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id"] {
        let count = head.split("\r\n").filter(|line| line.starts_with(&format!("{name}: "))).count();
        demand(count == 1, &format!("{name} is there {count} times"))?;
    }
    let known = |line: &str| {
        line.starts_with([' ', '\t']) || line.split_once(": ").is_some_and(|(name, _)| !name.contains(' '))
    };
    demand(head.split("\r\n").all(known), "a line of the head is no header")?;
    demand(body.matches("Content-Type: text/").count() == 2, "not two parts")
}
