//! What may go wrong with a ledger's file, in words that say which file and what helps.

use std::path::{Path, PathBuf};

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::key::Key;
use coho_core::value::preview;
use rusqlite::ErrorCode;

use crate::remote_failure::RemoteError;

/// A ledger could not be read or written. Nothing of the transaction was kept.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum LedgerError {
    /// The disk is full.
    #[error("cannot write the ledger `{}`: the disk is full", path.display())]
    Full { path: PathBuf, source: rusqlite::Error },
    /// The file, its folder or this opening is read-only.
    #[error("cannot write the ledger `{}`: it is read-only", path.display())]
    ReadOnly { path: PathBuf },
    /// Another program kept it locked for longer than five seconds.
    #[error("the ledger `{}` is locked by another program", path.display())]
    Locked { path: PathBuf, source: rusqlite::Error },
    /// The file holds a value that Coho never writes.
    #[error("the ledger `{}` is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    /// Another holder took the ledger over; the lease that was shown is void.
    #[error("another run took over the ledger `{}`", path.display())]
    LeaseLost { path: PathBuf },
    /// A write would have closed an open intent without a verdict.
    #[error("the intent of key `{}` is open: only a verdict closes it", preview(key.as_str()))]
    OpenIntent { key: Key },
    /// A question took longer than whoever asked had patience.
    #[error("timed out while {doing}")]
    TooLong { doing: &'static str },
    /// The ledger is in no file, and could not be stored where it is.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Anything else that SQLite says.
    #[error("failed while {doing} in the ledger `{}`", path.display())]
    Sqlite { doing: &'static str, path: PathBuf, source: rusqlite::Error },
}

impl Failure for LedgerError {
    fn code(&self) -> Code {
        match self {
            Self::LeaseLost { .. } => Code::LEASE_LOST,
            Self::Remote(error) => error.code(),
            Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::Locked { .. }
            | Self::Damaged { .. }
            | Self::OpenIntent { .. }
            | Self::TooLong { .. }
            | Self::Sqlite { .. } => Code::LEDGER_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Full { .. } => {
                "free disk space and run again: the ledger is intact, and nothing is sent twice"
            }
            Self::ReadOnly { .. } => "give this user write access to the file and to its folder",
            Self::Locked { .. } => "close the program that has the file open, then run again",
            Self::Damaged { .. } => "restore a backup, or move the file away and run `coho adopt`",
            Self::LeaseLost { .. } => "run again: Coho finds out what is missing",
            Self::OpenIntent { .. } => "run the sync: it first checks what became of the earlier write",
            Self::TooLong { .. } => "narrow it down: one sync, one status, one run",
            Self::Remote(error) => return error.help(),
            Self::Sqlite { .. } => return None,
        };
        Some(help.to_owned())
    }
}

/// What went wrong inside of a transaction, before the file's name is added.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(rusqlite::Error),
    Damaged(String),
    LeaseLost,
    OpenIntent(Key),
}

impl Fault {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// The error that the user sees.
    pub(crate) fn on(self, path: &Path, doing: &'static str) -> LedgerError {
        let path = path.to_owned();
        match self {
            Self::Damaged(what) => LedgerError::Damaged { path, what },
            Self::LeaseLost => LedgerError::LeaseLost { path },
            Self::OpenIntent(key) => LedgerError::OpenIntent { key },
            Self::Sqlite(source) => match source.sqlite_error_code() {
                Some(ErrorCode::OperationInterrupted) => LedgerError::TooLong { doing },
                Some(ErrorCode::DiskFull) => LedgerError::Full { path, source },
                Some(ErrorCode::ReadOnly) => LedgerError::ReadOnly { path },
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    LedgerError::Locked { path, source }
                }
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    LedgerError::Damaged { path, what: source.to_string() }
                }
                Some(_) | None => LedgerError::Sqlite { doing, path, source },
            },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
