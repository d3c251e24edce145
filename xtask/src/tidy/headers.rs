//! How files begin and how long they are: a header that says purpose and neighbours, a front page for every library.

use super::tree::{File, Tree};
use super::{Finding, rust};
use crate::workspace::Package;

/// No file of ours that is not a test is longer.
const LONGEST: usize = 500;

/// Crates that others build on: each shows how in `examples/`.
const WITH_EXAMPLES: [&str; 3] = ["coho-core", "coho-engine", "coho-vitally"];

/// Checks every Rust file and every library.
pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let files = tree.rust().flat_map(|file| header(file).into_iter().chain(length(file)));
    let libraries = packages.iter().filter(|package| package.library);
    let pages = libraries.filter_map(|package| front_page(tree, package));
    let examples = packages.iter().filter_map(|package| examples(tree, package));
    files.chain(pages).chain(examples).collect()
}

fn header(file: &File) -> Option<Finding> {
    let begins_well = file
        .text
        .strip_prefix("//! ")
        .is_some_and(|rest| rest.starts_with(|letter: char| !letter.is_whitespace()));
    (!begins_well).then(|| {
        Finding::of(
            &file.path,
            "the file has no header",
            "begin it with `//!`: its purpose and its neighbours",
        )
    })
}

fn length(file: &File) -> Option<Finding> {
    let length = rust::production(file).len();
    let too_long = || {
        Finding::at(
            &file.path,
            LONGEST,
            format!("the file has {length} lines"),
            "split it by what its parts are for",
        )
    };
    (length > LONGEST).then(too_long)
}

fn front_page(tree: &Tree, package: &Package) -> Option<Finding> {
    let path = format!("{}/src/lib.rs", package.folder);
    let text = tree.text(&path)?;
    let has_example =
        text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.starts_with("//! ```"));
    (!has_example).then(|| {
        let message = format!("the front page of {} has no example", package.name);
        Finding::of(&path, message, "show in a code block of the `//!` header how the crate is used")
    })
}

fn examples(tree: &Tree, package: &Package) -> Option<Finding> {
    let folder = format!("{}/examples", package.folder);
    let is_missing = WITH_EXAMPLES.contains(&package.name.as_str()) && !tree.has(&folder);
    is_missing.then(|| {
        let message = format!("{} has no examples", package.name);
        Finding::of(
            &format!("{}/Cargo.toml", package.folder),
            message,
            format!("add a small program to {folder}/"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::layers::tests::package;
    use super::*;
    use crate::workspace::Layer;

    fn messages(tree: &Tree, packages: &[Package]) -> Vec<String> {
        check(tree, packages)
            .into_iter()
            .map(|finding| format!("{}: {}", finding.path, finding.message))
            .collect()
    }

    #[test]
    fn a_file_without_header_is_found() {
        let tree =
            Tree::of(&[("a.rs", "//! A.\n"), ("b.rs", "fn b() {}\n"), ("c.rs", "//!\n"), ("d.rs", "")]);
        let expected = ["b.rs", "c.rs", "d.rs"].map(|path| format!("{path}: the file has no header"));
        assert_eq!(messages(&tree, &[]), expected);
    }

    #[test]
    fn only_lines_before_the_tests_count() {
        let long = format!("//! A.\n{}", "fn a() {}\n".repeat(500));
        let tested = format!("//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(500));
        let tree = Tree::of(&[("long.rs", &long), ("tested.rs", &tested), ("tests/long.rs", &long)]);
        assert_eq!(messages(&tree, &[]), ["long.rs: the file has 501 lines"]);
    }

    #[test]
    fn a_library_shows_how_it_is_used() {
        let tree = Tree::of(&[("crates/coho-core/src/lib.rs", "//! Nouns.\n\n/// ```\n")]);
        let expected = [
            "crates/coho-core/src/lib.rs: the front page of coho-core has no example",
            "crates/coho-core/Cargo.toml: coho-core has no examples",
        ];
        assert_eq!(messages(&tree, &[package("coho-core", Layer::Level(0), true, &[])]), expected);
    }
}
