//! The life of a class: a project, a simulator, a proxy between them, and runs of the real program.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::class::Faults;
use super::proxy::Proxy;
use crate::child;
use crate::torture::older::Older;
use crate::torture::process::{Ended, PATIENCE, finished};
use crate::torture::project::{Options, Project};
use crate::torture::random::Random;
use crate::torture::rows::Rows;
use crate::torture::vitally::Vitally;
use crate::torture::{audit, check};

/// After so many runs nothing may be left to do.
const MOST_RUNS: u32 = 6;

/// A run is killed once it made fewer calls than this, or when it ends.
const CALLS_BEFORE_A_KILL: u32 = 12;

/// All syncs of the project.
pub(crate) const SYNCS: [&str; 4] = ["accounts", "users", "contacts", "events"];

/// A life.
pub(crate) struct Bench {
    coho: std::path::PathBuf,
    pub(crate) vitally: Vitally,
    pub(crate) proxy: Proxy,
    pub(crate) project: Project,
    pub(crate) rows: Rows,
    older: Older,
    tally: Tally,
}

/// What was done in a life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Runs that were killed.
    pub(crate) kills: u64,
    /// What the ledger took to be under way at these kills.
    pub(crate) under_way: u64,
    /// Writes that were made again.
    pub(crate) repeats: u64,
    /// How many might: those under way, and calls that were struck.
    pub(crate) most_repeats: u64,
}

impl Bench {
    pub(crate) fn start(faults: &Faults, name: &str) -> Result<Self> {
        Self::start_with(faults, name, "strict,limit=1000000,rate=1000000", Options::one_by_one())
    }

    /// With other switches of the simulator, or other files.
    pub(crate) fn start_with(faults: &Faults, name: &str, switches: &str, options: Options) -> Result<Self> {
        let vitally = Vitally::with_switches(&faults.coho, &[switches])?;
        let proxy = Proxy::start(vitally.url())?;
        let project = Project::create(&proxy.url(), name, options)?;
        let rows = Rows::first(&mut Random::new(faults.seed));
        project.write_rows(&rows)?;
        let (coho, older) = (faults.coho.clone(), faults.older.clone());
        Ok(Self { coho, vitally, proxy, project, rows, older, tally: Tally::default() })
    }

    /// What was done so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Kills a run. Gives how it ended: it may have been faster.
    pub(crate) fn kill(&mut self, process: &mut Child) -> Result<ExitStatus> {
        process.kill()?;
        let status = process.wait()?;
        if status.code().is_none() {
            self.tally.kills += 1;
            self.tally.under_way += self.older.under_way(self.project.folder())?;
        }
        Ok(status)
    }

    pub(crate) fn command(&self) -> Command {
        self.verb(&["run"])
    }

    pub(crate) fn verb(&self, words: &[&str]) -> Command {
        let mut command = child::program(&self.coho);
        command.args(words).arg("--project").arg(self.project.folder()).stdin(Stdio::null());
        command.env("HOSTNAME", "machine");
        command
    }

    /// Rows come, change and leave.
    pub(crate) fn change(&mut self, random: &mut Random) -> Result<()> {
        self.rows.change(random);
        self.project.write_rows(&self.rows)
    }

    /// Starts a run that nobody listens to.
    pub(crate) fn silent(&self) -> Result<Child> {
        Ok(self.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// Starts a run and kills it once it made some calls.
    pub(crate) fn kill_on_the_way(&mut self, random: &mut Random) -> Result<()> {
        let calls = self.proxy.calls() + random.below(CALLS_BEFORE_A_KILL) as usize;
        let mut process = self.silent()?;
        until(PATIENCE, || Ok(self.proxy.calls() >= calls || process.try_wait()?.is_some()))?;
        self.kill(&mut process).map(drop)
    }

    /// Lets a run end.
    pub(crate) fn run(&self) -> Result<Ended> {
        self.ended(self.command())
    }

    /// Lets a command end.
    pub(crate) fn ended(&self, command: Command) -> Result<Ended> {
        finished(command, self.project.folder())
    }

    /// Lets runs end until nothing is left to do.
    pub(crate) fn catch_up(&self) -> Result<()> {
        let mut last = self.run()?;
        for _ in 1..MOST_RUNS {
            if last.is_success() {
                return Ok(());
            }
            for sync in SYNCS {
                self.ended(self.verb(&["retry", sync]))?;
            }
            last = self.run()?;
        }
        last.succeeded()
    }

    /// Lets runs end, holds Vitally and what it was asked against the rows, and lets one more run, which writes nothing.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.settled().with_context(|| format!("the project is kept in {}", self.project.folder().display()))
    }

    fn settled(&mut self) -> Result<()> {
        self.catch_up()?;
        check::same(&self.vitally.state()?, &self.rows)?;
        let before = self.vitally.writes()?;
        let again = self.run()?;
        let writes = self.vitally.writes()? - before;
        if writes > 0 || !again.is_success() {
            bail!("a run after which nothing changed made {writes} writes:\n{}", again.text);
        }
        self.tally.most_repeats = self.tally.under_way + self.proxy.struck();
        self.tally.repeats = audit::check(&self.vitally.calls()?, self.tally.most_repeats)?;
        Ok(())
    }

    /// A text without what differs from run to run.
    pub(crate) fn plain(&self, text: &str) -> String {
        let folder = self.project.folder().display().to_string();
        let text = text.replace(&folder, "PROJECT").replace(&self.proxy.url(), "VITALLY");
        let address = self.proxy.url().replace("http://", "");
        text.replace(&address, "VITALLY")
    }

    pub(crate) fn end(self) -> Result<()> {
        self.project.remove()
    }
}

/// Waits until something is so.
pub(crate) fn until(most: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        if begun.elapsed() > most {
            bail!("waited {} s in vain", most.as_secs());
        }
        sleep(Duration::from_micros(200));
    }
    Ok(())
}
