//! What pages may do, and who does it: a port. The debugger carries things out itself; a server with a queue of runs asks for
//! them there.

use coho_core::failure::Failure as _;
use std::future::Future;
use std::pin::Pin;

use coho_core::key::Key;
use coho_engine::context::EngineError;
use coho_ledger::amend::Retried;

use crate::reader::told;

/// Something that somebody asks for on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A run of these syncs; of all, where none is named.
    Run {
        /// Their ids.
        syncs: Vec<String>,
    },
    /// What waits is tried again now.
    Retry {
        /// The sync.
        sync: String,
        /// Which of its rows.
        retried: Retried,
    },
    /// What is remembered is forgotten, so that its rows are new to the next run.
    Forget {
        /// The sync.
        sync: String,
        /// Its row with this primary key; all of them, where it is absent.
        key: Option<Key>,
    },
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// A run has begun.
    Began {
        /// Its id.
        run: String,
    },
    /// It is done, or will be: in a sentence.
    Told(String),
}

/// Why a wish was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is in the way, with its stable code where it has one.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Until a wish is carried out, or its run has begun.
pub type Doing = Pin<Box<dyn Future<Output = Result<Done, Refused>> + Send>>;

/// Whoever does what pages ask for. It writes down who asked: in the ledger where a run begins, in the log otherwise.
pub trait Actions: Send + Sync {
    /// Carries a wish out. A run goes on when this is ready. `who` is the name of the token with which somebody came; absent
    /// where they came with the address that this process printed.
    fn carry_out(&self, wish: Wish, who: Option<String>) -> Doing;
}

impl From<&EngineError> for Refused {
    /// The error with its causes and its stable code, and what helps.
    fn from(error: &EngineError) -> Self {
        Self { message: format!("{} [{}]", told(error), error.code()), help: error.help() }
    }
}
