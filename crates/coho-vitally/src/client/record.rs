//! Records of calls: what is kept of a request and its answer. Headers go by a list of those that may be kept, so that no
//! credential and no cookie is among them; bodies are bounded.

use std::sync::Arc;
use std::time::Duration;

use coho_core::call::{Attempt, Call, Headers, Route};
use coho_core::private::Private;
use coho_core::time::Time;
use reqwest::header::HeaderMap;

use super::{JSON, USER_AGENT};
use crate::request::{Answer, Request};

/// The most of a request's body that is kept, in bytes: a whole batch.
const MOST_OF_A_REQUEST: usize = 256 * 1_024;

/// The most of an answer's body that is kept, in bytes.
const MOST_OF_AN_ANSWER: usize = 16 * 1_024;

/// The most of a header that is kept, in bytes.
const MOST_OF_A_HEADER: usize = 256;

/// The headers of answers that are kept: what they hold, the rate, and by what a server knows the call.
const KEPT: [&str; 13] = [
    "cf-ray",
    "content-length",
    "content-type",
    "date",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "server",
    "traceparent",
    "via",
    "x-amzn-trace-id",
    "x-correlation-id",
    "x-request-id",
];

/// How the names of others begin that are kept too.
const KEPT_PREFIXES: [&str; 3] = ["ratelimit-", "x-ratelimit-", "x-rate-limit-"];

/// The routes of one API: with a body, and without.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    pub(super) plain: Arc<Route>,
    with_body: Arc<Route>,
}

impl Routes {
    /// The headers are those that the transport sends. The credential is not among them, only that there was one.
    pub(super) fn new(route: Route) -> Self {
        let sent = [("accept", JSON), ("authorization", "***"), ("user-agent", USER_AGENT)];
        let headers: Headers =
            sent.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut with_body = headers.clone();
        with_body.insert("content-type".to_owned(), JSON.to_owned());
        Self {
            with_body: Arc::new(Route { headers: with_body, ..route.clone() }),
            plain: Arc::new(Route { headers, ..route }),
        }
    }

    pub(super) fn of(&self, request: &Request) -> Arc<Route> {
        Arc::clone(if request.body.is_some() { &self.with_body } else { &self.plain })
    }
}

/// How a request was sent, and with which headers it was answered.
pub(super) struct Sending {
    pub(super) at: Time,
    pub(super) took: Duration,
    pub(super) attempt: Attempt,
    pub(super) route: Arc<Route>,
    pub(super) headers: Headers,
}

/// What is kept of a call.
pub(super) fn call(request: &Request, answer: &Answer, sending: Sending, private: &Private) -> Call {
    let values = private.values_in(request.body.as_deref().unwrap_or_default());
    // What is cut is no JSON any more, so it is hidden before.
    let kept = |body: &str, most| {
        if private.is_empty() { bounded(body, most) } else { bounded(&private.body(body, &values), most) }
    };
    let (status, (response, response_cut)) = match answer {
        Answer::Reply(reply) => (Some(reply.status), kept(&reply.body, MOST_OF_AN_ANSWER)),
        Answer::Lost { why } => (None, (format!("no answer: {why}"), 0)),
        Answer::NotSent { why } => (None, (format!("not sent: {why}"), 0)),
    };
    let (body, request_cut) = request.body.as_deref().map(|body| kept(body, MOST_OF_A_REQUEST)).unzip();
    Call {
        at: sending.at,
        micros: u64::try_from(sending.took.as_micros()).unwrap_or(u64::MAX),
        route: Some(sending.route),
        method: request.method.as_str(),
        path: private.path(&request.path),
        attempt: sending.attempt,
        request: body,
        status,
        headers: sending.headers,
        response,
        request_cut: request_cut.unwrap_or_default(),
        response_cut,
    }
}

/// The headers of an answer that are kept. Of several with one name all are, as one.
pub(super) fn kept(headers: &HeaderMap) -> Headers {
    let may_be =
        |name: &str| KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let mut kept = Headers::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        if may_be(name.as_str()) {
            let all: &mut String = kept.entry(name.as_str().to_owned()).or_default();
            all.push_str(if all.is_empty() { "" } else { ", " });
            all.push_str(&bounded(value, MOST_OF_A_HEADER).0);
        }
    }
    kept
}

/// A text that is cut where it is too long, and how many bytes of it are not kept.
fn bounded(text: &str, most: usize) -> (String, u64) {
    if text.len() <= most {
        return (text.to_owned(), 0);
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let shown = text.get(..end).unwrap_or_default();
    (format!("{shown}…"), (text.len() - shown.len()) as u64)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn headers_that_nobody_listed_are_not_kept() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("set-cookie", "session=1"),
            ("authorization", "Basic abc"),
            ("x-api-key", "abc"),
            ("x-ratelimit-remaining", "7"),
            ("retry-after", "30"),
            ("via", "a"),
            ("via", "b"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let kept: Vec<_> = kept(&headers).into_iter().collect();
        let shown: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(shown, [("retry-after", "30"), ("via", "a, b"), ("x-ratelimit-remaining", "7")]);
    }

    #[test]
    fn a_long_body_is_cut_between_two_characters_and_says_how_much_is_missing() {
        assert_eq!(bounded("aé", 3), ("aé".to_owned(), 0));
        assert_eq!(bounded("aéb", 2), ("a…".to_owned(), 3));
    }
}
