//! What the server says is left, and how fast we may use it. We slow down before nothing is left, so that others who use the
//! workspace get through, and send nothing that would be refused.
//!
//! How the server counts is not known: a bucket that fills evenly, any minute, or minutes one after the other. So nothing
//! here asks for the form. Two rates bound ours, and each is harmless where it does not fit:
//!
//! - What is left must last until more comes, for us and for what others were seen to use. In a window that is what the server
//!   says, `Reset`; a bucket says a second. Where it says nothing, more may come a minute after it last came all at once, and
//!   until then we are never much faster than it flows in, unless a minute shows that more comes little by little.
//! - Below a reserve we slow down in proportion. A bucket then settles where we use what flows in; so does a sliding window.

use std::time::Duration;

use tokio::time::Instant;

use super::headers::RateHeaders;

/// The time over which Vitally's rate counts, in seconds.
pub(super) const WINDOW: f64 = 60.0;

const MINUTE: Duration = Duration::from_secs(60);

/// The share of a minute's units that is left to others: below it we slow down.
const RESERVE: f64 = 0.04;

/// A reserve holds at least so many calls.
const RESERVED_CALLS: f64 = 4.0;

/// How slow we become at the least, as a share of the limit.
const SLOWEST: f64 = 0.1;

/// How far back what others use counts, in seconds.
const LATELY: f64 = 5.0;

/// How much faster than it flows in we may be where the server does not say when more comes.
const HASTE: f64 = 1.1;

/// More came all at once if it is at least this share of the limit: a window began.
const ALL_AT_ONCE: u32 = 4;

/// The longest time that a header can ask us to wait.
pub(super) const LONGEST: Duration = Duration::from_secs(900);

/// What the last answer told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    told: Instant,
    more: Option<Instant>,
    /// When more last came all at once, or a whole number of minutes later; `None` where more comes little by little.
    begun: Option<Instant>,
    /// Units a second that others were seen to use lately, as far as nothing came in.
    others: f64,
}

/// Whether what is left is enough for a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Left {
    /// It is; this rate, in units a second, does not use it up too early.
    Enough(f64),
    /// It is not before this moment.
    TooLittle(Instant),
}

impl Server {
    /// Reads the answer to a call of this price; `None` where it does not say what is left. `before` is what the answer before
    /// it told.
    pub(super) fn told(headers: RateHeaders, price: u32, before: Option<Self>, now: Instant) -> Option<Self> {
        let remaining = headers.remaining?;
        // A server that names no limit has one: at least what it ever said to be left.
        let known = before.map_or(remaining, |server| server.limit.max(remaining));
        let limit = headers.limit.unwrap_or(known).max(1);
        let more = headers.reset.map(|reset| now + reset.min(LONGEST));
        let others = before.map_or(0.0, |before| before.others_until(remaining, price, now));
        let begun = before.map_or(Some(now), |before| before.begun_until(remaining, now));
        Some(Self { limit, remaining, told: now, more, begun, others })
    }

    /// When the window began that lasts, if there are windows. Had there been one, more would have come all at once in a minute in
    /// which much was used.
    fn begun_until(&self, remaining: u32, now: Instant) -> Option<Instant> {
        if remaining.saturating_sub(self.remaining) > self.limit / ALL_AT_ONCE {
            return Some(now);
        }
        let begun = self.begun?;
        let minutes = now.saturating_duration_since(begun).as_secs() / MINUTE.as_secs();
        let is_much_used = remaining < self.limit - self.limit / ALL_AT_ONCE;
        (minutes == 0 || !is_much_used).then(|| begun + MINUTE * u32::try_from(minutes).unwrap_or_default())
    }

    /// What others use: what is gone and was not our own call. Where more is left than before, something came in, and that
    /// tells nothing.
    fn others_until(&self, remaining: u32, price: u32, now: Instant) -> f64 {
        if remaining > self.remaining {
            return self.others;
        }
        let passed = now.saturating_duration_since(self.told).as_secs_f64();
        let gone = f64::from(self.remaining - remaining) - f64::from(price);
        self.others + (gone - self.others * passed.min(LATELY)) / LATELY
    }

    /// What a call must cost that was refused though its price was left. Where much was left, it was refused for something
    /// else.
    pub(super) fn least_price(&self, believed: u32) -> Option<u32> {
        let is_little = f64::from(self.remaining) < f64::from(self.limit) * RESERVE;
        (is_little && self.remaining >= believed).then_some(self.remaining + 1)
    }

    /// Units a second that come in over a long time.
    pub(super) fn flow(&self) -> f64 {
        f64::from(self.limit) / WINDOW
    }

    /// What is left for a call of this price, where as many units are under way.
    pub(super) fn left(&self, price: f64, under_way: f64, now: Instant) -> Left {
        let left = f64::from(self.remaining) - under_way;
        if left >= price {
            return Left::Enough(self.rate(left, price, now));
        }
        let refilled = self.told + seconds((price - left) / self.flow());
        let until = self.more.map_or(refilled, |more| more.max(refilled));
        // Then one call goes: its answer tells more.
        if now >= until && under_way <= 0.0 { Left::Enough(self.flow()) } else { Left::TooLittle(until) }
    }

    /// Units a second that we may use.
    pub(super) fn rate(&self, left: f64, price: f64, now: Instant) -> f64 {
        let reserve = (f64::from(self.limit) * RESERVE).max(price * RESERVED_CALLS);
        let slow = if left < reserve { self.flow() * left / reserve } else { f64::INFINITY };
        let until = self.more.or_else(|| self.begun.map(|begun| begun + MINUTE));
        let lasting = until.map_or(f64::INFINITY, |until| {
            left / until.saturating_duration_since(now).as_secs_f64().max(1.0) - self.others.max(0.0)
        });
        let is_told = self.more.is_some() || self.begun.is_none();
        let fast = if is_told { f64::INFINITY } else { self.flow() * HASTE };
        slow.min(lasting).min(fast).max(self.flow() * SLOWEST)
    }
}

/// A length of time that is never too long to add to a moment.
pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(limit: u32, remaining: u32, reset: Option<u64>, now: Instant) -> Server {
        let reset = reset.map(Duration::from_secs);
        let headers =
            RateHeaders { limit: Some(limit), remaining: Some(remaining), reset, ..RateHeaders::default() };
        Server::told(headers, 1, None, now).unwrap()
    }

    fn rate(server: Server, left: f64, price: f64, now: Instant) -> u32 {
        super::super::tests::simulated::whole(server.rate(left, price, now) * WINDOW)
    }

    #[test]
    fn a_low_bucket_slows_us_in_proportion() {
        let now = Instant::now();
        let bucket = server(1_000, 500, Some(1), now);
        assert_eq!(rate(bucket, 40.0, 1.0, now), 2_400);
        assert_eq!(rate(bucket, 39.0, 1.0, now), 975);
        assert_eq!(rate(bucket, 20.0, 1.0, now), 500);
        assert_eq!(rate(bucket, 1.0, 1.0, now), 100);
    }

    #[test]
    fn four_calls_are_left_to_others_however_dear_they_are() {
        let now = Instant::now();
        let bucket = server(100, 50, Some(1), now);
        assert_eq!(rate(bucket, 40.0, 10.0, now), 2_400);
        assert_eq!(rate(bucket, 20.0, 10.0, now), 50);
    }

    #[test]
    fn what_is_left_lasts_until_more_comes() {
        let now = Instant::now();
        let window = server(1_000, 600, Some(60), now);
        assert_eq!(rate(window, 600.0, 1.0, now), 600);
        assert_eq!(rate(window, 600.0, 1.0, now + Duration::from_secs(30)), 1_200);
    }

    #[test]
    fn without_a_reset_what_is_left_lasts_a_minute_from_when_it_last_came() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let told = |remaining, price, before, now| {
            let headers =
                RateHeaders { limit: Some(1_000), remaining: Some(remaining), ..RateHeaders::default() };
            Server::told(headers, price, before, now).unwrap()
        };
        let first = told(900, 1, None, start);
        assert_eq!(rate(first, 900.0, 1.0, start), 900);
        let later = told(500, 400, Some(first), at(30));
        assert_eq!(rate(later, 500.0, 1.0, at(30)), 1_000);
        assert_eq!(rate(later, 500.0, 1.0, at(45)), 1_100);
        let window = told(800, 1, Some(later), at(50));
        assert_eq!(rate(window, 800.0, 1.0, at(50)), 800);
        let minutes_later = told(760, 40, Some(window), at(50 + 150));
        assert_eq!(rate(minutes_later, 300.0, 1.0, at(50 + 150)), 600);
        let much_used = told(400, 360, Some(minutes_later), at(50 + 190));
        assert_eq!(
            rate(much_used, 400.0, 1.0, at(50 + 190)),
            1_000_000,
            "no more came in a minute: no window"
        );
    }

    #[test]
    fn what_others_use_is_theirs() {
        let start = Instant::now();
        let mut window = server(1_000, 600, Some(60), start);
        for second in 1..=30 {
            let now = start + Duration::from_secs(second);
            let remaining = Some(600 - 6 * u32::try_from(second).unwrap());
            let reset = Some(Duration::from_secs(60 - second));
            let headers = RateHeaders { limit: Some(1_000), remaining, reset, retry_after: None };
            window = Server::told(headers, 1, Some(window), now).unwrap();
        }
        // Five a second are theirs: of the 14 that would last until more comes, nine are left.
        let now = start + Duration::from_secs(30);
        assert_eq!(rate(window, 420.0, 1.0, now), 540);
    }

    #[test]
    fn nothing_is_sent_before_there_is_enough_for_it() {
        let now = Instant::now();
        let bucket = server(60, 3, Some(1), now);
        assert_eq!(bucket.left(10.0, 0.0, now), Left::TooLittle(now + Duration::from_secs(7)));
        assert_eq!(bucket.left(3.0, 1.0, now), Left::TooLittle(now + Duration::from_secs(1)));
        let window = server(60, 3, Some(50), now);
        assert_eq!(window.left(10.0, 0.0, now), Left::TooLittle(now + Duration::from_secs(50)));
        assert!(matches!(window.left(10.0, 0.0, now + Duration::from_secs(50)), Left::Enough(_)));
    }

    #[test]
    fn a_refused_call_costs_more_than_what_little_was_left() {
        let now = Instant::now();
        let least = |remaining, believed| server(1_000, remaining, None, now).least_price(believed);
        assert_eq!((least(4, 1), least(4, 5), least(500, 1)), (Some(5), None, None));
    }

    #[test]
    fn a_server_without_a_limit_has_what_it_showed() {
        let now = Instant::now();
        let left = |remaining| RateHeaders { remaining: Some(remaining), ..RateHeaders::default() };
        let first = Server::told(left(800), 1, None, now).unwrap();
        let second = Server::told(left(700), 1, Some(first), now).unwrap();
        assert_eq!((second.limit, second.remaining), (800, 700));
        assert!(Server::told(RateHeaders::default(), 1, Some(second), now).is_none());
    }
}
