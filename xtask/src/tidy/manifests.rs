//! The manifests: versions and features of dependencies stand in the root `Cargo.toml`, once; every crate obeys its lints.

use super::Finding;
use super::tree::{File, Tree};
use crate::workspace::Package;

/// The one crate that may have unsafe code, and so repeats the workspace's lints (docs/decisions/0052).
const WITH_UNSAFE_CODE: &str = "crates/coho-powercut/Cargo.toml";

/// Checks the manifest of every crate.
pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let paths: Vec<_> = packages.iter().map(|package| format!("{}/Cargo.toml", package.folder)).collect();
    tree.files().filter(|file| paths.contains(&file.path)).flat_map(manifest).collect()
}

fn manifest(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    for (number, line) in file.lines() {
        let line = line.split_once('#').map_or(line, |(line, _)| line).trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            in_dependencies = table.ends_with("dependencies");
            if table.contains("dependencies.") {
                let remedy = "write `name = { workspace = true, … }` on one line";
                findings.push(Finding::at(
                    &file.path,
                    number,
                    "a dependency with a table of its own",
                    remedy,
                ));
            }
        } else if in_dependencies && !line.is_empty() && !takes_the_workspace(line) {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            let message = format!("`{name}` has a version of its own");
            findings.push(Finding::at(
                &file.path,
                number,
                message,
                "name the version in the root Cargo.toml and say `workspace = true`",
            ));
        }
    }
    let obeys = file.text.replace(' ', "").contains("[lints]\nworkspace=true");
    if !obeys && file.path != WITH_UNSAFE_CODE {
        findings.push(Finding::of(
            &file.path,
            "the crate does not obey the workspace's lints",
            "add `[lints]` with `workspace = true`",
        ));
    }
    findings
}

/// Whether a dependency's line takes its version from the root; a line in the middle of a list belongs to one that does.
fn takes_the_workspace(line: &str) -> bool {
    let line = line.replace(' ', "");
    line.contains("workspace=true") || line.starts_with(['"', ']', '}'])
}

#[cfg(test)]
mod tests {
    use super::super::layers::tests::package;
    use super::*;
    use crate::workspace::Layer;

    #[test]
    fn a_version_in_a_crate_is_found() {
        let text = "[package]\nversion = \"1\"\n[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }\n\
            c = \"1.2\"\n[dev-dependencies.d]\nversion = \"1\"\n[lints]\nworkspace = true\n";
        let tree = Tree::of(&[("crates/a/Cargo.toml", text)]);
        let found = check(&tree, &[package("a", Layer::Dev, false, &[])]);
        let lines: Vec<_> = found.iter().map(|finding| (finding.line, finding.message.as_str())).collect();
        assert_eq!(lines, [(6, "`c` has a version of its own"), (7, "a dependency with a table of its own")]);
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let tree = Tree::of(&[("crates/a/Cargo.toml", "[package]\n")]);
        assert_eq!(check(&tree, &[package("a", Layer::Dev, false, &[])]).len(), 1);
    }
}
