//! `cargo xtask bench pages`: how fast the debugger answers over a long history, what it needs, and what it costs a run beside it.
//!
//! A real run of 5,000 accounts is multiplied to 200 runs (`pages-ledger` of `coho-bench`): a million results of rows and a million
//! calls. Each page is asked for at 20 addresses, or 20 times where it has one only, one after the other; an answer is counted
//! when its last byte is there. Then one more run is timed, alone and beside twenty open pages that move, in turn.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::measure::{self, Cost, measure};
use super::project::Project;
use super::{logged, report};
use crate::server::Server;
use crate::{child, say};

mod ask;

use ask::Desk;

/// Rows of each run.
const ROWS: u64 = 5_000;

/// How many runs there are, unless the command line says how many rows there are in all.
const RUNS: u64 = 200;

/// How often each page is asked for.
const TIMES: u64 = 20;

/// Rows of the run that is timed.
const TIMED_ROWS: u64 = 20_000;

/// How often it is timed on each side.
const ROUNDS: usize = 5;

/// What opens the pages.
const TOKEN: &str = "the-token-of-the-benchmark";

const MOST_MEDIAN: f64 = 100.0;
const MOST_P95: f64 = 300.0;
const MOST_MEMORY: f64 = 100.0;
const MOST_SLOWER: f64 = 1.05;

/// Every page with its addresses: `RUN`, `ROW` and `CALL` stand for another one each time.
const PAGES: [(&str, &str); 13] = [
    ("home", "/"),
    ("runs", "/runs"),
    ("runs that failed", "/runs?status=warning"),
    ("run", "/runs/RUN"),
    ("rows of a run", "/runs/RUN/rows"),
    ("rejected rows of a run", "/runs/RUN/rows?status=rejected"),
    ("rows of a cause", "/runs/RUN/rows?sync=accounts&cause=3"),
    ("calls of a run", "/runs/RUN/calls"),
    ("rows of all runs", "/rows"),
    ("rows that still fail", "/rows?standing=yes"),
    ("row", "/rows/ROW"),
    ("call", "/calls/CALL"),
    ("project", "/project"),
];

/// How fast a page is.
struct Figure {
    name: &'static str,
    times: Vec<Duration>,
    bytes: usize,
}

/// Runs it; fails where a goal is missed.
pub(super) fn play(programs: &Path, rows: Option<u64>) -> Result<()> {
    let runs = rows.map_or(RUNS, |rows| (rows / ROWS).max(1));
    let vitally = Server::start(&mut child::program(programs.join("null-server")))?;
    let project = Project::create(vitally.url())?;
    fill(programs, &project, runs)?;
    let desk = Desk::open(programs, &project, TOKEN)?;
    let figures = figures(&desk, runs)?;
    let memory = report::lossy(measure::peak(desk.process())?) / 1024.0;
    let (alone, beside) = timed(programs, &project, &desk)?;
    say::line(&table(&figures));
    let goals = [
        goal("median of the slowest page, ms", MOST_MEDIAN, slowest(&figures, 0.5)),
        goal("95th percentile of the slowest page, ms", MOST_P95, slowest(&figures, 0.95)),
        goal("peak memory, MiB", MOST_MEMORY, memory),
        goal("a run beside twenty pages, by the run alone", MOST_SLOWER, beside / alone),
    ];
    let [alone, beside] = [alone, beside].map(report::shown);
    say::line(&format!(
        "\n  a run of {TIMED_ROWS} rows: {alone} s alone, {beside} s beside twenty pages that move"
    ));
    let missed = goals.iter().filter(|(_, holds)| !holds).count();
    let lines: Vec<_> = goals.iter().map(|(line, _)| line.clone()).collect();
    say::line(&format!("\ngoals\n{}", lines.join("\n")));
    if missed == 0 { Ok(()) } else { bail!("{missed} of {} goals are missed", goals.len()) }
}

/// One real run, and copies of it.
fn fill(programs: &Path, project: &Project, runs: u64) -> Result<()> {
    accounts(programs, project, ROWS, "none")?;
    coho(programs, project)?;
    let ledger = project.folder().join(".coho/ledger.db");
    let mut multiply = child::program(programs.join("pages-ledger"));
    let made = child::output(multiply.arg(&ledger).arg(runs.to_string()))?;
    let bytes = fs::metadata(&ledger).with_context(|| format!("looking at {}", ledger.display()))?.len();
    say::line(&format!("\npages of {}, {} MiB", made.trim(), bytes >> 20));
    Ok(())
}

fn accounts(programs: &Path, project: &Project, rows: u64, changed: &str) -> Result<()> {
    let mut write = child::program(programs.join("accounts-file"));
    child::run(write.arg(rows.to_string()).arg(project.accounts()).arg(changed))
}

fn coho(programs: &Path, project: &Project) -> Result<Cost> {
    let mut coho = child::program(programs.join("coho"));
    coho.args(["run", "--project"]).arg(project.folder()).stdin(Stdio::null());
    logged(&mut coho, project, |coho: &mut Command| measure(coho))
}

fn figures(desk: &Desk, runs: u64) -> Result<Vec<Figure>> {
    let names = desk.runs()?;
    let all = runs * ROWS;
    let figure = |(name, address): (&'static str, &str)| -> Result<Figure> {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for time in 0..TIMES {
            let run = names.get(usize::try_from(time)? % names.len().max(1)).context("there are no runs")?;
            let number = (1 + time * all / TIMES).to_string();
            let address = address.replace("RUN", run).replace("ROW", &number).replace("CALL", &number);
            let (took, length) = desk.page(&address)?;
            times.push(took);
            bytes = bytes.max(length);
        }
        times.sort_unstable();
        Ok(Figure { name, times, bytes })
    };
    PAGES.into_iter().map(figure).collect()
}

/// How long a run takes, alone and beside twenty pages, in seconds: the fastest of each, since others may use the machine too.
fn timed(programs: &Path, project: &Project, desk: &Desk) -> Result<(f64, f64)> {
    accounts(programs, project, TIMED_ROWS, "none")?;
    coho(programs, project)?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        say::talk(&format!("round {round} of {ROUNDS}"));
        // Who begins differs from round to round.
        for is_beside in [round % 2 == 0, round % 2 == 1] {
            let changed = if (alone.len() + beside.len()) % 2 == 0 { "all" } else { "none" };
            accounts(programs, project, TIMED_ROWS, changed)?;
            let open = if is_beside { Some(desk.streams(&["/", "/runs", "/rows/1", "/"], 5)?) } else { None };
            let seconds = coho(programs, project)?.wall.as_secs_f64();
            if is_beside {
                beside.push(seconds);
            } else {
                alone.push(seconds);
            }
            drop(open);
        }
    }
    let fastest = |times: Vec<f64>| times.into_iter().fold(f64::INFINITY, f64::min);
    Ok((fastest(alone), fastest(beside)))
}

impl Figure {
    /// The time in which such a share of the answers was there, in milliseconds.
    fn within(&self, share: f64) -> f64 {
        let last = report::lossy(self.times.len().saturating_sub(1) as u64);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = (last * share).round() as usize;
        self.times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

fn slowest(figures: &[Figure], share: f64) -> f64 {
    figures.iter().map(|figure| figure.within(share)).fold(0.0, f64::max)
}

fn goal(what: &str, most: f64, found: f64) -> (String, bool) {
    let holds = found <= most;
    let (found, most, sign) =
        (report::shown(found), report::shown(most), if holds { "" } else { "  MISSED" });
    (format!("  {what:<46}{found:>10}  at most {most}{sign}"), holds)
}

fn table(figures: &[Figure]) -> String {
    let head = format!("  {:<26}{:>12}{:>12}{:>10}", "page", "median, ms", "p95, ms", "KiB");
    let line = |figure: &Figure| {
        let [median, p95] = [0.5, 0.95].map(|share| report::shown(figure.within(share)));
        format!("  {:<26}{median:>12}{p95:>12}{:>10}", figure.name, figure.bytes / 1024)
    };
    std::iter::once(head).chain(figures.iter().map(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_answers_are_counted_from_the_fastest() {
        let times = (1..=21).map(Duration::from_millis).collect();
        let figure = Figure { name: "home", times, bytes: 4_096 };
        assert!((figure.within(0.5) - 11.0).abs() < 1e-9 && (figure.within(0.95) - 20.0).abs() < 1e-9);
        assert!(
            table(&[figure]).lines().last().is_some_and(|line| line.ends_with("11.00       20.00         4"))
        );
    }

    #[test]
    fn a_goal_that_is_missed_says_so() {
        assert!(goal("peak", 100.0, 99.0).1);
        assert!(!goal("peak", 100.0, 101.0).1 && goal("peak", 100.0, 101.0).0.ends_with("MISSED"));
    }
}
