//! What stops a whole run, or keeps it from beginning.

use std::path::PathBuf;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::problem::Problem;
use coho_core::sync::SyncId;
use coho_core::verdict::Verdict;
use coho_ledger::lease::LeaseError;
use coho_ledger::scope::ScopeError;
use coho_ledger::{LedgerError, OpenError};
use coho_plan::failure::PlanError;
use coho_plan::table::TableError;

/// Something concerns the whole run, not one sync.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum EngineError {
    /// A sync that the project does not have.
    #[error("{}", .0.message)]
    Selection(Problem),
    /// The ledger could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A ledger could not be copied.
    #[error(transparent)]
    Copy(#[from] coho_ledger::copy::CopyError),
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
    #[error("the counts of sync `{sync}` do not add up")]
    Law { sync: String, source: coho_core::counts::BrokenSum },
    /// The project had a ledger, and it is gone.
    #[error("{} sent before, but the ledger `{}` has no record of it: it was lost, or this is a different ledger", named(syncs), path.display())]
    LedgerLost { path: PathBuf, syncs: Vec<SyncId> },
    /// The ledger is another project's.
    #[error(
        "the ledger {} belongs to the project `{}` in {} on {}, and this is {}", path.display(), owner.name,
        owner.folder, owner.host, told(ours, owner)
    )]
    OtherProject { path: PathBuf, ours: String, owner: Box<coho_ledger::project::Owner> },
    /// There is no folder for temporary files.
    #[error("cannot use the temporary folder `{}`", folder.display())]
    Temporary { folder: PathBuf, source: std::io::Error },
    /// What Vitally holds of events cannot be read.
    #[error("cannot adopt sync `{sync}`: Vitally does not list events")]
    NoAdoption { sync: SyncId },
    /// The token belongs to another workspace than the ledger remembers.
    #[error(
        "the token of destination `{destination}` belongs to a different workspace than `{workspace}` in the ledger"
    )]
    OtherWorkspace { destination: String, workspace: String },
    /// Vitally did not answer whose workspace a token is, or what it holds.
    #[error("cannot check the workspace of destination `{destination}`: {}", said(verdict))]
    Unanswered { destination: String, verdict: Box<Verdict> },
    /// A destination's token is no token.
    #[error("cannot use the token of destination `{destination}`")]
    Token { destination: String, source: coho_vitally::client::TokenError },
    /// Alerts cannot be sent.
    #[error(transparent)]
    Alerts(#[from] coho_alert::send::SenderError),
    /// A destination's settings are no use.
    #[error("cannot use destination `{destination}`")]
    Destination { destination: String, source: coho_vitally::client::ClientError },
}

impl Failure for EngineError {
    fn code(&self) -> Code {
        match self {
            Self::Selection(problem) => problem.code,
            Self::Open(error) => error.code(),
            Self::Copy(error) => error.code(),
            Self::Lease(error) => error.code(),
            Self::Scope(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Amend(error) => error.code(),
            Self::Plan(error) => error.code(),
            Self::Law { .. } => Code::LEDGER_FAILED,
            Self::LedgerLost { .. } => Code::LEDGER_LOST,
            Self::OtherProject { .. } => Code::OTHER_PROJECT,
            Self::Temporary { .. } => Code::SPOOL_FAILED,
            Self::NoAdoption { .. } => Code::API_CANNOT,
            Self::OtherWorkspace { .. } => Code::OTHER_WORKSPACE,
            Self::Unanswered { verdict, .. } => code_of(verdict),
            Self::Token { .. } => Code::UNAUTHORIZED,
            Self::Destination { .. } | Self::Alerts(_) => Code::UNREACHABLE,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Selection(problem) => problem.help.clone(),
            Self::Open(error) => error.help(),
            Self::Copy(error) => error.help(),
            Self::Lease(error) => error.help(),
            Self::Scope(error) => error.help(),
            Self::Ledger(error) => error.help(),
            Self::Amend(error) => error.help(),
            Self::Plan(error) => error.help(),
            Self::Law { .. } => Some("nothing is lost; please report this".to_owned()),
            Self::LedgerLost { .. } => Some(
                "restore the file; or compare with Vitally: `coho adopt SYNC` (events: `coho baseline SYNC`); or send everything again: `coho run --new-ledger`"
                    .to_owned(),
            ),
            Self::OtherProject { .. } => Some(
                "name another file under `ledger:`; if the project was renamed, or the ledger should belong to this project, run once with `--adopt-ledger`; another checkout needs the project's file `.coho-ledger`"
                    .to_owned(),
            ),
            Self::Temporary { .. } => {
                Some("create the folder, or set TMPDIR to a writable one".to_owned())
            }
            Self::NoAdoption { sync } => {
                Some(format!("use `coho baseline {sync}`: it treats the current rows as sent"))
            }
            Self::OtherWorkspace { .. } => Some(
                "use the token of that workspace; add another workspace as a destination with its own name"
                    .to_owned(),
            ),
            Self::Unanswered { verdict, .. } => code_of(verdict).help(),
            Self::Token { .. } => {
                Some("use the secret token of Vitally's REST API, or its whole Basic Auth Header".to_owned())
            }
            Self::Destination { .. } | Self::Alerts(_) => None,
        }
    }
}

impl EngineError {
    /// The destination that does not accept the token, where that is why.
    pub(crate) fn refusing(&self) -> Option<&str> {
        let is_of_credentials =
            [Code::UNAUTHORIZED, Code::FORBIDDEN, Code::OTHER_WORKSPACE].contains(&self.code());
        match self {
            Self::Unanswered { destination, .. }
            | Self::Token { destination, .. }
            | Self::OtherWorkspace { destination, .. } => {
                Some(destination.as_str()).filter(|_| is_of_credentials)
            }
            Self::Selection(_)
            | Self::Open(_)
            | Self::Copy(_)
            | Self::Lease(_)
            | Self::Scope(_)
            | Self::Ledger(_)
            | Self::Amend(_)
            | Self::Plan(_)
            | Self::Law { .. }
            | Self::LedgerLost { .. }
            | Self::OtherProject { .. }
            | Self::Temporary { .. }
            | Self::NoAdoption { .. }
            | Self::Destination { .. }
            | Self::Alerts(_) => None,
        }
    }
}

/// `sync a`, `syncs a, b`.
fn named(syncs: &[SyncId]) -> String {
    let ids: Vec<_> = syncs.iter().map(|id| format!("`{id}`")).collect();
    format!("sync{} {}", if ids.len() == 1 { "" } else { "s" }, ids.join(", "))
}

/// `the project `a``, or another one of the same name.
fn told(ours: &str, owner: &coho_ledger::project::Owner) -> String {
    if ours == owner.name { "another one of that name".to_owned() } else { format!("the project `{ours}`") }
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

impl From<TableError> for EngineError {
    fn from(error: TableError) -> Self {
        Self::Plan(error.into())
    }
}
