//! The pace: when the next call may leave. Pure: it is told the time.
//!
//! Three things hold a call back: the share of the rate that the user allows, a bucket that fills evenly; what the server says
//! is left, which [`super::server`] reads, or where it says nothing, what its refusals taught ([`super::ceiling`]); and now and
//! then a probe of what calls cost ([`super::probe`]).

use std::time::Duration;

use tokio::time::Instant;

use super::ceiling::Ceiling;
use super::headers::RateHeaders;
use super::price::{Price, Prices};
use super::probe::{Answered, Probes, Turn};
use super::server::{LONGEST, Left, Server, WINDOW, seconds};
use crate::request::Cost;

/// When the next call may leave.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
    prices: Prices,
    probes: Probes,
    server: Option<Server>,
    ceiling: Ceiling,
    /// Nothing leaves before this.
    opens: Instant,
    /// When the pause that ends there began.
    paused: Instant,
    refusals: u32,
    issued: u64,
    answered: bool,
    under_way: usize,
    /// What the calls under way cost.
    units_under_way: u64,
}

/// Whether a call may leave.
#[derive(Debug)]
pub(crate) enum Admit {
    /// It may.
    Pass(Ticket),
    /// Ask again then, or when a call was answered.
    Wait(Instant),
    /// Ask again when a call under way was answered or given up.
    Answer,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    cost: Cost,
    price: u32,
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
            probes: Probes::default(),
            server: None,
            ceiling: Ceiling::new(now),
            opens: now,
            paused: now,
            refusals: 0,
            issued: 0,
            answered: false,
            under_way: 0,
            units_under_way: 0,
        }
    }

    /// Whether a call may leave now.
    pub(crate) fn admit(&mut self, cost: Cost, now: Instant) -> Admit {
        if now < self.opens {
            return Admit::Wait(self.opens);
        }
        // After a refusal one call goes first: were all refused together, each would be a refusal more.
        if self.refusals > 0 && self.under_way > 0 {
            return Admit::Answer;
        }
        let price = self.prices.of(cost);
        let left = self.left(f64::from(price), now);
        let rate = match left {
            Left::Enough(rate) => self.rate.min(rate),
            Left::TooLittle(_) if self.under_way > 0 => return Admit::Answer,
            Left::TooLittle(until) => return Admit::Wait(until),
        };
        let turn = self.probes.turn(cost, self.answered, self.server.as_ref(), self.under_way, now);
        if turn == Turn::Wait {
            return Admit::Answer;
        }
        match self.missing(f64::from(price), rate, turn, now) {
            Some(wait) => Admit::Wait(now + wait),
            None => Admit::Pass(self.issue(cost, price, turn, now)),
        }
    }

    /// What the server leaves us, where it tells or refused.
    fn left(&self, price: f64, now: Instant) -> Left {
        match &self.server {
            Some(server) => server.left(price, float(self.units_under_way), now),
            None => Left::Enough(self.ceiling.rate(now)),
        }
    }

    /// How long our own bucket takes to hold enough, unless it does.
    fn missing(&mut self, price: f64, rate: f64, turn: Turn, now: Instant) -> Option<Duration> {
        // Two calls must be able to leave together, however dear they are.
        let room = if rate < self.rate { 2.0 * price } else { self.burst.max(2.0 * price) };
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(room);
        self.filled = self.filled.max(now);
        let needed = match turn {
            Turn::First(calls) => f64::from(calls) * price,
            Turn::Free | Turn::Next | Turn::Wait => price,
        };
        // What flows in over whole nanoseconds may be short of a unit by a rounding error.
        (self.tokens + 1e-6 < needed)
            .then(|| seconds((needed - self.tokens) / rate).max(Duration::from_millis(1)))
    }

    fn issue(&mut self, cost: Cost, price: u32, turn: Turn, now: Instant) -> Ticket {
        self.tokens -= f64::from(price);
        self.issued += 1;
        self.under_way += 1;
        self.units_under_way += u64::from(price);
        self.probes.left(cost, turn, now);
        Ticket { cost, price, number: self.issued, at: now, is_alone: self.under_way == 1 }
    }

    /// A call ended without an answer.
    pub(crate) fn leave(&mut self, ticket: Ticket, now: Instant) {
        self.back(ticket, None, now);
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
        let server = Server::told(headers, ticket.price, self.server, now);
        match told {
            Told::Passed => {
                self.back(ticket, server, now);
                self.server = server;
                self.ceiling.pass(f64::from(ticket.price), now);
                // Calls that had left before a pause tell nothing of what is after it.
                if ticket.at >= self.paused {
                    self.refusals = 0;
                }
            }
            Told::Refused => {
                self.back(ticket, None, now);
                self.server = server.or(self.server);
                if let Some(least) = server.and_then(|server| server.least_price(ticket.price)) {
                    self.prices.observe(ticket.cost, least);
                }
                self.pause(ticket, headers, now, jitter);
            }
        }
        self.answered = true;
    }

    /// A call is under way no more.
    fn back(&mut self, ticket: Ticket, server: Option<Server>, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        self.units_under_way = self.units_under_way.saturating_sub(u64::from(ticket.price));
        let was_alone = ticket.is_alone && ticket.number == self.issued;
        let call = Answered { at: ticket.at, was_alone, under_way: self.under_way, now };
        if let Some(units) = self.probes.answered(call, server.as_ref()) {
            self.prices.observe(ticket.cost, units);
        }
    }

    /// A refusal holds back all calls. Those that had left before it began are of the same wave.
    fn pause(&mut self, ticket: Ticket, headers: RateHeaders, now: Instant, jitter: f64) {
        let is_new = ticket.at >= self.paused;
        if is_new {
            self.refusals += 1;
            self.paused = now + Duration::from_nanos(1);
        }
        let wait = self.wait(ticket, headers, now);
        let more = wait.min(Duration::from_secs(10)).mul_f64(0.1 * jitter);
        self.opens = self.opens.max(now + wait + more);
        self.tokens = 0.0;
        self.filled = self.opens;
        if is_new && self.refusals == 1 && headers.remaining.is_none() {
            self.ceiling.refuse(now, self.opens);
        }
    }

    /// How long nothing leaves after a refusal: what the server asks for, and never less than it takes for one call to flow in.
    fn wait(&mut self, ticket: Ticket, headers: RateHeaders, now: Instant) -> Duration {
        let flow = self.server.map_or(self.rate, |server| server.flow());
        let refill = seconds(f64::from(ticket.price) / flow);
        let doubling = Duration::from_millis(500) * 2_u32.pow(self.refusals.min(7));
        let asked = match headers.wait() {
            Some(wait) if self.refusals < 3 => wait,
            Some(wait) => wait.max(doubling),
            None if self.refusals < 2 && headers.remaining.is_none() => doubling,
            // What would have flowed into a bucket was not enough, so the server counts by the minute.
            None => doubling.max(self.ceiling.oldest_leaves(now)),
        };
        asked.max(refill).min(LONGEST)
    }

    /// How many waits in a row ended in another refusal.
    pub(crate) fn refusals(&self) -> u32 {
        self.refusals
    }

    /// What is known now.
    pub(crate) fn state(&self, now: Instant) -> LimiterState {
        let pause = self.opens.saturating_duration_since(now);
        let price = f64::from(self.prices.of(Cost::Write));
        let rate = match &self.server {
            Some(server) => server.rate(f64::from(server.remaining), price, now),
            None => self.ceiling.rate(now),
        };
        LimiterState {
            units_per_minute: self.rate.min(rate) * WINDOW,
            limit: self.server.map(|server| server.limit),
            remaining: self.server.map(|server| server.remaining),
            price: self.prices.all(),
            paused_for: (!pause.is_zero()).then_some(pause),
            under_way: self.under_way,
        }
    }
}

fn float(units: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few calls' units")]
    let units = units as f64;
    units
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
            Admit::Answer => panic!("held back until a call is answered"),
        }
    }

    fn wait(pace: &mut Pace, now: Instant) -> Duration {
        match pace.admit(Cost::Write, now) {
            Admit::Pass(_) => Duration::ZERO,
            Admit::Wait(until) => until - now,
            // Until an answer comes.
            Admit::Answer => Duration::MAX,
        }
    }

    /// A call that is answered at once.
    fn call(pace: &mut Pace, headers: RateHeaders, now: Instant) {
        let ticket = pass(pace, now);
        pace.settle(ticket, Told::Passed, headers, now, 0.0);
    }

    fn refuse(pace: &mut Pace, headers: RateHeaders, now: Instant) -> Duration {
        let ticket = pass(pace, now);
        pace.settle(ticket, Told::Refused, headers, now, 0.0);
        wait(pace, now)
    }

    #[test]
    fn a_burst_is_bounded_and_then_calls_are_spread() {
        let now = Instant::now();
        let mut pace = Pace::new(120, Price::default(), now);
        let mut free = 0;
        while wait(&mut pace, now).is_zero() {
            let ticket = Ticket { cost: Cost::Write, price: 1, number: 0, at: now, is_alone: false };
            pace.settle(ticket, Told::Passed, RateHeaders::default(), now, 0.0);
            free += 1;
        }
        assert_eq!((free, wait(&mut pace, now)), (4, Duration::from_millis(500)));
    }

    #[test]
    fn the_price_is_learned_from_calls_that_follow_fast() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        for remaining in [990, 980, 970] {
            call(&mut pace, told(1_000, remaining), now);
            now += Duration::from_millis(20);
        }
        assert_eq!(pace.state(now).price.write, 10);
    }

    #[test]
    fn the_price_is_learned_from_two_calls_that_leave_together_in_whatever_order_they_are_answered() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        call(&mut pace, told(1_000, 995), now);
        for (one, other) in [(990, 985), (975, 980)] {
            now += Duration::from_secs(1);
            let together = [pass(&mut pace, now), pass(&mut pace, now)];
            assert_eq!(wait(&mut pace, now), Duration::MAX, "a third one waits until both are answered");
            for (ticket, remaining) in together.into_iter().zip([one, other]) {
                pace.settle(ticket, Told::Passed, told(1_000, remaining), now, 0.0);
            }
        }
        assert_eq!(pace.state(now).price.write, 5);
    }

    #[test]
    fn nothing_is_learned_from_calls_of_which_others_were_under_way() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price { read: 1, write: 2 }, now);
        for _ in 0..4 {
            call(&mut pace, told(1_000, 1_000), now);
            now += Duration::from_secs(1);
        }
        for remaining in [900, 800, 700, 600] {
            let [one, other] = [pass(&mut pace, now), pass(&mut pace, now)];
            for ticket in [one, other] {
                pace.settle(ticket, Told::Passed, told(1_000, remaining), now, 0.0);
            }
            now += Duration::from_millis(1);
        }
        assert_eq!(pace.state(now).price.write, 2);
    }

    #[test]
    fn a_low_bucket_slows_us_before_it_is_empty() {
        let now = Instant::now();
        let mut pace = Pace::new(900, Price::default(), now);
        call(&mut pace, told(1_000, 20), now);
        assert!((pace.state(now).units_per_minute - 500.0).abs() < 1e-6);
        call(&mut pace, told(1_000, 900), now);
        assert!((pace.state(now).units_per_minute - 900.0).abs() < 1e-6);
    }

    #[test]
    fn a_wave_of_refusals_counts_once() {
        let now = Instant::now();
        let mut pace = Pace::new(900, Price::default(), now);
        call(&mut pace, RateHeaders::default(), now);
        let tickets = [pass(&mut pace, now), pass(&mut pace, now), pass(&mut pace, now)];
        let reset = RateHeaders { reset: Some(Duration::from_secs(7)), ..RateHeaders::default() };
        for ticket in tickets {
            pace.settle(ticket, Told::Refused, reset, now, 0.0);
        }
        assert_eq!(pace.refusals(), 1);
        assert_eq!(wait(&mut pace, now), Duration::from_secs(7));
        let later = now + Duration::from_secs(8);
        refuse(&mut pace, reset, later);
        assert_eq!(pace.refusals(), 2);
        call(&mut pace, RateHeaders::default(), later + Duration::from_secs(8));
        assert_eq!(pace.refusals(), 0);
    }

    #[test]
    fn an_answer_from_before_a_pause_does_not_end_it() {
        let now = Instant::now();
        let mut pace = Pace::new(900, Price::default(), now);
        call(&mut pace, RateHeaders::default(), now);
        let [refused, slow] = [pass(&mut pace, now), pass(&mut pace, now)];
        pace.settle(refused, Told::Refused, RateHeaders::default(), now, 0.0);
        pace.settle(slow, Told::Passed, RateHeaders::default(), now + Duration::from_millis(10), 0.0);
        assert_eq!(pace.refusals(), 1);
    }

    #[test]
    fn refusals_without_headers_wait_longer_each_time() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        let mut waits = Vec::new();
        for _ in 0..4 {
            let pause = refuse(&mut pace, RateHeaders::default(), now);
            waits.push(pause.as_secs());
            now += pause + Duration::from_secs(1);
        }
        assert_eq!(waits, [1, 2, 4, 8]);
    }

    #[test]
    fn a_server_that_always_asks_for_no_wait_is_believed_twice() {
        let mut now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        let none = RateHeaders { retry_after: Some(Duration::ZERO), ..RateHeaders::default() };
        let mut waits = Vec::new();
        for _ in 0..4 {
            let pause = refuse(&mut pace, none, now);
            waits.push(pause.as_secs());
            now += pause + Duration::from_secs(1);
        }
        assert_eq!(waits, [0, 0, 4, 8]);
    }

    #[test]
    fn second_refusal_in_a_row_waits_until_the_minute_is_over() {
        let start = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), start);
        call(&mut pace, RateHeaders::default(), start);
        let now = start + Duration::from_secs(10);
        let first = refuse(&mut pace, RateHeaders::default(), now);
        assert_eq!(first, Duration::from_secs(1));
        let now = now + Duration::from_secs(2);
        assert_eq!(now + refuse(&mut pace, RateHeaders::default(), now), start + Duration::from_secs(60));
    }

    #[test]
    fn what_is_under_way_is_awaited_where_too_little_is_left_for_another() {
        let now = Instant::now();
        let mut pace = Pace::new(6_000, Price::default(), now);
        call(&mut pace, told(60, 1), now);
        let last = pass(&mut pace, now);
        assert_eq!(wait(&mut pace, now), Duration::MAX);
        pace.settle(last, Told::Passed, told(60, 0), now, 0.0);
        assert_eq!(wait(&mut pace, now), Duration::from_secs(1));
    }

    #[test]
    fn first_calls_after_a_pause_come_one_by_one() {
        let mut now = Instant::now();
        let mut pace = Pace::new(600, Price::default(), now);
        call(&mut pace, RateHeaders::default(), now);
        now += refuse(&mut pace, RateHeaders::default(), now) + Duration::from_millis(100);
        // The burst is gone, and until the first was answered there is no second.
        let first = pass(&mut pace, now);
        assert_eq!(wait(&mut pace, now), Duration::MAX);
        pace.settle(first, Told::Passed, RateHeaders::default(), now, 0.0);
        assert_eq!(wait(&mut pace, now), Duration::from_millis(100));
    }

    #[test]
    fn an_estimate_follows_the_price() {
        let pace = Pace::new(600, Price { read: 1, write: 10 }, Instant::now());
        let state = pace.state(Instant::now());
        assert_eq!(state.least_time(0, 600), Duration::from_secs(600));
    }
}
