//! Words and numbers as people read them: `1,000,000`, `1 row`, `2 rows`, `1 min 27 s`.

use coho_core::code::{Code, Family};
use coho_core::decide::Change;
use coho_core::terminal;
use coho_core::verdict::RowStatus;
pub use coho_core::words::number;

use crate::style::Tone;

/// Statuses in the order in which counts tell them: what got through, what needed nothing, what somebody should look at.
pub const STATUSES: [RowStatus; 16] = [
    RowStatus::Delivered,
    RowStatus::Accepted,
    RowStatus::Removed,
    RowStatus::Unchanged,
    RowStatus::Touched,
    RowStatus::Learned,
    RowStatus::Skipped,
    RowStatus::Rejected,
    RowStatus::Deferred,
    RowStatus::Invalid,
    RowStatus::Held,
    RowStatus::Stale,
    RowStatus::NotAttempted,
    RowStatus::Released,
    RowStatus::Kept,
    RowStatus::Forgotten,
];

/// The order in which changes are told: what is sent first, then what is not.
pub const CHANGES: [Change; 12] = [
    Change::Add,
    Change::Update,
    Change::Retry,
    Change::Resolve,
    Change::Remove,
    Change::Probe,
    Change::Learn,
    Change::Release,
    Change::Keep,
    Change::Forget,
    Change::Hold,
    Change::Unchanged,
];

/// `1 row`, `2 rows`, `1,000 rows`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

/// `once`, `2 times`.
pub(crate) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { counted(count, "time") }
}

/// A stretch of time: `0.4 s`, `12 s`, `1 min 27 s`, `2 h 5 min`.
pub fn time(millis: u64) -> String {
    let seconds = millis.div_ceil(1_000);
    match millis {
        0 => "0 s".to_owned(),
        1..10_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        10_000..=59_000 => format!("{seconds} s"),
        59_001..=3_599_000 => joined(seconds / 60, "min", seconds % 60, "s"),
        _ => joined(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
    }
}

fn joined(large: u64, unit: &str, small: u64, small_unit: &str) -> String {
    let large = number(large);
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {small_unit}") }
}

/// A change in one word.
pub fn change(change: Change) -> &'static str {
    match change {
        Change::Add => "add",
        Change::Update => "update",
        Change::Retry => "retry",
        Change::Resolve => "resolve",
        Change::Remove => "remove",
        Change::Probe => "look",
        Change::Learn => "learn",
        Change::Release => "release",
        Change::Keep => "keep",
        Change::Forget => "forget",
        Change::Hold => "held",
        Change::Invalid => "invalid",
        Change::Unchanged => "unchanged",
    }
}

/// The status of the rows that have a problem of this code, for `coho rows --status`. `None` where no row has it.
pub(crate) fn status(code: Code) -> Option<RowStatus> {
    match code {
        Code::NOT_FOUND | Code::ALREADY_EXISTS => return Some(RowStatus::Skipped),
        Code::REFERENCE_MISSING => return Some(RowStatus::Deferred),
        Code::MAX_REJECTED | Code::NOT_ATTEMPTED => return Some(RowStatus::NotAttempted),
        Code::STALE => return Some(RowStatus::Stale),
        Code::RETRIES_USED_UP => return Some(RowStatus::Held),
        _ => {}
    }
    match code.entry()?.family {
        Family::Row => Some(RowStatus::Invalid),
        Family::Record => Some(RowStatus::Rejected),
        Family::Unclear => Some(RowStatus::Deferred),
        Family::Guard => Some(RowStatus::Held),
        Family::Project | Family::Mapping | Family::Halt => None,
    }
}

/// What a status says by its colour.
pub(crate) fn tone(status: RowStatus) -> Tone {
    match status {
        RowStatus::Delivered | RowStatus::Accepted => Tone::Good,
        RowStatus::Rejected | RowStatus::Invalid => Tone::Bad,
        RowStatus::Removed
        | RowStatus::Skipped
        | RowStatus::Deferred
        | RowStatus::Held
        | RowStatus::Stale
        | RowStatus::NotAttempted => Tone::Change,
        RowStatus::Unchanged
        | RowStatus::Touched
        | RowStatus::Learned
        | RowStatus::Released
        | RowStatus::Kept
        | RowStatus::Forgotten => Tone::Plain,
    }
}

/// A text from outside on one line: what a terminal would obey is shown instead.
pub(crate) fn tame(text: &str) -> String {
    terminal::escape(&text.replace('\n', " ")).into_owned()
}

/// At most so many characters, the last of them `…` where some are missing.
pub(crate) fn clip(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A key or an id of at most so many characters, in quotes where one could not see its ends.
pub(crate) fn seen(id: &str, longest: usize) -> String {
    let shown = clip(&tame(id), longest);
    let is_plain = !id.is_empty() && id.trim() == id;
    if is_plain { shown } else { format!("\"{shown}\"") }
}

/// A sentence in lines of at most `width` characters, each indented. A word that is longer stays whole.
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    let margin = " ".repeat(indent);
    lines.iter().map(|line| [&margin, line.as_str(), "\n"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_keys_are_seen() {
        let keys = ["acme", "a b", "", " acme", "acme\u{a0}", "abcdefgh"].map(|key| seen(key, 6));
        assert_eq!(keys, ["acme", "a b", "\"\"", "\" acme\"", "\"acme\u{a0}\"", "abcde…"]);
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 2].map(|count| counted(count, "row")), ["0 rows", "1 row", "2 rows"]);
    }

    #[test]
    fn time_has_two_units_at_most() {
        let times = [0, 420, 9_999, 12_001, 59_001, 87_000, 3_599_001, 7_500_000].map(time);
        assert_eq!(times, ["0 s", "0.4 s", "9.9 s", "13 s", "1 min", "1 min 27 s", "1 h", "2 h 5 min"]);
    }

    #[test]
    fn terminals_get_nothing_to_obey() {
        assert_eq!(tame("a\u{1b}[31mb\nc\u{202e}"), r"a\u{1b}[31mb c\u{202e}");
    }

    #[test]
    fn sentences_wrap_between_words() {
        assert_eq!(wrap("one two three four five six", 2, 22), "  one two three four\n  five six\n");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("abcd", 4), "abcd");
    }

    #[test]
    fn every_code_of_a_row_has_a_status_to_ask_for() {
        for entry in coho_core::code::ALL {
            let concerns_rows =
                matches!(entry.family, Family::Row | Family::Record | Family::Unclear | Family::Guard);
            assert_eq!(status(entry.code).is_some(), concerns_rows, "{}", entry.code);
        }
    }
}
