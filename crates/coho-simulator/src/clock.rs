//! Time as the simulator sees it: [`SimulatorTime`] with Vitally's millisecond precision, and the [`SimulatorClock`] that gives it.
//!
//! Everything that has a time (records, rate limit, the `Date` header, the call log) reads the same clock, so a test
//! that holds it decides what time it is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveTime};

/// A moment in UTC, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimulatorTime(i64);

impl SimulatorTime {
    /// The moment that is so many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads an ISO 8601 date (`2021-09-01`, midnight UTC) or date and time with an offset. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            // No JavaScript server reads a leap second.
            let is_leap = moment.timestamp_subsec_nanos() >= 1_000_000_000;
            return (!is_leap).then(|| Self(moment.timestamp_millis()));
        }
        if text.len() != 10 {
            return None;
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(Self(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()))
    }

    /// Reads an ISO 8601 date and time in UTC, with a `Z` at the end. `None` for anything else.
    pub(crate) fn parse_utc(text: &str) -> Option<Self> {
        Self::parse(text).filter(|_| text.ends_with('Z'))
    }

    /// This moment and so many milliseconds more.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The form of an HTTP `Date` header: `Fri, 02 Jan 2026 03:04:05 GMT`.
    pub(crate) fn http_date(self) -> String {
        self.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn utc(self) -> DateTime<chrono::Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

/// ISO 8601 in UTC with milliseconds, as Vitally writes it: `2026-01-02T03:04:05.678Z`.
impl fmt::Display for SimulatorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

/// Where the simulator reads the time. Clones share one clock: keep one to move the time of a running simulator.
#[derive(Debug, Clone)]
pub struct SimulatorClock {
    beat: Beat,
    /// Milliseconds added to the beat by [`SimulatorClock::advance`].
    ahead: Arc<AtomicI64>,
}

#[derive(Debug, Clone, Copy)]
enum Beat {
    Real,
    Stopped(SimulatorTime),
}

impl SimulatorClock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self { beat: Beat::Real, ahead: Arc::default() }
    }

    /// A clock that stands at `start` and moves only by [`SimulatorClock::advance`].
    pub fn manual(start: SimulatorTime) -> Self {
        Self { beat: Beat::Stopped(start), ahead: Arc::default() }
    }

    /// The time now.
    pub fn now(&self) -> SimulatorTime {
        let start = match self.beat {
            Beat::Real => machine_time(),
            Beat::Stopped(start) => start,
        };
        start.plus(self.ahead.load(Ordering::SeqCst))
    }

    /// Moves the clock forward, a real one too: the cheap way past a grace time or an empty rate bucket.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }
}

fn machine_time() -> SimulatorTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    SimulatorTime(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_with_milliseconds_and_read_back() {
        let time = SimulatorTime::from_millis(1_767_323_045_678);
        assert_eq!(time.to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(SimulatorTime::parse("2026-01-02T03:04:05.678Z"), Some(time));
        assert_eq!(time.http_date(), "Fri, 02 Jan 2026 03:04:05 GMT");
    }

    #[test]
    fn a_date_is_its_midnight_in_utc() {
        assert_eq!(SimulatorTime::parse("1970-01-02"), Some(SimulatorTime::from_millis(86_400_000)));
        for wrong in
            ["tomorrow", "24-11-26", "2026-1-2", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5+00:00"]
        {
            assert_eq!(SimulatorTime::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = SimulatorClock::manual(SimulatorTime::from_millis(5));
        let other = clock.clone();
        assert_eq!(clock.now(), SimulatorTime::from_millis(5));
        other.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), SimulatorTime::from_millis(1_005));
    }
}
