//! `cargo xtask bench liquid`: ten templates by Coho's engine, beside LiquidJS on Node.
//!
//! Both render the same rows in one thread, in turn, and count that thread's processor time alone. LiquidJS is installed into
//! a folder of its own under `target`; where it cannot be had, Coho's figures stand alone and the output says why. The
//! results must be the same, value for value: a digest of all of them is compared.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{ROUNDS, report};
use crate::liquidjs::{self, PACKAGE};
use crate::{child, say};

/// The rows that are measured unless the command line says otherwise.
pub(super) const ROWS: u64 = 100_000;
const SCRIPT: &str = include_str!("liquidjs.mjs");

/// What both sides are measured at: Coho's figure, LiquidJS's figure, and what they are called.
const WAYS: [(&str, &str, &str); 3] = [
    ("text", "text", "text, from a parsed template"),
    ("typed", "typed", "typed, evalValueSync"),
    ("typed", "prepared", "typed, parsed beforehand"),
];

/// Runs it; `target` is cargo's folder.
pub(super) fn play(target: &Path, rows: u64) -> Result<()> {
    let programs = target.join("release");
    let other = match LiquidJs::install(target) {
        Ok(other) => {
            let file = other.rows();
            let mut write = child::program(programs.join("templates"));
            child::run(write.arg("file").arg(rows.to_string()).arg(file))?;
            Some(other)
        }
        Err(error) => {
            say::talk(&format!("skipped: LiquidJS cannot be measured here: {error:#}"));
            None
        }
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        say::talk(&format!("round {round} of {ROUNDS}"));
        ours.push(answer(child::program(programs.join("templates")).arg("time").arg(rows.to_string()))?);
        if let Some(other) = &other {
            theirs.push(other.measure()?);
        }
    }
    same_results(&ours, &theirs)?;
    say::line(&table(rows, &ours, &theirs));
    let mut counting = child::program(programs.join("templates-allocations"));
    say::line(&allocations(rows, &answer(counting.arg(rows.to_string()))?));
    Ok(())
}

/// LiquidJS, installed.
struct LiquidJs {
    folder: PathBuf,
}

impl LiquidJs {
    fn install(target: &Path) -> Result<Self> {
        let folder = liquidjs::install(target, "liquidjs.mjs", SCRIPT)?;
        Ok(Self { folder })
    }

    fn rows(&self) -> PathBuf {
        self.folder.join("rows")
    }

    fn measure(&self) -> Result<Value> {
        let mut node = child::program("node");
        // Without an offset of its own LiquidJS shows dates in the machine's zone.
        node.env("TZ", "UTC").arg(self.folder.join("liquidjs.mjs")).arg(self.rows());
        answer(&mut node)
    }
}

fn answer(command: &mut std::process::Command) -> Result<Value> {
    let text = child::output(command)?;
    serde_json::from_str(&text).with_context(|| format!("reading the answer of `{}`", child::shown(command)))
}

fn same_results(ours: &[Value], theirs: &[Value]) -> Result<()> {
    let ours = ours.iter().map(|answer| &answer["digest"]);
    let theirs = theirs.iter().flat_map(|answer| [&answer["digest"], &answer["digest_prepared"]]);
    let digests: Vec<_> = ours.chain(theirs).collect();
    match digests.first() {
        Some(first) if digests.iter().any(|digest| digest != first) => {
            bail!("the engines give different results: {digests:?}")
        }
        _ => Ok(()),
    }
}

fn table(rows: u64, ours: &[Value], theirs: &[Value]) -> String {
    let version = theirs.first().and_then(|answer| answer["node"].as_str()).unwrap_or_default();
    let title = format!("\nliquid: ten fields a row; beside {PACKAGE} on Node {version}");
    let head = format!("{rows} rows, {} rounds, processor time of one thread", ours.len());
    let names = format!("  {:<30}{:>14}{:>14}{:>10}", "rows/s", "coho", "LiquidJS", "ratio");
    let figures = WAYS.map(|(our, their, name)| {
        let coho = rate(rows, ours, our);
        let Some(other) = (!theirs.is_empty()).then(|| rate(rows, theirs, their)) else {
            return format!("  {name:<30}{:>14}{:>14}{:>10}", report::shown(coho), "skipped", "-");
        };
        let (coho, other, ratio) = (report::shown(coho), report::shown(other), report::shown(coho / other));
        format!("  {name:<30}{coho:>14}{other:>14}{ratio:>10}")
    });
    [vec![title, head, names], figures.to_vec()].concat().join("\n")
}

/// The median of rows a second.
fn rate(rows: u64, answers: &[Value], way: &str) -> f64 {
    let taken = answers.iter().map(|answer| answer[way].as_f64().unwrap_or(f64::INFINITY));
    report::median(taken.map(|nanoseconds| report::lossy(rows) * 1e9 / nanoseconds.max(1.0)))
}

fn allocations(rows: u64, answer: &Value) -> String {
    let names = format!("  {:<30}{:>14}{:>14}{:>10}", "coho, per row", "allocations", "grown", "bytes");
    let figures = ["text", "typed"].map(|way| {
        let per_row = |what: &str| {
            report::shown(answer[way][what].as_f64().unwrap_or_default() / report::lossy(rows.max(1)))
        };
        let (new, grown, bytes) = (per_row("allocations"), per_row("reallocations"), per_row("bytes"));
        format!("  {way:<30}{new:>14}{grown:>14}{bytes:>10}")
    });
    [vec![names], figures.to_vec()].concat().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_sides_and_their_ratio_are_shown() {
        let ours = [json!({ "text": 2_000_000, "typed": 1_000_000, "digest": 7 })];
        let theirs = [
            json!({ "text": 20_000_000, "typed": 8_000_000, "prepared": 5_000_000, "digest": 7, "digest_prepared": 7 }),
        ];
        assert!(same_results(&ours, &theirs).is_ok());
        let table = table(1000, &ours, &theirs);
        let last: Vec<_> =
            table.lines().skip(4).map(|line| line.split_whitespace().rev().collect::<Vec<_>>()).collect();
        assert_eq!(last[0][..3], ["10.00", "50000", "500000"]);
        assert_eq!(last[2][..3], ["5.00", "200000", "1000000"]);
    }

    #[test]
    fn other_results_are_not_compared() {
        let theirs = [json!({ "digest": 8, "digest_prepared": 7 })];
        assert!(same_results(&[json!({ "digest": 7 })], &theirs).is_err());
    }

    #[test]
    fn what_was_skipped_says_so() {
        let table = table(1000, &[json!({ "text": 1, "typed": 1 })], &[]);
        assert_eq!(table.matches("skipped").count(), 3);
    }
}
