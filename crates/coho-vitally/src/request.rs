//! Requests and answers as values: what an exchange asks for, and what came of it.
//!
//! Nothing here opens a socket. [`crate::client`] carries these; a test writes them down.

use std::time::Duration;

use coho_core::object::Object;
use coho_core::sync::Api;
use coho_core::target::ExternalId;
use coho_core::time::Time;

use crate::address::{self, Address};
use crate::wire::reading::is_shown;

/// The largest body that is sent, in bytes. Vitally documents no limit; 1 MiB is what servers of its kind take.
pub const LARGEST_BODY: usize = 1_048_576;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Updates.
    Put,
    /// Deletes.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it changes anything in Vitally.
    pub fn cost(self) -> Cost {
        match self {
            Self::Get => Cost::Read,
            Self::Post | Self::Put | Self::Delete => Cost::Write,
        }
    }
}

/// What a call costs of Vitally's rate: reads and writes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// A GET.
    Read,
    /// A POST, PUT or DELETE.
    Write,
}

/// What an answer of success has to show: a success that shows less proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A record with an id.
    Record,
    /// A list of such records, or one by itself.
    Records,
    /// A list of definitions.
    Definitions,
    /// Nothing, and no error: a record was removed.
    Removal,
    /// That messages were taken.
    Messages,
    /// Whatever it likes: somebody looks at the answer as it is.
    Anything,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which of Vitally's two APIs it is for: each has its own host, token and pace.
    pub api: Api,
    /// What it does.
    pub method: Method,
    /// Path and query, percent-encoded: `/resources/accounts/acme%2Feu`.
    pub path: String,
    /// The JSON body; absent for GET and DELETE.
    pub body: Option<String>,
    /// How long to wait before it is sent: a look-up right after a write waits for Vitally to see the record.
    pub after: Duration,
    /// What its success has to show.
    pub shows: Shows,
}

impl Request {
    /// Whether an answer to it shows a server that is failing: 5xx, or a success that does not show what it has to.
    pub fn is_failed_by(&self, reply: &Reply) -> bool {
        match (reply.status, self.api) {
            (408 | 500.., _) | (425, Api::Analytics) => true,
            (200..=299, _) => !is_shown(self.shows, reply),
            (_, Api::Rest | Api::Analytics) => false,
        }
    }

    /// Whether it may be sent again after an answer that gives no verdict. A 429 is another matter: it always may.
    pub fn may_repeat_after(&self, answer: &Answer) -> bool {
        match answer {
            // What never left may always be repeated, whatever it is.
            Answer::NotSent { .. } => true,
            Answer::Lost { .. } => self.repeats(),
            Answer::Reply(reply) => self.repeats() && self.is_failed_by(reply),
        }
    }

    /// Whether twice is the same as once: a message of Analytics keeps its id, by which Vitally drops the second.
    fn repeats(&self) -> bool {
        self.api == Api::Analytics || self.method != Method::Post
    }

    fn rest(method: Method, path: String, body: Option<String>, shows: Shows) -> Self {
        Self { api: Api::Rest, method, path, body, after: Duration::ZERO, shows }
    }

    /// Reads one record.
    pub(crate) fn get(address: &Address) -> Self {
        Self::rest(Method::Get, address.path(), None, Shows::Record)
    }

    /// Updates one record.
    pub(crate) fn put(address: &Address, body: String) -> Self {
        Self::rest(Method::Put, address.path(), Some(body), Shows::Record)
    }

    /// Deletes one record.
    pub(crate) fn delete(address: &Address) -> Self {
        Self::rest(Method::Delete, address.path(), None, Shows::Removal)
    }

    /// Creates a record.
    pub(crate) fn post(object: Object, body: String) -> Self {
        Self::rest(Method::Post, address::all(object), Some(body), Shows::Record)
    }

    /// Looks for the users with an external id.
    pub(crate) fn search(external_id: &ExternalId) -> Self {
        Self::rest(Method::Get, address::search("externalId", external_id.as_str()), None, Shows::Records)
    }

    /// Looks for the users with an e-mail address.
    pub(crate) fn search_email(email: &str) -> Self {
        Self::rest(Method::Get, address::search("email", email), None, Shows::Records)
    }

    /// Reads a page of all records of an object, from a cursor on.
    pub(crate) fn list(object: Object, from: Option<&str>) -> Self {
        Self::rest(Method::Get, address::page(object, from), None, Shows::Records)
    }

    /// Reads the definitions of an object's custom traits.
    pub(crate) fn custom_fields(object: Object) -> Self {
        Self::rest(Method::Get, address::custom_fields(object), None, Shows::Definitions)
    }

    /// A message, or a batch of them, for the Analytics API: `/analytics/v1/batch`.
    pub(crate) fn analytics(path: &str, body: String) -> Self {
        let (api, method, path) = (Api::Analytics, Method::Post, path.to_owned());
        Self { api, method, path, body: Some(body), after: Duration::ZERO, shows: Shows::Messages }
    }

    /// The same after a while.
    pub(crate) fn later(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// An answer that arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body; empty where there was none.
    pub body: String,
    /// The server's clock, from its `Date` header: whole seconds, rounded down.
    pub date: Option<Time>,
    /// Our clock when the request was sent.
    pub asked: Time,
    /// How long the answer took.
    pub elapsed: Duration,
}

impl Reply {
    /// Whether the request was carried out.
    pub fn is_fine(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// Vitally's text, on one line and bounded, or a sentence in its place.
    pub fn said(&self) -> String {
        crate::wire::refusal::text_or_status(self.status, &self.body)
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Reply(Reply),
    /// The request may have arrived, and no answer did.
    Lost {
        /// Why, such as `timed out`.
        why: String,
    },
    /// The request never left.
    NotSent {
        /// Why, such as `connection refused`.
        why: String,
    },
}
