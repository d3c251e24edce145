//! A stage for whole runs: a project in a temporary folder, its rows in SQLite, a simulator over real HTTP, and clocks that
//! move only when they are told.
//!
//! Each [`Stage::run`] plans first and holds the plan against the run: what the plan says, the run does. [`told`] puts
//! results into lines that tests compare.

#[path = "child.rs"]
pub(crate) mod child;
#[path = "told.rs"]
pub(crate) mod told;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coho_core::decide::RunKind;
use coho_core::event::{Listener, Silence};
use coho_core::plan::SyncPlan;
use coho_core::problem::Problem;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use coho_engine::context::{Engine, EngineError, Setup};
use coho_engine::run::{Options, Outlook, Report};
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_project::{File, Project};
use coho_simulator::{
    ExternalInPath, IdSource, Running, Simulator, SimulatorClock, SimulatorSettings, Switches,
};
use coho_source::DriverHost;
use tempfile::TempDir;

pub(crate) type Failure = Box<dyn Error>;

pub(crate) const TOKEN: &str = "sk_live_1";

/// A rate that holds nothing back.
pub(crate) const FAST: u32 = 10_000_000;

/// 2026-01-02T03:04:05Z.
pub(crate) const START: i64 = 1_767_323_045_000;

/// Accounts from the table `accounts`, with all that most tests need.
pub(crate) const ACCOUNTS: &str = "
id: accounts
model: accounts
to: vitally
object: account
match: { externalId: external }
fields:
  name: name
  traits: { plan: plan, seats: seats }
removed: delete-created
";

/// Users from the table `users`, with their accounts by reference.
pub(crate) const USERS: &str = "
id: users
model: users
to: vitally
object: user
match: { externalId: external }
fields:
  name: name
  accountIds: { column: account, lookup: account.externalId }
removed: delete-created
";

/// Organizations from the table `organizations`.
pub(crate) const ORGANIZATIONS: &str = "
id: organizations
model: organizations
to: vitally
object: organization
match: { externalId: external }
fields: { name: name }
removed: delete-created
";

/// Events from the table `orders`, with all that most tests need.
pub(crate) const ORDERS: &str = "
id: orders
model: orders
to: vitally
object: event
fields:
  event: { static: Order placed }
  timestamp: { column: at, as: timestamp }
  accountId: account
  properties: { total: total }
first_run: send
";

const TABLES: &str = "
    CREATE TABLE orders (id, message, kind, at, account, organization, user, total, note);
    CREATE TABLE organizations (id, external, name);
    CREATE TABLE accounts (id, external, name, plan, seats, noise);
    CREATE TABLE users (id, external, name, account, email);";

/// A project, its source, its ledger and a Vitally.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) vitally: Running,
    pub(crate) clock: SimulatorClock,
    files: BTreeMap<String, String>,
    runs: AtomicU64,
    tick: Duration,
    /// What loads ADBC drivers.
    pub(crate) driver_host: DriverHost,
}

/// What a run came to, with the plan that was made right before it.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) plans: Vec<SyncPlan>,
    pub(crate) report: Report,
    pub(crate) calls: Vec<String>,
}

impl Stage {
    /// A stage with accounts.
    pub(crate) async fn accounts() -> Result<Self, Failure> {
        Self::with(&[("accounts", ACCOUNTS)]).await
    }

    /// A stage with these syncs, each from the table of its name.
    pub(crate) async fn with(syncs: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::served(syncs, SimulatorSettings::new(TOKEN)).await
    }

    /// A stage on a simulator with these settings, clock and ids apart.
    pub(crate) async fn served(syncs: &[(&str, &str)], settings: SimulatorSettings) -> Result<Self, Failure> {
        let clock = SimulatorClock::manual(coho_simulator::SimulatorTime::from_millis(START));
        let switches = Switches { limit: 100_000_000, ..settings.switches };
        let settings =
            SimulatorSettings { clock: clock.clone(), ids: IdSource::Sequential, switches, ..settings };
        let vitally = Simulator::start(settings).await?;
        let folder = folder()?;
        rusqlite::Connection::open(folder.path().join("app.db"))?.execute_batch(TABLES)?;
        let (files, runs, tick) = (BTreeMap::new(), AtomicU64::new(0), Duration::ZERO);
        let driver_host = DriverHost::default();
        let mut stage = Self { folder, vitally, clock, files, runs, tick, driver_host };
        stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, FAST));
        for table in ["organizations", "accounts", "users", "orders"] {
            let model = format!("source: app\ntable: {table}\nprimary_key: id\n");
            stage.file(&format!("models/{table}.yaml"), &model);
        }
        for (name, text) in syncs {
            stage.sync(name, text);
        }
        Ok(stage)
    }

    /// The same, with the token of the Analytics API.
    pub(crate) async fn with_analytics(syncs: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut stage = Self::with(syncs).await?;
        stage.analytics();
        Ok(stage)
    }

    /// Gives the destination the token of the Analytics API too.
    pub(crate) fn analytics(&mut self) {
        let both = format!("analytics_token: sandbox, analytics_rate: {FAST}/min, rest_token:");
        if let Some(text) = self.files.get_mut("coho.yaml") {
            *text = text.replace("rest_token:", &both);
        }
    }

    /// Adds a line to `coho.yaml`.
    pub(crate) fn setting(&mut self, line: &str) {
        if let Some(text) = self.files.get_mut("coho.yaml") {
            text.extend(["\n", line, "\n"]);
        }
    }

    /// Lets time pass: each look at the clock moves it by so much.
    pub(crate) fn tick(&mut self, tick: Duration) {
        self.tick = tick;
    }

    /// Writes a file of the project.
    pub(crate) fn file(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    /// Takes a file of the project away.
    pub(crate) fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Writes a sync.
    pub(crate) fn sync(&mut self, name: &str, text: &str) {
        self.file(&format!("syncs/{name}.yaml"), text);
    }

    /// Lets so many operations be under way at the same time.
    pub(crate) fn concurrency(&mut self, concurrency: impl Display) {
        let text = destination(&self.vitally.url(), concurrency, FAST);
        self.file("coho.yaml", &text);
    }

    /// Changes the source.
    pub(crate) fn sql(&self, sql: &str) -> Result<(), Failure> {
        Ok(rusqlite::Connection::open(self.folder.path().join("app.db"))?.execute_batch(sql)?)
    }

    /// Writes a file of the source `files`: rows of JSON, which has lists.
    pub(crate) fn rows(&self, name: &str, rows: &[serde_json::Value]) -> Result<(), Failure> {
        let lines: Vec<_> = rows.iter().map(ToString::to_string).collect();
        Ok(std::fs::write(self.folder.path().join(name), lines.join("\n"))?)
    }

    /// Accounts `from..to`, all alike but for their numbers.
    pub(crate) fn many_accounts(&self, from: usize, to: usize) -> Result<(), Failure> {
        let row = |number| format!("({number}, 'a-{number:03}', 'Account {number}', 'free', {number}, 0)");
        let rows: Vec<_> = (from..to).map(row).collect();
        self.sql(&format!("INSERT INTO accounts VALUES {}", rows.join(", ")))
    }

    /// Moves both clocks.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The project that the files say.
    pub(crate) fn project(&self) -> Result<Project, Failure> {
        let files: Vec<_> = self.files.iter().map(|(path, text)| File::text(path, text)).collect();
        coho_project::load(&files, &|_| None, None).map_err(|problems| listed(&problems).into())
    }

    /// Plans all syncs. The ledger must be the same afterwards, byte by byte.
    pub(crate) async fn plan(&self) -> Result<Vec<SyncPlan>, Failure> {
        self.plan_with(&Options::default()).await
    }

    pub(crate) async fn plan_with(&self, options: &Options) -> Result<Vec<SyncPlan>, Failure> {
        let before = self.ledger_bytes();
        let project = self.project()?;
        let engine = self.engine(&project);
        let syncs = engine.select(&[])?;
        let mut plans = Vec::new();
        for outlook in engine.plan(&syncs, options, &Silence).await? {
            match outlook {
                Outlook::Plan(planned) => plans.push(planned.plan),
                Outlook::Failed { problems, .. } => return Err(listed(&problems).into()),
            }
        }
        assert!(before == self.ledger_bytes(), "a plan writes nothing");
        Ok(plans)
    }

    /// Runs all syncs.
    pub(crate) async fn run(&self) -> Result<Ran, Failure> {
        self.run_with(&Options::default()).await
    }

    /// Plans and runs all syncs, and holds one against the other.
    pub(crate) async fn run_with(&self, options: &Options) -> Result<Ran, Failure> {
        // What was made a moment before could not be told from what a run makes.
        self.advance(Duration::from_secs(60));
        let undisturbed = self.vitally.script_left().is_empty();
        let plans = self.plan_with(options).await?;
        let ran = self.try_run(options, &Silence, &Stop::new()).await??;
        if undisturbed {
            agree(&plans, &ran, self.vitally.switches().ext_in_path)?;
        }
        Ok(Ran { plans, ..ran })
    }

    /// Runs without a plan before it.
    pub(crate) async fn run_alone(&self) -> Result<Ran, Failure> {
        Ok(self.try_run(&Options::default(), &Silence, &Stop::new()).await??)
    }

    /// Runs without a plan. The inner error is the engine's.
    pub(crate) async fn try_run(
        &self,
        options: &Options,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Result<Result<Ran, EngineError>, Failure> {
        self.vitally.clear_calls();
        let project = self.project()?;
        let engine = self.engine(&project);
        let syncs = engine.select(&[])?;
        let mut names = told::names(&self.vitally);
        let report = engine.run(&syncs, options, listener, stop).await;
        names.extend(told::names(&self.vitally));
        let calls = told::calls(&self.vitally.calls(), &names);
        Ok(report.map(|report| Ran { plans: Vec::new(), report, calls }))
    }

    pub(crate) fn engine<'a>(&self, project: &'a Project) -> Engine<'a> {
        let (clock, tick) = (self.clock.clone(), self.tick);
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        Engine::new(Setup {
            project,
            root: self.folder.path().to_owned(),
            temporary: self.folder.path().to_owned(),
            clock: Arc::new(move || {
                clock.advance(tick);
                time(&clock)
            }),
            holder: Holder { id: format!("holder-{run}"), pid: std::process::id(), host: "here".to_owned() },
            run_id: Arc::new(move || format!("run-{run:03}")),
            lineage: None,
        })
        .driver_host(self.driver_host.clone())
    }

    /// Writes the project's files to its folder, for a process of its own.
    pub(crate) fn write_files(&self) -> Result<(), Failure> {
        for (path, text) in &self.files {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    /// Forgets records, calls, the ledger and all rows, for a stage that is used again.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        self.vitally.reset()?;
        for file in [".coho-ledger", "ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            match std::fs::remove_file(self.folder.path().join(file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        self.sql("DELETE FROM accounts; DELETE FROM users; DELETE FROM organizations; DELETE FROM orders")
    }

    pub(crate) fn ledger(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn ledger_bytes(&self) -> Option<Vec<u8>> {
        std::fs::read(self.ledger()).ok()
    }

    /// All records of Vitally, one a line.
    pub(crate) fn records(&self) -> Vec<String> {
        told::records(&self.vitally)
    }

    /// What one query on the ledger gives, each row in one text.
    pub(crate) fn ask_ledger(&self, sql: &str) -> Result<Vec<String>, Failure> {
        let connection = rusqlite::Connection::open(self.ledger())?;
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Ran {
    /// How a sync ended, and where its rows did.
    pub(crate) fn told(&self, sync: &str) -> String {
        let summary = self.report.syncs.iter().find(|summary| summary.sync.as_str() == sync);
        summary.map_or_else(|| "there is no such sync".to_owned(), told::summary)
    }

    /// As [`Ran::told`], of a run with one sync.
    pub(crate) fn told_all(&self) -> String {
        self.report.syncs.iter().map(told::summary).collect::<Vec<_>>().join("; ")
    }
}

/// A folder in memory where there is such a thing: nobody waits for a disk.
fn folder() -> std::io::Result<TempDir> {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new())
}

/// A run that sends everything again.
pub(crate) fn resend() -> Options {
    Options { run_kind: RunKind::Resend, ..Options::default() }
}

pub(crate) fn destination(url: &str, concurrency: impl Display, rate: u32) -> String {
    format!(
        "project: stage
sources: {{ app: {{ type: sqlite, path: app.db }}, files: {{ type: files, path: . }} }}
destinations:
  vitally:
    {{ type: vitally, base_url: '{url}', rest_token: {TOKEN}, rate: {rate}/min, concurrency: {concurrency} }}
ledger: ledger.db
"
    )
}

/// The simulator's time as the engine has it.
fn time(clock: &SimulatorClock) -> Time {
    Time::from_timestamp_millis(clock.now().millis()).unwrap_or_default()
}

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("{} [{}]", problem.message, problem.code))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The run did what the plan said: the same rows and operations, and no more or fewer calls.
fn agree(plans: &[SyncPlan], ran: &Ran, in_path: ExternalInPath) -> Result<(), Failure> {
    for (plan, summary) in plans.iter().zip(&ran.report.syncs) {
        let before = (&plan.counts.rows, &plan.counts.keys, plan.counts.writes, plan.counts.removals);
        // A run leaves a removal out where a row holds the record after all, or what takes its place is not there yet.
        let (mut keys, mut removals) = (summary.counts.keys.clone(), summary.counts.removals);
        if !plan.counts.keys.contains_key(&RowStatus::Stale) {
            removals += keys.remove(&RowStatus::Stale).unwrap_or_default();
        }
        let after = (&summary.counts.rows, &keys, summary.counts.writes, removals);
        if before != after || plan.guards != summary.guards {
            return Err(format!("the plan said {before:?}, the run did {after:?}").into());
        }
    }
    let least: u64 = plans.iter().map(|plan| plan.calls.least).sum();
    // What is deferred or rejected may not come to its own calls.
    let cut_short =
        |status| ran.report.syncs.iter().map(|summary| summary.counts.status(status)).sum::<u64>();
    let least = if [RowStatus::Deferred, RowStatus::Rejected, RowStatus::Stale]
        .map(cut_short)
        .iter()
        .sum::<u64>()
        > 0
    {
        0
    } else {
        least
    };
    let most: u64 = match in_path {
        ExternalInPath::On => plans.iter().map(|plan| plan.calls.most).sum(),
        // Records are then found by listing, page by page, which a plan cannot foresee.
        ExternalInPath::Off | ExternalInPath::NotFound => u64::MAX,
    };
    let made = ran.calls.len() as u64;
    if made < least || made > most {
        return Err(
            format!("the plan said {least} to {most} calls, {made} were made: {:#?}", ran.calls).into()
        );
    }
    Ok(())
}
