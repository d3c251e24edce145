//! The five fields: what each may hold, and where a pattern is wrong.

use std::ops::Range;

use croner::CronPattern;
use croner::parser::{CronParser, Seconds, Year};

use crate::every::Every;
use crate::fault::ScheduleError;

/// A field.
struct Field {
    /// What a value of it is, with its article.
    one: &'static str,
    /// What it may be.
    may: &'static str,
    /// Words and letters that may stand in it.
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &[
    "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "L", "SUNL", "MONL", "TUEL", "WEDL", "THUL", "FRIL",
    "SATL",
];

const FIELDS: [Field; 5] = [
    Field { one: "a minute", may: "0 to 59", words: &[] },
    Field { one: "an hour", may: "0 to 23", words: &[] },
    Field {
        one: "a day of the month",
        may: "1 to 31, `L` for the last one, `15W` for the weekday nearest to the 15th",
        words: &["L", "W", "LW"],
    },
    Field { one: "a month", may: "1 to 12, or JAN to DEC", words: MONTHS },
    Field {
        one: "a weekday",
        may: "0 to 7 (0 and 7 are Sunday) or SUN to SAT, `FRI#2` for the second one of a month, `FRIL` for the last",
        words: WEEKDAYS,
    },
];

const NAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

const HELP: &str = "write minute, hour, day of the month, month and weekday: `0 7 * * MON-FRI`";

/// A pattern, or the first thing that is wrong with it.
pub(super) fn parse(text: &str) -> Result<CronPattern, ScheduleError> {
    let trimmed = text.trim();
    if trimmed.starts_with('@') {
        let named = NAMES.into_iter().find(|(name, _)| trimmed.eq_ignore_ascii_case(name));
        let (_, pattern) = named.ok_or_else(|| unknown_name(text))?;
        return croner(pattern).ok_or_else(|| unknown_name(text));
    }
    let fields = split(text);
    if fields.len() != FIELDS.len() {
        return Err(miscounted(text, fields.len()));
    }
    for (field, at) in FIELDS.iter().zip(&fields) {
        check(field, text, at.clone())?;
    }
    croner(trimmed)
        .ok_or_else(|| ScheduleError::new(0..text.len(), format!("`{text}` is not a cron pattern"), HELP))
}

fn croner(pattern: &str) -> Option<CronPattern> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(pattern).ok().map(|cron| cron.pattern)
}

fn unknown_name(text: &str) -> ScheduleError {
    let names = NAMES.map(|(name, _)| format!("`{name}`")).join(", ");
    let trimmed = text.trim();
    let help = if trimmed.eq_ignore_ascii_case("@reboot") {
        format!("a sync runs at times, not at a start; the names are {names}")
    } else {
        format!("the names are {names}")
    };
    ScheduleError::new(0..text.len(), format!("`{trimmed}` is not the name of a schedule"), help)
}

fn miscounted(text: &str, found: usize) -> ScheduleError {
    let named = NAMES.into_iter().find(|(name, _)| name.trim_start_matches('@') == text.trim());
    let help = match (found, named) {
        (6 | 7, _) => format!("seconds and years are not supported: {HELP}"),
        (_, Some((name, _))) => format!("did you mean `{name}`?"),
        (_, None) if Every::parse(text).is_some() => format!("an interval is written `{{ every: {text} }}`"),
        (_, None) => HELP.to_owned(),
    };
    let fields = if found == 1 { "1 field".to_owned() } else { format!("{found} fields") };
    ScheduleError::new(0..text.len(), format!("expected a cron pattern of 5 fields, found {fields}"), help)
}

/// The places of the fields.
fn split(text: &str) -> Vec<Range<usize>> {
    let base = text.as_ptr().addr();
    text.split_whitespace()
        .map(|field| field.as_ptr().addr() - base)
        .zip(text.split_whitespace())
        .map(|(at, field)| at..at + field.len())
        .collect()
}

fn check(field: &Field, text: &str, at: Range<usize>) -> Result<(), ScheduleError> {
    let written = text.get(at.clone()).unwrap_or_default();
    let position = FIELDS.iter().position(|other| other.one == field.one).unwrap_or_default();
    let mut alone = ["*"; FIELDS.len()];
    alone[position] = written;
    let known = words(written).all(|word| field.words.iter().any(|known| known.eq_ignore_ascii_case(word)));
    let whole = !written.contains('+') && written.split(',').all(|item| !item.is_empty());
    if known && whole && croner(&alone.join(" ")).is_some() {
        return Ok(());
    }
    let help = format!(
        "{} is {}; `*` is every one, `1,2` a list, `1-5` a range, `*/2` every second one",
        field.one, field.may
    );
    Err(ScheduleError::new(at, format!("`{written}` is not {}", field.one), help))
}

/// The runs of letters in a field.
fn words(field: &str) -> impl Iterator<Item = &str> {
    field.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty())
}
