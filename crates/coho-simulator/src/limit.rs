//! The rate limit, in the three forms that servers give it, and what the `RateLimit-*` headers say of it.
//!
//! The documentation's newest text calls it a bucket, and `Reset` the seconds until one unit flows in. Its older text
//! describes a sliding window, and `Reset` as the seconds until the oldest request leaves it. Many servers count in fixed
//! windows. Which of them Vitally has is a switch; [`Meter`] can also be used alone, by simulations without a server.

use std::collections::VecDeque;

use crate::clock::SimulatorTime;
use crate::switches::Window;

/// The time over which the limit counts, in milliseconds: a bucket fills once, a window holds so much.
const WINDOW: u64 = 60_000;

/// A rate limit.
#[derive(Debug)]
pub struct Meter(Kind);

#[derive(Debug)]
enum Kind {
    Bucket(Bucket),
    Sliding(Sliding),
    Fixed(Fixed),
}

/// What the limit says after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// Units that pass in a minute.
    pub limit: u64,
    /// Whole units that are left.
    pub remaining: u64,
    /// Seconds, rounded up, until there are more.
    pub reset: u64,
}

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It may.
    Granted,
    /// It may not.
    Refused {
        /// Seconds, rounded up, until as much is left as the request costs.
        wait: u64,
    },
}

impl Meter {
    /// A limit of which nothing was used.
    pub fn unused(window: Window, limit: u32, now: SimulatorTime) -> Self {
        let limit = u64::from(limit);
        Self(match window {
            Window::Bucket => Kind::Bucket(Bucket { limit, level: limit * WINDOW, at: now }),
            Window::Sliding => Kind::Sliding(Sliding { limit, taken: VecDeque::new(), used: 0 }),
            Window::Fixed => Kind::Fixed(Fixed { limit, used: 0, begun: now }),
        })
    }

    /// Takes the units, or nothing where there are too few.
    pub fn take(&mut self, units: u32, now: SimulatorTime) -> Pass {
        let units = u64::from(units);
        match &mut self.0 {
            Kind::Bucket(bucket) => bucket.take(units, now),
            Kind::Sliding(sliding) => sliding.take(units, now),
            Kind::Fixed(fixed) => fixed.take(units, now),
        }
    }

    /// Its state now.
    pub fn gauge(&mut self, now: SimulatorTime) -> Gauge {
        match &mut self.0 {
            Kind::Bucket(bucket) => bucket.gauge(now),
            Kind::Sliding(sliding) => sliding.gauge(now),
            Kind::Fixed(fixed) => fixed.gauge(now),
        }
    }
}

/// Counts in units × [`WINDOW`], so that a millisecond brings exactly `limit` and nothing is lost to rounding.
#[derive(Debug)]
struct Bucket {
    limit: u64,
    level: u64,
    at: SimulatorTime,
}

impl Bucket {
    fn take(&mut self, units: u64, now: SimulatorTime) -> Pass {
        self.fill(now);
        let price = units * WINDOW;
        match self.level.checked_sub(price) {
            Some(rest) => {
                self.level = rest;
                Pass::Granted
            }
            None => Pass::Refused { wait: self.seconds_until(price) },
        }
    }

    fn gauge(&mut self, now: SimulatorTime) -> Gauge {
        self.fill(now);
        let remaining = self.level / WINDOW;
        let reset = if remaining >= self.limit { 0 } else { self.seconds_until((remaining + 1) * WINDOW) };
        Gauge { limit: self.limit, remaining, reset }
    }

    fn fill(&mut self, now: SimulatorTime) {
        let passed = passed(self.at, now);
        self.level = self.level.saturating_add(passed.saturating_mul(self.limit)).min(self.limit * WINDOW);
        self.at = now;
    }

    fn seconds_until(&self, level: u64) -> u64 {
        let millis = level.saturating_sub(self.level).div_ceil(self.limit.max(1));
        millis.div_ceil(1_000)
    }
}

/// What was taken in the last minute, the oldest first.
#[derive(Debug)]
struct Sliding {
    limit: u64,
    taken: VecDeque<(SimulatorTime, u64)>,
    used: u64,
}

impl Sliding {
    fn take(&mut self, units: u64, now: SimulatorTime) -> Pass {
        self.leave(now);
        if self.used + units > self.limit {
            return Pass::Refused { wait: self.seconds_until(units, now) };
        }
        self.taken.push_back((now, units));
        self.used += units;
        Pass::Granted
    }

    fn gauge(&mut self, now: SimulatorTime) -> Gauge {
        self.leave(now);
        let reset = self.taken.front().map_or(0, |(oldest, _)| seconds_left(*oldest, now));
        Gauge { limit: self.limit, remaining: self.limit - self.used, reset }
    }

    fn leave(&mut self, now: SimulatorTime) {
        while let Some((at, units)) = self.taken.front() {
            if passed(*at, now) < WINDOW {
                break;
            }
            self.used -= units;
            self.taken.pop_front();
        }
    }

    fn seconds_until(&self, units: u64, now: SimulatorTime) -> u64 {
        let mut used = self.used;
        for (at, taken) in &self.taken {
            used -= taken;
            if used + units <= self.limit {
                return seconds_left(*at, now);
            }
        }
        WINDOW / 1_000
    }
}

/// What was taken since the window began. The first begins with the limit.
#[derive(Debug)]
struct Fixed {
    limit: u64,
    used: u64,
    begun: SimulatorTime,
}

impl Fixed {
    fn take(&mut self, units: u64, now: SimulatorTime) -> Pass {
        self.turn(now);
        if self.used + units > self.limit {
            return Pass::Refused { wait: seconds_left(self.begun, now) };
        }
        self.used += units;
        Pass::Granted
    }

    fn gauge(&mut self, now: SimulatorTime) -> Gauge {
        self.turn(now);
        Gauge { limit: self.limit, remaining: self.limit - self.used, reset: seconds_left(self.begun, now) }
    }

    fn turn(&mut self, now: SimulatorTime) {
        let windows = passed(self.begun, now) / WINDOW;
        if windows > 0 {
            let millis = i64::try_from(windows * WINDOW).unwrap_or(i64::MAX);
            (self.begun, self.used) = (self.begun.plus(millis), 0);
        }
    }
}

fn passed(since: SimulatorTime, now: SimulatorTime) -> u64 {
    u64::try_from(now.millis() - since.millis()).unwrap_or(0)
}

/// Seconds, rounded up, until the minute after a moment is over.
fn seconds_left(since: SimulatorTime, now: SimulatorTime) -> u64 {
    WINDOW.saturating_sub(passed(since, now)).div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SimulatorTime = SimulatorTime::from_millis(0);

    fn meter(window: Window, limit: u32) -> Meter {
        Meter::unused(window, limit, START)
    }

    #[test]
    fn an_empty_bucket_refuses_until_time_has_passed() {
        let mut bucket = meter(Window::Bucket, 2);
        assert_eq!(bucket.take(1, START), Pass::Granted);
        assert_eq!(bucket.take(1, START), Pass::Granted);
        assert_eq!(bucket.take(1, START), Pass::Refused { wait: 30 });
        assert_eq!(bucket.gauge(START), Gauge { limit: 2, remaining: 0, reset: 30 });
        assert_eq!(bucket.take(1, START.plus(30_000)), Pass::Granted);
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_limit() {
        let gauge = meter(Window::Bucket, 10).gauge(START.plus(3_600_000));
        assert_eq!(gauge, Gauge { limit: 10, remaining: 10, reset: 0 });
    }

    #[test]
    fn a_dear_request_waits_longer_than_reset_says() {
        let mut bucket = meter(Window::Bucket, 60);
        assert_eq!(bucket.take(60, START), Pass::Granted);
        assert_eq!(bucket.take(10, START), Pass::Refused { wait: 10 });
        assert_eq!(bucket.gauge(START).reset, 1);
    }

    #[test]
    fn what_leaves_a_sliding_window_comes_back_as_it_was_taken() {
        let mut sliding = meter(Window::Sliding, 10);
        assert_eq!(sliding.take(4, START), Pass::Granted);
        assert_eq!(sliding.take(6, START.plus(20_000)), Pass::Granted);
        assert_eq!(sliding.take(5, START.plus(20_000)), Pass::Refused { wait: 60 });
        assert_eq!(sliding.gauge(START.plus(59_999)), Gauge { limit: 10, remaining: 0, reset: 1 });
        assert_eq!(sliding.gauge(START.plus(60_000)), Gauge { limit: 10, remaining: 4, reset: 20 });
        assert_eq!(sliding.take(4, START.plus(60_000)), Pass::Granted);
    }

    #[test]
    fn a_fixed_window_comes_back_all_at_once() {
        let mut fixed = meter(Window::Fixed, 10);
        assert_eq!(fixed.take(10, START.plus(50_000)), Pass::Granted);
        assert_eq!(fixed.take(1, START.plus(50_500)), Pass::Refused { wait: 10 });
        assert_eq!(fixed.gauge(START.plus(60_000)), Gauge { limit: 10, remaining: 10, reset: 60 });
        assert_eq!(fixed.gauge(START.plus(190_000)), Gauge { limit: 10, remaining: 10, reset: 50 });
    }
}
