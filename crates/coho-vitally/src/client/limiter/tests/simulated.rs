//! A server with a rate and calls that are paced, in simulated time: what the limiter makes of each form of rate, at any
//! latency, can be counted in a moment and is the same each time.
//!
//! The server is the simulator's own meter; headers are texts that [`RateHeaders`] reads. Another program may use the same
//! rate, evenly.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use coho_core::at_once::AtOnce;
use coho_core::time::Time;
use coho_simulator::{Gauge, Meter, Pass, SimulatorTime, Window};
use tokio::time::Instant;

use super::super::FRONT;
use super::super::headers::RateHeaders;
use super::super::pace::{Admit, Pace, Ticket, Told};
use super::super::price::Price;
use crate::request::Cost;

/// A whole number of units, up to a million.
pub(crate) fn whole(units: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
    let whole = units.round().clamp(0.0, 1_000_000.0) as u32;
    whole
}

/// How a server tells what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As Vitally documents it.
    Documented,
    /// With `X-`, and plain numbers.
    Prefixed,
    /// With `X-Rate-Limit-`, and the moment of the reset.
    Moment,
    /// In one header, as a later draft of the standard has it.
    Combined,
    /// Without a reset.
    NoReset,
    /// Nothing, but how long to wait after a 429.
    RetryAfter,
    /// Nothing at all.
    None,
}

impl Spelling {
    pub(super) const TELLING: [Self; 5] =
        [Self::Documented, Self::Prefixed, Self::Moment, Self::Combined, Self::NoReset];

    pub(super) const SILENT: [Self; 2] = [Self::RetryAfter, Self::None];

    fn headers(self, gauge: Gauge, refused: Option<u64>, now: u64) -> RateHeaders {
        let Gauge { limit, remaining, reset } = gauge;
        let seconds = now / 1_000_000;
        let pairs: Vec<(&str, String)> = match self {
            Self::Documented => vec![
                ("ratelimit-limit", format!("{limit}, {limit};window=60")),
                ("ratelimit-remaining", remaining.to_string()),
                ("ratelimit-reset", reset.to_string()),
            ],
            Self::Prefixed => vec![
                ("x-ratelimit-limit", limit.to_string()),
                ("x-ratelimit-remaining", remaining.to_string()),
                ("x-ratelimit-reset", reset.to_string()),
            ],
            Self::Moment => vec![
                ("x-rate-limit-limit", limit.to_string()),
                ("x-rate-limit-remaining", remaining.to_string()),
                ("x-rate-limit-reset", (EPOCH + seconds + reset).to_string()),
            ],
            Self::Combined => {
                vec![("ratelimit", format!("limit={limit}, remaining={remaining}, reset={reset}"))]
            }
            Self::NoReset => {
                vec![("ratelimit-limit", limit.to_string()), ("ratelimit-remaining", remaining.to_string())]
            }
            Self::RetryAfter => refused.map(|wait| ("retry-after", wait.to_string())).into_iter().collect(),
            Self::None => Vec::new(),
        };
        let find =
            |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let date = Time::from_timestamp((EPOCH + seconds).cast_signed(), 0).unwrap();
        RateHeaders::read(find, date)
    }
}

/// When the simulation begins.
const EPOCH: u64 = 1_800_000_000;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) window: Window,
    pub(super) limit: u32,
    /// What a write costs.
    pub(super) cost: u32,
    pub(super) spelling: Spelling,
    /// From a call to its answer, in milliseconds, more or less a tenth.
    pub(super) latency: u32,
    pub(super) rate: u32,
    pub(super) at_once: AtOnce,
    /// How many calls the server works on at the same time; a call then takes `latency` of a worker's time.
    pub(super) workers: Option<usize>,
    /// Units a minute that another program asks for.
    pub(super) other: u32,
    pub(super) minutes: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) passed: u32,
    pub(super) refused: u32,
    pub(super) other_passed: u32,
    pub(super) other_refused: u32,
    pub(super) price: u32,
    /// The most calls that were under way at once.
    pub(super) most_under_way: usize,
    /// How many might have been in the end.
    pub(super) at_once: usize,
}

impl Outcome {
    /// Units a minute that we used.
    pub(super) fn used(&self, scene: Scene) -> f64 {
        f64::from(self.passed) * f64::from(scene.cost) / f64::from(scene.minutes)
    }

    /// The share of our calls that was refused.
    pub(super) fn refused_share(&self) -> f64 {
        f64::from(self.refused) / f64::from(self.passed + self.refused)
    }

    /// The share of what the other program asked for that it got.
    pub(super) fn other_share(&self) -> f64 {
        f64::from(self.other_passed) / f64::from(self.other_passed + self.other_refused)
    }
}

#[derive(Clone, Copy)]
enum Event {
    Ask(usize),
    Serve(usize, Ticket),
    Answer(usize, Ticket, Told, RateHeaders),
    Other,
}

struct Simulation {
    scene: Scene,
    start: Instant,
    /// In microseconds.
    now: u64,
    events: Vec<Event>,
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    pace: Pace,
    meter: Meter,
    /// Callers that wait, and until when.
    waiting: BTreeMap<usize, u64>,
    /// Callers that have nothing to do, and how many have.
    idle: Vec<usize>,
    busy: usize,
    /// When the server's workers are free.
    free: Vec<u64>,
    chance: u64,
    outcome: Outcome,
}

/// Lets calls be made without end for some minutes.
pub(super) fn simulate(scene: Scene) -> Outcome {
    let start = Instant::now();
    let most = scene.at_once.most() as usize;
    let mut simulation = Simulation {
        scene,
        start,
        now: 0,
        events: Vec::new(),
        queue: BinaryHeap::new(),
        pace: Pace::new(scene.rate, scene.at_once, Price::default(), start),
        meter: Meter::unused(scene.window, scene.limit, SimulatorTime::from_millis(0)),
        waiting: BTreeMap::new(),
        idle: (0..most).rev().collect(),
        busy: 0,
        free: vec![0; scene.workers.unwrap_or_default()],
        chance: 1,
        outcome: Outcome::default(),
    };
    simulation.fill();
    if scene.other > 0 {
        simulation.at(0, Event::Other);
    }
    let end = u64::from(scene.minutes) * 60_000_000;
    while let Some(Reverse((now, event))) = simulation.queue.pop() {
        if now > end {
            break;
        }
        simulation.now = now;
        simulation.step(event);
    }
    let state = simulation.pace.state(simulation.instant());
    Outcome { price: state.price.write, at_once: state.at_once, ..simulation.outcome }
}

impl Simulation {
    fn at(&mut self, time: u64, event: Event) {
        self.events.push(event);
        self.queue.push(Reverse((time, self.events.len() - 1)));
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_micros(self.now)
    }

    fn server_time(&self) -> SimulatorTime {
        SimulatorTime::from_millis((self.now / 1_000).cast_signed())
    }

    fn step(&mut self, event: usize) {
        match self.events[event] {
            Event::Ask(caller) => {
                // Others may have been woken before, and gone.
                if self.waiting.get(&caller).is_some_and(|until| *until <= self.now) {
                    self.ask(caller);
                    self.fill();
                }
            }
            Event::Serve(caller, ticket) => self.serve(caller, ticket),
            Event::Answer(caller, ticket, told, headers) => {
                self.pace.settle(ticket, told, headers, self.instant(), 0.5);
                self.idle.push(caller);
                self.busy -= 1;
                self.wake();
                self.fill();
            }
            Event::Other => {
                match self.meter.take(1, self.server_time()) {
                    Pass::Granted => self.outcome.other_passed += 1,
                    Pass::Refused { .. } => self.outcome.other_refused += 1,
                }
                self.at(self.now + 60_000_000 / u64::from(self.scene.other), Event::Other);
            }
        }
    }

    /// There is always something to send: as many callers ask as calls may be under way, a few at a time.
    fn fill(&mut self) {
        while self.busy < self.pace.at_once()
            && self.waiting.len() < FRONT
            && let Some(caller) = self.idle.pop()
        {
            self.busy += 1;
            self.ask(caller);
        }
    }

    fn ask(&mut self, caller: usize) {
        self.waiting.remove(&caller);
        let now = self.instant();
        match self.pace.admit(Cost::Write, now) {
            Admit::Pass(ticket) => {
                let under_way = self.pace.state(now).under_way;
                self.outcome.most_under_way = self.outcome.most_under_way.max(under_way);
                let there = if self.free.is_empty() { self.half_way() } else { 100 };
                self.at(self.now + there, Event::Serve(caller, ticket));
            }
            Admit::Wait(until) => {
                // Timers have milliseconds.
                let millis = (until - self.start).as_nanos().div_ceil(1_000_000);
                let until = u64::try_from(millis * 1_000).unwrap().max(self.now + 1);
                self.waiting.insert(caller, until);
                self.at(until, Event::Ask(caller));
            }
            Admit::Answer => {
                self.waiting.insert(caller, u64::MAX);
            }
        }
    }

    /// All who wait look again when a call was answered.
    fn wake(&mut self) {
        let waiting: Vec<usize> = self.waiting.keys().copied().collect();
        for caller in waiting {
            self.ask(caller);
        }
    }

    fn serve(&mut self, caller: usize, ticket: Ticket) {
        let now = self.server_time();
        let (told, refused) = match self.meter.take(self.scene.cost, now) {
            Pass::Granted => (Told::Passed, None),
            Pass::Refused { wait } => (Told::Refused, Some(wait)),
        };
        match told {
            Told::Passed => self.outcome.passed += 1,
            Told::Refused => self.outcome.refused += 1,
        }
        let headers = self.scene.spelling.headers(self.meter.gauge(now), refused, self.now);
        let back = self.worked().unwrap_or_else(|| self.half_way());
        self.at(self.now + back, Event::Answer(caller, ticket, told, headers));
    }

    /// How long it takes until a worker has worked on the call that just came, where the server has some.
    fn worked(&mut self) -> Option<u64> {
        let takes = 2 * self.half_way();
        let worker = self.free.iter_mut().min()?;
        *worker = (*worker).max(self.now) + takes;
        Some(*worker - self.now)
    }

    /// Half of the latency, more or less a tenth; a tenth of a millisecond at the least.
    fn half_way(&mut self) -> u64 {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let tenths = 90 + (self.chance >> 33) % 21;
        (u64::from(self.scene.latency) * 5 * tenths).max(100)
    }
}
