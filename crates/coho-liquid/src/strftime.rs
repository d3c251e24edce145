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
    pad: Pad,
    upper: bool,
    swap: bool,
    colons: bool,
    width: Option<usize>,
}

/// With what a field is widened.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Pad {
    /// As the letter has it.
    #[default]
    Usual,
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
        let start = out.len();
        let widths = letter.and_then(|letter| field(zoned, letter, flags, &mut out));
        match widths {
            Some(usual) => widen(usual, flags, start, &mut out),
            None => out.push_str(shown),
        }
        rest = pattern.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Flags, width, a modifier and the letter, in this order, with the length of them all; no letter where one is missing.
fn flags(pattern: &str) -> (Flags, Option<char>, usize) {
    let mut flags = Flags::default();
    let mut end = 1;
    let next = |end: usize| pattern.get(end..).and_then(|rest| rest.chars().next());
    while let Some(flag @ ('-' | '_' | '0' | '^' | '#' | ':')) = next(end) {
        match flag {
            '^' => flags.upper = true,
            '#' => flags.swap = true,
            ':' => flags.colons = true,
            // Each is remembered, and the strongest holds.
            '-' => flags.pad = Pad::None,
            '_' if flags.pad != Pad::None => flags.pad = Pad::Space,
            '0' if flags.pad == Pad::Usual => flags.pad = Pad::Zero,
            _ => {}
        }
        end += 1;
    }
    while let Some(digit) = next(end).and_then(|c| c.to_digit(10)) {
        flags.width = Some((flags.width.unwrap_or(0) * 10 + digit as usize).min(WIDEST));
        end += 1;
    }
    // The modifiers of POSIX mean nothing here, as in LiquidJS, but they may stand before the letter.
    if matches!(next(end), Some('E' | 'O')) && next(end + 1).is_some_and(|letter| letter != '\n') {
        end += 1;
    }
    let letter = next(end).filter(|letter| *letter != '\n');
    (flags, letter, end + letter.map_or(0, char::len_utf8))
}

/// Writes one field, and gives how wide it usually is, filled up with what; `None` if there is no such pattern.
fn field(zoned: &Zoned, letter: char, flags: Flags, out: &mut String) -> Option<(usize, char)> {
    let at = &zoned.moment;
    let (hour12, morning) = (at.hour12().1, at.hour() < 12);
    let week = |first: u32| i64::from((at.ordinal0() + 7 - first) / 7);
    let (value, width, fill): (i64, usize, char) = match letter {
        'd' => (at.day().into(), 2, '0'),
        'e' => (at.day().into(), 2, ' '),
        'm' => (at.month().into(), 2, '0'),
        'Y' => (at.year().into(), 4, '0'),
        'y' => (at.year().rem_euclid(100).into(), 2, '0'),
        'C' => (at.year().div_euclid(100).into(), 2, '0'),
        'H' => (at.hour().into(), 2, '0'),
        'k' => (at.hour().into(), 2, ' '),
        'I' => (hour12.into(), 2, '0'),
        'l' => (hour12.into(), 2, ' '),
        'M' => (at.minute().into(), 2, '0'),
        'S' => (at.second().into(), 2, '0'),
        'j' => (at.ordinal().into(), 3, '0'),
        'L' => ((at.nanosecond() / 1_000_000 % 1000).into(), 3, '0'),
        's' => (at.timestamp(), 0, '0'),
        'w' => (at.weekday().num_days_from_sunday().into(), 0, '0'),
        'u' => (at.weekday().number_from_monday().into(), 0, '0'),
        'U' => (week(at.weekday().num_days_from_sunday()), 2, '0'),
        'W' => (week(at.weekday().num_days_from_monday()), 2, '0'),
        'V' => (at.iso_week().week().into(), 2, '0'),
        'G' => (at.iso_week().year().into(), 4, '0'),
        _ => {
            return Some(match letter {
                'a' => name(WEEKDAYS, at.weekday().num_days_from_sunday(), 3, flags, out),
                'A' => name(WEEKDAYS, at.weekday().num_days_from_sunday(), 16, flags, out),
                'b' | 'h' => name(MONTHS, at.month0(), 3, flags, out),
                'B' => name(MONTHS, at.month0(), 16, flags, out),
                'p' => word(if morning { "AM" } else { "PM" }, flags, out),
                'P' => word(if morning { "am" } else { "pm" }, flags, out),
                'q' => word(ordinal(at.day()), flags, out),
                'Z' if !zoned.zone.is_empty() => word(&zoned.zone, flags, out),
                'N' => nanos(at.nanosecond() % 1_000_000_000, flags, out),
                'z' | 'Z' => offset(at.offset().local_minus_utc(), flags, out),
                'n' => word("\n", flags, out),
                't' => word("\t", flags, out),
                '%' => word("%", flags, out),
                _ => return compound(zoned, letter, out),
            });
        }
    };
    let written = write!(out, "{value}");
    debug_assert!(written.is_ok(), "a string takes all text");
    Some((width, fill))
}

/// Widens what was written since `start`; zeros stand behind a sign.
fn widen((usual, fill): (usize, char), flags: Flags, start: usize, out: &mut String) {
    let written = out.get(start..).unwrap_or_default();
    let missing = flags.width.unwrap_or(usual).saturating_sub(written.len());
    if missing == 0 || flags.pad == Pad::None {
        return;
    }
    let fill = match flags.pad {
        Pad::Space => ' ',
        Pad::Zero => '0',
        Pad::Usual | Pad::None => fill,
    };
    let at = if fill == '0' && written.starts_with('-') { start + 1 } else { start };
    (0..missing).for_each(|_| out.insert(at, fill));
}

/// Patterns that stand for others. Those that depend on a locale are written as in the United States, as Node.js has them.
fn compound(zoned: &Zoned, letter: char, out: &mut String) -> Option<(usize, char)> {
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
        _ => return None,
    };
    out.push_str(&strftime(zoned, format));
    Some((0, if letter == 'c' { ' ' } else { '0' }))
}

fn nanos(value: u32, flags: Flags, out: &mut String) -> (usize, char) {
    let digits = format!("{value:09}");
    let width = flags.width.filter(|width| *width > 0).unwrap_or(9);
    out.push_str(digits.get(..width.min(9)).unwrap_or(&digits));
    out.extend(std::iter::repeat_n('0', width.saturating_sub(9)));
    (0, '0')
}

fn name(names: [&str; 12], at: u32, length: usize, flags: Flags, out: &mut String) -> (usize, char) {
    let full = names.get(at as usize).copied().unwrap_or_default();
    word(full.get(..length.min(full.len())).unwrap_or(full), flags, out);
    (0, ' ')
}

fn word(text: &str, flags: Flags, out: &mut String) -> (usize, char) {
    let small = text.contains(|c: char| c.is_ascii_lowercase());
    match (flags.upper, flags.swap) {
        (true, _) => out.push_str(&text.to_uppercase()),
        (false, true) if small => out.push_str(&text.to_uppercase()),
        (false, true) => out.push_str(&text.to_lowercase()),
        (false, false) => out.push_str(text),
    }
    let half_day = text.eq_ignore_ascii_case("am") || text.eq_ignore_ascii_case("pm");
    (0, if half_day { ' ' } else { '0' })
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

fn offset(seconds: i32, flags: Flags, out: &mut String) -> (usize, char) {
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    let colon = if flags.colons { ":" } else { "" };
    let written = write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60);
    debug_assert!(written.is_ok(), "a string takes all text");
    (0, '0')
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
        assert_eq!(show("%5-d %E%d %3% %10z %-010d"), "%5-d %d 00% 00000+0000 5");
        assert_eq!(show("%9999999999999d").len(), WIDEST);
    }
}
