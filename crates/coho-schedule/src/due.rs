//! What is due: a function of the schedule, the last tick that was taken, and now.

use chrono::TimeDelta;

use crate::Time;
use crate::spread::Spread;
use crate::timed::Timed;

/// How far back ticks are counted, in days.
pub const COUNTED: i64 = 400;

/// A tick that is due, and what it makes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTick {
    /// The newest tick whose time has come.
    pub tick: Time,
    /// How many before it were not taken; ticks of more than 400 days ago are not counted.
    pub missed: u64,
}

/// The tick that is to be carried out now. `taken` is the last one that was, or the moment from which the schedule holds.
pub fn due(schedule: &Timed, spread: Spread, taken: Time, now: Time) -> Option<DueTick> {
    let begun = now - spread.duration();
    let from = taken.max(now - TimeDelta::days(COUNTED));
    let mut due = None;
    for (missed, tick) in (0..).zip(schedule.ticks(from).take_while(|tick| *tick <= begun)) {
        due = Some(DueTick { tick, missed });
    }
    due
}

/// When the next tick after those that were taken begins; it may be past. `None` if there is none.
pub fn wakes(schedule: &Timed, spread: Spread, taken: Time) -> Option<Time> {
    schedule.next(taken).map(|tick| tick + spread.duration())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Every, Zone};

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_due_before_the_spread_has_passed() {
        let spread = Spread::of("accounts");
        let hourly = Timed::cron("@hourly", Zone::utc()).unwrap();
        let taken = at("2026-01-01T10:00:00Z");
        assert_eq!(due(&hourly, spread, taken, at("2026-01-01T11:00:13Z")), None);
        assert_eq!(
            due(&hourly, spread, taken, at("2026-01-01T11:00:14Z")),
            Some(DueTick { tick: at("2026-01-01T11:00:00Z"), missed: 0 })
        );
        assert_eq!(wakes(&hourly, spread, taken), Some(at("2026-01-01T11:00:14Z")));
    }

    #[test]
    fn one_tick_makes_up_for_all_that_were_missed() {
        let quarter = Timed::Every(Every::parse("15m").unwrap());
        let found = due(&quarter, Spread::NONE, at("2026-01-01T00:00:00Z"), at("2026-01-03T00:07:00Z"));
        assert_eq!(found, Some(DueTick { tick: at("2026-01-03T00:00:00Z"), missed: 191 }));
    }

    #[test]
    fn a_clock_that_goes_back_repeats_nothing() {
        let quarter = Timed::Every(Every::parse("15m").unwrap());
        assert_eq!(due(&quarter, Spread::NONE, at("2026-01-01T00:15:00Z"), at("2025-12-31T23:50:00Z")), None);
    }

    #[test]
    fn years_of_minutes_are_counted_no_further_than_a_year_back() {
        let minutes = Timed::cron("* * * * *", Zone::named("Europe/Berlin").unwrap()).unwrap();
        let found = due(&minutes, Spread::NONE, at("2001-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(found, Some(DueTick { tick: at("2026-01-01T00:00:00Z"), missed: 400 * 1_440 - 1 }));
    }
}
