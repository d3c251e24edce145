//! Requests: the bytes that a channel takes, before they are sent. Addresses and headers may be secrets, and never show.

use std::fmt;

use secrecy::SecretString;

/// A request over HTTP: a POST.
#[derive(Clone)]
pub struct ChannelRequest {
    /// The address.
    pub url: SecretString,
    /// Headers besides the content's type.
    pub headers: Vec<(&'static str, SecretString)>,
    /// The content's type.
    pub content: &'static str,
    /// The body.
    pub body: String,
}

/// The content's type of JSON.
pub(crate) const JSON: &str = "application/json";

impl ChannelRequest {
    /// A POST of a JSON document.
    pub(crate) fn json(url: &SecretString, body: &serde_json::Value) -> Self {
        Self { url: url.clone(), headers: Vec::new(), content: JSON, body: body.to_string() }
    }
}

impl fmt::Debug for ChannelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("content", &self.content).finish_non_exhaustive()
    }
}

/// What a service answered, or that it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelAnswer {
    /// It answered.
    Reply {
        /// The status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
        /// The first bytes of the body.
        body: String,
    },
    /// There was no answer.
    Silence {
        /// Why, without the address.
        why: String,
    },
}

/// What came of an attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// It was taken.
    Done {
        /// What is needed to go on with the same thread or incident.
        receipt: Option<String>,
    },
    /// It may be taken later.
    Later {
        /// Not before so many seconds.
        after: Option<u64>,
        /// Why.
        why: String,
    },
    /// It is not going to be taken as it is.
    Never {
        /// Why.
        why: String,
    },
}

impl ChannelAnswer {
    /// What an answer means where any 2xx is success: refusals may be tried again only if the service says so, or is in trouble.
    pub fn interpret(self) -> Posting {
        match self {
            Self::Reply { status: 200..=299, .. } => Posting::Done { receipt: None },
            Self::Reply { status, retry_after, body } => {
                let why = said(status, &body);
                match status {
                    408 | 425 | 429 | 500..=599 => Posting::Later { after: retry_after, why },
                    _ => Posting::Never { why },
                }
            }
            Self::Silence { why } => Posting::Later { after: None, why },
        }
    }
}

/// `it answered 400: invalid_payload`
pub(crate) fn said(status: u16, body: &str) -> String {
    let text = coho_core::terminal::escape(body.trim()).into_owned();
    match text.as_str() {
        "" => format!("the server responded with {status}"),
        text => format!("the server responded with {status}: {}", crate::limit::cut(text, 200)),
    }
}
