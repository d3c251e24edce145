//! `cargo xtask bench year`: how large the ledger becomes in a year of 15-minute runs, under a simulated clock.
//!
//! `year-of-runs` of `coho-bench` runs the engine 35,040 times over 10,000 rows, of which 100 change and 10 are invalid each time, with
//! the default retention. `--rows` says how many rows there are; as many of them change and are invalid, or all where there are fewer.

use std::path::Path;

use anyhow::Result;

use crate::child;

/// Rows of each run.
const ROWS: u64 = 10_000;

/// How many of them changed since the run before.
const CHANGED: u64 = 100;

/// How many of them are invalid.
const INVALID: u64 = 10;

/// Runs it, and prints the size as time goes by.
pub(super) fn play(programs: &Path, rows: Option<u64>) -> Result<()> {
    let rows = rows.unwrap_or(ROWS);
    let (changed, invalid) = (CHANGED.min(rows), INVALID.min(rows));
    let mut year = child::program(programs.join("year-of-runs"));
    year.args([rows, changed, invalid, 365].map(|number| number.to_string())).arg("2GB");
    child::run(&mut year)
}
