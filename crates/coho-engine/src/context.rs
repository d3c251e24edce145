//! What plans and runs share: the project, its folder, the clock, and how connections and ledgers are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coho_core::code::Code;
use coho_core::memory::Time;
use coho_core::model::Model;
use coho_core::problem::{Problem, nearest};
use coho_core::sync::{Sync, SyncId};
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_ledger::lease::{Holder, LeaseError};
use coho_ledger::scope::ScopeError;
use coho_ledger::{Access, Create, Ledger, LedgerError, OpenError, Opening};
use coho_project::{Endpoint, Project, SourceSpec};
use coho_source::Connection;

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
    /// The project had a ledger, and it is gone.
    #[error("{} sent before, and the ledger {} does not know of it: it is gone, or another one", named(syncs), path.display())]
    LedgerLost {
        /// Where it should be.
        path: PathBuf,
        /// The syncs.
        syncs: Vec<SyncId>,
    },
    /// A person stopped it before anything was planned.
    #[error("the run was interrupted")]
    Interrupted,
    /// What Vitally holds of events cannot be read.
    #[error("sync `{sync}` sends events, and Vitally does not tell which it holds")]
    NoAdoption {
        /// The sync.
        sync: SyncId,
    },
    /// The token belongs to another workspace than the ledger remembers.
    #[error(
        "the token of destination `{destination}` is not of the workspace that the ledger remembers as `{workspace}`"
    )]
    OtherWorkspace {
        /// The destination.
        destination: String,
        /// The workspace.
        workspace: String,
    },
    /// Vitally did not answer whose workspace a token is, or what it holds.
    #[error(
        "cannot find out what Vitally holds in the workspace of destination `{destination}`: {}",
        said(verdict)
    )]
    Unanswered {
        /// The destination.
        destination: String,
        /// What came in place of an answer.
        verdict: Box<Verdict>,
    },
    /// A plan could not be written to the file that was asked for.
    #[error("the temporary folder cannot be read")]
    Spool(#[from] coho_ledger::spool::SpoolError),
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
            Self::LedgerLost { .. } => Code::LEDGER_LOST,
            Self::Interrupted => Code::INTERRUPTED,
            Self::NoAdoption { .. } => Code::API_CANNOT,
            Self::OtherWorkspace { .. } => Code::OTHER_WORKSPACE,
            Self::Unanswered { verdict, .. } => code_of(verdict),
            Self::Spool(error) => error.code(),
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
            Self::LedgerLost { .. } => Some(
                "bring the file back; or compare with what Vitally holds: `coho adopt SYNC` (events: `coho baseline SYNC`); \
                 or send everything again: `coho run --new-ledger`"
                    .to_owned(),
            ),
            Self::Interrupted => Code::INTERRUPTED.entry().map(coho_core::code::Entry::help),
            Self::NoAdoption { sync } => {
                Some(format!("use `coho baseline {sync}`: it takes the rows that are there as sent"))
            }
            Self::OtherWorkspace { .. } => Some(
                "use the token of that workspace; another workspace is another destination, with a name of its own"
                    .to_owned(),
            ),
            Self::Unanswered { verdict, .. } => code_of(verdict).entry().map(coho_core::code::Entry::help),
            Self::Spool(error) => Some(error.help().to_owned()),
            Self::Token { .. } => {
                Some("use the secret token of Vitally's REST API, or its whole Basic Auth Header".to_owned())
            }
            Self::Destination { .. } => None,
        }
    }
}

/// `sync a`, `syncs a, b`.
fn named(syncs: &[SyncId]) -> String {
    let ids: Vec<_> = syncs.iter().map(|id| format!("`{id}`")).collect();
    format!("sync{} {}", if ids.len() == 1 { "" } else { "s" }, ids.join(", "))
}

/// What came in place of an answer.
fn said(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Rejected { message, .. } | Verdict::Halt { message, .. } | Verdict::Deferred { message } => {
            message
        }
        Verdict::Unsent { why } | Verdict::Unsure { why } => why,
        Verdict::Applied { .. }
        | Verdict::Accepted
        | Verdict::Gone
        | Verdict::Missing
        | Verdict::Exists
        | Verdict::Ambiguous => "nothing that can be read",
    }
}

fn code_of(verdict: &Verdict) -> Code {
    match verdict {
        Verdict::Rejected { code, .. } | Verdict::Halt { code, .. } => *code,
        Verdict::Applied { .. }
        | Verdict::Accepted
        | Verdict::Gone
        | Verdict::Missing
        | Verdict::Exists
        | Verdict::Ambiguous
        | Verdict::Deferred { .. }
        | Verdict::Unsent { .. }
        | Verdict::Unsure { .. } => Code::UNREACHABLE,
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
        let ledger = Ledger::open(&self.ledger_path(), &Opening::new(self.setup.clock.now()))?;
        ledger.mask(&self.setup.project.masker)?;
        Ok(ledger)
    }

    /// A sync's part of a ledger, if it ever ran, under its id or one that it had before.
    pub fn scope(
        &self,
        ledger: &Ledger,
        sync: &Sync,
    ) -> Result<Option<coho_ledger::scope::Scope>, EngineError> {
        let workspace = self.workspace(&sync.destination);
        for id in std::iter::once(&sync.id).chain(&sync.renamed_from) {
            if let Some(scope) = ledger.find_scope(&workspace, id, sync.object)? {
                return Ok(Some(scope));
            }
        }
        Ok(None)
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

fn unknown_sync(name: &str, syncs: &[Sync]) -> Problem {
    let ids = || syncs.iter().map(|sync| sync.id.as_str());
    let problem = Problem::new(Code::UNKNOWN_NAME, format!("the project has no sync `{name}`"));
    match nearest(name, ids()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None if syncs.is_empty() => problem.help("it has no syncs at all: write one in `syncs/NAME.yaml`"),
        None => problem.help(format!("its syncs are {}", ids().collect::<Vec<_>>().join(", "))),
    }
}

/// A loaded project refers to nothing that it does not define, so this is for projects that were put together by hand.
pub(crate) fn missing(what: &str, name: &str) -> EngineError {
    EngineError::Selection(Problem::new(Code::UNKNOWN_NAME, format!("the project has no {what} `{name}`")))
}
