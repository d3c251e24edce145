//! `cargo xtask torture`: the real program, killed again and again, against the simulator as another process.
//!
//! A *life* begins without a ledger and with an empty simulator, or with a ledger of an older schema and what it remembers. Rows
//! change at random, `coho run` is started and killed with SIGKILL at a random moment, as often as not while it makes or upgrades
//! its ledger, and Vitally is in trouble now and then. At its end a run is left alone: then Vitally must hold
//! what the rows say, each record and each event once, and one more run must write nothing. [`random`] makes all choices from
//! a seed, [`rows`] are the books, [`project`] the files, [`bucket`] has ledgers that are in no file, [`process`] lets commands end, [`older`] makes ledgers of older schemas, [`vitally`] asks the simulator,
//! [`check`] compares what it holds and [`audit`] what it was asked. [`faults`] has the classes of faults.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

mod process;
mod random;
mod rows;
mod project;
mod vitally;
mod older;
mod check;
mod audit;
mod faults;
mod bucket;

use bucket::{Bucket, Ledgers};
use faults::{Faults, Wanted};
use older::Older;
use process::finished;
use project::{Options, Project};
use random::Random;
use rows::Rows;
use vitally::Vitally;

use crate::arguments::{Arguments, Mode};
use crate::workspace::Workspace;
use crate::{child, say};

/// Kills that are made where the command line names no number.
const KILLS: u64 = 300;

/// Kills in the bounded form.
const BOUNDED_KILLS: u64 = 50;

/// Kills in each class of the network where the command line names no number.
const KILLS_IN_A_CLASS: u64 = 3;

/// Kills in one life, at most.
const KILLS_IN_A_LIFE: u64 = 6;

/// The first moments of a process, in which it makes or opens its ledger.
const START: Duration = Duration::from_millis(30);

/// After so many runs nothing may be deferred any more.
const MOST_RUNS: u32 = 3;

/// The exit code of a run that deferred something.
const SOME_DEFERRED: i32 = 5;

/// `cargo xtask torture [--kills N] [--seed S] [--release] [--ledger file|bucket] [--faults CLASS,…|all|quick|bounded [--write|--check]]`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let kills = arguments.number("--kills")?;
    let seed = arguments.number("--seed")?.unwrap_or(1);
    let release = arguments.flag("--release");
    let ledgers = Ledgers::parse(arguments.value("--ledger")?.as_deref())?;
    let wanted = arguments.value("--faults")?.map(|names| Wanted::parse(&names));
    let writes = arguments.flag("--write").then_some(Mode::Write);
    let mode = writes.or_else(|| arguments.flag("--check").then_some(Mode::Check));
    arguments.nothing_left()?;
    let target = Workspace::load()?.target;
    let (coho, older) = (built(&target, release)?, Older::load(&target)?);
    match wanted {
        None => lives(coho, older, ledgers, kills.unwrap_or(KILLS), seed),
        Some(_) if ledgers == Ledgers::Bucket => bail!("`--ledger bucket` and `--faults` do not go together"),
        Some(wanted) => {
            let kills = kills.unwrap_or(KILLS_IN_A_CLASS);
            faults::run(&Faults { coho, older, seed, kills }, &wanted, mode)
        }
    }
}

/// The bounded form of `cargo xtask test`: 50 kills, and beside them some classes of each family of faults.
pub(crate) fn bounded() -> Result<()> {
    let target = Workspace::load()?.target;
    let (coho, older) = (built(&target, false)?, Older::load(&target)?);
    let faults = Faults { coho: coho.clone(), older: older.clone(), seed: 1, kills: 1 };
    thread::scope(|scope| {
        let kills = scope.spawn(|| lives(coho, older, Ledgers::Files, BOUNDED_KILLS, 1));
        let classes = faults::run(&faults, &Wanted::Bounded, Some(Mode::Check));
        kills.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(classes)
    })
}

/// How long a run takes, until one ended by itself: each group of writes to a bucket is a call.
const IN_FILE: Duration = Duration::from_millis(400);
const IN_BUCKET: Duration = Duration::from_secs(6);

/// Kills at random moments.
fn lives(coho: PathBuf, older: Older, ledgers: Ledgers, kills: u64, seed: u64) -> Result<()> {
    let runner = Runner { coho, bucket: ledgers.start()? };
    let mut torture = Torture { runner, older, random: Random::new(seed), tally: Tally::default() };
    say::talk(&format!("{kills} kills, seed {seed}"));
    while torture.tally.kills < kills {
        let most = KILLS_IN_A_LIFE.min(kills - torture.tally.kills);
        torture.life(most).with_context(|| {
            format!("life {} of seed {seed}, after {} kills", torture.tally.lives, torture.tally.kills)
        })?;
        say::talk(&format!("  {}", torture.tally));
    }
    say::line(&format!(
        "{}: 0 lost, 0 second records, 0 events twice, 0 changed ids of events",
        torture.tally
    ));
    Ok(())
}

/// The program, built.
fn built(target: &Path, release: bool) -> Result<PathBuf> {
    let mut build = child::cargo();
    build.args(["build", "--package", "coho-cli"]);
    if release {
        build.arg("--release");
    }
    child::run(&mut build)?;
    Ok(target.join(if release { "release" } else { "debug" }).join("coho"))
}

/// What was done so far.
#[derive(Debug, Default)]
struct Tally {
    lives: u64,
    /// Runs that were ended by a signal.
    kills: u64,
    /// Lives that began with a ledger of an older schema.
    older: u64,
    /// Kills of a process that had not yet made a ledger.
    without_ledger: u64,
    /// Kills of a process that had a ledger, and had not yet planned a sync with it: it may have been upgrading.
    opening: u64,
    /// Runs that ended before they were to be killed.
    too_late: u64,
    /// Calls that wrote.
    writes: usize,
    /// Those of them that wrote something again.
    repeats: u64,
    /// How many might: what was under way at kills, and calls that were to fail.
    most_repeats: u64,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { lives, kills, older, without_ledger, opening, too_late, writes, repeats, most_repeats } =
            self;
        write!(
            f,
            "{lives} lives ({older} with an older ledger), {kills} kills ({without_ledger} before there was a ledger, {opening} \
             before it was used), {too_late} runs that ended by themselves, {writes} writes, {repeats} of them again \
             (of {most_repeats} that were under way or to fail)"
        )
    }
}

struct Torture {
    runner: Runner,
    older: Older,
    random: Random,
    tally: Tally,
}

impl Torture {
    /// One life: some kills, and then a run that is left alone.
    fn life(&mut self, kills: u64) -> Result<()> {
        self.tally.lives += 1;
        let vitally = Vitally::start(&self.runner.coho, &mut self.random)?;
        let life = self.tally.lives.to_string();
        let project = Project::create(vitally.url(), &life, Options::many())?;
        if self.runner.bucket.is_some() {
            project.keep_ledger_at(&Bucket::address(&life))?;
        }
        let mut rows = Rows::first(&mut self.random);
        project.write_rows(&rows)?;
        let schema = self.begin(&vitally, &project, &mut rows)?;
        let mut usual = if self.runner.bucket.is_some() { IN_BUCKET } else { IN_FILE };
        let (mut killed, mut most) = (0, 0);
        while killed < kills {
            most += vitally.trouble(&mut self.random)?;
            let after = self.moment(usual);
            match self.runner.run_and_kill(project.folder(), after)? {
                Fate::Killed => {
                    killed += 1;
                    most += self.under_way(&project, &life)?;
                    self.note_stage(&project);
                }
                Fate::ByItself(took) => {
                    usual = took;
                    self.tally.too_late += 1;
                }
            }
            if self.random.one_in(2) {
                rows.change(&mut self.random);
                project.write_rows(&rows)?;
            }
        }
        self.tally.kills += killed;
        let outcome = self.settle(&vitally, &project, &rows, most);
        self.tally.writes += vitally.writes()?;
        self.tally.most_repeats += most;
        self.tally.repeats += outcome.with_context(|| {
            format!("the project, which began with {schema}, is kept in {}", project.folder().display())
        })?;
        project.remove()
    }

    /// Every other life begins with an older ledger. Gives with which.
    fn begin(&mut self, vitally: &Vitally, project: &Project, rows: &mut Rows) -> Result<String> {
        if self.random.one_in(2) || self.runner.bucket.is_some() {
            return Ok("no ledger".to_owned());
        }
        self.tally.older += 1;
        rows.others.push(older::STAYS);
        let schema = self.older.put(project.folder(), vitally, &mut self.random, vitally.url())?;
        Ok(format!("a ledger of the schema {schema}"))
    }

    /// How many operations were under way at a kill.
    fn under_way(&self, project: &Project, life: &str) -> Result<u64> {
        if let Some(bucket) = &self.runner.bucket {
            let file = project.folder().join(".coho/ledger.db");
            std::fs::create_dir_all(project.folder().join(".coho"))?;
            bucket.copy(&self.runner.coho, life, &file)?;
            let count = self.older.under_way(project.folder());
            std::fs::remove_dir_all(project.folder().join(".coho"))?;
            return count;
        }
        self.older.under_way(project.folder())
    }

    /// Notes how far a process came that was killed. A sync is marked as soon as it is planned.
    fn note_stage(&mut self, project: &Project) {
        let has = |name: &str| project.folder().join(name).exists();
        let marks = std::fs::read_to_string(project.folder().join(".coho-ledger")).unwrap_or_default();
        if self.runner.bucket.is_none() && !has(".coho/ledger.db") {
            self.tally.without_ledger += 1;
        } else if !marks.contains("accounts") {
            self.tally.opening += 1;
        }
    }

    /// When the next run is killed: as often as not while it starts.
    fn moment(&mut self, usual: Duration) -> Duration {
        if self.random.one_in(3) {
            START * self.random.percent() / 100
        } else {
            usual * self.random.percent() / 100
        }
    }

    /// Lets a run end, and compares. Gives how many writes were made again, which may be so many.
    fn settle(&self, vitally: &Vitally, project: &Project, rows: &Rows, most: u64) -> Result<u64> {
        vitally.calm()?;
        self.runner.settled(project.folder())?;
        check::same(&vitally.state()?, rows)?;
        let before = vitally.writes()?;
        self.runner.left_alone(project.folder())?;
        match vitally.writes()? - before {
            0 => audit::check(&vitally.calls()?, most),
            again => bail!("a run after which nothing changed made {again} writes"),
        }
    }
}

/// How a run ended that was to be killed.
enum Fate {
    Killed,
    ByItself(Duration),
}

/// Lets `coho` run.
struct Runner {
    coho: PathBuf,
    /// Where ledgers are that are in no file.
    bucket: Option<Bucket>,
}

impl Runner {
    fn run(&self, folder: &Path) -> Command {
        let mut command = child::program(&self.coho);
        command.args(["run", "--project"]).arg(folder).stdin(Stdio::null());
        if let Some(bucket) = &self.bucket {
            bucket.show(&mut command);
        }
        command
    }

    fn run_and_kill(&self, folder: &Path, after: Duration) -> Result<Fate> {
        let begun = Instant::now();
        let mut command = self.run(folder);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut process = started.with_context(|| format!("starting `{}`", child::shown(&command)))?;
        while begun.elapsed() < after {
            if process.try_wait()?.is_some() {
                return Ok(Fate::ByItself(begun.elapsed()));
            }
            sleep(Duration::from_millis(1).min(after.saturating_sub(begun.elapsed())));
        }
        process.kill()?;
        // Only one that was still at work has no exit code of its own.
        Ok(match process.wait()?.code() {
            None => Fate::Killed,
            Some(_) => Fate::ByItself(begun.elapsed()),
        })
    }

    /// Lets runs end until nothing is deferred: what was unclear is looked at by one run, and may be removed only by the next.
    fn settled(&self, folder: &Path) -> Result<()> {
        for _ in 1..MOST_RUNS {
            if finished(self.run(folder), folder)?.code() != Some(SOME_DEFERRED) {
                break;
            }
        }
        self.left_alone(folder)
    }

    fn left_alone(&self, folder: &Path) -> Result<()> {
        finished(self.run(folder), folder)?.succeeded()
    }
}
