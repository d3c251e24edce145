//! Cron patterns of five fields, and what the clocks of a zone do to them.
//!
//! `croner` knows the language; the moments are found here, day by day, so that lists and ranges come through a change of the
//! clocks like single times do. [`fields`] says what is wrong with a pattern, and where.

mod fields;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use croner::{CronPattern, Weekday};
use jiff::civil::{self, Date};

use crate::Time;
use crate::fault::ScheduleError;
use crate::zone::{Shown, Zone};

/// How many days are searched for the next tick: longer than 29 February takes to fall on each weekday, even past 2100.
const SEARCHED: usize = 50 * 366;

/// A cron pattern.
#[derive(Clone)]
pub struct Cron {
    text: String,
    pattern: Arc<CronPattern>,
    hours: Vec<i8>,
    minutes: Vec<i8>,
    pace: Pace,
}

/// What a pattern goes by where the clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// By the time of day: it names its hours.
    TimeOfDay,
    /// By the hours that pass: its hour is `*` or `*/n`.
    Hours,
}

/// The times of a pattern that the clocks skip on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The day: `2027-03-28`.
    pub day: String,
    /// The times of day: `02:30`.
    pub times: Vec<String>,
    /// When they are made up for, together: the moment of the change.
    pub at: Time,
}

impl Cron {
    /// A pattern of five fields (minute, hour, day of the month, month, weekday), or a name such as `@daily`.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let pattern = fields::parse(text)?;
        let hour = text.split_whitespace().nth(1).unwrap_or("*");
        Ok(Self {
            text: text.trim().to_owned(),
            hours: values(&pattern.hours),
            minutes: values(&pattern.minutes),
            pace: if hour.starts_with('*') { Pace::Hours } else { Pace::TimeOfDay },
            pattern: Arc::new(pattern),
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it says: `At 07:00, on Monday`.
    pub fn words(&self) -> String {
        let words = self.pattern.describe().trim_end_matches('.').to_owned();
        words.strip_prefix("At every ").map(|rest| format!("Every {rest}")).unwrap_or(words)
    }

    /// The ticks after a moment, in order; none, if there is none within fifty years.
    pub(crate) fn ticks<'a>(&'a self, zone: &'a Zone, after: Time) -> impl Iterator<Item = Time> + 'a {
        let mut found = BTreeSet::new();
        let today = zone.day(after);
        // The day before, since a time that is skipped may be made up for on the next day, and clocks may go back to it.
        let mut days = today.yesterday().unwrap_or(today).series(one_day());
        let mut read = today;
        let mut last = after;
        std::iter::from_fn(move || {
            for _ in 0..SEARCHED {
                // A day is read to its end, and the next one too, before its ticks are given: clocks that go back across
                // midnight mix them.
                let first = found.first().copied();
                if let Some(first) = first
                    && read > zone.day(first).tomorrow().unwrap_or(Date::MAX)
                {
                    found.pop_first();
                    last = first;
                    return Some(first);
                }
                read = days.next()?;
                found.extend(self.of_day(zone, read).into_iter().filter(|tick| *tick > last));
            }
            None
        })
    }

    /// The ticks of a day.
    fn of_day(&self, zone: &Zone, day: Date) -> Vec<Time> {
        if !self.is_on(day) {
            return Vec::new();
        }
        if let Some(midnight) = zone.calm(day) {
            let later =
                |(hour, minute): (i8, i8)| TimeDelta::minutes(i64::from(hour) * 60 + i64::from(minute));
            return self.times().map(|time| midnight + later(time)).collect();
        }
        let mut ticks = Vec::new();
        for at in self.times().map(|(hour, minute)| day.at(hour, minute, 0, 0)) {
            match (zone.moments(at), self.pace) {
                (Some(Shown::Once(tick)), _) => ticks.push(tick),
                (Some(Shown::Skipped(change)), Pace::TimeOfDay) => ticks.push(change),
                (Some(Shown::Twice(first, _)), Pace::TimeOfDay) => ticks.push(first),
                (Some(Shown::Twice(first, second)), Pace::Hours) => ticks.extend([first, second]),
                (Some(Shown::Skipped(_)), Pace::Hours) | (None, _) => {}
            }
        }
        ticks
    }

    /// The times of day: hours and minutes.
    fn times(&self) -> impl Iterator<Item = (i8, i8)> + '_ {
        self.hours.iter().flat_map(|hour| self.minutes.iter().map(|minute| (*hour, *minute)))
    }

    fn is_on(&self, day: Date) -> bool {
        let (month, of_month) = (u32::from(day.month().unsigned_abs()), u32::from(day.day().unsigned_abs()));
        self.pattern.month_match(month).unwrap_or(false)
            && self.pattern.day_match(day.year().into(), month, of_month, weekday(day)).unwrap_or(false)
    }

    /// The times that the next change of the clocks skips, if it skips any.
    pub(crate) fn skipped(&self, zone: &Zone, after: Time) -> Option<Skipped> {
        if self.pace == Pace::Hours {
            return None;
        }
        let (from, until) = zone.next_gap(after)?;
        let mut skipped = Vec::new();
        for day in from.date().series(one_day()).take_while(|day| *day <= until.date()) {
            if self.is_on(day) {
                let times = self.times().map(|(hour, minute)| day.at(hour, minute, 0, 0));
                skipped.extend(times.filter(|at| (from..until).contains(at)));
            }
        }
        let first = *skipped.first()?;
        let Some(Shown::Skipped(at)) = zone.moments(first) else { return None };
        let times = skipped.iter().map(|at| at.strftime("%H:%M").to_string()).collect();
        Some(Skipped { day: first.date().to_string(), times, at })
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

fn one_day() -> jiff::Span {
    jiff::Span::new().days(1)
}

fn values(component: &croner::CronComponent) -> Vec<i8> {
    component.values().into_iter().filter_map(|value| i8::try_from(value).ok()).collect()
}

fn weekday(day: Date) -> Weekday {
    match day.weekday() {
        civil::Weekday::Monday => Weekday::Monday,
        civil::Weekday::Tuesday => Weekday::Tuesday,
        civil::Weekday::Wednesday => Weekday::Wednesday,
        civil::Weekday::Thursday => Weekday::Thursday,
        civil::Weekday::Friday => Weekday::Friday,
        civil::Weekday::Saturday => Weekday::Saturday,
        civil::Weekday::Sunday => Weekday::Sunday,
    }
}
