//! A checked project: everything that its files say, with references resolved and the target chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use coho_core::at_once::AtOnce;
use coho_core::case::Suite;
use coho_core::ledger_address::PostgresLedgerAddress;
use coho_core::model::{FileFormat, Model, Relation};
use coho_core::object::Object;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::row::ColumnType;
use coho_core::secret::Masker;
use coho_core::storage::{StorageAddress, StorageOption};
use coho_core::sync::{Sync, SyncId};
use secrecy::SecretString;

use crate::alerts::AlertsSpec;
use crate::schedule::ScheduleSpec;
use crate::webhooks::WebhookSpec;

/// How long it is remembered what became of rows, and how large the ledger may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistorySpec {
    /// Days for which rows and their calls are kept.
    pub keep_days: u32,
    /// Days for which rows that failed, and their calls, are kept.
    pub failures_days: u32,
    /// Days for which runs with their counts are kept.
    pub runs_days: u32,
    /// The most bytes that the ledger's file may have.
    pub max_size: u64,
}

impl Default for HistorySpec {
    fn default() -> Self {
        Self { keep_days: 30, failures_days: 90, runs_days: 400, max_size: 2_000_000_000 }
    }
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The chosen target; `None` in a project without targets.
    pub target: Option<String>,
    /// The sources that its models read, by name, and others where their references resolve.
    pub sources: BTreeMap<String, SourceSpec>,
    /// The destinations that its syncs send to, by name, and the chosen target's; others where their references resolve.
    pub destinations: BTreeMap<String, DestinationSpec>,
    /// What was found out of their workspaces, by destination.
    pub workspaces: BTreeMap<String, Workspace>,
    /// Where dbt's artifacts are, if a model may be one of dbt.
    pub dbt: Option<DbtSpec>,
    /// Where it remembers.
    pub ledger: LedgerSpec,
    /// Who is told of what.
    pub alerts: AlertsSpec,
    /// Who is told when syncs start and end.
    pub webhooks: Vec<WebhookSpec>,
    /// How long it remembers what was run.
    pub history: HistorySpec,
    /// Its models, by name.
    pub models: Vec<Model>,
    /// Its syncs, in the order in which they run: by object, then by id.
    pub syncs: Vec<Sync>,
    /// When they run by themselves, for those that do.
    pub schedules: BTreeMap<SyncId, ScheduleSpec>,
    /// The tests of its mappings, by file.
    pub tests: Vec<Suite>,
    /// Its secrets, which no text that is kept or told may hold.
    pub masker: Masker,
    /// What is no mistake, and may not be meant: by file and line.
    pub warnings: Vec<Problem>,
}

impl Project {
    /// The model of this name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The types that a model declares for its columns; none where the source has types of its own.
    pub fn declared_types(&self, model: &str) -> &[(String, ColumnType)] {
        match self.model(model).map(|model| &model.relation) {
            Some(Relation::File { format: FileFormat::Csv(csv), .. }) => &csv.types,
            Some(Relation::File { format: FileFormat::Ndjson { types }, .. }) => types,
            Some(
                Relation::File { format: FileFormat::Parquet, .. }
                | Relation::Sql(_)
                | Relation::Table(_)
                | Relation::Dbt(_),
            )
            | None => &[],
        }
    }

    /// The sync of this id.
    pub fn sync(&self, id: &SyncId) -> Option<&Sync> {
        self.syncs.iter().find(|sync| sync.id == *id)
    }
}

/// Where a source's rows are compared with what was seen of them last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompareSpec {
    /// Here: all of them are read.
    #[default]
    Full,
    /// In the source, as far as that can be done.
    InSource,
}

/// What a model reads from.
#[derive(Clone, Debug)]
pub enum SourceSpec {
    /// A PostgreSQL database.
    Postgres {
        /// Its address, with user and password.
        url: SecretString,
        /// How long one query may take; `None` for the server's own limit.
        statement_timeout: Option<Duration>,
        /// Where its rows are compared with what was seen of them last.
        compare: CompareSpec,
        /// The schema in which Coho keeps what each row was, where rows are compared with that.
        cache: Option<String>,
    },
    /// A MySQL or MariaDB database.
    Mysql {
        /// Its address, with user and password.
        url: SecretString,
        /// How long one query may take; `None` for the server's own limit.
        statement_timeout: Option<Duration>,
        /// Where its rows are compared with what was seen of them last.
        compare: CompareSpec,
    },
    /// An SQLite file.
    Sqlite {
        /// Its path, relative to the project.
        path: String,
    },
    /// Whatever has an ADBC driver.
    Adbc {
        /// The driver: its name, or a path relative to the project.
        driver: String,
        /// Its own options.
        options: Vec<(String, SecretString)>,
        /// How long one query may take; `None` for no limit.
        statement_timeout: Option<Duration>,
        /// Where its rows are compared with what was seen of them last.
        compare: CompareSpec,
    },
    /// A folder of files.
    Files {
        /// Its path, relative to the project.
        path: String,
    },
    /// A folder of files in object storage.
    Storage {
        /// The bucket, and the folder in it.
        address: StorageAddress,
        /// What the source says besides.
        options: Vec<(StorageOption, SecretString)>,
    },
}

impl SourceSpec {
    /// The name of its type in `coho.yaml`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Postgres { .. } => "postgres",
            Self::Mysql { .. } => "mysql",
            Self::Sqlite { .. } => "sqlite",
            Self::Adbc { .. } => "adbc",
            Self::Files { .. } | Self::Storage { .. } => "files",
        }
    }

    /// The schema in which Coho keeps caches, where rows are compared with those.
    pub fn cache_schema(&self) -> Option<&str> {
        match self {
            Self::Postgres { compare: CompareSpec::InSource, cache, .. } => cache.as_deref(),
            Self::Postgres { .. }
            | Self::Mysql { .. }
            | Self::Sqlite { .. }
            | Self::Adbc { .. }
            | Self::Files { .. }
            | Self::Storage { .. } => None,
        }
    }
}

/// What a sync sends to: a workspace of Vitally.
#[derive(Clone, Debug)]
pub struct DestinationSpec {
    /// Which server.
    pub endpoint: ServerSpec,
    /// The token of the REST API; there is one where a sync uses that API.
    pub rest_token: Option<SecretString>,
    /// The token of the Analytics API; there is one where a sync uses that API.
    pub analytics_token: Option<SecretString>,
    /// Another server of the Analytics API than the endpoint's, by its address without a slash at the end.
    pub analytics_url: Option<String>,
    /// How many calls of the REST API may be made.
    pub rate: Rate,
    /// How many calls of the Analytics API may be made.
    pub analytics_rate: Rate,
    /// How many calls may be under way at the same time.
    pub concurrency: AtOnce,
    /// Where it is declared: its name in `coho.yaml`.
    pub place: Place,
    /// Where the token of the REST API is declared.
    pub rest_token_place: Option<Place>,
    /// Where the token of the Analytics API is declared.
    pub analytics_token_place: Option<Place>,
}

/// What `coho check --live` found out of a workspace, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Workspace {
    /// The objects whose paths take only Vitally's own ids.
    pub only_vitallys_ids: BTreeSet<Object>,
    /// Units of the rate that a call which reads costs; from 1 to 1,000.
    pub read_cost: Option<u32>,
    /// Units of the rate that a call which writes costs; from 1 to 1,000.
    pub write_cost: Option<u32>,
}

/// Which server of Vitally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerSpec {
    /// The United States, by the workspace's subdomain or without.
    Us {
        /// The part before `.vitally.io`.
        subdomain: Option<String>,
    },
    /// The European Union, where all workspaces share one server.
    Eu,
    /// Another server, by its address without a slash at the end.
    BaseUrl(String),
}

/// How many calls may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a minute; from 1 to 100,000,000.
    pub per_minute: u32,
}

impl Rate {
    /// What a destination may use of the Analytics API if it does not say. Vitally's pages name no limit for it (read
    /// 2026-11-24): five calls a second stay below the 1,000 a minute of the REST API even if each counts for three.
    pub const ANALYTICS: Self = Self { per_minute: 300 };
}

impl Default for Rate {
    /// Vitally allows 1,000 calls a minute to a workspace; a tenth is left to others.
    /// <https://docs.vitally.io/en/articles/9880649-rest-api-overview>, read 2026-11-24.
    fn default() -> Self {
        Self { per_minute: 900 }
    }
}

/// Where dbt's artifacts are, and how old they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbtSpec {
    /// The folder that dbt writes to, relative to the project.
    pub target: String,
    /// How old dbt's last command may be; `None` for any age.
    pub max_age: Option<TimeDelta>,
    /// Where the folder is declared.
    pub place: Place,
}

/// Where a project remembers what it delivered.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LedgerSpec {
    /// The ledger's file, relative to the project, or its address in a bucket or in PostgreSQL, without a password.
    pub path: String,
    /// The whole address, where it is in PostgreSQL.
    pub postgres: Option<PostgresLedgerAddress>,
    /// Where it is declared.
    pub place: Place,
}
