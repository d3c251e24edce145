//! The oracle: it walks every minute of the world's clock, looks what the clock on the wall shows, and knows three rules. It
//! shares nothing with the crate: zones are chrono-tz's, patterns are read by a matcher of its own.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use coho_schedule::Time;

/// A pattern of numbers, lists, ranges and steps.
pub(crate) struct Matcher {
    fields: [u64; 5],
    any_day: bool,
    any_weekday: bool,
    every_hour: bool,
}

impl Matcher {
    pub(crate) fn of(pattern: &str) -> Self {
        let texts: Vec<_> = pattern.split(' ').collect();
        let ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
        let field = |at: usize| set(texts[at], ranges[at]);
        Self {
            fields: [field(0), field(1), field(2), field(3), field(4)],
            any_day: texts[2] == "*",
            any_weekday: texts[4] == "*",
            every_hour: texts[1].starts_with('*'),
        }
    }

    fn matches(&self, at: NaiveDateTime) -> bool {
        let [minutes, hours, days, months, weekdays] = self.fields;
        if !has(minutes, at.minute()) || !has(hours, at.hour()) || !has(months, at.month()) {
            return false;
        }
        let day = has(days, at.day());
        let weekday = has(weekdays, at.weekday().num_days_from_sunday());
        match (self.any_day, self.any_weekday) {
            (true, _) => weekday,
            (false, true) => day,
            (false, false) => day || weekday,
        }
    }
}

fn set(text: &str, (least, most): (u32, u32)) -> u64 {
    let one = |item: &str| {
        let (range, step) =
            item.split_once('/').map_or((item, 1), |(range, step)| (range, step.parse().unwrap()));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None if range == "*" => (least, most),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        (from..=to).step_by(step).collect::<Vec<_>>()
    };
    text.split(',').flat_map(one).fold(0, |set, value| set | 1 << value)
}

fn has(set: u64, value: u32) -> bool {
    set >> value & 1 == 1
}

/// What the clock on the wall shows in each minute.
pub(crate) struct Wall {
    minutes: Vec<(Time, NaiveDateTime)>,
}

impl Wall {
    pub(crate) fn of(zone: Tz, from: Time, until: Time) -> Self {
        let minutes = std::iter::successors(Some(from), |at| Some(*at + TimeDelta::minutes(1)));
        let shown = |at: Time| (at, at.with_timezone(&zone).naive_local());
        Self { minutes: minutes.take_while(|at| *at < until).map(shown).collect() }
    }

    /// The ticks of a pattern, but for the first minute.
    pub(crate) fn ticks(&self, pattern: &str) -> Vec<Time> {
        let matcher = Matcher::of(pattern);
        let mut ticks = Vec::new();
        let mut newest = self.minutes[0].1;
        for (at, shown) in self.minutes.iter().skip(1) {
            let is_new = *shown > newest;
            let skips = *shown > newest + TimeDelta::minutes(1) && matcher_skips(&matcher, newest, *shown);
            if (matcher.matches(*shown) && (matcher.every_hour || is_new)) || (!matcher.every_hour && skips) {
                ticks.push(*at);
            }
            newest = newest.max(*shown);
        }
        ticks
    }
}

/// Whether a time of the pattern lies between two readings of the clock.
fn matcher_skips(matcher: &Matcher, before: NaiveDateTime, after: NaiveDateTime) -> bool {
    let between =
        std::iter::successors(Some(before + TimeDelta::minutes(1)), |at| Some(*at + TimeDelta::minutes(1)));
    between.take_while(|at| *at < after).any(|at| matcher.matches(at))
}
