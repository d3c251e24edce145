//! A stage: a project whose rows stand in SQLite, a simulator, a clock that moves only when it is told, and the debugger over
//! all that.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coho_core::event::Silence;
use coho_core::memory::Time;
use coho_core::secret::{Masker, Secret};
use coho_engine::context::{Engine, Setup};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_project::{File, load};
use coho_serve::server::serve;
use coho_serve::site::{Broken, Keys, Limits, Opened, Site};
use coho_simulator::{Clock, Ids, Running, Settings, Simulator, Switches};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::wire::{self, Answer};

pub(crate) type Failure = Box<dyn Error>;

/// 2026-01-02T03:04:05Z.
const START: i64 = 1_767_323_045_000;

/// What Vitally is shown.
const TOKEN: &str = "sk_live_1";

/// What opens the pages of the stage.
pub(crate) const KEY: &str = "the-token-of-the-stage";

/// What their cookie holds.
pub(crate) const COOKIE: &str = "the-cookie-of-the-stage";

/// A secret of the project that stands in a row.
pub(crate) const SECRET: &str = "hush-hush-hush";

const TABLES: &str = "
    CREATE TABLE accounts (id, name, plan, seats);
    CREATE TABLE users (id, name, account, email);
    INSERT INTO accounts VALUES (1, 'Acme', 'free', 3), (2, 'Bolt', 'pro', 40);
    INSERT INTO users VALUES (1, 'Ann', 'a-1', 'ann@acme.example'), (2, 'Ben', 'a-2', 'ben@bolt.example');";

const ACCOUNTS: &str = "
id: accounts
model: accounts
to: vitally
object: account
match: { externalId: external }
fields: { name: name, traits: { plan: plan, seats: seats } }
removed: delete-created
";

const USERS: &str = "
id: users
model: users
to: vitally
object: user
match: { externalId: external }
fields: { name: name, email: email, accountIds: { column: account, lookup: account.externalId } }
";

/// A project, its source, its ledger and a Vitally.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) vitally: Running,
    /// Where runs reach Vitally.
    url: String,
    /// Files of the project besides the usual ones.
    more: Vec<File>,
    clock: Clock,
    runs: AtomicU64,
}

/// The debugger, until it is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    /// Two accounts and two users, none of them sent.
    pub(crate) async fn new() -> Result<Self, Failure> {
        let clock = Clock::manual(coho_simulator::Time::from_millis(START));
        let settings = Settings::new(TOKEN);
        let switches = Switches { limit: 100_000_000, ..settings.switches };
        let settings = Settings { clock: clock.clone(), ids: Ids::Sequential, switches, ..settings };
        let vitally = Simulator::start(settings).await?;
        let url = vitally.url();
        let stage =
            Self { folder: TempDir::new()?, vitally, url, more: Vec::new(), clock, runs: AtomicU64::new(0) };
        stage.sql(TABLES)?;
        Ok(stage)
    }

    /// Changes the source.
    pub(crate) fn sql(&self, sql: &str) -> Result<(), Failure> {
        Ok(rusqlite::Connection::open(self.folder.path().join("app.db"))?.execute_batch(sql)?)
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets runs reach Vitally in another way.
    pub(crate) fn reached_at(&mut self, url: String) {
        self.url = url;
    }

    /// Gives the project another file.
    pub(crate) fn also(&mut self, path: &str, text: &str) {
        self.more.push(File::text(path, text));
    }

    fn files(&self) -> Vec<File> {
        let url = &self.url;
        let project = format!(
            "project: stage
sources: {{ app: {{ type: sqlite, path: app.db }} }}
destinations:
  vitally: {{ type: vitally, base_url: '{url}', rest_token: {TOKEN}, rate: 10000000/min, concurrency: 1 }}
ledger: ledger.db
"
        );
        let model = |table: &str, letter: char| {
            let sql = format!("SELECT *, '{letter}-' || id AS external FROM {table}");
            format!("{{ source: app, primary_key: id, sql: \"{sql}\" }}")
        };
        let mut files = vec![
            File::text("coho.yaml", &project),
            File::text("models/accounts.yaml", model("accounts", 'a')),
            File::text("models/users.yaml", model("users", 'u')),
            File::text("syncs/accounts.yaml", ACCOUNTS),
            File::text("syncs/users.yaml", USERS),
        ];
        files.extend(self.more.iter().cloned());
        files
    }

    /// Runs all syncs.
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let project = load(&self.files(), &|_| None, None).map_err(|problems| format!("{problems:?}"))?;
        let number = self.runs.fetch_add(1, Ordering::SeqCst);
        let clock = self.clock.clone();
        let engine = Engine::new(Setup {
            project: &project,
            root: self.folder.path().to_owned(),
            temporary: self.folder.path().to_owned(),
            clock: Arc::new(move || {
                clock.advance(Duration::from_millis(10));
                time(&clock)
            }),
            holder: Holder { id: format!("holder-{number}"), pid: 1, host: "here".to_owned() },
            run_id: Arc::new(move || format!("run-{number:03}")),
            lineage: None,
        });
        let syncs = engine.select(&[])?;
        engine.run(&syncs, &Options::default(), &Silence, &Stop::new()).await?;
        self.settle_times()
    }

    /// How long a call took is measured, and differs from one test to the next: here each takes as many milliseconds as its
    /// number says.
    fn settle_times(&self) -> Result<(), Failure> {
        let ledger = rusqlite::Connection::open(self.folder.path().join("ledger.db"))?;
        Ok(ledger.execute_batch("UPDATE calls SET micros = id * 1000")?)
    }

    /// Serves the pages.
    pub(crate) async fn serve(&self) -> Result<Served, Failure> {
        self.serve_within(Limits::default()).await
    }

    /// The same with other limits.
    pub(crate) async fn serve_within(&self, limits: Limits) -> Result<Served, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let clock = self.clock.clone();
        let site = Site {
            project: "stage".to_owned(),
            ledger: self.folder.path().join("ledger.db"),
            open: Arc::new(opener(self.files())),
            secrets: Arc::new(|| Masker::new(&[Secret::new(SECRET)])),
            retention: coho_engine::context::retention(&coho_project::HistorySpec::default()),
            clock: Arc::new(move || time(&clock)),
            keys: Keys { token: KEY.to_owned(), cookie: COOKIE.to_owned(), form: "form".to_owned() },
            address,
            names: Vec::new(),
            limits,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let task = tokio::spawn(serve(site, listener, stopped));
        Ok(Served { address, stop: Some(stop), task })
    }

    /// The text without what differs from one test to the next: the simulator's port.
    pub(crate) fn redacted(&self, text: &str) -> String {
        text.replace(&self.vitally.url(), "http://vitally")
    }
}

impl Served {
    /// A page, asked for with the session's cookie.
    pub(crate) async fn page(&self, path: &str) -> Result<Answer, Failure> {
        let cookie = format!("Cookie: coho-{}={COOKIE}", self.address.port());
        self.ask("GET", path, &[&cookie], "").await
    }

    /// Any request.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Answer, Failure> {
        wire::raw(self.address, &wire::request(method, path, self.address, headers, body)).await
    }

    /// Ends it, and says whether it ended well.
    pub(crate) async fn end(mut self) -> Result<(), Failure> {
        drop(self.stop.take());
        Ok(self.task.await??)
    }
}

/// Reads the stage's files.
fn opener(files: Vec<File>) -> impl Fn() -> Result<Opened, Broken> {
    move || match load(&files, &|_| None, None) {
        Ok(project) => Ok(Opened { project, files: files.clone() }),
        Err(problems) => Err(Broken { problems, files: files.clone() }),
    }
}

fn time(clock: &Clock) -> Time {
    Time::from_timestamp_millis(clock.now().millis()).unwrap_or_default()
}
