//! No import renames what it imports: a name that is clear without its path needs no other. `as _` brings in a trait's methods only.

use super::tree::{File, Tree};
use super::{Finding, rust};

/// Checks every Rust file, tests too.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(renamed).collect()
}

fn renamed(file: &File) -> Vec<Finding> {
    let mut is_import = false;
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let code = rust::code(line);
        is_import |= begins(code);
        if let Some(name) = Some(code).filter(|_| is_import).and_then(alias) {
            let message = format!("an import is renamed to `{name}`");
            let remedy = "import the module and write its name before the other, or rename the type";
            findings.push(Finding::at(&file.path, number, message, remedy));
        }
        is_import &= !code.contains(';');
    }
    findings
}

/// Whether an import begins here: `use …`, `pub use …`, `pub(crate) use …`.
fn begins(code: &str) -> bool {
    let code = code.trim_start();
    let rest = code.strip_prefix("pub").map_or(code, |rest| {
        rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest)
    });
    rest.trim_start().starts_with("use ")
}

/// The other name in an import, if there is one.
fn alias(code: &str) -> Option<&str> {
    let names = code.split(" as ").skip(1);
    let mut names =
        names.filter_map(|rest| rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next());
    names.find(|name| !name.is_empty() && *name != "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check(&Tree::of(&[("crates/a/src/lib.rs", text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_import_with_another_name_is_found() {
        let text = "pub(crate) use a::{\n    B,\n    C as D,\n};\nuse e::F as G;\n";
        let found = found(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/a/src/lib.rs:3: an import is renamed to `D`"), "{found:?}");
        assert!(found[1].starts_with("crates/a/src/lib.rs:5: an import is renamed to `G`"), "{found:?}");
    }

    #[test]
    fn methods_of_traits_and_casts_are_not_imports() {
        assert_eq!(found("use a::{B as _, C};\nlet d = c as f64; // use e as f;\n"), Vec::<String>::new());
    }
}
