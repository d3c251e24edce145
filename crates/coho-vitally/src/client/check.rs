//! The connection test: one small read, and what its failure means in words that help.

use std::time::Duration;

use super::Client;
use super::transport::{Fault, Sent};
use crate::request::{Answer, Method, Reply, Request};
use crate::wire::record::Page;
use crate::wire::refusal;

/// A connection that works.
#[derive(Clone, Debug, PartialEq)]
pub struct TestReport {
    /// The address.
    pub url: String,
    /// How long the call took.
    pub elapsed: Duration,
    /// Units of Vitally's rate in a minute, where it told.
    pub limit: Option<u32>,
    /// Units that are left now, where it told.
    pub remaining: Option<u32>,
}

/// Why a connection does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// 401.
    #[error(
        "Vitally does not accept the token (401) at {url}; is it the REST API token of {}?",
        workspace(region)
    )]
    Unauthorized {
        /// The address.
        url: String,
        /// `us`, `eu` or `custom`.
        region: &'static str,
    },
    /// 403.
    #[error("the token may not read users (403) at {url}: {text}")]
    Forbidden {
        /// The address.
        url: String,
        /// Vitally's text.
        text: String,
    },
    /// The host's name is not known.
    #[error("there is no host {url}; is the subdomain the one of the address at which you log in?")]
    NoHost {
        /// The address.
        url: String,
    },
    /// Nobody listens there.
    #[error("{url} refuses the connection; is the address right, and is the server running?")]
    Refused {
        /// The address.
        url: String,
    },
    /// No secure connection.
    #[error("no secure connection to {url}: {why}")]
    Tls {
        /// The address.
        url: String,
        /// The cause.
        why: String,
    },
    /// It took too long.
    #[error("{url} did not answer in time")]
    TimedOut {
        /// The address.
        url: String,
    },
    /// Another trouble of the network.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// The address.
        url: String,
        /// The cause.
        why: String,
    },
    /// 3xx.
    #[error("{url} answers {status} and points elsewhere; is it the address of the REST API?")]
    Redirected {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// Success, with a body that no Vitally sends.
    #[error("{url} answers {status} with something that is not JSON; is it the address of the REST API?")]
    NotJson {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// 429.
    #[error("Vitally says that there were too many calls (429); wait a minute and try again")]
    TooMany,
    /// Any other status.
    #[error("{url} answers {status}: {text}")]
    Failing {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// Vitally's text.
        text: String,
    },
}

impl Client {
    /// Reads one user: whether the address, the token and the network are right.
    pub async fn test(&self) -> Result<TestReport, TestError> {
        let request = Request {
            method: Method::Get,
            path: "/resources/users?limit=1".to_owned(),
            body: None,
            after: Duration::ZERO,
        };
        let sent = self.transport().send(&request).await;
        let url = self.transport().url().to_owned();
        match &sent.answer {
            Answer::Reply(reply) => self.judge(reply, &sent, url),
            Answer::Lost { why } | Answer::NotSent { why } => Err(unreachable(sent.fault, url, why)),
        }
    }

    fn judge(&self, reply: &Reply, sent: &Sent, url: String) -> Result<TestReport, TestError> {
        let status = reply.status;
        let text = || refusal::text_or_status(status, &reply.body);
        match status {
            200..=299 if Page::parse(&reply.body).is_some() => Ok(TestReport {
                url,
                elapsed: reply.elapsed,
                limit: sent.headers.limit,
                remaining: sent.headers.remaining,
            }),
            200..=299 => Err(TestError::NotJson { url, status }),
            300..=399 => Err(TestError::Redirected { url, status }),
            401 => Err(TestError::Unauthorized { url, region: self.region() }),
            403 => Err(TestError::Forbidden { url, text: text() }),
            429 => Err(TestError::TooMany),
            _ => Err(TestError::Failing { url, status, text: text() }),
        }
    }
}

/// A token of one region is none in the other; where the address is given, there is no region to get wrong.
fn workspace(region: &str) -> String {
    match region {
        "us" | "eu" => format!("this workspace, and is the region `{region}` right (us|eu)"),
        _ => "the workspace at this address".to_owned(),
    }
}

fn unreachable(fault: Option<Fault>, url: String, why: &str) -> TestError {
    let why = why.to_owned();
    match fault {
        Some(Fault::Dns) => TestError::NoHost { url },
        Some(Fault::Refused) => TestError::Refused { url },
        Some(Fault::Tls) => TestError::Tls { url, why },
        Some(Fault::TimedOut) => TestError::TimedOut { url },
        Some(Fault::Other) | None => TestError::Unreachable { url, why },
    }
}
