//! What a client is made with.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use coho_core::at_once::AtOnce;
use coho_core::private::Private;
use coho_core::time::Time;

use super::endpoint::{AnalyticsEndpoint, Endpoint};
use super::limiter::price::Price;
use super::token::{AnalyticsToken, Token};
use crate::address::Paths;
use crate::analytics::limits::BatchLimits;

/// What a client is made with. [`ClientSettings::new`] gives what suits Vitally.
#[derive(Clone)]
pub struct ClientSettings {
    /// Where the workspace is.
    pub endpoint: Endpoint,
    /// Its REST token. A workspace that only takes events needs none; whatever goes through the REST API halts, then.
    pub token: Option<Token>,
    /// Its Analytics API, where it is to be used.
    pub analytics: Option<AnalyticsSettings>,
    /// Units of Vitally's rate that may be used in a minute. A read costs one unit, a write one or more.
    pub rate: u32,
    /// What calls cost, as an earlier client learned it: see [`LimiterState::price`](super::LimiterState::price).
    pub known_price: Option<Price>,
    /// Which ids its routes take, as an earlier client found out.
    pub known_paths: Paths,
    /// Members of records whose values are not shown in what is told of calls.
    pub private: Private,
    /// How many calls may be under way at once.
    pub at_once: AtOnce,
    /// What other processes use of the rate.
    pub others: Option<OtherUse>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a call may take, connection and answer included.
    pub timeout: Duration,
    /// How calls are repeated.
    pub retry: Retry,
    /// Our clock.
    pub clock: ClientClock,
    /// Randomness for waits, from 0 to 1.
    pub jitter: Jitter,
}

/// What the Analytics API is used with. [`AnalyticsSettings::new`] gives what suits Vitally.
#[derive(Clone, Debug)]
pub struct AnalyticsSettings {
    /// Where it is.
    pub endpoint: AnalyticsEndpoint,
    /// Its token, which is another one than that of the REST API.
    pub token: AnalyticsToken,
    /// Units of its rate that may be used in a minute; a batch costs one or more.
    pub rate: u32,
    /// What calls cost, as an earlier client learned it.
    pub known_price: Option<Price>,
    /// How many calls may be under way at once.
    pub at_once: AtOnce,
    /// What other processes use of the rate.
    pub others: Option<OtherUse>,
    /// How large a batch may be.
    pub limits: BatchLimits,
}

impl AnalyticsSettings {
    /// The host that belongs to the workspace's endpoint, 300 calls a minute, four at once, batches of 100 messages and
    /// 256 KiB. Vitally documents no rate for this API: 300 are below the 1,000 of the REST API even if a batch costs three.
    pub fn new(token: AnalyticsToken) -> Self {
        Self {
            endpoint: AnalyticsEndpoint::OfWorkspace,
            token,
            rate: 300,
            known_price: None,
            at_once: AtOnce::Most(4),
            others: None,
            limits: BatchLimits::default(),
        }
    }
}

/// How calls are repeated that failed without a verdict. A POST of the REST API never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is tried in all.
    pub tries: u32,
    /// The wait before the second try; each further one doubles.
    pub first_wait: Duration,
    /// How many times in a row Vitally may answer 429 before the client gives up.
    pub most_refusals: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: 3, first_wait: Duration::from_millis(500), most_refusals: 10 }
    }
}

/// A clock.
#[derive(Clone)]
pub struct ClientClock(Arc<dyn Fn() -> Time + Send + Sync>);

impl ClientClock {
    /// A clock of one's own.
    pub fn new(now: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The machine's clock.
    pub fn real() -> Self {
        Self::new(|| Time::from(SystemTime::now()))
    }

    pub(super) fn now(&self) -> Time {
        (self.0)()
    }
}

/// What other processes use of a rate that is shared with them.
#[derive(Clone)]
pub struct OtherUse(Arc<dyn Fn(u32) -> Option<Vec<u32>> + Send + Sync>);

impl OtherUse {
    /// `turn` is called once a second at the most, while calls are made: with how many units a minute are used here, it gives how
    /// many each of the others uses; `None` where that cannot be told now.
    pub fn new(turn: impl Fn(u32) -> Option<Vec<u32>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(turn))
    }

    pub(super) fn turn(&self, used: u32) -> Option<Vec<u32>> {
        (self.0)(used)
    }
}

impl fmt::Debug for OtherUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtherUse")
    }
}

/// Randomness for waits.
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Jitter {
    /// Numbers of one's own, from 0 to 1.
    pub fn new(next: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// Numbers that nobody foresees: many clients must not come back at the same moment.
    pub fn random() -> Self {
        Self::new(|| {
            let bits = RandomState::new().build_hasher().finish();
            f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
        })
    }

    /// A number from 0 to 1.
    pub(super) fn next(&self) -> f64 {
        (self.0)().clamp(0.0, 1.0)
    }
}

impl ClientSettings {
    /// The REST API: 900 units a minute of the 1,000 that Vitally documents, as many calls at once as that takes, ten seconds to connect and
    /// sixty in all.
    pub fn new(endpoint: Endpoint, token: Token) -> Self {
        Self { token: Some(token), ..Self::without_tokens(endpoint) }
    }

    /// The Analytics API alone, as for a workspace that only takes events.
    pub fn analytics_only(endpoint: Endpoint, analytics: AnalyticsSettings) -> Self {
        Self { analytics: Some(analytics), ..Self::without_tokens(endpoint) }
    }

    /// No API yet: nothing can be sent before a token is given.
    pub fn without_tokens(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            token: None,
            analytics: None,
            rate: 900,
            known_price: None,
            known_paths: Paths::default(),
            private: Private::default(),
            at_once: AtOnce::Auto,
            others: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            retry: Retry::default(),
            clock: ClientClock::real(),
            jitter: Jitter::random(),
        }
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("analytics", &self.analytics)
            .field("rate", &self.rate)
            .field("at_once", &self.at_once)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}
