//! The ceiling: how many units a minute the server takes, learned from its refusals alone. For servers that do not say what
//! is left.
//!
//! What a server let through tells its limit. A window lets through so much in a minute; a bucket that was emptied, what
//! flowed in since: the lesser of both counts. We then keep a tenth below, and try a little more as time goes by.

use std::time::Duration;

use tokio::time::Instant;

use super::server::WINDOW;

/// How far below what the server took we keep.
const BELOW: f64 = 0.9;

/// How much more we try after each minute without a refusal.
const MORE: f64 = 0.03;

/// After so many minutes without one the limit must be another, and we try twice as much each minute.
const STEADY: f64 = 5.0;

/// A refusal after fewer units than this tells nothing of the limit: others used it up.
const TELLING: f64 = 5.0;

/// The time over which servers count.
const MINUTE: Duration = Duration::from_secs(60);

/// How finely time is counted, in parts of a second.
const PARTS: u32 = 4;

/// Parts of a minute.
const SLOTS: u32 = 60 * PARTS;

/// What refusals taught, and what was let through in the last minute.
#[derive(Debug)]
pub(super) struct Ceiling {
    learned: Option<Learned>,
    begun: Instant,
    /// Units that were let through in each part of the last minute; a ring.
    passed: Vec<f64>,
    /// The newest part.
    newest: u64,
    /// Units that were let through since the last pause ended, and when that was.
    since: Option<(f64, Instant)>,
}

#[derive(Clone, Copy, Debug)]
struct Learned {
    units_a_second: f64,
    at: Instant,
}

impl Ceiling {
    pub(super) fn new(now: Instant) -> Self {
        Self { learned: None, begun: now, passed: vec![0.0; SLOTS as usize], newest: 0, since: None }
    }

    /// Units a second that we may use, as far as refusals told.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        self.learned.map_or(f64::INFINITY, |learned| {
            let minutes = now.saturating_duration_since(learned.at).as_secs_f64() / WINDOW;
            let more = 1.0 + MORE * minutes.min(STEADY);
            learned.units_a_second * more * (minutes - STEADY).clamp(0.0, 1_000.0).exp2()
        })
    }

    /// A call was let through.
    pub(super) fn pass(&mut self, units: f64, now: Instant) {
        self.turn(now);
        if let Some(slot) = self.slot() {
            *slot += units;
        }
        if let Some((since, _)) = &mut self.since {
            *since += units;
        }
    }

    /// The server refused; no call leaves before `opens`.
    pub(super) fn refuse(&mut self, now: Instant, opens: Instant) {
        self.turn(now);
        let minute: f64 = self.passed.iter().sum();
        // Within a minute after a refusal some of the minute's units may have been there before.
        let flowed = match self.since {
            Some((units, since)) if now > since && now - since < MINUTE => {
                units / (now - since).as_secs_f64()
            }
            Some(_) | None => f64::INFINITY,
        };
        let taken = (minute / WINDOW).min(flowed);
        if minute >= TELLING && taken > 0.0 {
            let units_a_second = BELOW * taken.min(self.rate(now));
            self.learned = Some(Learned { units_a_second, at: opens });
        }
        self.since = Some((0.0, opens));
    }

    /// How long it takes until the oldest of what was let through in the last minute is a minute old.
    pub(super) fn oldest_leaves(&mut self, now: Instant) -> Duration {
        self.turn(now);
        let oldest = (0..SLOTS).rev().find(|age| {
            let at = self.newest.checked_sub(u64::from(*age));
            at.and_then(|at| self.passed.get(index(at))).is_some_and(|units| *units > 0.0)
        });
        oldest.map_or(Duration::ZERO, |age| Duration::from_secs(1) / PARTS * (SLOTS - age))
    }

    fn slot(&mut self) -> Option<&mut f64> {
        let at = index(self.newest);
        self.passed.get_mut(at)
    }

    /// Empties the parts that are a minute old.
    fn turn(&mut self, now: Instant) {
        let parts = now.saturating_duration_since(self.begun).as_millis() * u128::from(PARTS) / 1_000;
        let now = u64::try_from(parts).unwrap_or(u64::MAX);
        let gone = now.saturating_sub(self.newest).min(u64::from(SLOTS));
        for part in 0..gone {
            if let Some(slot) = self.passed.get_mut(index(now - part)) {
                *slot = 0.0;
            }
        }
        self.newest = self.newest.max(now);
    }
}

fn index(part: u64) -> usize {
    usize::try_from(part % u64::from(SLOTS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn per_minute(ceiling: &Ceiling, now: Instant) -> u32 {
        super::super::tests::simulated::whole(ceiling.rate(now) * WINDOW)
    }

    #[test]
    fn a_window_takes_what_it_took_in_a_minute() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(start);
        (0..20).for_each(|second| ceiling.pass(10.0, at(start, second)));
        assert!(ceiling.rate(at(start, 20)).is_infinite());
        ceiling.refuse(at(start, 20), at(start, 60));
        assert_eq!(per_minute(&ceiling, at(start, 60)), 180);
        assert_eq!(ceiling.oldest_leaves(at(start, 20)), Duration::from_secs(40));
    }

    #[test]
    fn a_bucket_that_was_emptied_takes_what_flows_in() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(start);
        ceiling.pass(240.0, start);
        ceiling.refuse(start, at(start, 1));
        ceiling.pass(100.0, at(start, 20));
        ceiling.refuse(at(start, 31), at(start, 32));
        assert_eq!(per_minute(&ceiling, at(start, 32)), 180);
    }

    #[test]
    fn a_time_in_which_nothing_passed_tells_nothing() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(start);
        ceiling.pass(240.0, start);
        ceiling.refuse(at(start, 1), at(start, 2));
        ceiling.refuse(at(start, 31), at(start, 32));
        assert_eq!(per_minute(&ceiling, at(start, 2)), 216);
    }

    #[test]
    fn more_is_tried_as_time_goes_by() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(start);
        ceiling.pass(200.0, start);
        ceiling.refuse(start, start);
        let tried = [0, 1, 5, 6, 8].map(|minute| per_minute(&ceiling, at(start, 60 * minute)));
        assert_eq!(tried, [180, 185, 207, 414, 1_656]);
    }

    #[test]
    fn a_refusal_of_the_first_calls_tells_nothing() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(start);
        ceiling.pass(4.0, start);
        ceiling.refuse(at(start, 1), at(start, 2));
        assert!(ceiling.rate(at(start, 2)).is_infinite());
        assert_eq!(Ceiling::new(start).oldest_leaves(start), Duration::ZERO);
    }
}
