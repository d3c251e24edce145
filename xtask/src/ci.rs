//! `cargo xtask ci`: everything that a change must pass, cheapest first, each step timed, stopping at the first that fails.
//!
//! All steps build the whole workspace into one folder, so that cargo finds the same features each time and builds nothing
//! twice. A developer calls the same steps alone; each failure says how.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::arguments::{Arguments, Mode};
use crate::clock::Clock;
use crate::codegen::{self, Product};
use crate::install::Permission;
use crate::{child, readme, say, test, tidy};

struct Step {
    name: &'static str,
    /// How to run it alone.
    alone: &'static str,
    run: fn() -> Result<()>,
}

/// The names of the tests that run the built program as a user does.
const TRANSCRIPTS: &str = "transcript::";

const STEPS: [Step; 12] = [
    Step { name: "fmt", alone: "cargo fmt --all --check", run: fmt },
    Step { name: "tidy", alone: "cargo xtask tidy", run: tidy::check },
    Step { name: "clippy", alone: "cargo clippy --workspace --all-targets -- -D warnings", run: clippy },
    Step { name: "build", alone: "cargo build --workspace --all-targets", run: build },
    Step { name: "codegen", alone: "cargo xtask codegen --check", run: codegen },
    Step { name: "test", alone: "cargo xtask test", run: tests },
    Step { name: "ahead", alone: "cargo xtask test --clock +400d transcript::", run: ahead },
    Step {
        name: "features",
        alone: "cargo test --workspace --features coho-cli/mcp,coho-cli/otel --test mcp --test otel",
        run: features,
    },
    Step {
        name: "leap day",
        alone: "cargo xtask test --clock 2028-02-29T23:59:59.5Z transcript::",
        run: leap_day,
    },
    Step {
        name: "doc",
        alone: "RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc --workspace --no-deps",
        run: doc,
    },
    Step { name: "deny", alone: "cargo deny check bans licenses sources", run: deny },
    Step { name: "readme", alone: "cargo xtask readme --check", run: readme_tour },
];

/// `cargo xtask ci`
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    arguments.nothing_left()?;
    let mut times = Vec::new();
    let outcome = STEPS.iter().try_for_each(|step| {
        say::talk(&format!("\n── {} ── {}", step.name, step.alone));
        let started = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, started.elapsed()));
        outcome.with_context(|| format!("ci stopped at `{}`; to run it alone: {}", step.name, step.alone))
    });
    say::line(&table(&times));
    outcome
}

fn table(times: &[(&str, Duration)]) -> String {
    let total = times.iter().map(|(_, time)| *time).sum();
    let rows = times.iter().copied().chain([("all", total)]);
    let rows = rows.map(|(name, time)| format!("  {name:<10}{:>8.1} s", time.as_secs_f64()));
    std::iter::once(String::new()).chain(rows).collect::<Vec<_>>().join("\n")
}

fn fmt() -> Result<()> {
    child::run(child::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    child::run(child::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn build() -> Result<()> {
    child::run(child::cargo().args(["build", "--workspace", "--all-targets"]))
}

fn codegen() -> Result<()> {
    codegen::apply(&Product::built()?, Mode::Check)
}

fn tests() -> Result<()> {
    test::all(Permission::WhereHarmless, None)
}

/// What was written today passes on other days too.
fn ahead() -> Result<()> {
    transcripts("+400d")
}

/// What only a feature has.
fn features() -> Result<()> {
    let mut cargo = child::cargo();
    cargo.args(["test", "--workspace", "--features", "coho-cli/mcp,coho-cli/otel"]);
    child::run(cargo.args(["--test", "mcp", "--test", "otel"]))
}

/// The day, the month and the winter end in the middle of each test.
fn leap_day() -> Result<()> {
    transcripts("2028-02-29T23:59:59.5Z")
}

fn transcripts(clock: &str) -> Result<()> {
    test::with_clock(Clock::parse(clock)?, Permission::WhereHarmless, Some(TRANSCRIPTS))
}

/// The headers of private files name their neighbours: such links lead nowhere in the public pages, and are let be.
fn doc() -> Result<()> {
    let mut cargo = child::cargo();
    cargo.args(["doc", "--workspace", "--no-deps"]);
    child::run(cargo.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"))
}

/// Advisories are left out: they need the network, and a change is not wrong because of what was found yesterday.
fn deny() -> Result<()> {
    if !child::succeeds(child::cargo().args(["deny", "--version"])) {
        say::talk("skipped: cargo-deny is not installed");
        return Ok(());
    }
    child::run(child::cargo().args(["deny", "--workspace", "check", "bans", "licenses", "sources"]))
}

fn readme_tour() -> Result<()> {
    readme::apply(&Product::built()?, Mode::Check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_the_sum() {
        let times = [("fmt", Duration::from_millis(500)), ("tidy", Duration::from_secs(2))];
        assert_eq!(table(&times).lines().last(), Some("  all            2.5 s"));
    }
}
