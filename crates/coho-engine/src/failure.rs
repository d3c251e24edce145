//! What stops a whole run, or keeps it from beginning.

use std::path::PathBuf;

use coho_core::code::Code;
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
    Law { sync: String, source: coho_core::counts::BrokenSum },
    /// The project had a ledger, and it is gone.
    #[error("{} sent before, and the ledger {} does not know of it: it is gone, or another one", named(syncs), path.display())]
    LedgerLost { path: PathBuf, syncs: Vec<SyncId> },
    /// The ledger is another project's.
    #[error(
        "the ledger {} belongs to the project `{}` in {} on {}, and this is {}", path.display(), owner.name,
        owner.folder, owner.host, told(ours, owner)
    )]
    OtherProject { path: PathBuf, ours: String, owner: Box<coho_ledger::project::Owner> },
    /// There is no folder for temporary files.
    #[error("the temporary folder {} cannot be used", folder.display())]
    Temporary { folder: PathBuf, source: std::io::Error },
    /// What Vitally holds of events cannot be read.
    #[error("sync `{sync}` sends events, and Vitally does not tell which it holds")]
    NoAdoption { sync: SyncId },
    /// The token belongs to another workspace than the ledger remembers.
    #[error(
        "the token of destination `{destination}` is not of the workspace that the ledger remembers as `{workspace}`"
    )]
    OtherWorkspace { destination: String, workspace: String },
    /// Vitally did not answer whose workspace a token is, or what it holds.
    #[error(
        "cannot find out what Vitally holds in the workspace of destination `{destination}`: {}",
        said(verdict)
    )]
    Unanswered { destination: String, verdict: Box<Verdict> },
    /// A destination's token is no token.
    #[error("the token of destination `{destination}` cannot be used")]
    Token { destination: String, source: coho_vitally::client::TokenError },
    /// Alerts cannot be sent.
    #[error(transparent)]
    Alerts(#[from] coho_alert::send::SenderError),
    /// A destination's settings are no use.
    #[error("destination `{destination}` cannot be used")]
    Destination { destination: String, source: coho_vitally::client::ClientError },
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
            Self::OtherProject { .. } => Code::OTHER_PROJECT,
            Self::Temporary { .. } => Code::SPOOL_FAILED,
            Self::NoAdoption { .. } => Code::API_CANNOT,
            Self::OtherWorkspace { .. } => Code::OTHER_WORKSPACE,
            Self::Unanswered { verdict, .. } => code_of(verdict),
            Self::Token { .. } => Code::UNAUTHORIZED,
            Self::Destination { .. } | Self::Alerts(_) => Code::UNREACHABLE,
        }
    }

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
            Self::OtherProject { .. } => Some(
                "name another file under `ledger:`; where it is the same project under a new name, or the ledger is to become \
                 this project's, run once with `--adopt-ledger`; another checkout needs the project's file `.coho-ledger`"
                    .to_owned(),
            ),
            Self::Temporary { .. } => {
                Some("make that folder, or set TMPDIR to one that can be written to".to_owned())
            }
            Self::NoAdoption { sync } => {
                Some(format!("use `coho baseline {sync}`: it takes the rows that are there as sent"))
            }
            Self::OtherWorkspace { .. } => Some(
                "use the token of that workspace; another workspace is another destination, with a name of its own"
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
