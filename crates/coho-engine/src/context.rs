//! What plans and runs share: the project, its folder, the clock, and how connections and ledgers are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coho_core::code::Code;
use coho_core::model::Model;
use coho_core::problem::{Problem, nearest};
use coho_core::sync::Sync;
use coho_core::value::Value;
use coho_ledger::lease::{Holder, LeaseError};
use coho_ledger::scope::ScopeError;
use coho_ledger::{Access, Create, Ledger, LedgerError, OpenError, Opening};
use coho_project::{DestinationSpec, Endpoint, Project, SourceSpec};
use coho_source::Connection;
use coho_vitally::client::{Client, ClientError, Clock as ClientClock, Endpoint as Host, Settings, Token};

use crate::clock::Clock;
use crate::plan::PlanError;

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
}

/// Plans and runs a project.
#[derive(Clone)]
pub struct Engine<'a> {
    pub(crate) setup: Setup<'a>,
}

/// Something concerns the whole run, not one sync.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A sync that the project does not have.
    #[error("{}", .0.message)]
    Selection(Problem),
    /// The ledger could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Another run holds the ledger.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// A sync's part of the ledger could not be opened.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A memory could not be amended.
    #[error(transparent)]
    Amend(#[from] coho_ledger::amend::AmendError),
    /// A plan could not be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Law 1 does not hold: a mistake in Coho itself.
    #[error("the run of sync `{sync}` does not add up")]
    Law {
        /// The sync.
        sync: String,
        /// What does not.
        #[source]
        source: coho_core::counts::Broken,
    },
    /// A destination's token is no token.
    #[error("the token of destination `{destination}` cannot be used")]
    Token {
        /// The destination.
        destination: String,
        /// Why.
        #[source]
        source: coho_vitally::client::TokenError,
    },
    /// A destination's settings are no use.
    #[error("destination `{destination}` cannot be used")]
    Destination {
        /// The destination.
        destination: String,
        /// Why.
        #[source]
        source: coho_vitally::client::ClientError,
    },
}

impl EngineError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Selection(problem) => problem.code,
            Self::Open(error) => error.code(),
            Self::Lease(error) => error.code(),
            Self::Scope(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Amend(error) => error.code(),
            Self::Plan(error) => error.code(),
            Self::Law { .. } => Code::LEDGER_FAILED,
            Self::Token { .. } => Code::UNAUTHORIZED,
            Self::Destination { .. } => Code::UNREACHABLE,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Selection(problem) => problem.help.clone(),
            Self::Open(error) => error.help().map(str::to_owned),
            Self::Lease(error) => error.help().map(str::to_owned),
            Self::Scope(error) => error.help().map(str::to_owned),
            Self::Ledger(error) => error.help().map(str::to_owned),
            Self::Amend(error) => error.help().map(str::to_owned),
            Self::Plan(error) => error.help(),
            Self::Law { .. } => Some("nothing is lost; please report this".to_owned()),
            Self::Token { .. } => {
                Some("use the secret token of Vitally's REST API, or its whole Basic Auth Header".to_owned())
            }
            Self::Destination { .. } => None,
        }
    }
}

impl<'a> Engine<'a> {
    /// An engine.
    pub fn new(setup: Setup<'a>) -> Self {
        Self { setup }
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

    /// Where the ledger is.
    pub fn ledger_path(&self) -> PathBuf {
        self.setup.root.join(&self.setup.project.ledger.path)
    }

    /// The ledger, if there is one, for reading only.
    pub fn ledger_to_read(&self) -> Result<Option<Ledger>, EngineError> {
        let now = self.setup.clock.now();
        let opening = Opening { now, create: Create::No, access: Access::ReadOnly };
        match Ledger::open(&self.ledger_path(), &opening) {
            Ok(ledger) => Ok(Some(ledger)),
            Err(OpenError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The ledger for writing; it is made where there is none.
    pub(crate) fn ledger_to_write(&self) -> Result<Ledger, EngineError> {
        Ok(Ledger::open(&self.ledger_path(), &Opening::new(self.setup.clock.now()))?)
    }

    /// A sync's part of a ledger, if it ever ran.
    pub fn scope(
        &self,
        ledger: &Ledger,
        sync: &Sync,
    ) -> Result<Option<coho_ledger::scope::Scope>, EngineError> {
        Ok(ledger.find_scope(&self.workspace(&sync.destination), &sync.id, sync.object)?)
    }

    /// What templates may know of a sync and a run.
    pub(crate) fn facts(&self, sync: &Sync, run: &str) -> coho_mapping::Facts {
        let now = self.setup.clock.now();
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
            Some(Endpoint::Us { subdomain: Some(subdomain) }) => format!("us/{subdomain}"),
            Some(Endpoint::Us { subdomain: None }) => format!("us/{destination}"),
            Some(Endpoint::Eu) | None => format!("eu/{destination}"),
            Some(Endpoint::BaseUrl(url)) => url.clone(),
        }
    }

    pub(crate) fn model(&self, sync: &Sync) -> Result<&'a Model, EngineError> {
        self.setup.project.model(&sync.model).ok_or_else(|| missing("model", &sync.model))
    }

    pub(crate) fn connection(&self, model: &Model) -> Result<Connection, EngineError> {
        let spec = self.setup.project.sources.get(&model.source);
        spec.map(|spec| connection(spec, &self.setup.root)).ok_or_else(|| missing("source", &model.source))
    }

    pub(crate) fn client(&self, destination: &str) -> Result<Client, EngineError> {
        let spec = self.setup.project.destinations.get(destination);
        let spec = spec.ok_or_else(|| missing("destination", destination))?;
        let token = Token::parse(&spec.rest_token)
            .map_err(|source| EngineError::Token { destination: destination.to_owned(), source })?;
        client(spec, token, &self.setup.clock)
            .map_err(|source| EngineError::Destination { destination: destination.to_owned(), source })
    }
}

fn connection(spec: &SourceSpec, root: &Path) -> Connection {
    match spec {
        SourceSpec::Postgres { url, statement_timeout } => {
            Connection::Postgres(coho_source::PostgresConnection {
                url: url.clone(),
                statement_timeout: *statement_timeout,
            })
        }
        SourceSpec::Sqlite { path } => Connection::Sqlite { path: root.join(path) },
        SourceSpec::Files { path } => Connection::Files { folder: root.join(path) },
    }
}

fn client(spec: &DestinationSpec, token: Token, clock: &Arc<dyn Clock>) -> Result<Client, ClientError> {
    let endpoint = match &spec.endpoint {
        Endpoint::Us { subdomain: Some(subdomain) } => Host::Us { subdomain: subdomain.clone() },
        // The host without a subdomain was the documented one before, and still answers (2026-11-24).
        Endpoint::Us { subdomain: None } => Host::BaseUrl("https://rest.vitally.io".to_owned()),
        Endpoint::Eu => Host::Eu,
        Endpoint::BaseUrl(url) => Host::BaseUrl(url.clone()),
    };
    let clock = Arc::clone(clock);
    Client::new(Settings {
        rate: spec.rate.per_minute,
        concurrency: spec.concurrency as usize,
        clock: ClientClock::new(move || clock.now()),
        ..Settings::new(endpoint, token)
    })
}

fn unknown_sync(name: &str, syncs: &[Sync]) -> Problem {
    let ids = || syncs.iter().map(|sync| sync.id.as_str());
    let problem = Problem::new(Code::UNKNOWN_NAME, format!("the project has no sync `{name}`"));
    match nearest(name, ids()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("its syncs are {}", ids().collect::<Vec<_>>().join(", "))),
    }
}

/// A loaded project refers to nothing that it does not define, so this is for projects that were put together by hand.
fn missing(what: &str, name: &str) -> EngineError {
    EngineError::Selection(Problem::new(Code::UNKNOWN_NAME, format!("the project has no {what} `{name}`")))
}
