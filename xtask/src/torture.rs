//! `cargo xtask torture`: the real program, killed again and again, against the simulator as another process.
//!
//! A *life* begins without a ledger and with an empty simulator, or with a ledger of an older schema and what it remembers. Rows
//! change at random, `coho run` is started and killed with SIGKILL at a random moment, as often as not while it makes or upgrades
//! its ledger, and Vitally is in trouble now and then. At its end a run is left alone: then Vitally must hold
//! what the rows say, each record and each event once, and one more run must write nothing. [`random`] makes all choices from
//! a seed, [`rows`] are the books, [`project`] the files, [`ledgers`] says where ledgers are, with the servers [`bucket`] and [`postgres`], [`process`] lets commands end, [`older`] makes ledgers of older schemas, [`vitally`] asks the simulator,
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
mod postgres;
mod ledgers;

use faults::{Faults, Wanted};
use ledgers::{Ledgers, Store};
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

/// `cargo xtask torture [--kills N] [--seed S] [--release] [--ledger file|bucket|postgres [--kills-of-server N]] [--faults CLASS,…|all|quick|bounded [--write|--check]]`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let kills = arguments.number("--kills")?;
    let seed = arguments.number("--seed")?.unwrap_or(1);
    let release = arguments.flag("--release");
    let ledgers = Ledgers::parse(arguments.value("--ledger")?.as_deref())?;
    let crashes = arguments.number("--kills-of-server")?.unwrap_or(0);
    let wanted = arguments.value("--faults")?.map(|names| Wanted::parse(&names));
    let writes = arguments.flag("--write").then_some(Mode::Write);
    let mode = writes.or_else(|| arguments.flag("--check").then_some(Mode::Check));
    arguments.nothing_left()?;
    let target = Workspace::load()?.target;
    let (coho, older) = (built(&target, release)?, Older::load(&target)?);
    if crashes > 0 && ledgers != Ledgers::Postgres {
        bail!("`--kills-of-server` needs `--ledger postgres`");
    }
    match wanted {
        None => lives(coho, older, ledgers, Wish { kills: kills.unwrap_or(KILLS), crashes, seed }),
        Some(_) if ledgers != Ledgers::Files => bail!("`--ledger` and `--faults` do not go together"),
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
        let kills = scope
            .spawn(|| lives(coho, older, Ledgers::Files, Wish { kills: BOUNDED_KILLS, crashes: 0, seed: 1 }));
        let classes = faults::run(&faults, &Wanted::Bounded, Some(Mode::Check));
        kills.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(classes)
    })
}

/// How much is wanted.
#[derive(Clone, Copy)]
struct Wish {
    kills: u64,
    /// Kills of the ledger's server.
    crashes: u64,
    seed: u64,
}

/// Kills at random moments.
fn lives(coho: PathBuf, older: Older, ledgers: Ledgers, wish: Wish) -> Result<()> {
    let Wish { kills, crashes, seed } = wish;
    let runner = Runner { coho, store: ledgers.start(&Workspace::load()?.target)?, usual: ledgers.usual() };
    let mut torture = Torture { runner, older, random: Random::new(seed), tally: Tally::default(), crashes };
    say::talk(&format!("{kills} kills, seed {seed}"));
    while torture.tally.kills < kills || torture.tally.crashes < crashes {
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
    /// Times that the ledger's server was killed while a run was under way.
    crashes: u64,
    /// Of those runs, the ones that ended with 0: nothing was deferred, whatever trouble Vitally made.
    went_on: u64,
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
        let Self {
            lives,
            kills,
            crashes,
            went_on,
            older,
            without_ledger,
            opening,
            too_late,
            writes,
            repeats,
            most_repeats,
        } = self;
        let server = if *crashes > 0 {
            format!("{crashes} kills of the server ({went_on} of the runs ended with 0), ")
        } else {
            String::new()
        };
        write!(
            f,
            "{server}{lives} lives ({older} with an older ledger), {kills} kills ({without_ledger} before there was a ledger, {opening} \
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
    /// How often the ledger's server is to be killed.
    crashes: u64,
}

impl Torture {
    /// One life: some kills, and then a run that is left alone.
    fn life(&mut self, kills: u64) -> Result<()> {
        self.tally.lives += 1;
        let vitally = Vitally::start(&self.runner.coho, &mut self.random)?;
        let life = self.tally.lives.to_string();
        let project = Project::create(vitally.url(), &life, Options::many())?;
        if let Some(store) = &self.runner.store {
            project.keep_ledger_at(&store.address(&life))?;
        }
        let mut rows = Rows::first(&mut self.random);
        project.write_rows(&rows)?;
        let schema = self.begin(&vitally, &project, &mut rows)?;
        let mut usual = self.runner.usual;
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
        if self.tally.crashes < self.crashes {
            rows.change(&mut self.random);
            project.write_rows(&rows)?;
            most += self.crash(&project, &life, usual)?;
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

    /// Kills the ledger's server while a run is under way. Gives how many operations the run left under way.
    fn crash(&mut self, project: &Project, life: &str, usual: Duration) -> Result<u64> {
        let after = usual * self.random.percent() / 100;
        if let Some(has_succeeded) = self.runner.run_and_crash(project.folder(), after)? {
            self.tally.crashes += 1;
            self.tally.went_on += u64::from(has_succeeded);
        }
        self.under_way(project, life)
    }

    /// Every other life begins with an older ledger. Gives with which.
    fn begin(&mut self, vitally: &Vitally, project: &Project, rows: &mut Rows) -> Result<String> {
        if self.random.one_in(2) || self.runner.store.is_some() {
            return Ok("no ledger".to_owned());
        }
        self.tally.older += 1;
        rows.others.push(older::STAYS);
        let schema = self.older.put(project.folder(), vitally, &mut self.random, vitally.url())?;
        Ok(format!("a ledger of the schema {schema}"))
    }

    /// How many operations were under way at a kill.
    fn under_way(&self, project: &Project, life: &str) -> Result<u64> {
        if let Some(store) = &self.runner.store {
            let file = project.folder().join(".coho/ledger.db");
            std::fs::create_dir_all(project.folder().join(".coho"))?;
            store.copy(&self.runner.coho, life, &file)?;
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
        if self.runner.store.is_none() && !has(".coho/ledger.db") {
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
    store: Option<Store>,
    /// How long a run takes, until one ended by itself.
    usual: Duration,
}

impl Runner {
    fn run(&self, folder: &Path) -> Command {
        let mut command = child::program(&self.coho);
        command.args(["run", "--project"]).arg(folder).stdin(Stdio::null());
        if let Some(store) = &self.store {
            store.show(&mut command);
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

    /// Kills the ledger's server under a run, starts it again, and lets the run end. Gives whether it did all that it was to do; `None` where
    /// it had ended before.
    fn run_and_crash(&mut self, folder: &Path, after: Duration) -> Result<Option<bool>> {
        let mut command = self.run(folder);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut process = started.with_context(|| format!("starting `{}`", child::shown(&command)))?;
        sleep(after);
        if process.try_wait()?.is_some() {
            return Ok(None);
        }
        if let Some(store) = &mut self.store {
            store.crash()?;
        }
        Ok(Some(process.wait()?.success()))
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
