//! Readings: what an answer means, whatever was asked. The one place that knows status codes.

use coho_core::code::Code;
use coho_core::verdict::Verdict;

use crate::request::{Answer, Method, Reply};
use crate::wire::record::{Page, Record};
use crate::wire::refusal;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading<'a> {
    /// 2xx: the body is still to be read.
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
    /// 5xx, a proxy's time-out, or no answer: the server may have done it.
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
        403 => halt(Code::FORBIDDEN, format!("the token may not do this (403): {}", text())),
        404 => Reading::Absent(reply),
        413 => Reading::End(End::TooLarge(text())),
        429 => halt(Code::QUOTA, "Vitally keeps answering 429, too many calls".to_owned()),
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
    format!("the address answers {status} and points elsewhere; check the region and the subdomain")
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

/// The end where an answer of success cannot be read.
pub(crate) fn unreadable(reply: &Reply) -> End {
    End::Unknown(format!("Vitally answered {} with something that is not JSON", reply.status))
}

/// The record in a write's answer: `Ok(None)` where the body is empty, `Err` where it is no record.
pub(crate) fn written(reply: &Reply) -> Result<Option<Record>, Unreadable> {
    if reply.body.trim().is_empty() {
        return Ok(None);
    }
    Record::parse(&reply.body).map(Some).ok_or(Unreadable)
}

/// A body that is not what a 2xx answer should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Whether an answer stems from a server that is failing: 5xx, or success with a body that cannot be read.
pub(crate) fn is_failing(method: Method, reply: &Reply) -> bool {
    match (reply.status, method) {
        (408 | 500.., _) => true,
        (200..=299, Method::Get) => Page::parse(&reply.body).is_none(),
        (200..=299, Method::Post | Method::Put) => written(reply).is_err(),
        (_, Method::Get | Method::Post | Method::Put | Method::Delete) => false,
    }
}
