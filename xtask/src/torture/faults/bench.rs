//! The life of a class: a project, a simulator, a proxy between them, and runs of the real program.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::class::Faults;
use super::proxy::Proxy;
use crate::child;
use crate::torture::older::Older;
use crate::torture::project::{Options, Project};
use crate::torture::random::Random;
use crate::torture::rows::Rows;
use crate::torture::vitally::Vitally;
use crate::torture::{audit, check};

/// What a run may take that waits for time-outs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A run is killed once it made fewer calls than this, or when it ends.
const CALLS_BEFORE_A_KILL: u32 = 12;

/// After so many runs nothing may be left to do.
const MOST_RUNS: u32 = 6;

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

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) text: String,
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
    pub(crate) fn ended(&self, mut command: Command) -> Result<Ended> {
        let log = self.project.folder().join("log");
        let file = fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut process = command.stdout(file.try_clone()?).stderr(file).spawn()?;
        let begun = Instant::now();
        loop {
            if let Some(status) = process.try_wait()? {
                return Ok(Ended { status, text: fs::read_to_string(&log).unwrap_or_default() });
            }
            if begun.elapsed() > PATIENCE {
                process.kill()?;
                bail!("a run hangs");
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Lets runs end until nothing is left to do.
    pub(crate) fn catch_up(&self) -> Result<()> {
        let mut last = self.run()?;
        for _ in 1..MOST_RUNS {
            if last.status.success() {
                return Ok(());
            }
            for sync in SYNCS {
                self.ended(self.verb(&["retry", sync]))?;
            }
            last = self.run()?;
        }
        if last.status.success() {
            return Ok(());
        }
        bail!("a run that was left alone ended with {}:\n{}", last.exit(), last.text)
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
        if writes > 0 || !again.status.success() {
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

impl Ended {
    /// Of a run that nobody listened to.
    pub(crate) fn silent(status: ExitStatus) -> Self {
        Self { status, text: String::new() }
    }

    /// Of one that said this.
    pub(crate) fn told(status: ExitStatus, message: &str) -> Self {
        Self { status, text: format!("error: {message}\n") }
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// `0`, `6`, or `signal 9`.
    pub(crate) fn exit(&self) -> String {
        exit(self.status)
    }

    /// The errors, or the codes of what went wrong with rows, each with its first message.
    pub(crate) fn message(&self) -> String {
        let lines: Vec<&str> = self.text.lines().collect();
        let error = lines.iter().find_map(|line| line.strip_prefix("error: "));
        if let Some(error) = error.or_else(|| lines.iter().copied().find(|line| is_problem(line))) {
            return error.to_owned();
        }
        let mut said: Vec<String> = Vec::new();
        for pair in lines.windows(2) {
            let [line, next] = pair else { continue };
            let Some(code) = line.strip_prefix("  ! ").and_then(|line| line.split_whitespace().next()) else {
                continue;
            };
            let message = format!("`{code}`: {}", next.trim());
            if !said.iter().any(|known| known.starts_with(&format!("`{code}`"))) {
                said.push(message);
            }
        }
        if said.is_empty() { "nothing".to_owned() } else { said.join("; ") }
    }
}

/// `models/a.yaml: what is wrong [code]`.
fn is_problem(line: &str) -> bool {
    !line.starts_with(' ') && line.contains(": ") && line.ends_with(']')
}

pub(crate) fn exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
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
