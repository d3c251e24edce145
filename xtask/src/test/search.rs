//! `cargo xtask test --search CASES`: property tests with inputs that nobody has tried, and more of them.
//!
//! Otherwise what they try is the same in every run: `.cargo/config.toml` has the seed.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::{child, say};

/// Tests whose names contain the filter, each with so many inputs, from this seed or a new one.
pub(crate) fn run(cases: u64, seed: Option<u64>, filter: Option<&str>) -> Result<()> {
    let seed = match seed {
        Some(seed) => seed,
        None => now()?,
    };
    let mut cargo = child::cargo();
    cargo.args(["nextest", "run", "--workspace", "--no-tests=fail", "--no-fail-fast"]).args(filter);
    cargo.env("PROPTEST_RNG_SEED", seed.to_string()).env("PROPTEST_CASES", cases.to_string());
    say::talk(&format!("$ {}", child::shown(&cargo)));
    let again = format!("cargo xtask test --search {cases} --seed {seed} {}", filter.unwrap_or_default());
    match child::run(&mut cargo) {
        Ok(()) => say::line(&format!("{cases} inputs each, seed {seed}: passed")),
        Err(_) => bail!("tests failed; the same inputs again: {}", again.trim_end()),
    }
    Ok(())
}

/// A number that no search had before.
fn now() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("reading the clock")?;
    Ok(since.as_secs())
}
