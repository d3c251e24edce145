//! The decision table: each of its numbered rows has a test of its number, and each such test a row.

use std::collections::BTreeMap;

use super::tree::Tree;
use super::{Finding, rust};

/// The page of the table.
const TABLE: &str = "docs/design/decision-table.md";

const TESTS: &str = "crates/coho-core/tests/decide.rs";

/// The heading above the table.
const HEADING: &str = "decision table";

/// Checks both directions.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(document), Some(tests)) = (tree.text(TABLE), tree.text(TESTS)) else {
        return missing(tree);
    };
    let (rows, tested) = (rows(document), tested(tests));
    if rows.is_empty() {
        let message = "there is no decision table";
        return vec![Finding::of(
            TABLE,
            message,
            "add it under a heading that says so, its rows numbered `| 1 |`",
        )];
    }
    let untested = rows.iter().filter(|(row, _)| !tested.contains_key(row));
    let untested = untested.map(|(row, line)| {
        let remedy = format!("add a test `row_{row:02}_…` to {TESTS}");
        Finding::at(TABLE, *line, format!("row {row} of the decision table has no test"), remedy)
    });
    let unwritten = tested.iter().filter(|(row, _)| !rows.contains_key(row));
    let unwritten = unwritten.map(|(row, line)| {
        let message = format!("the decision table has no row {row}");
        Finding::at(TESTS, *line, message, format!("add it to {TABLE}"))
    });
    untested.chain(unwritten).collect()
}

fn missing(tree: &Tree) -> Vec<Finding> {
    let needed = [
        (TABLE, "the page of the decision table is missing", "number its rows `| 1 |`"),
        (TESTS, "the tests of the decision table are missing", "add a test `row_NN_…` for each row"),
    ];
    let gone = needed.into_iter().filter(|(path, _, _)| !tree.has(path));
    gone.map(|(path, message, remedy)| Finding::of(path, message, remedy)).collect()
}

/// The numbered rows of the table under the heading, with their lines.
fn rows(document: &str) -> BTreeMap<u32, usize> {
    let lines = document
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !is_heading(line) || !line.to_lowercase().contains(HEADING));
    let section = lines.enumerate().take_while(|(at, (_, line))| *at == 0 || !is_heading(line));
    section.filter_map(|(_, (at, line))| Some((number(line)?, at + 1))).collect()
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#')
}

fn number(row: &str) -> Option<u32> {
    row.strip_prefix('|')?.split('|').next()?.trim().parse().ok()
}

/// The numbers in the names of the tests, with their lines.
fn tested(tests: &str) -> BTreeMap<u32, usize> {
    let functions =
        tests.lines().enumerate().filter_map(|(at, line)| Some((at + 1, rust::declaration(line)?)));
    let numbers = functions.filter_map(|(line, found)| {
        Some((found.name.strip_prefix("row_")?.split('_').next()?.parse().ok()?, line))
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_tests_belong_together() {
        let document = "| 7 | another table |\n### The decision table\n| # | row |\n|---|---|\n| 1 | null |\n| 2 | twice |\n## Next\n| 9 | x |\n";
        let tests = "#[test]\nfn row_01_null_key() {}\n#[test]\nfn row_03_gone() {}\nfn row_of() {}\n";
        let tree = Tree::of(&[(TABLE, document), (TESTS, tests)]);
        let found: Vec<_> = check(&tree).into_iter().map(|found| (found.line, found.message)).collect();
        let expected = [
            (6, "row 2 of the decision table has no test".to_owned()),
            (4, "the decision table has no row 3".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
