//! Snapshots name the test that writes them: a `.snap` whose test is gone is checked by nobody.

use super::Finding;
use super::tree::{File, Tree};

/// Checks every snapshot.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().filter(|file| file.has_extension("snap")).filter_map(|file| orphan(tree, file)).collect()
}

fn orphan(tree: &Tree, snapshot: &File) -> Option<Finding> {
    let remedy = "remove the snapshot, or run its test again";
    let Some(source) = snapshot.source() else {
        return snapshot
            .is_in("snapshots")
            .then(|| Finding::of(&snapshot.path, "the snapshot names no test", remedy));
    };
    let Some(text) = tree.text(source) else {
        return Some(Finding::of(&snapshot.path, format!("its test {source} is gone"), remedy));
    };
    let name = name(&snapshot.path);
    let is_orphan = snapshot.is_in("snapshots") && !text.contains(name);
    is_orphan
        .then(|| Finding::of(&snapshot.path, format!("{source} has no test or snapshot `{name}`"), remedy))
}

/// The name that the test gave: `crate__module__some_name-2.snap` → `some_name`.
fn name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = file.trim_end_matches(".snap").rsplit("__").next().unwrap_or(file);
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once('-') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: &str = "---\nsource: crates/a/tests/b.rs\nexpression: text\n---\nsource: nothing\n";

    #[test]
    fn a_snapshot_of_a_living_test_is_fine() {
        let test = "#[test]\nfn help_is_short() {}\n";
        let snapshots = "crates/a/tests/snapshots";
        let files = [
            ("crates/a/tests/b.rs", test),
            (&*format!("{snapshots}/b__help_is_short.snap"), SNAPSHOT),
            (&*format!("{snapshots}/b__help_is_short-2.snap"), SNAPSHOT),
            ("crates/a/fixtures/topic/case.snap", SNAPSHOT),
        ];
        assert_eq!(check(&Tree::of(&files)), []);
    }

    #[test]
    fn a_snapshot_whose_test_is_gone_is_found() {
        let files = [
            ("crates/a/tests/c.rs", ""),
            ("crates/a/tests/snapshots/c__old.snap", "---\nsource: crates/a/tests/c.rs\n---\n"),
            ("crates/a/tests/snapshots/b__old.snap", SNAPSHOT),
        ];
        let found: Vec<_> = check(&Tree::of(&files)).into_iter().map(|found| found.message).collect();
        assert_eq!(
            found,
            ["its test crates/a/tests/b.rs is gone", "crates/a/tests/c.rs has no test or snapshot `old`"]
        );
    }
}
