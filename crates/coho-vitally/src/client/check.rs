//! The connection tests: one small call to each API, and what its failure means in words that help.

use std::time::Duration;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::sync::Api;

use super::Client;
use super::fault::Fault;
use super::transport::Sent;
use crate::analytics::BATCH;
use crate::request::{Answer, Method, Reply, Request, Shows};
use crate::wire::reading;
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
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum TestError {
    /// The client was made without a token for this API.
    #[error("no token for the {} API", api_name(*api))]
    NoToken { api: Api },
    /// 401 or 403 of the Analytics API.
    #[error(
        "Vitally does not accept the token ({status}) at {url}; is it this workspace's Analytics API token? It differs from the REST API token"
    )]
    AnalyticsToken { url: String, status: u16 },
    /// 404 of the Analytics API.
    #[error(
        "found no Analytics API at {url} (404); are the region and the subdomain right? You can set its address"
    )]
    NotAnalytics { url: String },
    /// 401.
    #[error(
        "Vitally does not accept the token (401) at {url}; is it the REST API token of {}?",
        workspace(region)
    )]
    Unauthorized { url: String, region: &'static str },
    /// 403.
    #[error("the token has no permission to read users (403) at {url}: {text}")]
    Forbidden { url: String, text: String },
    /// The host's name is not known.
    #[error("unknown host {url}; is the subdomain the one in the address where you log in?")]
    NoHost { url: String },
    /// Nobody listens there.
    #[error("{url} refuses the connection; is the address right, and is the server running?")]
    Refused { url: String },
    /// No secure connection.
    #[error("cannot make a secure connection to {url}: {why}")]
    Tls { url: String, why: String },
    /// It took too long.
    #[error("{url} did not answer in time")]
    TimedOut { url: String },
    /// Another trouble of the network.
    #[error("cannot reach {url}: {why}")]
    Unreachable { url: String, why: String },
    /// 3xx.
    #[error("{url} answered {status}, a redirect; is it the address of Vitally's API?")]
    Redirected { url: String, status: u16 },
    /// Success, with a body that no Vitally sends.
    #[error("{url} answered {status} with something other than JSON; is it the address of Vitally's API?")]
    NotJson { url: String, status: u16 },
    /// 429.
    #[error("Vitally answered 429 (too many calls); wait a minute and try again")]
    TooMany,
    /// Any other status.
    #[error("{url} answered {status}: {text}")]
    Failing { url: String, status: u16, text: String },
}

impl Failure for TestError {
    fn code(&self) -> Code {
        match self {
            Self::NoToken { .. } | Self::Unauthorized { .. } | Self::AnalyticsToken { .. } => {
                Code::UNAUTHORIZED
            }
            Self::Forbidden { .. } => Code::FORBIDDEN,
            Self::TooMany => Code::QUOTA,
            Self::Failing { .. } => Code::SERVER_FAILING,
            Self::NotAnalytics { .. }
            | Self::NoHost { .. }
            | Self::Refused { .. }
            | Self::Tls { .. }
            | Self::TimedOut { .. }
            | Self::Unreachable { .. }
            | Self::Redirected { .. }
            | Self::NotJson { .. } => Code::UNREACHABLE,
        }
    }
}

impl Client {
    /// Reads one user: whether the address, the token and the network are right.
    pub async fn test(&self) -> Result<TestReport, TestError> {
        let Some(line) = self.line(Api::Rest) else { return Err(TestError::NoToken { api: Api::Rest }) };
        let request = Request {
            api: Api::Rest,
            method: Method::Get,
            path: "/resources/users?limit=1".to_owned(),
            body: None,
            after: Duration::ZERO,
            shows: Shows::Records,
        };
        let sent = line.send_now(&request).await;
        let url = line.url().to_owned();
        match &sent.answer {
            Answer::Reply(reply) => self.report(reply, &sent, url),
            Answer::Lost { why } | Answer::NotSent { why } => Err(unreachable(sent.fault, url, why)),
        }
    }

    /// Sends an empty batch: whether the address and the token of the Analytics API are right. Nothing is written; there is
    /// no call that only tests, so an answer that finds fault with the batch is as good as one that takes it.
    pub async fn test_analytics(&self) -> Result<TestReport, TestError> {
        let api = Api::Analytics;
        let Some(line) = self.line(api) else { return Err(TestError::NoToken { api }) };
        let sent = line.send_now(&Request::analytics(BATCH, "[]".to_owned())).await;
        let url = line.url().to_owned();
        match &sent.answer {
            Answer::Reply(reply) => report_analytics(reply, &sent, url),
            Answer::Lost { why } | Answer::NotSent { why } => Err(unreachable(sent.fault, url, why)),
        }
    }

    fn report(&self, reply: &Reply, sent: &Sent, url: String) -> Result<TestReport, TestError> {
        let status = reply.status;
        let text = || refusal::text_or_status(status, &reply.body);
        match status {
            200..=299 if reading::page(reply).is_ok() => Ok(report(reply, sent, url)),
            200..=299 => Err(TestError::NotJson { url, status }),
            300..=399 => Err(TestError::Redirected { url, status }),
            401 => Err(TestError::Unauthorized { url, region: self.region() }),
            403 => Err(TestError::Forbidden { url, text: text() }),
            429 => Err(TestError::TooMany),
            _ => Err(TestError::Failing { url, status, text: text() }),
        }
    }
}

fn report_analytics(reply: &Reply, sent: &Sent, url: String) -> Result<TestReport, TestError> {
    let status = reply.status;
    match status {
        // A page is what a host answers that knows nothing of messages.
        200..=299 if reply.body.trim_start().starts_with('<') => Err(TestError::NotJson { url, status }),
        200..=299 | 400 | 422 => Ok(report(reply, sent, url)),
        300..=399 => Err(TestError::Redirected { url, status }),
        401 | 403 => Err(TestError::AnalyticsToken { url, status }),
        404 => Err(TestError::NotAnalytics { url }),
        429 => Err(TestError::TooMany),
        _ => Err(TestError::Failing { url, status, text: refusal::text_or_status(status, &reply.body) }),
    }
}

fn report(reply: &Reply, sent: &Sent, url: String) -> TestReport {
    let headers = sent.headers;
    TestReport { url, elapsed: reply.elapsed, limit: headers.limit, remaining: headers.remaining }
}

fn api_name(api: Api) -> &'static str {
    match api {
        Api::Rest => "REST",
        Api::Analytics => "Analytics",
    }
}

/// A token of one region is none in the other; where the address is given, there is no region to get wrong.
fn workspace(region: &str) -> String {
    match region {
        "us" | "eu" => format!("this workspace, and is the region `{region}` correct (us or eu)"),
        _ => "the workspace at this address".to_owned(),
    }
}

fn unreachable(fault: Option<Fault>, url: String, why: &str) -> TestError {
    let why = why.to_owned();
    match fault {
        Some(Fault::Dns) => TestError::NoHost { url },
        Some(Fault::Refused) => TestError::Refused { url },
        Some(Fault::Tls(why)) => TestError::Tls { url, why },
        Some(Fault::TimedOut) => TestError::TimedOut { url },
        Some(Fault::Other) | None => TestError::Unreachable { url, why },
    }
}
