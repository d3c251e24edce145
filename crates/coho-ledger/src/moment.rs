//! How times and counts are stored: whole numbers, times as microseconds since 1970 in UTC.

use chrono::DateTime;
use coho_core::time::Time;

use crate::failure::Fault;

/// Microseconds since 1970.
pub(crate) fn micros(time: Time) -> i64 {
    time.timestamp_micros()
}

/// The time that [`micros`] stored.
pub(crate) fn time(micros: i64) -> Result<Time, Fault> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| Fault::damaged("a time is out of range"))
}

/// A count as it is stored.
pub(crate) fn stored(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A count that [`stored`] stored.
pub(crate) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}
