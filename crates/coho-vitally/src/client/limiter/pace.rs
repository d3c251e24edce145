//! The pace: when the next call may leave. Pure: it is told the time.
//!
//! Two things hold a call back: the share of the rate that the user allows, a bucket that fills evenly; and what the
//! server says is left, which slows us down before its bucket is empty, so that others who use the workspace get through.

use std::time::Duration;

use tokio::time::Instant;

use super::headers::RateHeaders;
use super::price::{Price, Prices};
use crate::request::Cost;

/// The window over which Vitally's bucket fills.
const WINDOW: f64 = 60.0;

/// The share of Vitally's bucket that is left to others: below it we slow down.
const RESERVE: f64 = 0.1;

/// How slow we become at the least, as a share of what flows into Vitally's bucket.
const SLOWEST: f64 = 0.1;

/// The longest pause that a header may ask for.
const LONGEST: Duration = Duration::from_secs(900);

/// When the next call may leave.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
    prices: Prices,
    server: Option<Server>,
    /// The last answer while nothing else was under way: what it left, and when.
    quiet: Option<(u32, Instant)>,
    /// Nothing leaves before this.
    opens: Instant,
    /// When the pause that ends there began.
    paused: Instant,
    refusals: u32,
    issued: u64,
    under_way: usize,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    limit: u32,
    remaining: u32,
}

/// Whether a call may leave.
#[derive(Debug)]
pub(crate) enum Admit {
    /// It may.
    Pass(Ticket),
    /// Ask again then.
    Wait(Instant),
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    cost: Cost,
    number: u64,
    at: Instant,
    is_alone: bool,
}

/// What an answer was, as far as the rate is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Anything but 429.
    Passed,
    /// 429.
    Refused,
}

impl Pace {
    /// `rate` is in units a minute.
    pub(crate) fn new(rate: u32, known: Price, now: Instant) -> Self {
        let rate = f64::from(rate.max(1));
        let burst = (rate / 30.0).max(1.0);
        Self {
            rate: rate / WINDOW,
            burst,
            tokens: burst,
            filled: now,
            prices: Prices::new(known),
            server: None,
            quiet: None,
            opens: now,
            paused: now,
            refusals: 0,
            issued: 0,
            under_way: 0,
        }
    }

    /// Whether a call may leave now.
    pub(crate) fn admit(&mut self, cost: Cost, now: Instant) -> Admit {
        if now < self.opens {
            return Admit::Wait(self.opens);
        }
        let price = f64::from(self.prices.of(cost));
        let rate = self.rate_now(price);
        // A call that costs more than the bucket holds must be able to leave all the same.
        let room = if rate < self.rate { price } else { self.burst.max(price) };
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(room);
        self.filled = now;
        // What flows in over whole nanoseconds may be short of a unit by a rounding error.
        if self.tokens + 1e-6 < price {
            let wait = Duration::from_secs_f64((price - self.tokens) / rate);
            return Admit::Wait(now + wait.max(Duration::from_millis(1)));
        }
        self.tokens -= price;
        self.issued += 1;
        self.under_way += 1;
        let is_alone = self.under_way == 1;
        Admit::Pass(Ticket { cost, number: self.issued, at: now, is_alone })
    }

    /// Units a second that we may use now.
    fn rate_now(&self, price: f64) -> f64 {
        let Some(server) = self.server else { return self.rate };
        let flow = f64::from(server.limit) / WINDOW;
        let reserve = (f64::from(server.limit) * RESERVE).max(price * 4.0);
        let left = f64::from(server.remaining);
        if left >= reserve { self.rate } else { self.rate.min(flow * (left / reserve).max(SLOWEST)) }
    }

    /// A call ended without an answer.
    pub(crate) fn leave(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        self.quiet = None;
    }

    /// A call was answered. `jitter` is from 0 to 1.
    pub(crate) fn settle(
        &mut self,
        ticket: Ticket,
        told: Told,
        headers: RateHeaders,
        now: Instant,
        jitter: f64,
    ) {
        self.under_way = self.under_way.saturating_sub(1);
        self.learn(ticket, headers, now);
        match told {
            Told::Passed => self.refusals = 0,
            Told::Refused => self.pause(ticket, headers, now, jitter),
        }
    }

    fn learn(&mut self, ticket: Ticket, headers: RateHeaders, now: Instant) {
        let Some(remaining) = headers.remaining else {
            self.quiet = None;
            return;
        };
        let known = self.server.map_or(remaining, |server| server.limit);
        let limit = headers.limit.unwrap_or(known).max(1);
        let was_alone = ticket.is_alone && ticket.number == self.issued;
        if let (true, Some((before, at))) = (was_alone, self.quiet) {
            let flowed = now.saturating_duration_since(at).as_secs_f64() * f64::from(limit) / WINDOW;
            let before = (f64::from(before) + flowed.floor()).min(f64::from(limit));
            self.prices.observe(ticket.cost, whole(before - f64::from(remaining)));
        }
        self.server = Some(Server { limit, remaining });
        self.quiet = (self.under_way == 0).then_some((remaining, now));
    }

    /// A refusal holds back all calls. Those that had left before it began are of the same wave.
    fn pause(&mut self, ticket: Ticket, headers: RateHeaders, now: Instant, jitter: f64) {
        if ticket.at >= self.paused {
            self.refusals += 1;
            self.paused = now + Duration::from_nanos(1);
        }
        let price = f64::from(self.prices.of(ticket.cost));
        let flow = self.server.map_or(self.rate, |server| f64::from(server.limit) / WINDOW);
        let refill = Duration::from_secs_f64((price / flow).min(LONGEST.as_secs_f64()));
        let doubling = Duration::from_millis(500) * 2_u32.pow(self.refusals.min(7));
        let asked = match headers.wait() {
            Some(wait) if self.refusals < 3 => wait,
            Some(wait) => wait.max(doubling),
            None => doubling,
        };
        let wait = asked.max(refill).min(LONGEST);
        let more = wait.min(Duration::from_secs(10)).mul_f64(0.1 * jitter);
        self.opens = self.opens.max(now + wait + more);
        self.tokens = 0.0;
        self.filled = self.opens;
        self.quiet = None;
    }

    /// How many waits in a row ended in another refusal.
    pub(crate) fn refusals(&self) -> u32 {
        self.refusals
    }

    /// What is known now.
    pub(crate) fn state(&self, now: Instant) -> LimiterState {
        let pause = self.opens.saturating_duration_since(now);
        LimiterState {
            units_per_minute: self.rate_now(f64::from(self.prices.of(Cost::Write))) * WINDOW,
            limit: self.server.map(|server| server.limit),
            remaining: self.server.map(|server| server.remaining),
            price: self.prices.all(),
            paused_for: (!pause.is_zero()).then_some(pause),
            under_way: self.under_way,
        }
    }
}

/// The whole number of units; what others used in the meantime can make it absurd, and never negative.
fn whole(units: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
    let whole = units.round().clamp(1.0, 1_000_000.0) as u32;
    whole
}

/// What the limiter knows, for progress and estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimiterState {
    /// Units that we may use in a minute now: the user's share, or less while Vitally's bucket is low.
    pub units_per_minute: f64,
    /// Units that Vitally's bucket holds when full, where it told.
    pub limit: Option<u32>,
    /// Units that it held after the last answer, where it told.
    pub remaining: Option<u32>,
    /// What calls cost, as far as was learned, now or by an earlier run.
    pub price: Price,
    /// How long all calls are held back after a 429.
    pub paused_for: Option<Duration>,
    /// How many calls are under way.
    pub under_way: usize,
}

impl LimiterState {
    /// The least time that so many reads and writes take from now on.
    pub fn least_time(&self, reads: u64, writes: u64) -> Duration {
        let paused = self.paused_for.unwrap_or_default();
        self.price.least_time(self.units_per_minute, reads, writes).saturating_add(paused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(limit: u32, remaining: u32) -> RateHeaders {
        RateHeaders { limit: Some(limit), remaining: Some(remaining), ..RateHeaders::default() }
    }

    fn pass(pace: &mut Pace, now: Instant) -> Ticket {
        match pace.admit(Cost::Write, now) {
            Admit::Pass(ticket) => ticket,
            Admit::Wait(until) => panic!("held back for {:?}", until - now),
        }
    }

    fn wait(pace: &mut Pace, now: Instant) -> Duration {
        match pace.admit(Cost::Write, now) {
            Admit::Pass(_) => Duration::ZERO,
            Admit::Wait(until) => until - now,
        }
    }

    #[test]
    fn a_burst_is_bounded_and_then_calls_are_spread() {
        let now = Instant::now();
        let mut pace = Pace::new(60, Price::default(), now);
        let free = (0..100).take_while(|_| matches!(pace.admit(Cost::Read, now), Admit::Pass(_))).count();
        assert_eq!(free, 2);
        assert_eq!(wait(&mut pace, now), Duration::from_secs(1));
    }

    #[test]
    fn the_price_of_a_write_is_learned() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        for remaining in [990, 981, 973] {
            let ticket = pass(&mut pace, now);
            // A tenth of a second: 1.67 units of 1,000 a minute flow in, one of them whole.
            now += Duration::from_millis(100);
            pace.settle(ticket, Told::Passed, told(1_000, remaining), now, 0.0);
        }
        assert_eq!(pace.state(now).price.write, 9);
    }

    #[test]
    fn a_low_bucket_slows_us_before_it_is_empty() {
        let now = Instant::now();
        let mut pace = Pace::new(900, Price::default(), now);
        let ticket = pass(&mut pace, now);
        pace.settle(ticket, Told::Passed, told(1_000, 50), now, 0.0);
        assert!(pace.state(now).units_per_minute < 501.0);
        let ticket = pass(&mut pace, now);
        pace.settle(ticket, Told::Passed, told(1_000, 900), now, 0.0);
        assert!((pace.state(now).units_per_minute - 900.0).abs() < 1e-6);
    }

    #[test]
    fn a_wave_of_refusals_counts_once() {
        let now = Instant::now();
        let mut pace = Pace::new(900, Price::default(), now);
        let tickets = [pass(&mut pace, now), pass(&mut pace, now), pass(&mut pace, now)];
        let reset = RateHeaders { reset: Some(Duration::from_secs(7)), ..RateHeaders::default() };
        for ticket in tickets {
            pace.settle(ticket, Told::Refused, reset, now, 0.0);
        }
        assert_eq!(pace.refusals(), 1);
        assert_eq!(wait(&mut pace, now), Duration::from_secs(7));
        let later = now + Duration::from_secs(8);
        let ticket = pass(&mut pace, later);
        pace.settle(ticket, Told::Refused, reset, later, 0.0);
        assert_eq!(pace.refusals(), 2);
        let later = later + Duration::from_secs(8);
        let ticket = pass(&mut pace, later);
        pace.settle(ticket, Told::Passed, RateHeaders::default(), later, 0.0);
        assert_eq!(pace.refusals(), 0);
    }

    #[test]
    fn refusals_without_headers_wait_longer_each_time() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        let mut waits = Vec::new();
        for _ in 0..4 {
            let ticket = pass(&mut pace, now);
            pace.settle(ticket, Told::Refused, RateHeaders::default(), now, 0.0);
            let pause = wait(&mut pace, now);
            waits.push(pause.as_secs());
            now += pause + Duration::from_secs(1);
        }
        assert_eq!(waits, [1, 2, 4, 8]);
    }

    #[test]
    fn an_estimate_follows_the_price() {
        let pace = Pace::new(600, Price { read: 1, write: 10 }, Instant::now());
        let state = pace.state(Instant::now());
        assert_eq!(state.least_time(0, 600), Duration::from_secs(600));
    }
}
