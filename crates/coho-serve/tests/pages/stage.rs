//! A stage: a project whose rows stand in SQLite, a simulator, a clock that moves only when it is told, and the debugger over
//! all that.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coho_core::case::{SuiteSubject, Tally};
use coho_core::event::Silence;
use coho_core::secret::{Masker, Secret};
use coho_core::time::Time;
use coho_engine::context::{Engine, Setup};
use coho_engine::run::{Options, Report};
use coho_engine::stop::Stop;
use coho_ledger::lease::{Holder, Lease};
use coho_ledger::{Ledger, Opening};
use coho_mapping::cases::{Declared, run, run_template};
use coho_project::{File, FileText, load};
use coho_serve::actions::Actions;
use coho_serve::server::serve;
use coho_serve::site::{Keys, Limits, Machine, OpenedProject, Site, UnreadableProject};
use coho_simulator::{IdSource, Running, Simulator, SimulatorClock, SimulatorSettings, Switches};
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

/// What forms of its pages carry.
pub(crate) const FORM: &str = "form";

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
    clock: SimulatorClock,
    runs: AtomicU64,
    /// Files of the project in place of its own ones, or beside them.
    changed: Mutex<Vec<File>>,
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
        let clock = SimulatorClock::manual(coho_simulator::SimulatorTime::from_millis(START));
        let settings = SimulatorSettings::new(TOKEN);
        let switches = Switches { limit: 100_000_000, ..settings.switches };
        let settings =
            SimulatorSettings { clock: clock.clone(), ids: IdSource::Sequential, switches, ..settings };
        let vitally = Simulator::start(settings).await?;
        let url = vitally.url();
        let stage = Self {
            folder: TempDir::new()?,
            vitally,
            url,
            clock,
            runs: AtomicU64::new(0),
            changed: Mutex::default(),
        };
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

    fn project(&self) -> String {
        let url = &self.url;
        format!(
            "project: stage
sources: {{ app: {{ type: sqlite, path: app.db }} }}
destinations:
  vitally: {{ type: vitally, base_url: '{url}', rest_token: {TOKEN}, rate: 10000000/min, concurrency: 1 }}
ledger: ledger.db
"
        )
    }

    fn files(&self) -> Vec<File> {
        let model = |table: &str, letter: char| {
            let sql = format!("SELECT *, '{letter}-' || id AS external FROM {table}");
            format!("{{ source: app, primary_key: id, sql: \"{sql}\" }}")
        };
        let mut files = vec![
            File::text("coho.yaml", self.project()),
            File::text("models/accounts.yaml", model("accounts", 'a')),
            File::text("models/users.yaml", model("users", 'u')),
            File::text("syncs/accounts.yaml", ACCOUNTS),
            File::text("syncs/users.yaml", USERS),
        ];
        for file in self.changed.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            files.retain(|other| other.path != file.path);
            files.push(file.clone());
        }
        files
    }

    /// Changes a file of the project, or adds one, before it is served.
    pub(crate) fn file(&self, path: &str, text: &str) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).push(File::text(path, text));
    }

    /// Adds a sync whose source never answers, as long as what this gives is there, before the project is served.
    pub(crate) async fn endless_source(&self) -> Result<TcpListener, Failure> {
        let source = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("postgres://coho:coho@{}/none?sslmode=disable", source.local_addr()?);
        let endless = format!(
            "sources:\n  endless: {{ type: postgres, url: '{url}' }}\n  app: {{ type: sqlite, path: app.db }}\n"
        );
        let project = self.project().replace("sources: { app: { type: sqlite, path: app.db } }\n", &endless);
        self.file("coho.yaml", &project);
        self.file("models/endless.yaml", "{ source: endless, primary_key: id, sql: SELECT 1 }");
        self.file("syncs/endless.yaml", &ACCOUNTS.replace("accounts", "endless"));
        Ok(source)
    }

    /// The text of a file of the project.
    pub(crate) fn text(&self, path: &str) -> String {
        let file = self.files().into_iter().find(|file| file.path == path);
        match file.map(|file| file.text) {
            Some(FileText::Utf8(text)) => text,
            _ => String::new(),
        }
    }

    /// Runs the project's tests: how many passed, and how many did not.
    pub(crate) fn tests(&self) -> Result<(usize, usize), Failure> {
        let project = load(&self.files(), &|_| None, None).map_err(|problems| format!("{problems:?}"))?;
        let mut tally = Tally::default();
        for suite in &project.tests {
            let report = match &suite.subject {
                SuiteSubject::Template(template) => run_template(suite, template),
                SuiteSubject::Sync(id) => {
                    run(suite, project.sync(id).ok_or("no sync")?, &Declared::default())
                }
            };
            let of = Tally::of(&report.cases);
            (tally.passed, tally.failed) = (tally.passed + of.passed, tally.failed + of.failed + of.broken);
        }
        Ok((tally.passed, tally.failed))
    }

    /// Holds the ledger as a run does, until what this gives is dropped.
    pub(crate) fn hold_ledger(&self) -> Result<(Ledger, Lease), Failure> {
        let now = time(&self.clock);
        let ledger = Ledger::open(&self.folder.path().join("ledger.db"), &Opening::new(now))?;
        let holder = Holder { id: "another".to_owned(), pid: std::process::id(), host: "here".to_owned() };
        let lease = ledger.acquire(&holder, now, Duration::from_secs(300))?;
        Ok((ledger, lease))
    }

    /// How many requests Vitally got that write.
    pub(crate) fn writes(&self) -> usize {
        self.vitally.calls().iter().filter(|call| call.method != "GET").count()
    }

    /// Runs all syncs.
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        self.run_under(None).await.map(drop)
    }

    /// Runs all syncs under this approved plan.
    pub(crate) async fn run_under(&self, approved: Option<&str>) -> Result<Report, Failure> {
        let project = load(&self.files(), &|_| None, None).map_err(|problems| format!("{problems:?}"))?;
        let number = self.runs.fetch_add(1, Ordering::SeqCst);
        let clock = self.clock.clone();
        let engine = Engine::new(Setup {
            project: &project,
            root: self.folder.path().to_owned(),
            temporary: self.folder.path().to_owned(),
            clock: Arc::new(move || time(&clock)),
            holder: Holder { id: format!("holder-{number}"), pid: 1, host: "here".to_owned() },
            run_id: Arc::new(move || format!("run-{number:03}")),
            lineage: None,
        });
        let syncs = engine.select(&[])?;
        let approved =
            approved.map(|text| engine.read_approved_plan(text.as_bytes(), &Stop::new())).transpose()?;
        let options = Options { approved, ..Options::default() };
        let report = engine.run(&syncs, &options, &Silence, &Stop::new()).await?;
        self.settle_times()?;
        self.advance(1);
        Ok(report)
    }

    /// How long something took, and what was written at the same time, differs from one test to the next. So the clock stands
    /// still in a run, and afterwards what the run wrote is set apart: stages last 100 ms, calls and rows are 10 ms apart, and a
    /// call takes as many milliseconds as its number says.
    fn settle_times(&self) -> Result<(), Failure> {
        let ledger = rusqlite::Connection::open(self.folder.path().join("ledger.db"))?;
        Ok(ledger.execute_batch(
            "CREATE TEMP TABLE last AS SELECT max(id) AS run FROM runs;
             UPDATE calls SET micros = id * 1000;
             UPDATE calls SET at = at + 10000 * (id - (SELECT min(id) FROM calls JOIN last USING (run)))
               WHERE run = (SELECT run FROM last);
             UPDATE fates SET at = at + 10000 * (id - (SELECT min(id) FROM fates JOIN last USING (run)))
               WHERE run = (SELECT run FROM last);
             UPDATE stages SET began_at = began_at + 100000 * (number - 1), ended_at = ended_at + 100000 * number
               WHERE run = (SELECT run FROM last);
             UPDATE run_syncs SET ended_at = ended_at + 500000 WHERE run = (SELECT run FROM last);
             UPDATE runs SET ended_at = ended_at + 1000000 WHERE id = (SELECT run FROM last);
             DROP TABLE last;",
        )?)
    }

    /// Serves pages that only look.
    pub(crate) async fn serve(&self) -> Result<Served, Failure> {
        self.serve_with(None).await
    }

    /// Serves pages for which this does what they ask for.
    pub(crate) async fn serve_with(&self, actions: Option<Arc<dyn Actions>>) -> Result<Served, Failure> {
        self.serve_all(actions, Limits::default()).await
    }

    /// Serves pages with other limits.
    pub(crate) async fn serve_within(&self, limits: Limits) -> Result<Served, Failure> {
        self.serve_all(None, limits).await
    }

    async fn serve_all(&self, actions: Option<Arc<dyn Actions>>, limits: Limits) -> Result<Served, Failure> {
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
            machine: Machine {
                root: self.folder.path().to_owned(),
                temporary: self.folder.path().to_owned(),
                holder: Holder { id: "debugger".to_owned(), pid: 1, host: "here".to_owned() },
            },
            actions,
            keys: Keys { token: KEY.to_owned(), cookie: COOKIE.to_owned(), form: FORM.to_owned() },
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
        self.ask("GET", path, &[&self.cookie()], "").await
    }

    /// What shows that a request is of the session.
    pub(crate) fn cookie(&self) -> String {
        format!("Cookie: coho-{}={COOKIE}", self.address.port())
    }

    /// A form, as one of our pages posts it.
    pub(crate) async fn post(&self, path: &str, fields: &str) -> Result<Answer, Failure> {
        let origin = format!("Origin: http://{}", self.address);
        self.ask("POST", path, &[&self.cookie(), &origin], &format!("form={FORM}&{fields}")).await
    }

    /// A form that says to have so many bytes, of which the first one is sent.
    pub(crate) async fn post_of_length(&self, path: &str, length: usize) -> Result<Answer, Failure> {
        let (address, cookie) = (self.address, self.cookie());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n{cookie}\r\nContent-Length: {length}\r\n\r\nx"
        );
        wire::raw(address, &request).await
    }

    /// Watches a page that moves until this text is on it.
    pub(crate) async fn stream_until(&self, path: &str, text: &str) -> Result<(), Failure> {
        let headers = [self.cookie(), "Accept: text/event-stream".to_owned()];
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        wire::until(self.address, &wire::request("GET", path, self.address, &headers, ""), text).await
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
fn opener(files: Vec<File>) -> impl Fn() -> Result<OpenedProject, UnreadableProject> {
    move || match load(&files, &|_| None, None) {
        Ok(project) => Ok(OpenedProject { project, files: files.clone() }),
        Err(problems) => Err(UnreadableProject { problems, files: files.clone() }),
    }
}

fn time(clock: &SimulatorClock) -> Time {
    Time::from_timestamp_millis(clock.now().millis()).unwrap_or_default()
}
