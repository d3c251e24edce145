//! What plans and runs share: the project, its folder, the clock, and how connections and ledgers are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::digest::Hasher;
use coho_core::model::Model;
use coho_core::problem::{Problem, nearest};
use coho_core::sync::Sync;
use coho_core::time::Time;
use coho_core::value::Value;
use coho_ledger::lease::{Holder, UnderWay};
use coho_ledger::retention::Retention;
use coho_ledger::scope::SyncScope;
use coho_ledger::{Access, Create, Ledger, OpenError, Opening};
use coho_mapping::{Filters, Specification};
use coho_project::{CompareSpec, HistorySpec, Project, ServerSpec, SourceSpec};
use coho_source::cache::CacheTable;
use coho_source::{AdbcConnection, Connection, DriverHost, StorageConnection};

use crate::artifacts::Artifacts;
use crate::clock::Clock;
pub use crate::failure::EngineError;
use crate::lineage::LineageTarget;

/// What an engine is made with.
#[derive(Clone)]
pub struct Setup<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its folder: paths in it are relative to this.
    pub root: PathBuf,
    /// Where spill files go.
    pub temporary: PathBuf,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who holds the lease.
    pub holder: Holder,
    /// Draws the ids of runs; no two may be the same.
    pub run_id: Arc<dyn Fn() -> String + Send + std::marker::Sync>,
    /// Where events of lineage go.
    pub lineage: Option<LineageTarget>,
}

/// Plans and runs a project.
#[derive(Clone)]
pub struct Engine<'a> {
    pub(crate) setup: Setup<'a>,
    pub(crate) filters: Filters,
    pub(crate) artifacts: Option<Arc<Artifacts>>,
    pub(crate) host: DriverHost,
}

impl<'a> Engine<'a> {
    /// An engine.
    pub fn new(setup: Setup<'a>) -> Self {
        let artifacts = setup.project.dbt.as_ref().map(|spec| Arc::new(Artifacts::new(spec, &setup.root)));
        Self { setup, filters: Filters::new(), artifacts, host: DriverHost::default() }
    }

    /// The same with another program that loads ADBC drivers than `coho`.
    #[must_use]
    pub fn driver_host(mut self, host: DriverHost) -> Self {
        self.host = host;
        self
    }

    /// The same with filters that templates may call besides those of the dialect.
    #[must_use]
    pub fn filters(mut self, filters: &Filters) -> Self {
        self.filters = filters.clone();
        self
    }

    /// What a sync's mapping is compiled from.
    pub(crate) fn specification<'s>(&'s self, sync: &'s Sync) -> Specification<'s> {
        Specification::of(sync).filters(&self.filters)
    }

    /// The syncs of these ids, in the order in which they run; all, if none is named.
    pub fn select(&self, names: &[String]) -> Result<Vec<&'a Sync>, EngineError> {
        let syncs = &self.setup.project.syncs;
        for name in names {
            if !syncs.iter().any(|sync| sync.id.as_str() == name) {
                return Err(EngineError::Selection(unknown_sync(name, syncs)));
            }
        }
        let wanted = |sync: &&Sync| names.is_empty() || names.iter().any(|name| sync.id.as_str() == name);
        Ok(syncs.iter().filter(wanted).collect())
    }

    /// The project.
    pub fn project(&self) -> &'a Project {
        self.setup.project
    }

    /// The ledger, if there is one, for reading only.
    pub fn ledger_to_read(&self) -> Result<Option<Ledger>, EngineError> {
        let now = self.setup.clock.now();
        let opening = Opening { now, create: Create::No, access: Access::ReadOnly };
        match self.open_ledger(&opening) {
            Ok(ledger) => Ok(Some(ledger)),
            Err(OpenError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How long the ledger keeps rows and calls, and how large it may become.
    pub fn retention(&self) -> Retention {
        retention(&self.setup.project.history)
    }

    /// Who writes to the ledger at this moment, if anybody does.
    pub fn under_way(&self, ledger: &Ledger) -> Result<Option<UnderWay>, EngineError> {
        Ok(ledger.under_way(&self.setup.holder.host, self.setup.clock.now())?)
    }

    /// Looks whether temporary files can be made, and removes those that no living process holds.
    pub(crate) fn temporary(&self) -> Result<(), EngineError> {
        let folder = &self.setup.temporary;
        let failed = |source| EngineError::Temporary { folder: folder.clone(), source };
        if !std::fs::metadata(folder).map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::NotADirectory.into()));
        }
        coho_ledger::temporary::sweep(folder);
        Ok(())
    }

    /// A sync's part of a ledger, if it ever ran, under its id or one that it had before. Under an id of which nothing is
    /// remembered may be a run that did not come far: another one goes first.
    pub fn scope(&self, ledger: &Ledger, sync: &Sync) -> Result<Option<SyncScope>, EngineError> {
        let workspace = self.workspace(&sync.destination);
        let mut found = Vec::new();
        for id in std::iter::once(&sync.id).chain(&sync.renamed_from) {
            found.extend(ledger.find_scope(&workspace, id, sync.object)?);
        }
        if found.len() < 2 {
            return Ok(found.pop());
        }
        let remembered = ledger.remembered(&workspace)?;
        let with_memory = |scope: &SyncScope| remembered.iter().any(|one| one.sync == *scope.sync());
        if let Some(at) = found.iter().position(with_memory) {
            return Ok(Some(found.swap_remove(at)));
        }
        for scope in &found {
            if ledger.first_run(scope)?.is_some() {
                return Ok(Some(scope.clone()));
            }
        }
        Ok(Some(found.swap_remove(0)))
    }

    /// What templates may know of a sync and a run.
    #[expect(clippy::unused_self, reason = "reads as what it is at its call site")]
    pub(crate) fn facts(&self, sync: &Sync, run: &str, now: Time) -> coho_mapping::Facts {
        let object = |members: &[(&str, Value)]| {
            Value::Object(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        coho_mapping::Facts {
            sync: object(&[
                ("id", Value::text(sync.id.as_str())),
                ("model", Value::text(&sync.model)),
                ("object", Value::text(sync.object.name())),
                ("mode", Value::text(sync.mode.name())),
            ]),
            run: object(&[("id", Value::text(run)), ("startedAt", Value::Timestamp(now))]),
            now: Some(now),
        }
    }

    /// The workspace that a destination leads to. In the EU all workspaces share a host, so there the name counts.
    pub(crate) fn workspace(&self, destination: &str) -> String {
        match self.setup.project.destinations.get(destination).map(|spec| &spec.endpoint) {
            Some(ServerSpec::Us { subdomain: Some(subdomain) }) => format!("us/{subdomain}"),
            Some(ServerSpec::Us { subdomain: None }) => format!("us/{destination}"),
            Some(ServerSpec::Eu) | None => format!("eu/{destination}"),
            Some(ServerSpec::BaseUrl(url)) => url.clone(),
        }
    }

    pub(crate) fn model(&self, sync: &Sync) -> Result<&'a Model, EngineError> {
        self.setup.project.model(&sync.model).ok_or_else(|| missing("model", &sync.model))
    }

    pub(crate) fn connection(&self, model: &Model) -> Result<Connection, EngineError> {
        let spec = self.setup.project.sources.get(&model.source);
        spec.map(|spec| connection(spec, &self.setup, &self.host))
            .ok_or_else(|| missing("source", &model.source))
    }

    /// The sources in which Coho keeps caches, with the schemas, by the sources' names.
    pub fn caches(&self) -> Vec<(String, Connection, String)> {
        let cached = |(name, spec): (&String, &SourceSpec)| {
            let schema = spec.cache_schema()?.to_owned();
            Some((name.clone(), connection(spec, &self.setup, &self.host), schema))
        };
        self.setup.project.sources.iter().filter_map(cached).collect()
    }

    /// The cache that a sync's rows are compared with in their source, where the project has that.
    pub(crate) fn cache(&self, sync: &Sync, model: &Model) -> Option<CacheTable> {
        let schema = self.setup.project.sources.get(&model.source)?.cache_schema()?;
        let mut whole = Hasher::new();
        for part in [&self.setup.project.name, &self.workspace(&sync.destination), sync.id.as_str()] {
            whole.part(part.as_bytes());
        }
        Some(CacheTable::of(schema, sync.id.as_str(), whole.finish()))
    }

    /// Whether a model's rows are compared in their source.
    pub(crate) fn compares_in_source(&self, model: &Model) -> bool {
        match self.setup.project.sources.get(&model.source) {
            Some(
                SourceSpec::Postgres { compare, .. }
                | SourceSpec::Mysql { compare, .. }
                | SourceSpec::Adbc { compare, .. },
            ) => *compare == CompareSpec::InSource,
            Some(SourceSpec::Sqlite { .. } | SourceSpec::Files { .. } | SourceSpec::Storage { .. })
            | None => false,
        }
    }
}

/// How long a project's ledger keeps rows and calls, and how large it may become.
pub fn retention(history: &HistorySpec) -> Retention {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    Retention {
        keep: days(history.keep_days),
        failures: days(history.failures_days),
        runs: days(history.runs_days),
        max_size: history.max_size,
    }
}

fn connection(spec: &SourceSpec, setup: &Setup<'_>, host: &DriverHost) -> Connection {
    let root = &setup.root;
    match spec {
        SourceSpec::Postgres { url, statement_timeout, .. } => {
            Connection::Postgres(coho_source::PostgresConnection {
                url: url.clone(),
                statement_timeout: *statement_timeout,
            })
        }
        SourceSpec::Mysql { url, statement_timeout, .. } => Connection::Mysql(coho_source::MysqlConnection {
            url: url.clone(),
            statement_timeout: *statement_timeout,
        }),
        SourceSpec::Sqlite { path } => Connection::Sqlite { path: root.join(path) },
        SourceSpec::Adbc { driver, options, statement_timeout, compare } => {
            Connection::Adbc(AdbcConnection {
                driver: driver_of(driver, root),
                options: options.clone(),
                statement_timeout: *statement_timeout,
                folder: Some(root.clone()),
                host: host.clone(),
                compares: *compare == CompareSpec::InSource,
            })
        }
        SourceSpec::Files { path } => Connection::Files { folder: root.join(path) },
        SourceSpec::Storage { address, options } => Connection::Storage(StorageConnection {
            address: address.clone(),
            options: options.clone(),
            temporary: setup.temporary.clone(),
            patience: StorageConnection::PATIENCE,
        }),
    }
}

/// A name stays one; a path is relative to the project.
fn driver_of(driver: &str, root: &Path) -> String {
    let is_file = [".so", ".dylib", ".dll", ".toml"].iter().any(|end| driver.ends_with(end));
    if is_file || driver.contains('/') {
        root.join(driver).to_string_lossy().into_owned()
    } else {
        driver.to_owned()
    }
}

fn unknown_sync(name: &str, syncs: &[Sync]) -> Problem {
    let ids = || syncs.iter().map(|sync| sync.id.as_str());
    let problem = Problem::new(Code::UNKNOWN_NAME, format!("the project has no sync `{name}`"));
    match nearest(name, ids()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None if syncs.is_empty() => problem.help("the project has no syncs: add one as `syncs/NAME.yaml`"),
        None => problem.help(format!("the project has the syncs {}", ids().collect::<Vec<_>>().join(", "))),
    }
}

/// A loaded project refers to nothing that it does not define, so this is for projects that were put together by hand.
pub(crate) fn missing(what: &str, name: &str) -> EngineError {
    EngineError::Selection(Problem::new(Code::UNKNOWN_NAME, format!("the project has no {what} `{name}`")))
}
