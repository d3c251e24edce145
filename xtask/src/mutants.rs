//! `cargo xtask mutants [FILE…] [--shard K/N]`: hand-sized faults, made by `cargo-mutants` one at a time in the files that must
//! be right, each against the tests that reach it.
//!
//! A fault that every test passes is a *survivor*. Survivors that change nothing a user could see stand in `HARMLESS` with the
//! reason; any other is a missing test. More than five in a hundred of either kind fail. A shard is every Nth fault, so that one
//! shard alone is a fair sample.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::workspace::root;
use crate::{child, say};

mod harmless;
mod rooms;

use harmless::Harmless;
use rooms::Room;

/// The version that the options below were read of.
const PACKAGE: &str = "cargo-mutants@27.1.0";

/// Survivors in a hundred faults, at most.
const MOST: usize = 5;

/// `cargo xtask mutants [FILE…] [--shard K/N]`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let shard = arguments.value("--shard")?;
    let files: Vec<String> = std::iter::from_fn(|| arguments.word()).collect();
    arguments.nothing_left()?;
    if !child::succeeds(child::cargo().args(["mutants", "--version"])) {
        bail!("cargo-mutants is missing: cargo install {PACKAGE} --locked");
    }
    let harmless = Harmless::read()?;
    let mut found = Found::default();
    for (room, files) in Room::of(&files)? {
        say::talk(&format!("{}: {}", room.package, files.join(" ")));
        found.add(&hunt(room, &files, shard.as_deref())?);
    }
    found.report(&harmless)
}

/// What was found of all files.
#[derive(Debug, Default)]
struct Found {
    caught: usize,
    missed: Vec<String>,
}

impl Found {
    fn add(&mut self, other: &Self) {
        self.caught += other.caught;
        self.missed.extend(other.missed.iter().cloned());
    }

    fn report(&self, harmless: &Harmless) -> Result<()> {
        let all = self.caught + self.missed.len();
        let mut unexplained = 0;
        for (number, survivor) in self.missed.iter().enumerate() {
            let same = self.missed.iter().take(number).filter(|other| *other == survivor).count();
            if let Some(reason) = harmless.reason(survivor, same) {
                say::line(&format!("harmless  {survivor}: {reason}"));
            } else {
                unexplained += 1;
                say::line(&format!("SURVIVED  {survivor}"));
            }
        }
        let missed = self.missed.len();
        say::line(&format!("{all} faults, {missed} survived, {unexplained} of them unexplained"));
        if all == 0 {
            bail!("no fault was made: the files have nothing to change, or the shard none of it");
        }
        if unexplained > 0 || missed * 100 > all * MOST {
            bail!("tests are missing");
        }
        Ok(())
    }
}

/// Runs cargo-mutants over files of one crate.
fn hunt(room: &Room, files: &[String], shard: Option<&str>) -> Result<Found> {
    let output = root().join("target").join("mutants");
    fs::create_dir_all(&output).with_context(|| format!("creating {}", output.display()))?;
    let mut mutants = child::cargo();
    mutants.args(["mutants", "--no-shuffle", "--colors", "never", "--baseline", "skip", "--timeout", "180"]);
    mutants.args(["--test-tool", "nextest", "--in-place"]).arg("--output").arg(&output);
    // The first test that notices is enough, and none leaves anything of a fault behind in the tree.
    mutants.envs([
        ("NEXTEST_PROFILE", "mutants"),
        ("INSTA_UPDATE", "no"),
        ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1"),
        ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ]);
    // Without it only the default member of the workspace is looked at.
    mutants.args(["--package", room.package]);
    for file in files {
        mutants.args(["--file", file]);
    }
    for package in room.tested_by {
        mutants.args(["--test-package", package]);
    }
    if let Some(shard) = shard {
        mutants.args(["--shard", shard, "--sharding", "round-robin"]);
    }
    let status = mutants.status().context("starting cargo-mutants")?;
    // 2: some survived. 3: some took too long, which is as good as being noticed.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!("cargo-mutants ended with {status}");
    }
    outcome(&output.join("mutants.out"))
}

fn outcome(folder: &Path) -> Result<Found> {
    let lines = |name: &str| -> Result<Vec<String>> {
        let file = folder.join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    let caught = lines("caught.txt")?.len() + lines("timeout.txt")?.len();
    Ok(Found {
        caught,
        missed: lines("missed.txt")?.iter().map(|line| harmless::without_place(line)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunt_that_made_no_fault_fails() {
        assert!(Found::default().report(&Harmless::default()).is_err());
    }

    #[test]
    fn an_unexplained_survivor_fails() {
        let mut found = Found { caught: 99, missed: Vec::new() };
        assert!(found.report(&Harmless::default()).is_ok());
        found.missed.push("src/a.rs: replace f -> bool with true".to_owned());
        assert!(found.report(&Harmless::default()).is_err());
    }
}
