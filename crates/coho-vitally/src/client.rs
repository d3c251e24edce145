//! The client: carries the requests of exchanges to Vitally, at the right pace, and repeats what may be repeated.
//!
//! What may be repeated is little: a 429 always, since it was not carried out; a lost or failed GET, PUT or DELETE, since
//! twice is the same as once. A POST is never repeated here: the next run looks before it writes.
//!
//! Read `limiter` for the pace, `transport` for HTTP, `check` for the connection test, `breaker` for when to stop.

mod token;
mod endpoint;
mod settings;
mod transport;
mod limiter;
mod breaker;
mod check;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::{Call, Verdict};

use crate::address::Paths;
use crate::exchange::{Exchange, Step};
use crate::lookup::{Finding, Lookup, LookupStep};
use crate::request::{Answer, Reply, Request};
use crate::resolved::Resolved;

pub use breaker::{Breaker, Health};
pub use check::{TestError, TestReport};
pub use endpoint::{Endpoint, EndpointError};
pub use limiter::pace::LimiterState;
pub use settings::{Clock, Jitter, Retry, Settings};
pub use token::{Token, TokenError};

use limiter::pace::Told;
use limiter::{Again, Limiter};
use transport::{Sent, Transport};

/// How we call ourselves.
const USER_AGENT: &str = concat!("coho/", env!("CARGO_PKG_VERSION"));

/// The longest wait between two tries, before jitter.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A client of one workspace. Clones share its connections, its pace and what it learned.
///
/// Operations on one external id must not be delivered at the same time; that is the caller's to see to.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Transport,
    limiter: Limiter,
    paths: Mutex<Paths>,
    settings: Settings,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint has no address.
    #[error("cannot tell where the workspace is")]
    Endpoint(#[from] EndpointError),
    /// The token cannot be sent. Tokens that were parsed always can.
    #[error("the token cannot be sent as a header")]
    Token,
    /// TLS could not be set up.
    #[error("cannot set up the HTTP client")]
    Build(#[source] reqwest::Error),
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The verdict.
    pub verdict: Verdict,
    /// Every call that was made, in order.
    pub calls: Vec<Call>,
    /// How the server did: what a [`Breaker`] wants to know.
    pub health: Health,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The record, or why there is none.
    pub finding: Finding,
    /// Every call that was made, in order.
    pub calls: Vec<Call>,
    /// How the server did.
    pub health: Health,
}

impl Looked {
    /// The record's id, if one was found.
    pub fn id(&self) -> Option<&VitallyId> {
        match &self.finding {
            Finding::Found(record) => record.id.as_ref(),
            Finding::Missing | Finding::Several | Finding::Wrong { .. } | Finding::Failed(_) => None,
        }
    }
}

impl Client {
    /// A client; no connection is made yet.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let transport = Transport::new(&settings)?;
        let limiter = Limiter::new(&settings);
        Ok(Self(Arc::new(Inner { transport, limiter, paths: Mutex::default(), settings })))
    }

    /// Carries out one operation. `resolved` has Vitally's ids of the records that it refers to.
    pub async fn deliver(&self, operation: &Operation, resolved: &Resolved) -> Delivery {
        let mut log = Log::default();
        let mut step = Exchange::start(operation, resolved, self.paths());
        loop {
            match step {
                Step::Ask(request, exchange) => step = exchange.on(&self.ask(&request, &mut log).await),
                Step::Done(verdict) => {
                    return Delivery { verdict, calls: log.calls, health: log.health };
                }
            }
        }
    }

    /// Looks up the record with an external id.
    pub async fn lookup(&self, object: Object, external_id: &ExternalId) -> Looked {
        let mut log = Log::default();
        let mut step = Lookup::start(object, external_id.clone(), self.paths());
        loop {
            match step {
                LookupStep::Ask(request, lookup) => step = lookup.on(&self.ask(&request, &mut log).await),
                LookupStep::Done(finding) => {
                    return Looked { finding, calls: log.calls, health: log.health };
                }
            }
        }
    }

    /// What is known of Vitally's rate, for progress and estimates.
    pub fn state(&self) -> LimiterState {
        self.0.limiter.state()
    }

    /// Where the workspace is, without a slash at the end.
    pub fn url(&self) -> &str {
        self.0.transport.url()
    }

    /// Sends a request until there is an answer to give.
    async fn ask(&self, request: &Request, log: &mut Log) -> Answer {
        if !request.after.is_zero() {
            tokio::time::sleep(request.after).await;
        }
        let mut tries = 0;
        loop {
            let (sent, again) = self.send(request).await;
            log.note(request, &sent);
            let answer = sent.answer;
            let is_refused = matches!(answer, Answer::Reply(Reply { status: 429, .. }));
            if is_refused && again == Again::Yes {
                continue;
            }
            tries += 1;
            if is_refused || !request.may_repeat_after(&answer) || tries >= self.0.settings.retry.tries {
                self.learn(request, &answer);
                return answer;
            }
            tokio::time::sleep(self.backoff(tries)).await;
        }
    }

    async fn send(&self, request: &Request) -> (Sent, Again) {
        let pass = self.0.limiter.enter(request.method.cost()).await;
        let sent = self.0.transport.send(request).await;
        tracing::debug!(
            method = sent.call.method,
            path = sent.call.path,
            status = sent.call.status,
            micros = sent.call.micros,
            "called Vitally"
        );
        let again = match &sent.answer {
            Answer::Reply(Reply { status: 429, .. }) => pass.settle(Told::Refused, sent.headers),
            Answer::Reply(_) => pass.settle(Told::Passed, sent.headers),
            // Without an answer the pass is dropped: nothing was told of the rate.
            Answer::Lost { .. } | Answer::NotSent { .. } => Again::Yes,
        };
        (sent, again)
    }

    /// The wait doubles, and a part of it is left to chance.
    fn backoff(&self, tries: u32) -> Duration {
        let retry = self.0.settings.retry;
        let wait = retry.first_wait.saturating_mul(2_u32.saturating_pow(tries - 1)).min(LONGEST_WAIT);
        wait.mul_f64(1.0 + self.0.settings.jitter.next() * 0.5)
    }

    fn paths(&self) -> Paths {
        *self.0.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, request: &Request, answer: &Answer) {
        let mut paths = self.0.paths.lock().unwrap_or_else(PoisonError::into_inner);
        *paths = paths.learn(request, answer);
    }

    fn transport(&self) -> &Transport {
        &self.0.transport
    }

    fn region(&self) -> &'static str {
        self.0.settings.endpoint.region()
    }
}

/// The calls of one exchange.
struct Log {
    calls: Vec<Call>,
    health: Health,
}

impl Default for Log {
    fn default() -> Self {
        Self { calls: Vec::new(), health: Health::Untried }
    }
}

impl Log {
    fn note(&mut self, request: &Request, sent: &Sent) {
        self.calls.push(sent.call.clone());
        self.health = match &sent.answer {
            Answer::Reply(reply) if request.is_failed_by(reply) => Health::Failing,
            Answer::Reply(_) => Health::Answering,
            Answer::Lost { .. } => Health::Failing,
            Answer::NotSent { .. } => Health::Unreachable,
        };
    }
}

/// Neither the token nor the settings show.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url()).finish_non_exhaustive()
    }
}
