//! The code map: `docs/architecture.md` names every crate and none that is gone, and every path that a document names exists. Each
//! decision's heading has its number.

use super::Finding;
use super::tree::{File, Tree};
use crate::workspace::Package;

/// The document that describes the whole.
pub(crate) const ARCHITECTURE: &str = "docs/architecture.md";

/// Where decisions are.
const DECISIONS: &str = "docs/decisions/";

/// Folders of ours that documents name.
const FOLDERS: [&str; 4] = ["crates/", "xtask/", "docs/", ".ci/"];

/// Checks the code map and all documents.
pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let paths = documents(tree).flat_map(|file| paths(tree, file));
    let headings = documents(tree).filter_map(decision_heading);
    code_map(tree, packages).into_iter().chain(paths).chain(headings).collect()
}

/// A decision's heading has the number of its file: `# 0042: What was decided`.
fn decision_heading(file: &File) -> Option<Finding> {
    let (number, _) = file.path.strip_prefix(DECISIONS)?.split_once('-')?;
    let (_, first) = file.lines().next()?;
    let expected = format!("# {number}: ");
    let is_right = first.strip_prefix(&expected).is_some_and(|title| !title.trim().is_empty());
    (!is_right).then(|| {
        Finding::of(
            &file.path,
            format!("`{first}` is not the heading of this decision"),
            format!("begin it with `{expected}`"),
        )
    })
}

/// The documents that describe the project.
pub(crate) fn documents(tree: &Tree) -> impl Iterator<Item = &File> {
    let is_ours = |file: &&File| file.path.starts_with("docs/") || !file.path.contains('/');
    tree.files().filter(|file| file.has_extension("md")).filter(is_ours)
}

fn code_map(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let Some(text) = tree.text(ARCHITECTURE) else {
        return vec![Finding::of(
            ARCHITECTURE,
            "the document is missing",
            "describe each crate and what it knows nothing of",
        )];
    };
    let rows = |name: &str| text.lines().any(|line| line.starts_with(&format!("| `{name}`")));
    let unnamed = packages.iter().filter(|package| !rows(&package.name));
    let unnamed = unnamed.map(|package| {
        let message = format!("the table of crates has no row for {}", package.name);
        Finding::of(ARCHITECTURE, message, format!("add a row that begins | `{}` |", package.name))
    });
    let lines = text.lines().enumerate();
    let gone = lines.flat_map(|(at, line)| crates_in(line).map(move |name| (at + 1, name)));
    let gone = gone.filter(|(_, name)| packages.iter().all(|package| package.name != *name));
    let gone = gone.map(|(line, name)| {
        Finding::at(
            ARCHITECTURE,
            line,
            format!("{name} is not a crate of the workspace"),
            "describe what is there",
        )
    });
    unnamed.chain(gone).collect()
}

/// Names of crates in backticks: `` `coho-core` ``.
fn crates_in(line: &str) -> impl Iterator<Item = &str> {
    let spans = line.split('`').skip(1).step_by(2);
    spans.filter(|span| {
        span.starts_with("coho-") && span.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    })
}

fn paths(tree: &Tree, document: &File) -> Vec<Finding> {
    let named = document.lines().flat_map(|(number, line)| paths_in(line).map(move |path| (number, path)));
    let gone = named.filter(|(_, path)| !tree.has(path));
    gone.map(|(number, path)| {
        Finding::at(&document.path, number, format!("{path} does not exist"), "name what is there")
    })
    .collect()
}

/// The words of a line that look like paths of ours.
fn paths_in(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
    let words = line.split(move |letter: char| !is_part(letter));
    let words = words.map(|word| word.trim_end_matches(['.', ':']));
    words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::super::layers::tests::package;
    use super::*;
    use crate::workspace::Layer;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let packages = [
            package("coho-core", Layer::Level(0), true, &[]),
            package("coho-cli", Layer::Level(4), false, &[]),
        ];
        check(&Tree::of(files), &packages)
            .into_iter()
            .map(|found| format!("{}: {}", found.line, found.message))
            .collect()
    }

    #[test]
    fn the_map_names_every_crate_and_none_that_is_gone() {
        let map = "| crate | is |\n|---|---|\n| `coho-core` | nouns |\n| `coho-gone` | old |\n";
        let expected = [
            "1: the table of crates has no row for coho-cli",
            "4: coho-gone is not a crate of the workspace",
        ];
        assert_eq!(found(&[(ARCHITECTURE, map)]), expected);
    }

    #[test]
    fn a_path_that_is_gone_is_found() {
        let map = "| `coho-core` |\n| `coho-cli` |\n";
        let guide = "See `crates/coho-core/src`, crates/coho-core/src/row.rs. Not https://x.y/crates/a.\nOr crates/gone/a.rs.\n";
        let files = [(ARCHITECTURE, map), ("CONTRIBUTING.md", guide), ("crates/coho-core/src/row.rs", "")];
        assert_eq!(found(&files), ["2: crates/gone/a.rs does not exist"]);
    }
    #[test]
    fn a_decision_is_headed_by_its_number() {
        let map = "| `coho-core` |\n| `coho-cli` |\n";
        let files = [
            (ARCHITECTURE, map),
            ("docs/decisions/0001-rows.md", "# 0001: Rows are rows\n"),
            ("docs/decisions/0002-keys.md", "# 0002 Keys are keys\n"),
            ("docs/decisions/README.md", "# Decisions\n"),
        ];
        assert_eq!(found(&files), ["1: `# 0002 Keys are keys` is not the heading of this decision"]);
    }
}
