//! What no line of text holds: blanks at its end, tabs, notes to ourselves, hosts of package registries.

use super::tree::{File, Tree};
use super::{Finding, rust};

/// Marks of unfinished work. Split, so that this file does not hold them.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("dbg", "!")];

/// Hosts that only a machine's own configuration names.
const REGISTRIES: [&str; 8] = [
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("github.com/rust-lang/", "crates.io-index"),
    concat!("proxy.", "golang.org"),
    concat!("registry.", "npmjs.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi", ".org"),
    concat!("deb.", "debian.org"),
];

/// Checks every text of ours. Fixtures and snapshots hold what users and programs write, and are free in their form.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let ours = tree.files().filter(|file| !file.path.ends_with("Cargo.lock"));
    ours.flat_map(|file| {
        let form = if is_free(file) { Vec::new() } else { form(file) };
        form.into_iter().chain(registries(file))
    })
    .collect()
}

fn is_free(file: &File) -> bool {
    file.is_in("fixtures") || file.has_extension("snap") || file.path.starts_with("LICENSE")
}

fn form(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let mut find =
            |message: String, remedy: &str| findings.push(Finding::at(&file.path, number, message, remedy));
        if line.ends_with([' ', '\t', '\r']) {
            find("blanks at the end of the line".to_owned(), "remove them");
        }
        if file.has_extension("rs") && line.contains('\t') {
            find("a tab".to_owned(), "indent with spaces; in a text write \\t");
        }
        if let Some(note) = NOTES.into_iter().find(|note| is_noted(line, note)) {
            find(format!("`{note}`"), "finish it, or say in the documents what is not there yet");
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.lines().count();
        findings.push(Finding::at(&file.path, last, "no line end at the end of the file", "add it"));
    }
    findings
}

fn is_noted(line: &str, note: &str) -> bool {
    line.contains(note) && (note.ends_with('!') || rust::mentions(line, note))
}

fn registries(file: &File) -> Vec<Finding> {
    let named = file
        .lines()
        .filter_map(|(number, line)| Some((number, REGISTRIES.iter().find(|host| line.contains(**host))?)));
    named
        .map(|(number, host)| {
            Finding::at(&file.path, number, format!("names the registry {host}"), "leave it out")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_lines_are_found_outside_of_fixtures() {
        let text = format!("fine\nblank \n// {} later\nlast", NOTES[0]);
        let tree = Tree::of(&[("a.md", &text), ("crates/a/fixtures/b/c.yaml", &text), ("b.rs", "\t\n")]);
        let found: Vec<_> =
            check(&tree).into_iter().map(|found| (found.path, found.line, found.message)).collect();
        let expected = [
            ("a.md", 2, "blanks at the end of the line".to_owned()),
            ("a.md", 3, format!("`{}`", NOTES[0])),
            ("a.md", 4, "no line end at the end of the file".to_owned()),
            ("b.rs", 1, "blanks at the end of the line".to_owned()),
            ("b.rs", 1, "a tab".to_owned()),
        ];
        assert_eq!(found, expected.map(|(path, line, message)| (path.to_owned(), line, message)));
    }

    #[test]
    fn a_registry_is_found_in_a_fixture_too() {
        let tree = Tree::of(&[("fixtures/a/b.yaml", &format!("url: https://{}\n", REGISTRIES[4]))]);
        assert_eq!(check(&tree).len(), 1);
    }
}
