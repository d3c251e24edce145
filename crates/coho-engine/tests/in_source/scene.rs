//! A stage whose rows are in a database, and plans of both kinds laid side by side.

use std::fs;
use std::path::Path;

use coho_core::code::Code;
use coho_core::decide::Change;
use coho_core::event::Silence;
use coho_core::plan::SyncPlan;
use coho_core::verdict::RowStatus;
use coho_engine::plan::{Options, Outlook, PlanRow, Which};
use coho_engine::stop::Stop;
use tokio::runtime::Runtime;

use super::cached;
use super::engines::Engine;
use super::servers::Server;
use crate::stage::{FAST, Failure, Stage, destination};

/// Accounts from all columns of the table.
pub(crate) const ACCOUNTS: &str = r#"
id: accounts
model: rows
to: vitally
object: account
match: { externalId: external }
fields:
  name: name
  traits:
    n8: n8
    f4: f4
    f8: f8
    d: d
    b: b
    t: t
    lt: { template: "{{ row.lt }}" }
    day: day
    txt: txt
    txt2: txt2
    j: { template: "{{ row.j | json }}+" }
    jb: { template: "{{ row.jb | json }}+" }
    u: u
    arr: { template: "{{ row.arr | json }}+" }
    e: e
"#;

/// Where rows are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Full,
    InSource,
}

/// The stage and its server.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) engine: &'static Engine,
    server: Server,
    /// Who reads.
    user: &'static str,
    /// A time limit of the source.
    limit: &'static str,
    /// Whether Coho keeps a table of its own there.
    cached: bool,
}

/// What a scene is played on.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What a plan says, but for how the difference was computed.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    plan: SyncPlan,
    rows: Vec<PlanRow>,
}

/// The plan of one sync, and how its difference was computed.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) said: Said,
    pub(crate) how: Option<String>,
}

impl Plan {
    /// Whether all is held since the model has no rows.
    pub(crate) fn is_held_as_empty(&self) -> bool {
        self.said.plan.guards.iter().any(|hit| hit.code == Code::EMPTY_SOURCE)
    }
}

impl Scene {
    /// A scene with accounts from the table; `None` where there is no such server.
    pub(crate) async fn new(engine: &'static Engine, test: &str) -> Result<Option<Self>, Failure> {
        let Some(server) = Server::start(engine, test)? else { return Ok(None) };
        server.sql(engine.table)?;
        let mut stage = Stage::with(&[("accounts", ACCOUNTS)]).await?;
        stage.driver_host = server.driver_host();
        let mut scene = Self { stage, engine, server, user: engine.superuser, limit: "", cached: false };
        scene.model("table: items", "id");
        scene.compare(Compare::InSource);
        Ok(Some(scene))
    }

    /// What the model reads, and its primary key.
    pub(crate) fn model(&mut self, relation: &str, key: &str) {
        self.stage.file("models/rows.yaml", &format!("source: dw\nprimary_key: {key}\n{relation}\n"));
    }

    /// Where rows are compared from now on.
    pub(crate) fn compare(&mut self, compare: Compare) {
        let compare = match compare {
            Compare::Full => "full",
            Compare::InSource => "in-source",
        };
        let (kind, keys, limit) = (self.engine.kind, self.keys(), self.limit);
        let cache = if self.cached { ", cache: { schema: coho }" } else { "" };
        let source =
            format!("sources: {{ dw: {{ type: {kind}, {keys}, compare: {compare}{cache}{limit} }}, ");
        let text = destination(&self.stage.vitally.url(), 1, FAST).replace("sources: { ", &source);
        self.stage.file("coho.yaml", &text);
    }

    /// Coho keeps a table of its own from now on.
    pub(crate) fn with_a_cache(&mut self) {
        self.cached = true;
        self.compare(Compare::InSource);
    }

    /// How rows are read.
    pub(crate) fn keys(&self) -> String {
        self.server.keys(self.engine, self.user)
    }

    /// How long a query may take from now on.
    pub(crate) fn limit(&mut self, limit: &'static str) {
        self.limit = limit;
        self.compare(Compare::InSource);
    }

    /// Who reads from now on.
    pub(crate) fn reader(&mut self, user: &'static str) {
        self.user = user;
        self.compare(Compare::InSource);
    }

    pub(crate) fn sql(&self, sql: &str) -> Result<(), Failure> {
        self.server.sql(sql)
    }

    /// What a statement gives.
    pub(crate) fn ask(&self, sql: &str) -> Result<String, Failure> {
        self.server.ask(sql)
    }

    /// What a check warns of.
    pub(crate) async fn warnings(&self) -> Result<Vec<Code>, Failure> {
        let project = self.stage.project()?;
        let engine = self.stage.engine(&project);
        let checked = engine.check(&engine.select(&[])?).await;
        assert_eq!(checked.problems, []);
        Ok(checked.warnings.into_iter().map(|problem| problem.code).collect())
    }

    /// So many rows that are alike but for their numbers.
    pub(crate) fn many(&self, rows: u32) -> Result<(), Failure> {
        self.sql(&self.engine.many.replace("{rows}", &rows.to_string()))
    }

    /// Plans in both ways, which must say the same. Gives how the second one was computed.
    pub(crate) async fn agree(&mut self, options: &Options) -> Result<String, Failure> {
        self.compare(Compare::Full);
        let full = self.plan(options).await;
        self.compare(Compare::InSource);
        match (full, self.plan(options).await) {
            (Ok(full), Ok(compared)) if full.said == compared.said => {
                let is_adbc = self.engine.kind == "adbc";
                assert_eq!(full.how.is_some_and(|how| how.contains(" through the ADBC driver (")), is_adbc);
                compared.how.ok_or_else(|| "the plan does not say how its difference was computed".into())
            }
            (Ok(full), Ok(compared)) => {
                Err(format!("{:?}: {:#?}\nand not\n{:#?}", compared.how, compared.said, full.said).into())
            }
            (Err(full), Err(compared)) if full.to_string() == compared.to_string() => Ok(full.to_string()),
            (full, compared) => Err(format!("{compared:?}\nand not\n{full:?}").into()),
        }
    }

    /// Plans, and lists all that the plan says.
    pub(crate) async fn plan(&self, options: &Options) -> Result<Plan, Failure> {
        self.server.settle()?;
        let before = fs::read(self.stage.ledger()).ok();
        let project = self.stage.project()?;
        let engine = self.stage.engine(&project);
        let syncs = engine.select(&[])?;
        let outlooks = engine.plan(&syncs, options, &Silence).await?;
        let (planned, problems) = Outlook::parted(outlooks);
        assert!(before == fs::read(self.stage.ledger()).ok(), "a plan writes nothing");
        let mut planned = planned.into_iter();
        let Some(mut planned) = planned.next() else {
            return Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").into());
        };
        let mut rows = Vec::new();
        let ended = RowStatus::ALL.into_iter().map(Which::Ended);
        for which in Change::ALL.into_iter().map(Which::Planned).chain(ended) {
            rows.extend(planned.list(which, 0, 10_000)?);
        }
        let how = planned.how.take();
        planned.plan.notes.retain(|note| Some(note) != how.as_ref());
        Ok(Plan { said: Said { plan: planned.plan, rows }, how })
    }

    /// Runs, whatever comes of it.
    pub(crate) async fn run(&self, options: &Options) -> Result<(), Failure> {
        self.server.settle()?;
        self.stage.advance(std::time::Duration::from_secs(60));
        self.stage.try_run(options, &Silence, &Stop::new()).await?.map(drop).or_else(|error| {
            // What a plan refuses, a run refuses too.
            if error.to_string().is_empty() { Err(error.into()) } else { Ok(()) }
        })
    }

    /// Runs to its end. Gives what the run says of its sync besides counts.
    pub(crate) async fn run_told(&self) -> Result<String, Failure> {
        self.server.settle()?;
        self.stage.advance(std::time::Duration::from_secs(60));
        let ran = self.stage.try_run(&Options::default(), &Silence, &Stop::new()).await??;
        Ok(ran.report.syncs.into_iter().flat_map(|sync| sync.notes).collect::<Vec<_>>().join("\n"))
    }

    /// Keeps the ledger, or brings back the one that was kept, if there is one.
    pub(crate) fn keep_ledger(&self) -> Result<(), Failure> {
        let connection = rusqlite::Connection::open(self.stage.ledger())?;
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        drop(connection);
        fs::copy(self.stage.ledger(), self.kept())?;
        Ok(())
    }

    pub(crate) fn restore_ledger(&self) -> Result<(), Failure> {
        if !self.kept().exists() {
            return Ok(());
        }
        for end in ["-wal", "-shm"] {
            let beside = self.stage.ledger().with_file_name(format!("ledger.db{end}"));
            if beside.exists() {
                fs::remove_file(beside)?;
            }
        }
        fs::copy(self.kept(), self.stage.ledger())?;
        Ok(())
    }

    fn kept(&self) -> std::path::PathBuf {
        Path::new(self.stage.folder.path()).join("kept.db")
    }

    /// Forgets all that was, for a scene that is used again.
    pub(crate) fn clear(&mut self) -> Result<(), Failure> {
        self.stage.clear()?;
        if self.kept().exists() {
            fs::remove_file(self.kept())?;
        }
        self.stage.vitally.clear_script();
        self.stage.sync("accounts", ACCOUNTS);
        self.model("table: items", "id");
        if self.cached {
            self.sql(cached::ALLOWED)?;
        }
        self.sql(&format!("TRUNCATE items; {}", self.engine.reset))
    }
}
