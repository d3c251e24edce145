//! The pace: when the next call may leave. Pure: it is told the time.
//!
//! Four things hold a call back: the share of the rate that the user allows, a bucket that fills evenly; what the server says
//! is left, which [`super::server`] reads, or where it says nothing, what its refusals taught ([`super::ceiling`]); how many
//! calls may be under way at once ([`super::width`]); and now and then a probe of what calls cost ([`super::probe`]).

#[cfg(test)]
mod tests;

use std::time::Duration;

use coho_core::at_once::AtOnce;
use tokio::time::Instant;

use super::ceiling::Ceiling;
use super::headers::RateHeaders;
use super::price::{Price, Prices};
use super::probe::{Answered, Probes, Turn};
use super::server::{LONGEST, Left, Server, WINDOW, seconds};
use super::shared::{Used, ours};
use super::width::{self, Width};
use crate::request::Cost;

/// When the next call may leave.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: f64,
    /// What the user allows, other processes included.
    allowed: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
    prices: Prices,
    probes: Probes,
    server: Option<Server>,
    ceiling: Ceiling,
    width: Width,
    used: Used,
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
    pub(crate) fn new(rate: u32, at_once: AtOnce, known: Price, now: Instant) -> Self {
        let rate = f64::from(rate.max(1)) / WINDOW;
        let burst = burst(rate);
        Self {
            rate,
            allowed: rate,
            burst,
            tokens: burst,
            filled: now,
            prices: Prices::new(known),
            probes: Probes::default(),
            server: None,
            ceiling: Ceiling::new(now),
            width: Width::new(at_once),
            used: Used::new(now),
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
        if self.under_way >= self.width.calls() {
            return Admit::Answer;
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

    /// How many units a minute are used here, where it is time to tell other processes.
    pub(crate) fn due(&mut self, now: Instant) -> Option<u32> {
        self.used.due(now)
    }

    /// What each of the other processes that use the rate uses of it, in units a minute.
    pub(crate) fn share(&mut self, others: &[u32]) {
        self.rate = ours(self.allowed * WINDOW, others) / WINDOW;
        self.burst = burst(self.rate);
    }

    /// Whether calls are held back because the server refused one.
    pub(crate) fn is_refused(&self, now: Instant) -> bool {
        now < self.opens || (self.refusals > 0 && self.under_way > 0)
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
        self.used.note(price);
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
                self.widen(ticket, now);
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

    /// What an answer says of how many calls may be under way.
    fn widen(&mut self, ticket: Ticket, now: Instant) {
        let price = f64::from(ticket.price);
        let held = self.width.is_filled_by(self.under_way)
            && match self.left(price, now) {
                Left::Enough(rate) => self.missing(price, self.rate.min(rate), Turn::Free, now).is_none(),
                Left::TooLittle(_) => false,
            };
        self.width.answered(width::Answer {
            number: ticket.number,
            seconds: now.saturating_duration_since(ticket.at).as_secs_f64(),
            price: ticket.price,
            held,
            newest: self.issued,
            rate: self.long_rate(now),
        });
    }

    /// Units a second that are ours in the long run.
    fn long_rate(&self, now: Instant) -> f64 {
        let server = self.server.map_or_else(|| self.ceiling.rate(now), |server| server.flow());
        self.rate.min(server)
    }

    /// How many calls may be under way at once.
    pub(crate) fn at_once(&self) -> usize {
        self.width.calls()
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
            at_once: self.width.calls(),
        }
    }
}

/// How many units may leave at once after a quiet time, at a rate in units a second.
fn burst(rate: f64) -> f64 {
    (rate * 2.0).max(1.0)
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
    /// How many may be.
    pub at_once: usize,
}

impl LimiterState {
    /// The least time that so many reads and writes take from now on.
    pub fn least_time(&self, reads: u64, writes: u64) -> Duration {
        let paused = self.paused_for.unwrap_or_default();
        self.price.least_time(self.units_per_minute, reads, writes).saturating_add(paused)
    }
}
