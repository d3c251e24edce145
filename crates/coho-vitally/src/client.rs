//! The client: carries the requests of exchanges to Vitally, at the right pace, and repeats what may be repeated.
//!
//! What may be repeated is little: a 429 always, since it was not carried out; a lost or failed GET, PUT or DELETE, since
//! twice is the same as once, and not before the time that a `Retry-After` names. A POST of the REST API is never repeated here:
//! the next run looks before it writes. Messages of the Analytics API may be, since they keep their ids.
//!
//! Each API has a line of its own: host, token and pace. Read `ask` for repeats, `limiter` for the pace, `until` for when
//! waiting ends, `transport` for HTTP, `deliver_batch` for the Analytics API, `check` for the connection tests, `breaker` for
//! when to stop, [`live`] for what a workspace answers where the documentation is silent.

mod token;
mod endpoint;
mod fault;
mod settings;
mod record;
mod transport;
mod limiter;
mod line;
mod until;
mod ask;
mod deliver_batch;
mod reads;
mod breaker;
mod check;
pub mod live;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::private::Private;
use coho_core::sync::Api;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::{Call, Verdict};

use crate::address::Paths;
use crate::analytics::limits::Lessons;
use crate::exchange;
use crate::lookup::{self, LookupResult};
use crate::resolved::Resolved;

pub use breaker::{Breaker, Health};
pub use check::{TestError, TestReport};
pub use deliver_batch::{BatchCall, BatchDelivery};
pub use endpoint::{AnalyticsEndpoint, Endpoint, EndpointError};
pub use limiter::pace::LimiterState;
pub use limiter::price::Price;
pub use reads::{ListedPage, Pages};
pub use settings::{AnalyticsSettings, ClientClock, ClientSettings, Jitter, OtherUse, Retry};
pub use token::{AnalyticsToken, Token, TokenError};
pub use until::Until;

use ask::{Carrier, without_token};
use line::Line;

/// How we call ourselves.
const USER_AGENT: &str = concat!("coho/", env!("CARGO_PKG_VERSION"));

/// What is sent and what is asked for.
const JSON: &str = "application/json";

/// A client of one workspace. Clones share its connections, its pace and what it learned.
///
/// Operations on one external id must not be delivered at the same time; that is the caller's to see to.
#[derive(Clone)]
pub struct Client(Arc<Inner>, Until);

struct Inner {
    url: String,
    rest: Option<Line>,
    analytics: Option<Line>,
    paths: Mutex<Paths>,
    lessons: Mutex<Lessons>,
    settings: ClientSettings,
}

/// What is known of the rates, for progress and estimates, and for a ledger to remember.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientState {
    /// Of the REST API, where there is a token for it.
    pub rest: Option<LimiterState>,
    /// Of the Analytics API, where there is a token for it.
    pub analytics: Option<LimiterState>,
}

impl ClientState {
    /// Of one of them.
    pub fn of(&self, api: Api) -> Option<LimiterState> {
        match api {
            Api::Rest => self.rest,
            Api::Analytics => self.analytics,
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint has no address.
    #[error("cannot determine the workspace's address")]
    Endpoint(#[from] EndpointError),
    /// The token cannot be sent. Tokens that were parsed always can.
    #[error("cannot send the token as a header")]
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
    pub finding: LookupResult,
    /// Every call that was made, in order.
    pub calls: Vec<Call>,
    /// How the server did.
    pub health: Health,
}

impl Looked {
    /// Without a token.
    fn in_vain() -> Self {
        Self { finding: LookupResult::Failed(no_rest_token()), calls: Vec::new(), health: Health::Untried }
    }

    /// The record's id, if one was found.
    pub fn id(&self) -> Option<&VitallyId> {
        match &self.finding {
            LookupResult::Found(record) => record.id.as_ref(),
            LookupResult::Missing
            | LookupResult::Several
            | LookupResult::Wrong { .. }
            | LookupResult::Failed(_) => None,
        }
    }
}

impl Client {
    /// A client; no connection is made yet.
    pub fn new(settings: ClientSettings) -> Result<Self, ClientError> {
        let url = settings.endpoint.url()?;
        let (rest, analytics) = (Line::rest(&settings)?, Line::analytics(&settings)?);
        let (paths, lessons) = (Mutex::new(settings.known_paths), Mutex::default());
        let inner = Inner { url, rest, analytics, paths, lessons, settings };
        Ok(Self(Arc::new(inner), Until::never()))
    }

    /// The same client, which sends no call any more once the end has come. What then still waits was not sent.
    #[must_use]
    pub fn until(&self, until: Until) -> Self {
        Self(Arc::clone(&self.0), until)
    }

    /// Whether the end has come, and no further call is sent.
    pub fn is_over(&self) -> bool {
        self.1.is_over()
    }

    /// Members of records whose values are not shown in what is told of calls.
    pub fn private(&self) -> &Private {
        &self.0.settings.private
    }

    /// Carries out one operation. `resolved` has Vitally's ids of the records that it refers to.
    pub async fn deliver(&self, operation: &Operation, resolved: &Resolved) -> Delivery {
        let Some(mut carrier) = self.carrier() else {
            return Delivery { verdict: no_rest_token(), calls: Vec::new(), health: Health::Untried };
        };
        let mut paths = self.paths();
        let verdict = exchange::deliver(&mut carrier, operation, resolved, &mut paths).await;
        self.learn(paths);
        Delivery { verdict, calls: carrier.log.calls, health: carrier.log.health }
    }

    /// Looks up the record with an external id.
    pub async fn lookup(&self, object: Object, external_id: &ExternalId) -> Looked {
        let Some(mut carrier) = self.carrier() else { return Looked::in_vain() };
        let mut paths = self.paths();
        let finding = lookup::by_external_id(&mut carrier, object, external_id, &mut paths).await;
        self.learn(paths);
        carrier.looked(finding)
    }

    /// The same where its id is remembered: that is asked first.
    pub async fn lookup_remembered(
        &self,
        object: Object,
        external_id: &ExternalId,
        id: &VitallyId,
    ) -> Looked {
        let Some(mut carrier) = self.carrier() else { return Looked::in_vain() };
        let mut paths = self.paths();
        let finding = lookup::by_remembered_id(&mut carrier, object, external_id, id, &mut paths).await;
        self.learn(paths);
        carrier.looked(finding)
    }

    /// What is known of Vitally's rates.
    pub fn state(&self) -> ClientState {
        let state = |api| self.line(api).map(Line::state);
        ClientState { rest: state(Api::Rest), analytics: state(Api::Analytics) }
    }

    /// The least time that so many reads and writes take through an API, at the rate that the user allows and the price that
    /// is known; `None` where there is no token for that API. A batch is one write.
    pub fn least_time(&self, api: Api, reads: u64, writes: u64) -> Option<Duration> {
        let line = self.line(api)?;
        Some(line.state().price.least_time(f64::from(line.rate()), reads, writes))
    }

    /// How many calls of an API may be under way at once, now.
    pub fn at_once(&self, api: Api) -> usize {
        self.line(api).map_or(1, Line::at_once)
    }

    /// Where the workspace's REST API is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Where its Analytics API is, where that is to be used.
    pub fn analytics_url(&self) -> Option<&str> {
        self.line(Api::Analytics).map(Line::url)
    }

    fn line(&self, api: Api) -> Option<&Line> {
        match api {
            Api::Rest => self.0.rest.as_ref(),
            Api::Analytics => self.0.analytics.as_ref(),
        }
    }

    /// Without a token there is nothing to ask.
    fn halted(&self) -> Option<Verdict> {
        self.line(Api::Rest).is_none().then(no_rest_token)
    }

    /// Whoever carries the requests of an exchange; `None` without a token.
    fn carrier(&self) -> Option<Carrier<'_>> {
        self.line(Api::Rest).map(|_| Carrier::new(self))
    }

    fn paths(&self) -> Paths {
        *self.0.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, learned: Paths) {
        let mut paths = self.0.paths.lock().unwrap_or_else(PoisonError::into_inner);
        *paths = paths.joined(learned);
    }

    fn region(&self) -> &'static str {
        self.0.settings.endpoint.region()
    }
}

fn no_rest_token() -> Verdict {
    Verdict::Halt { code: Code::UNAUTHORIZED, message: without_token(Api::Rest).to_owned() }
}

/// Neither the token nor the settings show.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url()).finish_non_exhaustive()
    }
}
