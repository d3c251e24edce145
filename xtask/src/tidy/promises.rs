//! Tables of promises: `docs/seed.md` (Hightouch's page, row by row) and `docs/guarantees.md`. Each row is complete and numbered, and
//! each test, fixture and command that its last cell names exists.

use super::tree::{File, Tree};
use super::{Finding, rust};

/// A document with a table of promises.
struct Document {
    path: &'static str,
    /// What its ids begin with: `S` of `S01`.
    letter: char,
    /// The id, what is promised, and at last what shows it.
    cells: usize,
}

const DOCUMENTS: [Document; 2] = [
    Document { path: "docs/seed.md", letter: 'S', cells: 4 },
    Document { path: "docs/guarantees.md", letter: 'G', cells: 3 },
];

/// Where the verbs and flags of `coho` are declared.
const ARGUMENTS: &str = "crates/coho-cli/src/args.rs";

/// A row of a table: its line, its number and its cells.
struct Row<'a> {
    document: &'static Document,
    line: usize,
    number: u32,
    cells: Vec<&'a str>,
}

impl Row<'_> {
    fn id(&self) -> String {
        format!("{}{:02}", self.document.letter, self.number)
    }
}

/// Checks every row of every document.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    DOCUMENTS.iter().flat_map(|document| promises(tree, document)).collect()
}

fn promises(tree: &Tree, document: &'static Document) -> Vec<Finding> {
    let Some(text) = tree.files().find(|file| file.path == document.path) else {
        let remedy = "say of each promise what shows that it is kept";
        return vec![Finding::of(document.path, "the document is missing", remedy)];
    };
    let rows: Vec<_> = text.lines().filter_map(|(line, text)| row(document, line, text)).collect();
    if rows.is_empty() {
        let remedy = format!("begin each with its id: `| {}01 |`", document.letter);
        return vec![Finding::of(document.path, "there is no row", remedy)];
    }
    let named = rows.iter().flat_map(|row| proofs(tree, row));
    numbers(&rows).into_iter().chain(rows.iter().flat_map(form)).chain(named).collect()
}

/// A line that begins with an id such as `S01`.
fn row<'a>(document: &'static Document, line: usize, text: &'a str) -> Option<Row<'a>> {
    let inner = text.strip_prefix('|')?.trim_end();
    let cells = cells(inner.strip_suffix('|').unwrap_or(inner));
    let digits = cells.first()?.strip_prefix(document.letter)?;
    let number = digits.parse().ok().filter(|_| digits.len() >= 2)?;
    Some(Row { document, line, number, cells })
}

/// The cells between unescaped bars.
fn cells(text: &str) -> Vec<&str> {
    let (mut cells, mut from, mut escaped) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if letter == '|' && !escaped {
            cells.push(text.get(from..at).unwrap_or_default().trim());
            from = at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    cells.push(text.get(from..).unwrap_or_default().trim());
    cells
}

fn numbers(rows: &[Row<'_>]) -> Vec<Finding> {
    let expected = 1_u32..;
    let wrong = rows.iter().zip(expected).find(|(row, expected)| row.number != *expected);
    let finding = wrong.map(|(row, expected)| {
        let letter = row.document.letter;
        let message = format!("row {} stands where {letter}{expected:02} is due", row.id());
        finding(row, message, "number the rows without gaps, in their order")
    });
    finding.into_iter().collect()
}

fn form(row: &Row<'_>) -> Vec<Finding> {
    let expected = row.document.cells;
    if row.cells.len() != expected {
        let message = format!("row {} has {} cells in place of {expected}", row.id(), row.cells.len());
        return vec![finding(row, message, "escape a bar within a cell as \\|")];
    }
    let empty = row.cells.iter().position(|cell| cell.is_empty());
    let empty = empty.map(|at| {
        finding(row, format!("cell {} of row {} is empty", at + 1, row.id()), "say what belongs there")
    });
    empty.into_iter().collect()
}

/// What the last cell names, in backticks: a file, functions of the Rust file before them, a command.
fn proofs(tree: &Tree, row: &Row<'_>) -> Vec<Finding> {
    let Some(cell) = row.cells.get(row.document.cells - 1) else { return Vec::new() };
    let (mut findings, mut shown, mut file) = (Vec::new(), 0, None);
    for name in cell.split('`').skip(1).step_by(2) {
        let wrong = if name.split(' ').next() == Some("coho") {
            why_no_command(tree, name)
        } else if name.contains('/') {
            file = tree.files().find(|file| file.path == name);
            why_no_file(file, name)
        } else {
            why_no_test(file, name)
        };
        let is_source = file.is_some_and(|file| file.path == name && file.has_extension("rs"));
        match wrong {
            None => shown += usize::from(!is_source),
            Some(message) => findings.push(finding(row, message, "name what is there")),
        }
    }
    if shown == 0 && findings.is_empty() {
        let message = format!("nothing shows row {}", row.id());
        findings.push(finding(row, message, "name a test of a file, a fixture, or a command, in backticks"));
    }
    findings
}

fn finding(row: &Row<'_>, message: String, remedy: &str) -> Finding {
    Finding::at(row.document.path, row.line, message, remedy)
}

fn why_no_file(file: Option<&File>, name: &str) -> Option<String> {
    match file {
        Some(file) if file.has_extension("rs") || file.is_in("fixtures") => None,
        Some(_) => Some(format!("{name} is neither a fixture nor a Rust file")),
        None => Some(format!("{name} does not exist")),
    }
}

/// A test is a function below an attribute such as `#[test]` or `#[tokio::test]`.
fn why_no_test(file: Option<&File>, name: &str) -> Option<String> {
    let Some(file) = file else { return Some(format!("`{name}` follows no file that has it")) };
    let mut is_test = false;
    for (_, line) in file.lines() {
        let line = line.trim();
        if rust::declaration(line).is_some_and(|found| found.keyword == "fn" && found.name == name) {
            let no_test = || format!("`{name}` in {} is no test", file.path);
            return (!is_test).then(no_test);
        }
        let attribute = line.starts_with("#[");
        is_test = (is_test && (attribute || line.starts_with("//")))
            || (attribute && (line.starts_with("#[test]") || line.contains("::test")));
    }
    Some(format!("{} has no test `{name}`", file.path))
}

fn why_no_command(tree: &Tree, command: &str) -> Option<String> {
    let Some(arguments) = tree.text(ARGUMENTS) else { return Some(format!("{ARGUMENTS} is missing")) };
    let mut words = command.split(' ').skip(1);
    let Some(verb) = words.next() else { return Some("`coho` alone shows nothing".to_owned()) };
    if !verbs(arguments).any(|found| found == verb) {
        return Some(format!("there is no verb `coho {verb}`"));
    }
    let unknown = words.filter_map(|word| word.strip_prefix("--")).find(|flag| !has_flag(arguments, flag));
    unknown.map(|flag| format!("no verb has the flag --{flag}"))
}

/// The verbs as they are typed: members of `enum Verb`, in lower case with hyphens.
fn verbs(arguments: &str) -> impl Iterator<Item = String> {
    let body = arguments.lines().skip_while(|line| !line.ends_with("enum Verb {")).skip(1);
    let members = body.take_while(|line| *line != "}").filter_map(|line| line.strip_prefix("    "));
    members.filter(|line| line.starts_with(char::is_uppercase)).map(|line| {
        let name = line.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        rust::words(name).join("-")
    })
}

fn has_flag(arguments: &str, flag: &str) -> bool {
    let (member, given) = (format!("{}: ", flag.replace('-', "_")), format!("long = \"{flag}\""));
    arguments.lines().any(|line| {
        let line = line.trim();
        line.strip_prefix("pub(crate) ").unwrap_or(line).starts_with(&member) || line.contains(&given)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str = "crates/a/tests/a.rs";
    const SOURCE: &str = "\
#[test]
#[expect(clippy::panic, reason = \"a reason\")]
fn rows_are_sent() {}

#[tokio::test(flavor = \"current_thread\")]
async fn rows_wait() {}

fn stage() {}
";
    const VERBS: &str = "\
enum Verb {
    /// Sends.
    Run {
        #[arg(long)]
        new_ledger: bool,
    },
    DryRun(Rows),
    Demo,
}
enum Other {
    Gone,
}
";

    fn found(rows: &str) -> Vec<String> {
        let [seed, _] = &DOCUMENTS;
        let files =
            [(seed.path, rows), (TESTS, SOURCE), (ARGUMENTS, VERBS), ("crates/a/fixtures/b/c.yaml", "")];
        let findings = promises(&Tree::of(&files), seed).into_iter();
        findings.map(|found| format!("{}: {}", found.line, found.message)).collect()
    }

    #[test]
    fn whole_rows_that_name_what_is_there_pass() {
        let rows = "\
| id | the page | Coho | shown by |
|---|---|---|---|
| S01 | rows are sent | so they are | `crates/a/tests/a.rs`: `rows_are_sent`, `rows_wait` |
| S02 | `{{ \\| x }}` | as it is | `crates/a/fixtures/b/c.yaml` |
| S03 | a button | a command | `coho run --new-ledger`, `coho dry-run`, `coho demo` |
";
        assert_eq!(found(rows), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_is_found() {
        let rows = "\
| S01 | a | b | `crates/a/tests/a.rs`: `rows_fly` |
| S02 | a | b | `crates/a/tests/a.rs`: `stage` |
| S03 | a | b | `crates/a/fixtures/b/gone.yaml` |
| S04 | a | b | `coho gone` |
| S05 | a | b | `coho run --old-ledger` |
| S06 | a | b | `rows_are_sent` |
";
        let expected = [
            "1: crates/a/tests/a.rs has no test `rows_fly`",
            "2: `stage` in crates/a/tests/a.rs is no test",
            "3: crates/a/fixtures/b/gone.yaml does not exist",
            "4: there is no verb `coho gone`",
            "5: no verb has the flag --old-ledger",
            "6: `rows_are_sent` follows no file that has it",
        ];
        assert_eq!(found(rows), expected);
    }

    #[test]
    fn a_row_that_nothing_shows_is_found() {
        let rows = "| S01 | a | b | trust us |\n| S02 | a | b | `crates/a/tests/a.rs` |\n";
        assert_eq!(found(rows), ["1: nothing shows row S01", "2: nothing shows row S02"]);
    }

    #[test]
    fn gaps_and_empty_cells_are_found() {
        let rows = "\
| S01 | a |  | `coho run` |
| S03 | a | b | `coho run` |
| S04 | a | b | c | `coho run` |
";
        let expected = [
            "2: row S03 stands where S02 is due",
            "1: cell 3 of row S01 is empty",
            "3: row S04 has 5 cells in place of 4",
            "3: nothing shows row S04",
        ];
        assert_eq!(found(rows), expected);
    }

    #[test]
    fn each_document_has_ids_of_its_own() {
        let [_, guarantees] = &DOCUMENTS;
        let files = [(guarantees.path, "| G01 | a | `coho gone` |\n"), (ARGUMENTS, VERBS)];
        let found = promises(&Tree::of(&files), guarantees).into_iter();
        assert_eq!(found.map(|found| found.message).collect::<Vec<_>>(), ["there is no verb `coho gone`"]);
    }

    #[test]
    fn a_missing_document_is_found() {
        assert_eq!(check(&Tree::of(&[])).len(), DOCUMENTS.len());
    }
}
