//! Snapshots hold no day of a clock: a test that compares one passes on that day only.
//!
//! A clock has said only days on which the project was there, so days before the first are free: rows and columns of numbers
//! give them in many ways. A later one is written in an input of the test: a fixture or a test of the crate, or the starter
//! project.

use super::tree::{File, Tree, inside};
use super::{Finding, rust};

/// The day of the first commit.
const FIRST_DAY: &str = "2026-11-24";

/// What `coho init` writes: the input of every test that begins with it.
const STARTER: &str = "crates/coho-project/starter";

/// Checks every snapshot.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let snapshots = tree.files().filter(|file| file.has_extension("snap"));
    snapshots.flat_map(|snapshot| said_by_a_clock(tree, snapshot)).collect()
}

fn said_by_a_clock(tree: &Tree, snapshot: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for (number, line) in snapshot.lines() {
        for day in days(line).filter(|day| *day >= FIRST_DAY) {
            if seen.contains(&day) {
                continue;
            }
            seen.push(day);
            if !is_given(tree, snapshot, day) {
                findings.push(Finding::at(
                    &snapshot.path,
                    number,
                    format!("no input of the test gives the day {day}"),
                    "replace what a clock says by a fixed word; write any other day in the fixture or the test",
                ));
            }
        }
    }
    findings
}

fn is_given(tree: &Tree, snapshot: &File, day: &str) -> bool {
    let home = home(&snapshot.path);
    let near = tree.under(home).filter(|file| !is_product(&file.path, home));
    let test = tree.files().filter(|file| snapshot.source() == Some(&file.path));
    let mut inputs = near.chain(test).chain(tree.under(STARTER)).filter(|file| !file.has_extension("snap"));
    inputs.any(|file| gives(file, day))
}

/// The folder whose files a test may read: its crate's, or the topic's if the fixture belongs to no crate.
fn home(path: &str) -> &str {
    let depth = if inside(path, "crates").is_some() { 2 } else { path.matches('/').count() };
    let end = path.match_indices('/').map(|(at, _)| at).take(depth).last();
    path.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// The product's sources are no input, whatever days they name.
fn is_product(path: &str, home: &str) -> bool {
    inside(path, home).is_some_and(|path| inside(path, "src").is_some())
}

/// Whether the day is written there. Comments name the days on which something was read.
fn gives(file: &File, day: &str) -> bool {
    let is_rust = file.has_extension("rs");
    file.lines().any(|(_, line)| (if is_rust { rust::code(line) } else { line }).contains(day))
}

/// The words `YYYY-MM-DD` of a line, alone or with a time behind them.
fn days(line: &str) -> impl Iterator<Item = &str> {
    const SHAPE: &[u8] = b"0000-00-00";
    let is_digit = |at: usize| line.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    line.match_indices('-').filter_map(move |(dash, _)| {
        let start = dash.checked_sub(4)?;
        let end = start + SHAPE.len();
        let day = line.get(start..end)?;
        let fits = day.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *shape,
        });
        let is_longer = is_digit(end) || start.checked_sub(1).is_some_and(is_digit);
        (fits && !is_longer).then_some(day)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: &str = "---\nsource: crates/a/tests/b.rs\n---\n";

    fn found(snapshot: &str, inputs: &[(&str, &str)]) -> Vec<String> {
        let text = format!("{SNAPSHOT}{snapshot}\n");
        let files = [inputs, &[("crates/a/fixtures/topic/case.snap", &*text)]].concat();
        let found = check(&Tree::of(&files));
        found.into_iter().map(|found| format!("{}: {}", found.line, found.message)).collect()
    }

    #[test]
    fn a_day_that_only_a_clock_can_have_said_is_found_once() {
        let text = "acc-1  delivered  2027-03-01 <time>\nacc-2  delivered  2027-03-01T10:00:00Z";
        assert_eq!(found(text, &[]), ["4: no input of the test gives the day 2027-03-01"]);
    }

    #[test]
    fn a_day_that_a_fixture_a_test_or_the_starter_gives_is_fine() {
        let inputs = [
            "crates/a/fixtures/topic/case.yaml",
            "crates/a/fixtures/other/data.csv",
            "crates/a/tests/b.rs",
            "crates/coho-project/starter/data/accounts.csv",
        ];
        for input in inputs {
            assert_eq!(found("on 2027-03-01", &[(input, "on 2027-03-01T00:00:00Z")]), [""; 0], "{input}");
        }
    }

    #[test]
    fn sources_comments_snapshots_and_other_crates_are_no_inputs() {
        let others = [
            ("crates/a/src/b.rs", "\"2027-03-01\""),
            ("crates/a/tests/b.rs", "// Read on 2027-03-01."),
            ("crates/a/fixtures/topic/other.snap", "2027-03-01"),
            ("crates/b/fixtures/topic/case.yaml", "2027-03-01"),
        ];
        let found = found("on 2027-03-01", &others);
        assert!(found.contains(&"4: no input of the test gives the day 2027-03-01".to_owned()), "{found:?}");
    }

    #[test]
    fn a_unit_tests_own_file_is_its_input() {
        let snapshot = "---\nsource: crates/a/src/b.rs\n---\n2027-03-01\n";
        let files = [
            ("crates/a/src/snapshots/a__b__tests__c.snap", snapshot),
            ("crates/a/src/b.rs", "fn c() { of(\"2027-03-01\") }\n"),
        ];
        assert_eq!(check(&Tree::of(&files)), []);
    }

    #[test]
    fn no_clock_has_said_a_day_before_the_project_began() {
        assert_eq!(found("since 1899-12-31 and 2026-11-23", &[]), [""; 0]);
    }

    #[test]
    fn a_fixture_of_no_crate_has_the_inputs_of_its_topic() {
        let snapshot = ("fixtures/b2b/trade.snap", "2027-03-01\n2027-03-02\n");
        let inputs =
            [("fixtures/b2b/trade/data.sql", "2027-03-01"), ("fixtures/other/data.sql", "2027-03-02")];
        let found: Vec<_> = check(&Tree::of(&[&[snapshot], &inputs[..]].concat()))
            .into_iter()
            .map(|found| found.line)
            .collect();
        assert_eq!(found, [2]);
    }

    #[test]
    fn longer_numbers_are_no_days() {
        let line = "2026-11-240 12026-11-24 -26-11-24 é026-11-24 (2026-11-24)";
        assert_eq!(days(line).collect::<Vec<_>>(), ["2026-11-24"]);
    }
}
