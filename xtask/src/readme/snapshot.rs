//! A transcript's snapshot as a document shows it: commands with their output, placeholders filled, tables aligned.

/// What commands printed, in their order.
pub(crate) struct Snapshot {
    outputs: Vec<Output>,
    /// The comments, each with the place of the first command below it.
    sections: Vec<(String, usize)>,
}

/// A command and what it printed.
pub(crate) struct Output {
    command: String,
    /// Without the signs of stderr's lines.
    pub(crate) lines: Vec<String>,
    /// The exit code.
    pub(crate) code: u8,
}

/// A word for what differs from run to run, and one such value.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("<n>", "0.0"),
    ("<id>", "01a20d2a-c4c6-7159-9ded-20d419a81ce3"),
    ("<day> <time>", "2026-11-24 10:47:16Z"),
    ("<time>", "2026-11-24T10:47:16Z"),
    ("http://vitally.test", "http://127.0.0.1:7700"),
    ("/project/", "/srv/acme/"),
];

impl Snapshot {
    /// Reads the text of a `.snap` file.
    pub(crate) fn parse(text: &str) -> Self {
        let body = text.splitn(3, "---\n").nth(2).unwrap_or(text);
        let mut outputs: Vec<Output> = Vec::new();
        let mut sections = Vec::new();
        for line in body.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                sections.push((comment.to_owned(), outputs.len()));
            } else if let Some(command) = line.strip_prefix("$ ") {
                outputs.push(Output { command: command.to_owned(), lines: Vec::new(), code: 0 });
            } else if let Some(output) = outputs.last_mut() {
                match exit_code(line) {
                    Some(code) => output.code = code,
                    None => output.lines.push(filled(line)),
                }
            }
        }
        for output in &mut outputs {
            align(&mut output.lines);
        }
        Self { outputs, sections }
    }

    /// The place of the first command below a comment.
    pub(crate) fn section(&self, comment: &str) -> Option<usize> {
        self.sections.iter().find(|(found, _)| found == comment).map(|(_, at)| *at)
    }

    /// The first run of this command from a place on, and where it stands.
    pub(crate) fn output(&self, command: &str, from: usize) -> Option<(usize, &Output)> {
        self.outputs.iter().enumerate().skip(from).find(|(_, output)| output.command == command)
    }
}

fn exit_code(line: &str) -> Option<u8> {
    line.strip_prefix("[exit code ")?.strip_suffix(']')?.parse().ok()
}

fn filled(line: &str) -> String {
    let plain = line.strip_prefix("! ").unwrap_or(if line == "!" { "" } else { line });
    PLACEHOLDERS.iter().fold(plain.to_owned(), |text, (word, value)| text.replace(word, value))
}

/// Gives the columns of tables one width: lines one after the other that are not indented and have as many cells.
fn align(lines: &mut [String]) {
    let mut from = 0;
    while from < lines.len() {
        let count = lines.get(from).map_or(0, |line| cells(line).len());
        let rows = lines.iter().skip(from).take_while(|line| cells(line).len() == count).count().max(1);
        if let Some(table) = lines.get_mut(from..from + rows).filter(|_| count > 2) {
            align_table(table);
        }
        from += rows;
    }
}

/// The cells of an unindented line; what is indented is no row of a table.
fn cells(line: &str) -> Vec<&str> {
    if line.starts_with(' ') {
        return Vec::new();
    }
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

fn align_table(rows: &mut [String]) {
    let table: Vec<Vec<String>> =
        rows.iter().map(|row| cells(row).into_iter().map(str::to_owned).collect()).collect();
    let columns = table.first().map_or(0, Vec::len);
    let column = |at: usize| table.iter().filter_map(move |row| row.get(at));
    let widths: Vec<usize> =
        (0..columns).map(|at| column(at).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let numeric: Vec<bool> = (0..columns).map(|at| column(at).skip(1).all(|cell| is_amount(cell))).collect();
    for (line, row) in rows.iter_mut().zip(&table) {
        let cells = row.iter().zip(&widths).zip(&numeric);
        let cells = cells.map(
            |((cell, width), numeric)| {
                if *numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            },
        );
        cells.collect::<Vec<_>>().join("  ").trim_end().clone_into(line);
    }
}

/// A number, or one with its unit.
fn is_amount(cell: &str) -> bool {
    let number = cell.split(' ').next().unwrap_or_default();
    number.starts_with(|letter: char| letter.is_ascii_digit())
        && number.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, ',' | '.'))
        && cell.len() < 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_placeholders_filled() {
        let text = "---\nsource: a.rs\n---\n$ coho run\nsync  delivered  time  status\naccounts  3  <n> s  completed\n\naccounts: completed\n  3 rows\n";
        let snapshot = Snapshot::parse(text);
        let (_, output) = snapshot.output("coho run", 0).unwrap();
        let expected = [
            "sync      delivered   time  status",
            "accounts          3  0.0 s  completed",
            "",
            "accounts: completed",
            "  3 rows",
        ];
        assert_eq!(output.lines, expected);
    }

    #[test]
    fn talk_loses_its_sign_and_exit_codes_are_apart() {
        let snapshot =
            Snapshot::parse("---\na: b\n---\n$ coho check\n! error: 1 problem\n!\n[exit code 3]\n");
        let (_, output) = snapshot.output("coho check", 0).unwrap();
        assert_eq!(
            (output.lines.as_slice(), output.code),
            (&["error: 1 problem".to_owned(), String::new()][..], 3)
        );
    }
}
