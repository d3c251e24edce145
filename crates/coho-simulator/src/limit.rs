//! The rate limit: a token bucket, and what the `RateLimit-*` headers say of it.
//!
//! The documentation's newest text calls it a bucket, and `Reset` the seconds until one unit flows in.

use crate::clock::Time;

/// The bucket's window in milliseconds: it fills once over this time.
const WINDOW: u64 = 60_000;

/// Counts in units × [`WINDOW`], so that a millisecond brings exactly `limit` and nothing is lost to rounding.
#[derive(Debug)]
pub(crate) struct Bucket {
    limit: u64,
    level: u64,
    at: Time,
}

/// What the bucket says after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gauge {
    /// Units that it holds when full.
    pub(crate) limit: u64,
    /// Whole units that are left.
    pub(crate) remaining: u64,
    /// Seconds, rounded up, until one more unit is there.
    pub(crate) reset: u64,
}

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    Granted,
    /// Seconds, rounded up, until the bucket holds what the request costs.
    Refused {
        wait: u64,
    },
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(limit: u32, now: Time) -> Self {
        let limit = u64::from(limit);
        Self { limit, level: limit * WINDOW, at: now }
    }

    /// Takes the units, or nothing where there are too few.
    pub(crate) fn take(&mut self, units: u32, now: Time) -> Pass {
        self.fill(now);
        let price = u64::from(units) * WINDOW;
        match self.level.checked_sub(price) {
            Some(rest) => {
                self.level = rest;
                Pass::Granted
            }
            None => Pass::Refused { wait: self.seconds_until(price) },
        }
    }

    /// Its state now.
    pub(crate) fn gauge(&mut self, now: Time) -> Gauge {
        self.fill(now);
        let remaining = self.level / WINDOW;
        let reset = if remaining >= self.limit { 0 } else { self.seconds_until((remaining + 1) * WINDOW) };
        Gauge { limit: self.limit, remaining, reset }
    }

    fn fill(&mut self, now: Time) {
        let passed = u64::try_from(now.millis() - self.at.millis()).unwrap_or(0);
        self.level = self.level.saturating_add(passed.saturating_mul(self.limit)).min(self.limit * WINDOW);
        self.at = now;
    }

    fn seconds_until(&self, level: u64) -> u64 {
        let millis = level.saturating_sub(self.level).div_ceil(self.limit.max(1));
        millis.div_ceil(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_bucket_refuses_until_time_has_passed() {
        let start = Time::from_millis(0);
        let mut bucket = Bucket::full(2, start);
        assert_eq!(bucket.take(1, start), Pass::Granted);
        assert_eq!(bucket.take(1, start), Pass::Granted);
        assert_eq!(bucket.take(1, start), Pass::Refused { wait: 30 });
        assert_eq!(bucket.gauge(start), Gauge { limit: 2, remaining: 0, reset: 30 });
        assert_eq!(bucket.take(1, start.plus(30_000)), Pass::Granted);
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_limit() {
        let mut bucket = Bucket::full(10, Time::from_millis(0));
        assert_eq!(bucket.gauge(Time::from_millis(3_600_000)), Gauge { limit: 10, remaining: 10, reset: 0 });
    }

    #[test]
    fn a_dear_request_waits_longer_than_reset_says() {
        let start = Time::from_millis(0);
        let mut bucket = Bucket::full(60, start);
        assert_eq!(bucket.take(60, start), Pass::Granted);
        assert_eq!(bucket.take(10, start), Pass::Refused { wait: 10 });
        assert_eq!(bucket.gauge(start).reset, 1);
    }
}
