//! Dates in the forms that people write, read as JavaScript's `Date` reads them: `March 14, 2016`, `Tue, 05 Mar 2024 10:11:12 +0000`,
//! `3/14/2016 5:30 PM`, `July 2024`.
//!
//! Otherwise than there, a date has a year, and words that no date has make it none.

use super::parts::{MONTHS, WEEKDAYS, nanos, number, zone_hours};

/// A date with its time and offset, as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) year: u32,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nanos: u32,
    /// Minutes east of Greenwich.
    pub(super) offset: i64,
}

/// Reads a text; `None` where it is no date. Whether there is such a day is not asked here.
pub(super) fn read(text: &str) -> Option<Written> {
    let mut reader = Reader { rest: text, ..Reader::default() };
    while !reader.rest.is_empty() {
        reader.part()?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader<'t> {
    rest: &'t str,
    /// Year, month and day in the order in which they stand.
    day: Vec<u32>,
    month: Option<u32>,
    /// Hour, minute and second.
    clock: Vec<u32>,
    nanos: u32,
    /// Whether more of the clock may follow.
    clock_ended: bool,
    afternoon: Option<bool>,
    zone: Option<Zone>,
}

#[derive(Clone, Copy)]
struct Zone {
    sign: i64,
    hours: u32,
    minutes: Option<u32>,
}

impl<'t> Reader<'t> {
    fn part(&mut self) -> Option<()> {
        let first = self.rest.chars().next()?;
        if first.is_ascii_digit() {
            let digits = self.take(|c| c.is_ascii_digit());
            return self.number(digits);
        }
        // Whatever comes behind the digits and signs of ASCII is a letter for JavaScript.
        if first >= 'A' {
            let word = self.take(|c| c >= 'A');
            self.word(word)?;
            // `Sept. 5`
            self.skip('.');
            return Some(());
        }
        self.rest = self.rest.get(first.len_utf8()..)?;
        match first {
            '+' | '-' if self.zone.is_some_and(|zone| zone.hours == 0) || !self.clock.is_empty() => {
                self.offset(if first == '-' { -1 } else { 1 })
            }
            '+' | '-' | ')' if self.has_number() => None,
            '(' => {
                let end = self.rest.find(')').map_or(self.rest.len(), |at| at + 1);
                self.rest = self.rest.get(end..)?;
                Some(())
            }
            _ => Some(()),
        }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn has_number(&self) -> bool {
        !self.day.is_empty() || !self.clock.is_empty()
    }

    /// Whether this may be the next number of the clock: hours come with a colon, and minutes and seconds are below 60.
    fn continues_clock(&self, number: u32) -> bool {
        !self.clock_ended && matches!(self.clock.len(), 1 | 2) && number < 60
    }

    fn number(&mut self, digits: &str) -> Option<()> {
        let value = number(digits.as_bytes())?;
        if self.skip(':') {
            if self.clock_ended || self.clock.len() == 3 {
                return None;
            }
            self.clock.push(value);
            return Some(());
        }
        if self.continues_clock(value) && self.skip('.') {
            self.clock.push(value);
            let fraction = self.take(|c| c.is_ascii_digit());
            self.nanos = nanos(fraction).filter(|_| !fraction.is_empty())?;
            self.clock_ended = true;
            return Some(());
        }
        if let Some(Zone { minutes: minutes @ None, .. }) = &mut self.zone
            && value < 60
        {
            *minutes = Some(value);
            return Some(());
        }
        if self.continues_clock(value) {
            self.clock.push(value);
            self.clock_ended = true;
            let next = self.rest.chars().next();
            return next
                .is_none_or(|c| c.is_whitespace() || matches!(c, 'Z' | 'z' | '+' | '-'))
                .then_some(());
        }
        self.date_part(value)
    }

    fn date_part(&mut self, number: u32) -> Option<()> {
        if self.day.len() == 3 {
            return None;
        }
        self.day.push(number);
        if !self.skip('-') {
            // `5th`
            let ending = ["st", "nd", "rd", "th"].iter().find_map(|ending| self.rest.strip_prefix(ending));
            self.rest = ending.filter(|rest| !rest.starts_with(char::is_alphabetic)).unwrap_or(self.rest);
        }
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        if let Some(month) = name(word, MONTHS) {
            self.month = Some(month + 1);
            self.skip('-');
            return Some(());
        }
        let half = word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm");
        if half && !self.clock.is_empty() {
            self.afternoon = Some(word.eq_ignore_ascii_case("pm"));
            return Some(());
        }
        if name(word, WEEKDAYS).is_some() {
            // The day of the week follows from the date.
            return Some(());
        }
        let hours = zone_hours(word).filter(|_| self.has_number())?;
        let sign = if hours < 0 { -1 } else { 1 };
        self.zone = Some(Zone { sign, hours: u32::try_from(hours.abs()).ok()?, minutes: Some(0) });
        Some(())
    }

    /// What follows a sign.
    fn offset(&mut self, sign: i64) -> Option<()> {
        let digits = self.take(|c| c.is_ascii_digit());
        let value = if digits.is_empty() { 0 } else { number(digits.as_bytes())? };
        let (hours, minutes) = match digits.len() {
            _ if self.rest.starts_with(':') => (value, None),
            1 | 2 => (value, Some(0)),
            3 | 4 => (value / 100, Some(value % 100)),
            _ => return None,
        };
        self.zone = Some(Zone { sign, hours, minutes });
        Some(())
    }

    fn finish(self) -> Option<Written> {
        let (year, month, day) = self.date()?;
        let part = |at: usize| self.clock.get(at).copied().unwrap_or(0);
        let hour = match self.afternoon {
            None => part(0),
            Some(_) if part(0) > 12 => return None,
            Some(afternoon) => part(0) % 12 + if afternoon { 12 } else { 0 },
        };
        let offset = self.zone.map_or(0, |zone| {
            zone.sign * (i64::from(zone.hours) * 60 + i64::from(zone.minutes.unwrap_or(0)))
        });
        Some(Written { year, month, day, hour, minute: part(1), second: part(2), nanos: self.nanos, offset })
    }

    /// Year, month and day. What can be no day of a month is the year; without one there is no date.
    fn date(&self) -> Option<(u32, u32, u32)> {
        let year = |number: u32| match number {
            0..=49 => 2000 + number,
            50..=99 => 1900 + number,
            number => number,
        };
        let is_year = |number: u32| number == 0 || number > 31;
        let (year, month, day) = match (self.month, self.day.as_slice()) {
            (Some(month), [first]) if is_year(*first) => (year(*first), month, 1),
            (Some(month), [first, day, ..]) if is_year(*first) => (year(*first), month, *day),
            (Some(month), [day, second, ..]) => (year(*second), month, *day),
            (None, [first, rest @ ..]) if is_year(*first) => {
                let part = |at: usize| rest.get(at).copied().unwrap_or(1);
                (year(*first), part(0), part(1))
            }
            (None, [month, day, third]) => (year(*third), *month, *day),
            _ => return None,
        };
        ((1..=31).contains(&day) && (1..=12).contains(&month)).then_some((year, month, day))
    }
}

/// The place of a name, or of its first three letters, in a list.
fn name(word: &str, names: [&str; 12]) -> Option<u32> {
    let matches = |name: &str| {
        !name.is_empty()
            && word.len() >= 3
            && name.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    names.iter().position(|name| matches(name)).and_then(|at| u32::try_from(at).ok())
}
