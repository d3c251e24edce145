//! The named points at which a run is killed: what can be seen from outside of the moments at which it matters most.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};

use super::bench::{Bench, exit, until};
use super::class::{Class, Faults};
use super::proxy::Moment;
use super::table::Shown;
use crate::torture::older;
use crate::torture::random::Random;

/// How long a point is waited for.
const MOST: Duration = Duration::from_secs(60);

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// As soon as the folder has a file whose name begins so.
    File(&'static str),
    /// The same, and the ledger is an older one before.
    FileOfUpgrade(&'static str),
    /// As soon as a write came so far.
    Write(Moment),
}

const POINTS: [(&str, &str, Point); 9] = [
    ("killed-before-the-ledger", "killed while a new ledger is made", Point::File("ledger.db.new-")),
    ("killed-at-first-start", "killed as soon as a new ledger has its name", Point::File("ledger.db")),
    ("killed-while-copying", "killed while an older ledger is copied", Point::FileOfUpgrade("ledger.db.v")),
    ("killed-while-upgrading", "killed as soon as the copy is whole", Point::FileOfUpgrade(".bak")),
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
    ("killed-at-publish", "killed while the results of a run are written", Point::File("run_results.json")),
    ("killed-after-publish", "killed as soon as they have their name", Point::File("run_results.json")),
];

pub(crate) fn classes() -> impl Iterator<Item = Class> {
    POINTS.into_iter().map(|(name, what, point)| Class {
        name,
        is_slow: false,
        run: Box::new(move |faults: &Faults| killed(faults, name, what, point)),
    })
}

fn killed(faults: &Faults, name: &str, what: &str, point: Point) -> Result<Shown> {
    let mut bench = Bench::start(faults, name)?;
    if matches!(point, Point::FileOfUpgrade(_)) {
        bench.rows.others.push(older::STAYS);
        faults.older.put(
            bench.project.folder(),
            &bench.vitally,
            &mut Random::new(faults.seed),
            &bench.proxy.url(),
        )?;
    }
    if let Point::Write(moment) = point {
        bench.proxy.stop_at(moment);
    }
    let mut process = bench.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    until(MOST, || Ok(is_reached(&bench, name, point) || process.try_wait()?.is_some()))?;
    process.kill()?;
    let status = process.wait()?;
    if matches!(point, Point::Write(_)) && status.code().is_some() {
        bail!("the run ended before it was to be killed: {status}");
    }
    bench.proxy.calm();
    bench.settle()?;
    let shown = Shown {
        name: name.to_owned(),
        what: what.to_owned(),
        // A process that was faster than its killer ended by itself.
        exit: if status.code().is_some() { "signal 9".to_owned() } else { exit(status) },
        message: "nothing".to_owned(),
        state: "each row once".to_owned(),
    };
    bench.end()?;
    Ok(shown)
}

fn is_reached(bench: &Bench, name: &str, point: Point) -> bool {
    let folder = bench.project.folder().join(".coho");
    match point {
        Point::Write(_) => bench.proxy.has_stopped(),
        Point::File(wanted) if name == "killed-after-publish" => folder.join(wanted).exists(),
        Point::File(wanted) => names(&folder).iter().any(|name| name.starts_with(wanted)),
        Point::FileOfUpgrade(".bak") => names(&folder).iter().any(|name| name.ends_with(".bak")),
        Point::FileOfUpgrade(wanted) => names(&folder).iter().any(|name| name.starts_with(wanted)),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
