//! Readings: what an answer means, whatever was asked. The one reader of records, lists, removals and batches: success is
//! shown by the answer, never assumed from its status. Only 429 and 425 mean something outside, to the pace of calls.
//!
//! What Vitally answers on success: a write answers 200 with the record, a DELETE 204, a list `{"results": […]}`, the
//! Analytics API `{"message":"Success."}` (<https://docs.vitally.io/en/articles/9874151-analytics-api-batch>, read 2026-11-24).
//! Whatever else comes with a 2xx shows nothing: the write may have been carried out, or not.

use coho_core::code::Code;
use coho_core::json::Json;
use coho_core::verdict::Verdict;
use serde_json::Map;

use crate::request::{Answer, Reply, Shows};
use crate::wire::glance::telling;
use crate::wire::record::{Envelope, Page, Record};
use crate::wire::refusal;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading<'a> {
    /// 2xx: what it shows is still to be read.
    Fine(&'a Reply),
    /// 404.
    Absent(&'a Reply),
    /// Another 4xx: Vitally refuses this request, and others may pass.
    Refused(&'a Reply),
    /// What ends an exchange, whatever was asked.
    End(End),
}

/// What ends an exchange, whatever was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// 413.
    TooLarge(String),
    /// All requests would end like this one.
    Halt(Code, String),
    /// 5xx, a proxy's time-out, a success that shows nothing, or no answer: the server may have done it.
    Unknown(String),
    /// The request never left.
    NotSent(String),
}

/// Reads an answer.
pub(crate) fn read(answer: &Answer) -> Reading<'_> {
    match answer {
        Answer::Reply(reply) => read_reply(reply),
        Answer::Lost { why } => Reading::End(End::Unknown(why.clone())),
        Answer::NotSent { why } => Reading::End(End::NotSent(why.clone())),
    }
}

fn read_reply(reply: &Reply) -> Reading<'_> {
    let text = || refusal::text_or_status(reply.status, &reply.body);
    let halt = |code, message| Reading::End(End::Halt(code, message));
    match reply.status {
        200..=299 => Reading::Fine(reply),
        401 => halt(Code::UNAUTHORIZED, format!("Vitally does not accept the token (401): {}", text())),
        403 => halt(Code::FORBIDDEN, format!("the token has no permission for this (403): {}", text())),
        404 => Reading::Absent(reply),
        413 => Reading::End(End::TooLarge(text())),
        429 => halt(Code::QUOTA, "Vitally keeps answering 429 (too many calls)".to_owned()),
        408 | 500.. => Reading::End(End::Unknown(failing(reply))),
        400..=499 => Reading::Refused(reply),
        status => halt(Code::UNREACHABLE, redirected(status)),
    }
}

fn failing(reply: &Reply) -> String {
    match refusal::text(&reply.body) {
        text if text.is_empty() => format!("Vitally answered {}", reply.status),
        text => format!("Vitally answered {}: {text}", reply.status),
    }
}

fn redirected(status: u16) -> String {
    format!("the address answered {status}, a redirect; check the region and the subdomain")
}

impl End {
    /// The verdict where a write ended like this.
    pub(crate) fn of_write(self) -> Verdict {
        match self {
            Self::TooLarge(message) => Verdict::Rejected { code: Code::TOO_LARGE, message },
            Self::Halt(code, message) => Verdict::Halt { code, message },
            Self::Unknown(why) => Verdict::Unsure { why },
            Self::NotSent(why) => Verdict::Unsent { why },
        }
    }

    /// The verdict where a read ended like this: nothing was written yet.
    pub(crate) fn of_read(self) -> Verdict {
        match self {
            Self::Unknown(why) => Verdict::Unsent { why },
            Self::TooLarge(_) | Self::Halt(..) | Self::NotSent(_) => self.of_write(),
        }
    }
}

/// The verdict on a refusal, in Vitally's own words.
pub(crate) fn refused(reply: &Reply) -> Verdict {
    Verdict::Rejected { code: Code::REFUSED, message: refusal::text_or_status(reply.status, &reply.body) }
}

/// The record that an answer of success shows: one with an id.
pub(crate) fn record(reply: &Reply) -> Result<Record, End> {
    let record = is_whole(reply).then(|| object(reply)).flatten().map(Record::of);
    record.filter(|record| record.id.is_some()).ok_or_else(|| unshown(reply, "a record"))
}

/// Whether an answer of success shows a record, as [`record`] would find.
fn shows_record(reply: &Reply) -> bool {
    let has_id = |members: &Map<String, Json>| {
        members.get("id").and_then(Json::as_str).is_some_and(|id| !id.is_empty())
    };
    is_whole(reply)
        && telling(&reply.body).is_some_and(|members| !speaks_of_error(&members) && has_id(&members))
}

/// The page of a list. What is no list, or has an entry without an id, is no answer: it does not say that nobody is there.
pub(crate) fn page(reply: &Reply) -> Result<Page, End> {
    let page = is_whole(reply).then(|| Envelope::parse(&reply.body)).flatten().and_then(Envelope::page);
    page.ok_or_else(|| unshown(reply, "a list"))
}

/// The records that a search shows: a list, or one record by itself.
pub(crate) fn results(reply: &Reply) -> Result<Vec<Record>, End> {
    page(reply).map(|page| page.records).or_else(|end| record(reply).map(|one| vec![one]).map_err(|_| end))
}

/// Whether a DELETE was carried out: 204 has no body, and another success shows the record that was there, says that it did
/// it, or says nothing at all. An object that says something else may say that nothing was deleted.
pub(crate) fn removed(reply: &Reply) -> Result<(), End> {
    let is_done = match reply.status {
        200 | 202 | 204 if reply.body.trim().is_empty() => true,
        200 | 202 => object(reply).is_some_and(|members| confirms_removal(&members)),
        _ => false,
    };
    if is_done { Ok(()) } else { Err(unshown(reply, "a confirmation")) }
}

fn confirms_removal(members: &Map<String, Json>) -> bool {
    let is_true = |name| members.get(name) == Some(&Json::Bool(true));
    let denies =
        ["deleted", "success", "ok"].iter().any(|name| members.get(*name) == Some(&Json::Bool(false)));
    let says = members.get("message").and_then(Json::as_str).is_some_and(says_success);
    let shows = members.get("id").is_some_and(Json::is_string);
    !denies && (members.is_empty() || shows || says || is_true("success") || is_true("deleted"))
}

/// `Success.` and the like.
fn says_success(text: &str) -> bool {
    text.trim_start().to_lowercase().starts_with("success")
}

/// Whether the Analytics API took what it was sent.
pub(crate) fn taken(reply: &Reply) -> Result<(), String> {
    let message = is_whole(reply).then(|| object(reply)).flatten();
    let text = message.as_ref().and_then(|members| members.get("message")).and_then(Json::as_str);
    let is_taken = text.is_some_and(says_success);
    if is_taken { Ok(()) } else { Err(unshown_text(reply, "a confirmation")) }
}

/// Whether an answer of success shows what it has to.
pub(crate) fn is_shown(shows: Shows, reply: &Reply) -> bool {
    match shows {
        Shows::Record => shows_record(reply),
        Shows::Records => results(reply).is_ok(),
        Shows::Definitions => Envelope::parse(&reply.body).is_some_and(|envelope| envelope.items.is_some()),
        Shows::Removal => removed(reply).is_ok(),
        Shows::Messages => taken(reply).is_ok(),
        Shows::Anything => true,
    }
}

/// A 207 tells of several things, a 206 of a part: neither says that all was done.
fn is_whole(reply: &Reply) -> bool {
    matches!(reply.status, 200..=202)
}

/// The object of an answer, unless it speaks of an error.
fn object(reply: &Reply) -> Option<Map<String, Json>> {
    let Ok(Json::Object(members)) = serde_json::from_str(&reply.body) else { return None };
    (!speaks_of_error(&members)).then_some(members)
}

pub(crate) fn speaks_of_error(members: &Map<String, Json>) -> bool {
    let has = |name| match members.get(name) {
        None | Some(Json::Null | Json::Bool(false)) => false,
        Some(Json::Array(items)) => !items.is_empty(),
        Some(Json::Bool(true) | Json::Number(_) | Json::String(_) | Json::Object(_)) => true,
    };
    has("error") || has("errors") || members.get("success") == Some(&Json::Bool(false))
}

/// The end where an answer of success does not show what it has to.
pub(crate) fn unshown(reply: &Reply, what: &str) -> End {
    End::Unknown(unshown_text(reply, what))
}

fn unshown_text(reply: &Reply, what: &str) -> String {
    let status = reply.status;
    match serde_json::from_str::<Json>(&reply.body) {
        _ if reply.body.trim().is_empty() => {
            format!("Vitally answered {status}: expected {what}, found no body")
        }
        Err(_) => format!("Vitally answered {status}: expected {what}, found something other than JSON"),
        Ok(Json::Object(members)) if speaks_of_error(&members) => {
            format!(
                "Vitally answered {status}: expected {what}, found an error: {}",
                refusal::text(&reply.body)
            )
        }
        Ok(_) => format!("Vitally answered {status}: expected {what}, found other JSON"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coho_core::time::Time;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let (body, asked) = (body.to_owned(), Time::UNIX_EPOCH);
        Reply { status, body, date: None, asked, elapsed: Duration::ZERO }
    }

    /// Successes that show nothing, whatever was asked.
    const NOTHING: [(u16, &str); 11] = [
        (200, "[7]"),
        (200, "null"),
        (200, r#"{"error":"busy"}"#),
        (200, r#"{"errors":[{"message":"no"}]}"#),
        (200, r#"{"success":false}"#),
        (200, r#"{"id":"a","error":{"message":"no"}}"#),
        (200, "<html>Welcome</html>"),
        (200, r#"{"id":"a""#),
        (207, r#"{"id":"a","message":"Success."}"#),
        (206, r#"{"results":[]}"#),
        (200, r#""ok""#),
    ];

    #[test]
    fn what_shows_nothing_is_success_of_nothing() {
        for (status, body) in NOTHING {
            let reply = reply(status, body);
            for shows in [Shows::Record, Shows::Records, Shows::Removal, Shows::Messages] {
                assert!(!is_shown(shows, &reply), "{shows:?} {status} {body}");
            }
        }
    }

    #[test]
    fn a_record_has_an_id() {
        assert!(record(&reply(201, r#"{"id":"a"}"#)).is_ok());
        for (status, body) in
            [(200, "{}"), (200, ""), (204, ""), (202, "{}"), (200, r#"{"id":7}"#), (200, "[]")]
        {
            assert!(record(&reply(status, body)).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn every_entry_of_a_list_has_an_id() {
        assert!(page(&reply(200, r#"{"results":[{"id":"a"}]}"#)).is_ok());
        assert!(page(&reply(200, r#"{"results":[]}"#)).is_ok());
        let no_list = [
            "{}",
            r#"{"results":null}"#,
            r#"{"results":[{}]}"#,
            r#"{"results":[null]}"#,
            r#"{"results":{}}"#,
        ];
        for body in no_list {
            assert!(page(&reply(200, body)).is_err() && results(&reply(200, body)).is_err(), "{body}");
        }
        // One record by itself is an answer to a search, and shows no end of a list.
        assert!(page(&reply(200, r#"{"id":"a"}"#)).is_err() && results(&reply(200, r#"{"id":"a"}"#)).is_ok());
    }

    #[test]
    fn a_removal_needs_no_body_and_minds_errors() {
        for (status, body) in
            [(204, ""), (200, ""), (202, ""), (200, "{}"), (200, r#"{"id":"a"}"#), (202, "{}")]
        {
            assert!(removed(&reply(status, body)).is_ok(), "{status} {body}");
        }
        for body in [r#"{"success":true}"#, r#"{"deleted":true,"count":1}"#, r#"{"message":"Success."}"#] {
            assert!(removed(&reply(200, body)).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_removal_that_is_denied_or_only_spoken_of_is_none() {
        for body in [
            r#"{"deleted":false}"#,
            r#"{"id":"a","deleted":false}"#,
            r#"{"ok":false}"#,
            r#"{"message":"queued"}"#,
            r#"{"status":"error"}"#,
            r#"{"deletedCount":0}"#,
        ] {
            assert!(removed(&reply(200, body)).is_err(), "{body}");
        }
    }

    #[test]
    fn a_glance_finds_what_reading_finds() {
        let bodies = [
            r#"{"id":"a","name":"Acme","traits":{"n":1.5e3,"tags":["x",null,true,{"deep":[]}],"é":"\u00e9\n"}}"#,
            r#" {"traits":{"id":"a"}} "#,
            r#"{"id":""}"#,
            r#"{"id":7}"#,
            r#"{"id":"a","id":null}"#,
            r#"{"id":null,"\u0069d":"a"}"#,
            r#"{"id":"a","error":null,"errors":[],"success":true}"#,
            r#"{"id":"a","error":"no"}"#,
            r#"{"id":"a","errors":["no"]}"#,
            r#"{"id":"a","success":false}"#,
            r#"{"id":"a"} x"#,
            r#"{"id":"a","#,
            r#"{"id":"a","name":}"#,
            r#"[{"id":"a"}]"#,
            r#""id""#,
            "",
        ];
        let mut shown = 0;
        for (body, status) in bodies.iter().flat_map(|body| [200, 201, 207, 404].map(|status| (body, status)))
        {
            let reply = reply(status, body);
            let is_record = is_shown(Shows::Record, &reply);
            assert_eq!(is_record, record(&reply).is_ok(), "{status} {body}");
            shown += u32::from(is_record);
        }
        assert_eq!(shown, 6, "three bodies are records, and are so with two of the statuses");
    }

    #[test]
    fn messages_were_taken_where_the_answer_says_so() {
        assert!(taken(&reply(200, r#"{"message":"Success."}"#)).is_ok());
        for (status, body) in
            [(200, "{}"), (200, ""), (204, ""), (202, "{}"), (200, r#"{"message":"queue is full"}"#)]
        {
            assert!(taken(&reply(status, body)).is_err(), "{status} {body}");
        }
    }
}
