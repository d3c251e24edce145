//! Writes dates by LiquidJS's `strftime` patterns. [`super::dates`] reads them.

use std::fmt::Write;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};

use super::dates::{MONTHS, WEEKDAYS};

/// A widened field is never longer than this.
const WIDEST: usize = 64;

/// A moment in a zone.
#[derive(Clone, Debug)]
pub(crate) struct Zoned {
    pub(crate) moment: DateTime<FixedOffset>,
    /// `UTC`, `Europe/Oslo`; empty where only an offset is known, which is then shown instead.
    pub(crate) zone: String,
}

/// What stands between `%` and the letter.
#[derive(Clone, Copy, Default)]
struct Flags {
    pad: Option<Pad>,
    upper: bool,
    swap: bool,
    colons: usize,
    width: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pad {
    None,
    Space,
    Zero,
}

/// Writes a moment. What is not a known pattern stays as it is.
pub(crate) fn strftime(zoned: &Zoned, format: &str) -> String {
    let mut out = String::with_capacity(format.len() + 16);
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, pattern) = rest.split_at(at);
        out.push_str(before);
        let (flags, letter, length) = flags(pattern);
        let shown = pattern.get(..length).unwrap_or(pattern);
        let known = letter.is_some_and(|letter| field(zoned, letter, flags, &mut out));
        if !known {
            out.push_str(shown);
        }
        rest = pattern.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn flags(pattern: &str) -> (Flags, Option<char>, usize) {
    let mut flags = Flags::default();
    for (at, c) in pattern.char_indices().skip(1) {
        match c {
            '-' => flags.pad = Some(Pad::None),
            '_' => flags.pad = Some(Pad::Space),
            '0' if flags.width.is_none() => flags.pad = Some(Pad::Zero),
            '^' => flags.upper = true,
            '#' => flags.swap = true,
            ':' => flags.colons += 1,
            '0'..='9' => {
                let digit = c.to_digit(10).unwrap_or(0) as usize;
                flags.width = Some((flags.width.unwrap_or(0) * 10 + digit).min(WIDEST));
            }
            // The modifiers of POSIX mean nothing here, as in LiquidJS, but they may stand before the letter.
            'E' | 'O' if pattern.get(at + 1..).is_some_and(|rest| rest.starts_with(char::is_alphabetic)) => {}
            letter => return (flags, Some(letter), at + letter.len_utf8()),
        }
    }
    (flags, None, pattern.len())
}

/// Writes one field; `false` if there is no such pattern.
fn field(zoned: &Zoned, letter: char, flags: Flags, out: &mut String) -> bool {
    let at = &zoned.moment;
    let (hour12, morning) = (at.hour12().1, at.hour() < 12);
    match letter {
        'd' => number(at.day(), 2, Pad::Zero, flags, out),
        'e' => number(at.day(), 2, Pad::Space, flags, out),
        'm' => number(at.month(), 2, Pad::Zero, flags, out),
        'Y' => number(at.year(), 4, Pad::Zero, flags, out),
        'y' => number(at.year().rem_euclid(100), 2, Pad::Zero, flags, out),
        'C' => number(at.year().div_euclid(100), 2, Pad::Zero, flags, out),
        'H' => number(at.hour(), 2, Pad::Zero, flags, out),
        'k' => number(at.hour(), 2, Pad::Space, flags, out),
        'I' => number(hour12, 2, Pad::Zero, flags, out),
        'l' => number(hour12, 2, Pad::Space, flags, out),
        'M' => number(at.minute(), 2, Pad::Zero, flags, out),
        'S' => number(at.second(), 2, Pad::Zero, flags, out),
        'j' => number(at.ordinal(), 3, Pad::Zero, flags, out),
        'L' => number(at.nanosecond() / 1_000_000 % 1000, 3, Pad::Zero, flags, out),
        'N' => nanos(at.nanosecond() % 1_000_000_000, flags, out),
        's' => number(at.timestamp(), 1, Pad::Zero, flags, out),
        'w' => number(at.weekday().num_days_from_sunday(), 1, Pad::Zero, flags, out),
        'u' => number(at.weekday().number_from_monday(), 1, Pad::Zero, flags, out),
        'U' => {
            number((at.ordinal0() + 7 - at.weekday().num_days_from_sunday()) / 7, 2, Pad::Zero, flags, out);
        }
        'W' => {
            number((at.ordinal0() + 7 - at.weekday().num_days_from_monday()) / 7, 2, Pad::Zero, flags, out);
        }
        'V' => number(at.iso_week().week(), 2, Pad::Zero, flags, out),
        'G' => number(at.iso_week().year(), 4, Pad::Zero, flags, out),
        'a' => name(WEEKDAYS, at.weekday().num_days_from_sunday(), 3, flags, out),
        'A' => name(WEEKDAYS, at.weekday().num_days_from_sunday(), 16, flags, out),
        'b' | 'h' => name(MONTHS, at.month0(), 3, flags, out),
        'B' => name(MONTHS, at.month0(), 16, flags, out),
        'p' => word(if morning { "AM" } else { "PM" }, flags, out),
        'P' => word(if morning { "am" } else { "pm" }, flags, out),
        'q' => out.push_str(ordinal(at.day())),
        'z' => offset(at.offset().local_minus_utc(), flags, out),
        'Z' if zoned.zone.is_empty() => offset(at.offset().local_minus_utc(), flags, out),
        'Z' => word(&zoned.zone, flags, out),
        'n' => out.push('\n'),
        't' => out.push('\t'),
        '%' => out.push('%'),
        _ => return compound(zoned, letter, out),
    }
    true
}

/// Patterns that stand for others. Those that depend on a locale are written as in the United States, as Node.js has them.
fn compound(zoned: &Zoned, letter: char, out: &mut String) -> bool {
    let format = match letter {
        'D' => "%m/%d/%y",
        'F' => "%Y-%m-%d",
        'R' => "%H:%M",
        'T' => "%H:%M:%S",
        'r' => "%I:%M:%S %p",
        'c' => "%-m/%-d/%-Y, %-I:%M:%S %p",
        'x' => "%-m/%-d/%-Y",
        'X' => "%-I:%M:%S %p",
        'v' => "%e-%^b-%Y",
        _ => return false,
    };
    out.push_str(&strftime(zoned, format));
    true
}

fn number(value: impl Into<i64>, width: usize, pad: Pad, flags: Flags, out: &mut String) {
    let value: i64 = value.into();
    let width = flags.width.unwrap_or(width);
    let written = match flags.pad.unwrap_or(pad) {
        Pad::None => write!(out, "{value}"),
        Pad::Space => write!(out, "{value:width$}"),
        Pad::Zero => write!(out, "{value:0width$}"),
    };
    debug_assert!(written.is_ok(), "a string takes all text");
}

fn nanos(value: u32, flags: Flags, out: &mut String) {
    let digits = format!("{value:09}");
    let width = flags.width.unwrap_or(9);
    out.push_str(digits.get(..width.min(9)).unwrap_or(&digits));
    out.extend(std::iter::repeat_n('0', width.saturating_sub(9)));
}

fn name(names: [&str; 12], at: u32, length: usize, flags: Flags, out: &mut String) {
    let full = names.get(at as usize).copied().unwrap_or_default();
    word(full.get(..length.min(full.len())).unwrap_or(full), flags, out);
}

fn word(text: &str, flags: Flags, out: &mut String) {
    let missing = flags.width.unwrap_or(0).saturating_sub(text.len());
    let fill = if flags.pad == Some(Pad::Zero) { '0' } else { ' ' };
    out.extend(std::iter::repeat_n(fill, if flags.pad == Some(Pad::None) { 0 } else { missing }));
    let small = text.contains(|c: char| c.is_ascii_lowercase());
    match (flags.upper, flags.swap) {
        (true, _) => out.push_str(&text.to_uppercase()),
        (false, true) if small => out.push_str(&text.to_uppercase()),
        (false, true) => out.push_str(&text.to_lowercase()),
        (false, false) => out.push_str(text),
    }
}

fn ordinal(day: u32) -> &'static str {
    match (day, day % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

fn offset(seconds: i32, flags: Flags, out: &mut String) {
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    let colon = if flags.colons > 0 { ":" } else { "" };
    let written = write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60);
    debug_assert!(written.is_ok(), "a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(format: &str) -> String {
        let moment = DateTime::parse_from_rfc3339("2024-03-05T10:11:12.345Z").unwrap();
        strftime(&Zoned { moment, zone: "UTC".into() }, format)
    }

    #[test]
    fn patterns_are_written_as_in_liquidjs() {
        assert_eq!(show("%b %d, %Y"), "Mar 05, 2024");
        assert_eq!(show("%j %U %w %a %A"), "065 09 2 Tue Tuesday");
        assert_eq!(show("%-d.%-m.%y %e %l%P"), "5.3.24  5 10am");
        assert_eq!(show("%Y-%m-%dT%H:%M:%S.%L%z %:z %Z"), "2024-03-05T10:11:12.345+0000 +00:00 UTC");
        assert_eq!(show("%^b %3N %N %d%q %%%s"), "MAR 345 345000000 05th %1709633472");
        assert_eq!(show("%D %F %T"), "03/05/24 2024-03-05 10:11:12");
    }

    #[test]
    fn afternoons_and_first_centuries_are_written_as_in_liquidjs() {
        let show = |moment: &str, zone: &str, format: &str| {
            let moment = DateTime::parse_from_rfc3339(moment).unwrap();
            strftime(&Zoned { moment, zone: zone.into() }, format)
        };
        let afternoon = |format| show("2024-03-05T22:11:12Z", "", format);
        assert_eq!(afternoon("%p %P %#p %#P %^P %-I %l"), "PM pm pm PM PM 10 10");
        assert_eq!(afternoon("%c|%x|%X|%r"), "3/5/2024, 10:11:12 PM|3/5/2024|10:11:12 PM|10:11:12 PM");
        assert_eq!(afternoon("%#a %#B %^b %Z %Ey %Od %E %O"), "TUE MARCH MAR +0000 24 05 %E %O");
        let early = |format| show("0042-03-05T10:11:12Z", "UTC", format);
        assert_eq!(
            early("%Y-%m-%d %y %C %-Y %_5Y %G %F %Z %x"),
            "0042-03-05 42 00 42    42 0042 0042-03-05 UTC 3/5/42"
        );
    }

    #[test]
    fn unknown_patterns_stay() {
        assert_eq!(show("%E 100% %"), "%E 100% %");
        assert_eq!(show("%9999999999999d").len(), WIDEST);
    }
}
