//! `cargo xtask test`: every test of the workspace, then every example in its documentation, then a bounded torture.
//!
//! What tests need is looked for first ([`crate::install`]). What is missing and cannot be installed is said; the tests that
//! need it find out for themselves, say `skipped: WHY (TEST)` on stderr, and the last line counts them. With `--clock` the tests
//! have a clock of their own ([`crate::clock`]).

use std::fs;
use std::io::{IsTerminal, stderr};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::clock::{self, Clock};
use crate::install::{self, Need, Permission};
use crate::workspace::root;
use crate::{child, say, torture};

mod browser;
mod counts;
mod engines;
mod orchestrators;
mod search;

use counts::Counts;

/// Where nextest reports (`.config/nextest.toml`): under the root, wherever cargo builds.
const REPORT: &str = "target/nextest/default/junit.xml";

/// `cargo xtask test [--install] [--clock CLOCK] [FILTER]`, `--search CASES [--seed SEED] [FILTER]`, or `--browser`, `--engines`, or
/// `--orchestrators`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let permission = if arguments.flag("--install") { Permission::Asked } else { Permission::WhereHarmless };
    let clock = arguments.value("--clock")?.map(|text| Clock::parse(&text)).transpose()?;
    let orchestrators = arguments.flag("--orchestrators");
    let is_engines = arguments.flag("--engines");
    let is_browser = arguments.flag("--browser");
    let (search, seed) = (arguments.number("--search")?, arguments.number("--seed")?);
    let filter = arguments.word();
    arguments.nothing_left()?;
    if is_browser {
        return browser::run(permission);
    }
    if orchestrators {
        return orchestrators::run();
    }
    if is_engines {
        return engines::run(permission);
    }
    if let Some(cases) = search {
        return search::run(cases, seed, filter.as_deref());
    }
    match clock {
        Some(clock) => with_clock(clock, permission, filter.as_deref()),
        None => all(permission, filter.as_deref()),
    }
}

/// Runs the tests whose name contains the filter, and says in one closing line how they went.
pub(crate) fn all(permission: Permission, filter: Option<&str>) -> Result<()> {
    let started = Instant::now();
    let missing = prepare(&Need::USUAL, permission)?;
    browser::look(permission)?;
    let mut tests = Counts::default();
    let tests_passed = run_tests(&missing, &[], filter, &mut tests)?;
    let mut examples = Counts::default();
    let examples_passed = overheard(&mut doctests(filter), |line| examples.hear_all(line))?;
    let seconds = started.elapsed().as_secs();
    say::line(&format!("tests: {tests}; doctests: {examples}; {seconds} s"));
    for (why, number) in tests.skips().chain(examples.skips()) {
        say::line(&format!("skipped: {number}, because {why}"));
    }
    if !tests_passed || !examples_passed {
        bail!("tests failed");
    }
    // Who asks for some tests by name does not ask for kills.
    if filter.is_none() { torture::bounded() } else { Ok(()) }
}

/// The same with another clock, and without the examples of the documentation.
pub(crate) fn with_clock(clock: Clock, permission: Permission, filter: Option<&str>) -> Result<()> {
    let started = Instant::now();
    let missing = prepare(&Need::ALL, permission)?;
    let mut tests = Counts::default();
    let passed = run_tests(&missing, &["--config", &clock.configuration()?], filter, &mut tests);
    clock::sweep();
    let passed = passed?;
    say::line(&format!("tests: {tests}; {} s", started.elapsed().as_secs()));
    for (why, number) in tests.skips() {
        say::line(&format!("skipped: {number}, because {why}"));
    }
    if passed { Ok(()) } else { bail!("tests failed") }
}

fn prepare(needs: &[Need], permission: Permission) -> Result<Vec<Need>> {
    let missing = install::prepare(needs, permission)?;
    for need in &missing {
        say::talk(&format!("missing: {} ({})", need.name(), need.remedy()));
    }
    Ok(missing)
}

/// Runs them with what is there, and with these words for cargo.
fn run_tests(missing: &[Need], words: &[&str], filter: Option<&str>, counts: &mut Counts) -> Result<bool> {
    if missing.contains(&Need::Nextest) {
        return overheard(cargo_test(filter).args(words), |line| counts.hear_all(line));
    }
    nextest(words, filter, counts)
}

fn nextest(words: &[&str], filter: Option<&str>, counts: &mut Counts) -> Result<bool> {
    let mut cargo = child::cargo();
    cargo.args(["nextest", "run", "--workspace", "--no-tests=pass"]).args(words);
    cargo.args(["--color", if stderr().is_terminal() { "always" } else { "never" }]).args(filter);
    let report = root().join(REPORT);
    if report.exists() {
        fs::remove_file(&report).with_context(|| format!("removing {}", report.display()))?;
    }
    let passed = overheard(&mut cargo, |line| counts.hear(line))?;
    // Nextest shows the output of failed tests only; what the others said is in its report.
    for line in fs::read_to_string(&report).unwrap_or_default().lines() {
        counts.hear_skip(line);
    }
    Ok(passed)
}

fn cargo_test(filter: Option<&str>) -> Command {
    let mut cargo = child::cargo();
    cargo.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]).args(filter);
    cargo
}

fn doctests(filter: Option<&str>) -> Command {
    let mut cargo = child::cargo();
    cargo.args(["test", "--workspace", "--doc", "--no-fail-fast"]).args(filter);
    cargo
}

fn overheard(command: &mut Command, hear: impl FnMut(&str)) -> Result<bool> {
    say::talk(&format!("$ {}", child::shown(command)));
    child::overheard(command, hear)
}
