//! Fixtures and their snapshots: a case is an input (a file, a folder, or several files of one stem) with `<stem>.snap` beside
//! it, in a folder of its topic under `fixtures/`. An input without a snapshot is a case that nobody runs.
//!
//! A topic whose inputs have no snapshots, or whose snapshots no inputs, says why in its `README.md`, in a line that begins
//! `No snapshots:` or `No inputs:`.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::{Tree, inside};

const EXEMPTIONS: [&str; 2] = ["No snapshots:", "No inputs:"];

/// Checks the topics of every crate and of the workspace.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let topics: BTreeSet<String> = tree.files().filter_map(|file| topic(&file.path)).collect();
    let cases = topics.iter().flat_map(|topic| cases(tree, topic));
    cases.chain(leftovers(tree)).collect()
}

/// The folder of the topic that a path belongs to: `crates/a/fixtures/mapping/b/c.yaml` → `crates/a/fixtures/mapping`.
fn topic(path: &str) -> Option<String> {
    let rest =
        inside(path, "fixtures").map(|rest| ("fixtures", rest)).or_else(|| path.split_once("/fixtures/"))?;
    let (folder, rest) = rest;
    let (name, _) = rest.split_once('/')?;
    let folder = if folder == "fixtures" { folder.to_owned() } else { format!("{folder}/fixtures") };
    Some(format!("{folder}/{name}"))
}

/// What lies in a folder under one stem.
#[derive(Default)]
struct Case {
    /// The first input's path.
    input: Option<String>,
    snapshot: Option<String>,
}

fn cases(tree: &Tree, topic: &str) -> Vec<Finding> {
    let readme = tree.text(&format!("{topic}/README.md")).unwrap_or_default();
    if readme.lines().any(|line| EXEMPTIONS.iter().any(|begins| line.starts_with(begins))) {
        return Vec::new();
    }
    let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
    let mut folders = BTreeSet::new();
    for file in tree.under(topic) {
        let name = inside(&file.path, topic).unwrap_or_default();
        if let Some((folder, _)) = name.split_once('/') {
            folders.insert(folder);
        } else if name == "README.md" || name.starts_with('.') || name.ends_with(".snap.new") {
        } else {
            let case = cases.entry(stem(name)).or_default();
            let place = if file.has_extension("snap") { &mut case.snapshot } else { &mut case.input };
            place.get_or_insert(file.path.clone());
        }
    }
    let mut findings = Vec::new();
    for folder in folders {
        let path = format!("{topic}/{folder}");
        match cases.get_mut(stem(folder)) {
            Some(case) => case.input = Some(path),
            None if holds_snapshots(tree, &path) => findings.extend(self::cases(tree, &path)),
            None => drop(cases.insert(folder, Case { input: Some(path), snapshot: None })),
        }
    }
    findings.extend(cases.into_iter().filter_map(|(stem, case)| orphan(stem, case)));
    findings
}

fn holds_snapshots(tree: &Tree, folder: &str) -> bool {
    tree.under(folder).any(|file| file.has_extension("snap"))
}

fn orphan(stem: &str, case: Case) -> Option<Finding> {
    match (case.input, case.snapshot) {
        (Some(input), None) => {
            let message = format!("the fixture has no snapshot `{stem}.snap` beside it");
            Some(Finding::of(&input, message, "run its test and accept the snapshot, or remove the fixture"))
        }
        (None, Some(snapshot)) => {
            Some(Finding::of(&snapshot, format!("no fixture is called `{stem}`"), "remove the snapshot"))
        }
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// The name up to its first dot.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

fn leftovers(tree: &Tree) -> Vec<Finding> {
    let leftovers =
        tree.files().filter(|file| file.path.ends_with(".snap.new") || file.path.ends_with(".pending-snap"));
    leftovers
        .map(|file| Finding::of(&file.path, "a snapshot that nobody accepted", "accept it, or remove it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<String> {
        let files: Vec<_> = paths.iter().map(|path| (*path, "")).collect();
        check(&Tree::of(&files))
            .into_iter()
            .map(|found| format!("{}: {}", found.path, found.message))
            .collect()
    }

    #[test]
    fn files_and_folders_with_their_snapshot_are_cases() {
        let paths = [
            "crates/a/fixtures/topic/one.yaml",
            "crates/a/fixtures/topic/one.rows.json",
            "crates/a/fixtures/topic/one.snap",
            "crates/a/fixtures/topic/two/coho.yaml",
            "crates/a/fixtures/topic/two.snap",
            "fixtures/deep/inner/three.sql",
            "fixtures/deep/inner/three.snap",
        ];
        assert_eq!(found(&paths), [""; 0]);
    }

    #[test]
    fn orphans_are_found_in_both_directions() {
        let paths = [
            "crates/a/fixtures/topic/gone.snap",
            "crates/a/fixtures/topic/new.yaml",
            "fixtures/projects/acme/coho.yaml",
            "src/one.snap.new",
        ];
        let expected = [
            "crates/a/fixtures/topic/gone.snap: no fixture is called `gone`",
            "crates/a/fixtures/topic/new.yaml: the fixture has no snapshot `new.snap` beside it",
            "fixtures/projects/acme: the fixture has no snapshot `acme.snap` beside it",
            "src/one.snap.new: a snapshot that nobody accepted",
        ];
        assert_eq!(found(&paths), expected);
    }

    #[test]
    fn a_topic_may_say_that_it_has_no_snapshots() {
        let readme = "Projects for several tests.\n\nNo snapshots: each test checks what it needs.\n";
        let tree =
            Tree::of(&[("fixtures/projects/README.md", readme), ("fixtures/projects/acme/coho.yaml", "")]);
        assert_eq!(check(&tree), []);
    }
}
