//! No two public types of the workspace share a name. `shared-names.txt` has those that still do; it only shrinks.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{File, Tree};
use super::{Finding, rust};

/// The names that several types still have, one a line.
const SHARED: &str = "xtask/src/tidy/shared-names.txt";

/// Crates whose types nobody meets beside others.
const APART: [&str; 2] = ["crates/coho-bench/", "crates/coho-testkit/"];

/// A public type: its file and line.
type Place<'a> = (&'a str, usize);

/// Checks all crates.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let allowed = allowed(tree);
    let types = types(tree);
    let several = |name: &str| types.get(name).is_some_and(|places| files(places).len() > 1);
    let shared = types.iter().filter(|(name, _)| several(name) && !allowed.contains_key(*name));
    let shared =
        shared.flat_map(|(name, places)| places.iter().skip(1).map(move |place| (name, places, place)));
    let shared = shared.map(|(name, places, (path, line))| {
        let first = places.first().map_or("", |(path, _)| *path);
        let message = format!("the public type `{name}` has the name of one in {first}");
        Finding::at(path, *line, message, "give it a name of its own")
    });
    let gone = allowed.iter().filter(|(name, _)| !several(name));
    let gone = gone.map(|(name, line)| {
        Finding::at(
            SHARED,
            *line,
            format!("no two public types are named `{name}` any more"),
            "remove the line",
        )
    });
    shared.chain(gone).collect()
}

fn allowed(tree: &Tree) -> BTreeMap<&str, usize> {
    let lines = tree.text(SHARED).unwrap_or_default().lines().enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(at, line)| (line, at + 1))
        .collect()
}

fn files<'a>(places: &[Place<'a>]) -> BTreeSet<&'a str> {
    places.iter().map(|(path, _)| *path).collect()
}

fn types(tree: &Tree) -> BTreeMap<&str, Vec<Place<'_>>> {
    let sources = tree.rust().filter(|file| file.path.starts_with("crates/") && file.is_in("src"));
    let sources = sources.filter(|file| !APART.iter().any(|apart| file.path.starts_with(apart)));
    let mut types: BTreeMap<&str, Vec<Place<'_>>> = BTreeMap::new();
    for (name, place) in sources.flat_map(public) {
        types.entry(name).or_default().push(place);
    }
    types
}

fn public(file: &File) -> impl Iterator<Item = (&str, Place<'_>)> {
    rust::production(file).into_iter().filter(|(_, line)| line.starts_with("pub ")).filter_map(
        |(number, line)| {
            let found = rust::declaration(line)?;
            let is_type = matches!(found.keyword, "struct" | "enum" | "trait" | "type");
            is_type.then_some((found.name, (file.path.as_str(), number)))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(shared: &str) -> Vec<String> {
        let files = [
            ("crates/a/src/lib.rs", "pub struct Row;\npub(crate) struct Key;\n"),
            ("crates/b/src/row.rs", "pub enum Row {}\npub struct Key;\n"),
            ("crates/coho-bench/src/row.rs", "pub struct Row;\n"),
            (SHARED, shared),
        ];
        check(&Tree::of(&files)).into_iter().map(|found| found.to_string()).collect()
    }

    #[test]
    fn a_name_of_two_public_types_is_found() {
        let expected = [
            "crates/b/src/row.rs:1: the public type `Row` has the name of one in crates/a/src/lib.rs; give it a name of its own",
        ];
        assert_eq!(found(""), expected);
        assert_eq!(found("# why\nRow\n"), Vec::<String>::new());
    }

    #[test]
    fn an_exception_that_is_not_needed_is_found() {
        assert!(found("Row\nKey\n")[0].contains("shared-names.txt:2"));
    }
}
