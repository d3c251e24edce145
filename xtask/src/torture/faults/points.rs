//! The named points at which a run is killed: what can be seen from outside of the moments at which it matters most.

use std::fs;
use std::path::Path;
use std::process::ExitStatus;

use anyhow::{Result, bail};

use super::bench::{Bench, until};
use super::class::{Class, Faults};
use super::proxy::Moment;
use super::table::{ALL_ONCE, Came, Shown};
use crate::torture::older;
use crate::torture::process::{PATIENCE, exit};
use crate::torture::random::Random;

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// As soon as the ledger's folder has such a file.
    File(Name),
    /// The same, and the ledger is an older one before.
    Upgrade(Name),
    /// As soon as a write came so far.
    Write(Moment),
}

/// What a file is called.
#[derive(Clone, Copy, Debug)]
enum Name {
    Is(&'static str),
    Begins(&'static str),
    Ends(&'static str),
}

impl Name {
    fn is_of(self, found: &str) -> bool {
        match self {
            Self::Is(name) => found == name,
            Self::Begins(start) => found.starts_with(start),
            Self::Ends(end) => found.ends_with(end),
        }
    }
}

const POINTS: [(&str, &str, Point); 9] = [
    (
        "killed-before-the-ledger",
        "killed while a new ledger is made",
        Point::File(Name::Begins("ledger.db.new-")),
    ),
    (
        "killed-at-first-start",
        "killed as soon as a new ledger has its name",
        Point::File(Name::Is("ledger.db")),
    ),
    (
        "killed-while-copying",
        "killed while an older ledger is copied",
        Point::Upgrade(Name::Begins("ledger.db.v")),
    ),
    ("killed-while-upgrading", "killed as soon as the copy is whole", Point::Upgrade(Name::Ends(".bak"))),
    (
        "killed-at-intent",
        "killed when an intent was made durable, and its write did not arrive",
        Point::Write(Moment::Intended),
    ),
    ("killed-at-send", "killed when a write was made, and not answered", Point::Write(Moment::Sent)),
    (
        "killed-at-settle",
        "killed when a write was answered, and is being settled",
        Point::Write(Moment::Settling),
    ),
    (
        "killed-at-publish",
        "killed while the results of a run are written",
        Point::File(Name::Begins("run_results.json")),
    ),
    (
        "killed-after-publish",
        "killed as soon as they have their name",
        Point::File(Name::Is("run_results.json")),
    ),
];

/// How often a point is tried: a process may be faster than its killer.
const TRIES: u32 = 50;

pub(crate) fn classes() -> impl Iterator<Item = Class> {
    POINTS.into_iter().map(|(name, what, point)| Class {
        name,
        is_slow: false,
        run: Box::new(move |faults: &Faults| killed(faults, name, what, point)),
    })
}

fn killed(faults: &Faults, name: &str, what: &str, point: Point) -> Result<Shown> {
    let (mut bench, status) = killed_once(faults, name, point)?;
    if let Point::Write(moment) = point {
        again(&mut bench, faults, moment)?;
    }
    bench.proxy.calm();
    bench.settle()?;
    let came =
        Came { exit: exit(status), message: "nothing".to_owned(), state: ALL_ONCE, tally: bench.tally() };
    bench.end()?;
    Ok(Shown::new(name, what, came))
}

/// A life whose first run was killed at its point.
fn killed_once(faults: &Faults, name: &str, point: Point) -> Result<(Bench, ExitStatus)> {
    for _ in 0..TRIES {
        let mut bench = begin(faults, name, point)?;
        let status = kill_at(&mut bench, point)?;
        if status.code().is_none() {
            return Ok((bench, status));
        }
        bench.end()?;
    }
    bail!("{TRIES} runs ended before they could be killed")
}

fn begin(faults: &Faults, name: &str, point: Point) -> Result<Bench> {
    let mut bench = Bench::start(faults, name)?;
    if matches!(point, Point::Upgrade(_)) {
        bench.rows.others.push(older::STAYS);
        let mut random = Random::new(faults.seed);
        faults.older.put(bench.project.folder(), &bench.vitally, &mut random, &bench.proxy.url())?;
    }
    Ok(bench)
}

/// The other kills of a class: rows change in between.
fn again(bench: &mut Bench, faults: &Faults, moment: Moment) -> Result<()> {
    let mut random = Random::new(faults.seed);
    for _ in 1..faults.kills {
        bench.change(&mut random)?;
        kill_at(bench, Point::Write(moment))?;
    }
    Ok(())
}

fn kill_at(bench: &mut Bench, point: Point) -> Result<ExitStatus> {
    if let Point::Write(moment) = point {
        bench.proxy.stop_at(moment);
    }
    let mut process = bench.silent()?;
    until(PATIENCE, || Ok(is_reached(bench, point) || process.try_wait()?.is_some()))?;
    bench.kill(&mut process)
}

fn is_reached(bench: &Bench, point: Point) -> bool {
    match point {
        Point::Write(_) => bench.proxy.has_stopped(),
        Point::File(name) | Point::Upgrade(name) => {
            let names = names(&bench.project.folder().join(".coho"));
            names.iter().any(|found| name.is_of(found))
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
