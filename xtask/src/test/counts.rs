//! How many tests passed, failed and were left out, heard from what the runners print on their way.

use std::collections::BTreeMap;
use std::fmt;

/// Sums over all the lines that were heard.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// How many tests ended early, by the reason that they gave.
    skips: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts a line if it is a summary: nextest's one, or cargo's one of each test program.
    pub(crate) fn hear(&mut self, line: &str) {
        let line = without_colours(line);
        if let Some((_, counted)) = line.split_once("tests run: ").or_else(|| line.split_once("test run: ")) {
            counted.split(',').for_each(|part| self.add(part));
        } else if let Some(counted) = line.strip_prefix("test result: ") {
            counted.split([';', '.']).for_each(|part| self.add(part));
        }
    }

    /// Counts a line that is a summary, or that a test said of itself.
    pub(crate) fn hear_all(&mut self, line: &str) {
        self.hear(line);
        self.hear_skip(line);
    }

    /// Counts a test that said `skipped: WHY (TEST)`: it passed for the runner and did nothing.
    pub(crate) fn hear_skip(&mut self, line: &str) {
        let Some((_, said)) = line.split_once("skipped: ") else { return };
        if !line.starts_with("skipped: ") && !line.trim_start().starts_with('<') {
            return;
        }
        let why =
            said.split(" (").next().unwrap_or(said).trim().replace("&apos;", "'").replace("&quot;", "\"");
        *self.skips.entry(why).or_default() += 1;
    }

    /// The reasons for which tests did nothing.
    pub(crate) fn skips(&self) -> impl Iterator<Item = (&str, u64)> {
        self.skips.iter().map(|(why, number)| (why.as_str(), *number))
    }

    /// Counts a part such as `3 passed (1 slow)`.
    fn add(&mut self, part: &str) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { return };
        match words.next() {
            Some("passed") => self.passed += number,
            Some("failed" | "timed" | "exec") => self.failed += number,
            Some("skipped" | "ignored" | "filtered") => self.skipped += number,
            Some(_) | None => {}
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let early: u64 = self.skips.values().sum();
        let passed = self.passed.saturating_sub(early);
        write!(f, "{passed} passed, {} failed, {} skipped", self.failed, self.skipped + early)
    }
}

/// The line without terminal escapes (`ESC [ … letter`).
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut in_escape = false;
    for letter in line.chars() {
        match letter {
            '\u{1b}' => in_escape = true,
            _ if in_escape => in_escape = !letter.is_ascii_alphabetic(),
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> String {
        let mut counts = Counts::default();
        for line in lines {
            counts.hear(line);
        }
        counts.to_string()
    }

    #[test]
    fn nextest_summary_is_understood_in_colour() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m5\u{1b}[0m tests run: \u{1b}[1m4\u{1b}[0m \u{1b}[32mpassed\u{1b}[0m (1 slow), 1 failed, 7 skipped";
        assert_eq!(heard(&[line]), "4 passed, 1 failed, 7 skipped");
    }

    #[test]
    fn a_test_that_did_nothing_is_skipped_not_passed() {
        let mut counts = Counts::default();
        counts.hear("Summary [ 1s] 3 tests run: 3 passed, 0 skipped");
        counts.hear_skip("<system-err>skipped: PostgreSQL&apos;s server programs are not installed (reads)");
        counts.hear_skip("skipped: PostgreSQL's server programs are not installed (writes)");
        assert_eq!(counts.to_string(), "1 passed, 0 failed, 2 skipped");
        assert_eq!(
            counts.skips().collect::<Vec<_>>(),
            [("PostgreSQL's server programs are not installed", 2)]
        );
    }

    #[test]
    fn cargo_summaries_add_up() {
        let one =
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s";
        assert_eq!(heard(&[one, "running 3 tests", one]), "10 passed, 0 failed, 6 skipped");
    }
}
