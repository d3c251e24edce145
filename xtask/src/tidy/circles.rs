//! Circles: the files of a crate import each other in one direction only.
//!
//! The rule, over the `use` lines of production code and paths that begin with `crate::`:
//!
//! - a file may import from any file of its crate, as long as no circle comes of it;
//! - a folder's parent, `a.rs` beside `a/`, may name its children, whatever they import: it is their table of contents. So
//!   what a child takes from its parent, with `super::`, makes no circle with that. Only types may be taken so (names in
//!   capitals): a function that children share belongs in a file beside them.
//!
//! Crates in which that does not hold yet are listed here, so that no further one joins them.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{File, Tree};
use super::{Finding, rust};
use crate::workspace::Package;

/// Crates in which it does not hold yet.
const UNTIDY: [&str; 8] = [
    "coho-core",
    "coho-ledger",
    "coho-project",
    "coho-report",
    "coho-simulator",
    "coho-source",
    "coho-vitally",
    "xtask",
];

/// Files by their modules, `["send", "intend"]`; the root is empty.
type Module = Vec<String>;

/// Checks every crate in which it holds.
pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let tidy = packages.iter().filter(|package| !UNTIDY.contains(&package.name.as_str()));
    tidy.flat_map(|package| check_crate(tree, &format!("{}/src", package.folder))).collect()
}

fn check_crate(tree: &Tree, folder: &str) -> Vec<Finding> {
    let files: BTreeMap<Module, &File> = tree
        .under(folder)
        .filter(|file| file.has_extension("rs") && !rust::is_test_file(file))
        .filter_map(|file| Some((module(&file.path, folder)?, file)))
        .collect();
    let mut arrows: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    let mut findings = Vec::new();
    for (from, file) in &files {
        for import in imports(file, from) {
            let Some((to, _)) = resolve(&files, &import.path) else { continue };
            if to == from {
                continue;
            }
            if is_parent(to, from) {
                findings.extend(from_parent(file, &import, to.len()));
            } else {
                arrows.entry(from).or_default().insert(to);
            }
        }
    }
    findings.extend(circles(&arrows).into_iter().map(|circle| told(&files, &circle)));
    findings
}

/// The module of a file; none for the roots of a program beside a library.
fn module(path: &str, folder: &str) -> Option<Module> {
    let path = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
    match path {
        "lib" | "main" => Some(Vec::new()),
        _ if path.starts_with("bin/") => None,
        _ => Some(path.split('/').map(str::to_owned).collect()),
    }
}

/// Whether one file is the parent of another: `send.rs` of `send/intend.rs`, and what lies deeper.
fn is_parent(parent: &Module, child: &Module) -> bool {
    !parent.is_empty() && child.len() > parent.len() && child.starts_with(parent)
}

/// A path that is imported, from the crate's root.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    path: Vec<String>,
}

/// What a file imports from its own crate.
fn imports(file: &File, module: &Module) -> Vec<Import> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (line, text) in rust::production(file) {
        let code = rust::code(text).trim();
        let code = code.strip_prefix("pub(crate) ").or(code.strip_prefix("pub ")).unwrap_or(code);
        match &mut open {
            Some((_, text)) => text.push_str(code),
            None if code.starts_with("use ") => open = Some((line, code.to_owned())),
            None => found.extend(paths_in(code).map(|path| (line, path))),
        }
        if let Some((line, text)) = open.take_if(|(_, text)| text.ends_with(';')) {
            let tree = text.trim_start_matches("use ").trim_end_matches(';');
            found.extend(leaves(tree).into_iter().map(|path| (line, path)));
        }
    }
    let rooted = |(line, path): (usize, Vec<String>)| Some(Import { line, path: rooted(&path, module)? });
    found.into_iter().filter_map(rooted).collect()
}

/// Paths of the crate that stand in code.
fn paths_in(code: &str) -> impl Iterator<Item = Vec<String>> {
    code.match_indices("crate::").filter_map(|(at, _)| {
        let rest = code.get(at..)?;
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
        let path = rest.get(..end.unwrap_or(rest.len()))?;
        Some(path.split("::").map(str::to_owned).collect())
    })
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let tree = tree.split(" as ").next().unwrap_or(tree);
    let Some((head, rest)) = tree.split_once('{') else {
        return vec![tree.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let head: Vec<String> =
        head.trim_end_matches("::").split("::").map(|part| part.trim().to_owned()).collect();
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for letter in rest.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            items.push(std::mem::take(&mut item));
        } else {
            item.push(letter);
        }
    }
    items.push(item);
    let items = items.iter().filter(|item| !item.trim().is_empty()).flat_map(|item| leaves(item));
    items.map(|tail| head.iter().cloned().chain(tail).collect()).collect()
}

/// The path from the crate's root; none where it is another crate's.
fn rooted(path: &[String], module: &Module) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let base: Vec<String> = match first.as_str() {
        "crate" => Vec::new(),
        "self" => module.clone(),
        "super" => module.split_last()?.1.to_vec(),
        _ => return None,
    };
    if rest.first().is_some_and(|next| next == "super") {
        return rooted(rest, &base);
    }
    Some(base.into_iter().chain(rest.iter().cloned()).filter(|part| part != "self").collect())
}

/// The file that a path leads to, with what of the path lies in it.
fn resolve<'a>(files: &'a BTreeMap<Module, &File>, path: &[String]) -> Option<(&'a Module, Vec<String>)> {
    (0..=path.len()).rev().find_map(|length| {
        let (module, _) = files.get_key_value(path.get(..length)?)?;
        Some((module, path.get(length..)?.to_vec()))
    })
}

/// A child may take types from its parent, and nothing else.
fn from_parent(file: &File, import: &Import, parent: usize) -> Option<Finding> {
    let name = import.path.get(parent)?;
    let is_type = name.chars().next().is_some_and(char::is_uppercase);
    (!is_type).then(|| {
        Finding::at(
            &file.path,
            import.line,
            format!("`{name}` is taken from the folder's parent"),
            "children take types from it; put what they share in a file beside them",
        )
    })
}

/// The circles, each as its smallest set of files that reach each other.
fn circles<'a>(arrows: &BTreeMap<&'a Module, BTreeSet<&'a Module>>) -> Vec<Vec<&'a Module>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        arrows.keys().map(|from| (*from, reached(arrows, from))).collect();
    let reaches = |from: &Module, to: &Module| reach.get(from).is_some_and(|found| found.contains(to));
    let mut circles: BTreeSet<Vec<&Module>> = BTreeSet::new();
    for (from, found) in &reach {
        if found.contains(*from) {
            circles.insert(found.iter().copied().filter(|to| reaches(to, from)).collect());
        }
    }
    circles.into_iter().collect()
}

fn reached<'a>(
    arrows: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
    from: &'a Module,
) -> BTreeSet<&'a Module> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        let further = arrows.get(next).into_iter().flatten().copied();
        open.extend(further.filter(|to| found.insert(*to)));
    }
    found
}

fn told(files: &BTreeMap<Module, &File>, circle: &[&Module]) -> Finding {
    let name = |module: &&Module| if module.is_empty() { "lib".to_owned() } else { module.join("/") };
    let names: Vec<_> = circle.iter().map(name).collect();
    let path = circle.first().and_then(|first| files.get(*first)).map_or("", |file| file.path.as_str());
    Finding::of(
        path,
        format!("{} import each other in a circle", names.join(", ")),
        "move what both need to a file of its own",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::layers::tests::package;
    use crate::workspace::Layer;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(files);
        let packages = [package("a", Layer::Level(0), false, &[])];
        check(&tree, &packages).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn files_that_import_each_other_are_found() {
        let files = [
            ("crates/a/src/lib.rs", "mod b;\nmod c;\nmod d;\n"),
            ("crates/a/src/b.rs", "use crate::{\n    c::C,\n};\n"),
            ("crates/a/src/c.rs", "fn c() -> crate::d::D {}\n"),
            ("crates/a/src/d.rs", "pub(crate) use crate::b::B as Other;\nuse std::fmt;\n"),
        ];
        assert_eq!(messages(&files), ["b, c, d import each other in a circle"]);
    }

    #[test]
    fn a_parent_names_its_children_and_they_take_its_types() {
        let files = [
            ("crates/a/src/b.rs", "use self::c::C;\nuse self::d::d;\n"),
            ("crates/a/src/b/c.rs", "use super::B;\nuse super::d::D;\n"),
            ("crates/a/src/b/d.rs", "use super::{B, helps};\n"),
        ];
        assert_eq!(messages(&files), ["`helps` is taken from the folder's parent"]);
    }

    #[test]
    fn cousins_make_circles_too() {
        let files = [
            ("crates/a/src/b/c.rs", "use crate::d::e::E;\n"),
            ("crates/a/src/d/e.rs", "use crate::b::c::{self, C};\n"),
            ("crates/a/src/f.rs", "use crate::b::c::C;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"),
        ];
        assert_eq!(messages(&files), ["b/c, d/e import each other in a circle"]);
    }
}
