//! The seeds of the fuzz targets, and what a fixed number of changes makes of them: the suite's share of fuzzing.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

use std::path::Path;

use coho_fuzz::{Target, feed};
use coho_testkit::mutated;

/// Changes of each input.
const CHANGES: u64 = 6;

/// The seeds of a target; snapshots are beside some of them.
fn seeds(target: Target) -> Vec<Vec<u8>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = target.seeds().iter().flat_map(|folder| std::fs::read_dir(crates.join(folder)).unwrap());
    let mut files: Vec<_> = folders.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        file.extension().is_none_or(|extension| extension != "snap" && extension != "settings")
    });
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Each input as it is, changed, cut, and joined with the next one.
fn feed_all(target: Target) {
    let inputs = seeds(target);
    assert!(!inputs.is_empty(), "{} has no seeds", target.name());
    for (number, input) in inputs.iter().enumerate() {
        feed(target, input);
        for seed in 0..CHANGES {
            feed(target, &mutated(input, seed));
        }
        let next = &inputs[(number + 1) % inputs.len()];
        for part in 1..4 {
            let (left, right) = (&input[..input.len() * part / 4], &next[next.len() * part / 4..]);
            feed(target, left);
            feed(target, &[left, right].concat());
        }
    }
}

#[test]
fn files_of_projects_load_or_have_problems() {
    feed_all(Target::Project);
}

#[test]
fn tests_of_mappings_run_and_can_be_written() {
    feed_all(Target::Cases);
}

#[test]
fn whatever_is_answered_an_operation_ends_with_a_verdict() {
    feed_all(Target::Reply);
}

#[test]
fn csv_files_end_with_rows_or_an_error() {
    feed_all(Target::Csv);
}

#[test]
fn ndjson_files_end_with_rows_or_an_error() {
    feed_all(Target::Ndjson);
}

#[test]
fn parquet_files_end_with_rows_or_an_error() {
    feed_all(Target::Parquet);
}

#[test]
fn approved_plans_are_whole_or_refused() {
    feed_all(Target::Approved);
}

#[test]
fn ledgers_are_read_as_far_as_they_go_or_refused() {
    feed_all(Target::Ledger);
}
