//! Calls to Vitally, as the request log and the debugger show them: what was sent to where, what came back, and what each
//! attempt waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::Api;
use crate::time::Time;

/// Headers by their names in lower case.
pub type Headers = BTreeMap<String, String>;

/// One call to Vitally. It never contains a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it was sent.
    pub at: Time,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Where it went to; absent in calls that earlier versions of Coho made.
    pub route: Option<Arc<Route>>,
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Which attempt it was, and what it waited for.
    pub attempt: Attempt,
    /// The request's JSON body.
    pub request: Option<String>,
    /// The answer's status; absent where none arrived.
    pub status: Option<u16>,
    /// The answer's headers, those that are kept.
    pub headers: Headers,
    /// The answer's body, bounded, or what went wrong.
    pub response: String,
    /// How many bytes of the request's body are not kept.
    pub request_cut: u64,
    /// How many bytes of the answer's body are not kept.
    pub response_cut: u64,
}

/// Where calls go to, and the headers that all of them have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which of Vitally's two APIs.
    pub api: Api,
    /// Where the address comes from.
    pub source: AddressSource,
    /// The address that paths follow, without a slash at its end.
    pub address: String,
    /// The request's headers. A credential is `***`.
    pub headers: Headers,
}

/// Where the address of an API comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressSource {
    /// Vitally's host of a workspace in the US.
    Us,
    /// Vitally's host in the EU.
    Eu,
    /// The destination's `base_url`.
    BaseUrl,
    /// The destination's `analytics_url`.
    AnalyticsUrl,
}

impl AddressSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Us, Self::Eu, Self::BaseUrl, Self::AnalyticsUrl];

    /// The text in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::BaseUrl => "base_url",
            Self::AnalyticsUrl => "analytics_url",
        }
    }

    /// The one of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

/// Which attempt of a request a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How often the request was sent, with this time: 1 is the first.
    pub number: u32,
    /// How long it waited before this attempt.
    pub wait: Wait,
}

impl Attempt {
    /// The first, at once.
    pub const FIRST: Self = Self { number: 1, wait: Wait::NONE };
}

/// How long something waited, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait {
    /// How long.
    pub length: Duration,
    /// What for; where there was more than one reason, that of the longest part.
    pub why: Option<WaitWhy>,
}

impl Wait {
    /// None at all.
    pub const NONE: Self = Self { length: Duration::ZERO, why: None };

    /// A wait for one reason. Less than a millisecond is none: that is how long a look at the clock may take.
    pub fn new(length: Duration, why: WaitWhy) -> Self {
        if length < Duration::from_millis(1) { Self::NONE } else { Self { length, why: Some(why) } }
    }

    /// Two waits, one after the other.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let why = if next.length > self.length { next.why } else { self.why.or(next.why) };
        Self { length: self.length.saturating_add(next.length), why }
    }
}

/// What a call waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitWhy {
    /// The share of Vitally's rate that the user allows, or what others leave of it.
    Pace,
    /// Vitally refused calls with 429.
    Refused,
    /// Vitally named a time.
    RetryAfter,
    /// An attempt before failed.
    Backoff,
    /// A write was to become visible first.
    Settle,
}

impl WaitWhy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pace, Self::Refused, Self::RetryAfter, Self::Backoff, Self::Settle];

    /// The text in the ledger and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pace => "pace",
            Self::Refused => "429",
            Self::RetryAfter => "retry-after",
            Self::Backoff => "backoff",
            Self::Settle => "settle",
        }
    }

    /// The one of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_part_of_a_wait_says_why() {
        let of = |millis, why| Wait::new(Duration::from_millis(millis), why);
        let both = of(20, WaitWhy::Pace).then(of(500, WaitWhy::Backoff)).then(of(3, WaitWhy::Refused));
        assert_eq!(both, of(523, WaitWhy::Backoff));
        assert_eq!(of(0, WaitWhy::Pace), Wait::NONE);
        assert_eq!(Wait::NONE.then(of(7, WaitWhy::Settle)), of(7, WaitWhy::Settle));
    }
}
