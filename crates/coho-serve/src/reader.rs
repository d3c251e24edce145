//! Ledgers to read: opened once and kept, so that a page does not pay for it, and given back when a page is made.
//!
//! A ledger that is not there yet may come to be; one that was replaced by another file, such as a restored copy, is opened
//! anew.

use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use coho_engine::clock::Clock;
use coho_engine::context::EngineError;
use coho_engine::plan::TableError;
use coho_ledger::look::Patience;
use coho_ledger::{Access, Create, Ledger, LedgerError, OpenError, Opening};
use tokio::sync::{Semaphore, SemaphorePermit};

/// So many ledgers are kept.
const KEPT: usize = 8;

/// So many are read at once; who comes later waits. Each has files open, and whoever runs syncs beside it needs some too.
const AT_ONCE: usize = 16;

/// How a ledger could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is to come could not be found out.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A page could not be made of it.
    #[error("cannot build the page")]
    Page(#[from] serde_json::Error),
    /// A plan could not be read.
    #[error(transparent)]
    Plan(#[from] TableError),
    /// The work was given up, since the process ends.
    #[error("the server is shutting down")]
    Ending,
}

/// An error with its causes.
pub(crate) fn told(failure: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(failure.source(), |cause| cause.source());
    causes.fold(failure.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Ledgers to read, all of one file.
pub(crate) struct Reader {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    kept: Mutex<Vec<Kept>>,
    turns: Semaphore,
}

struct Kept {
    ledger: Ledger,
    file: FileMark,
}

/// By what a file is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileMark {
    device: u64,
    number: u64,
}

impl Reader {
    pub(crate) fn new(path: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { path, clock, kept: Mutex::new(Vec::new()), turns: Semaphore::new(AT_ONCE) }
    }

    /// Reads on a thread that may block. The work gets `None` where there is no ledger.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        patience: Patience,
        work: impl FnOnce(Option<&Ledger>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let reader = Arc::clone(self);
        let _turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || reader.read_here(patience, work)).await;
        done.unwrap_or(Err(ReadError::Ending))
    }

    /// The right to have the ledger open now; whoever has it gives it back soon.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, ReadError> {
        self.turns.acquire().await.map_err(|_| ReadError::Ending)
    }

    fn read_here<T>(
        &self,
        patience: Patience,
        work: impl FnOnce(Option<&Ledger>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let Some(kept) = self.take()? else { return work(None) };
        kept.ledger.be_patient(Some(patience))?;
        let done = work(Some(&kept.ledger));
        kept.ledger.be_patient(None)?;
        self.give_back(kept);
        done
    }

    /// A ledger, if there is one.
    pub(crate) fn open(&self) -> Result<Option<Ledger>, OpenError> {
        let opening = Opening { now: self.clock.now(), create: Create::No, access: Access::ReadOnly };
        match Ledger::open(&self.path, &opening) {
            Ok(ledger) => Ok(Some(ledger)),
            Err(OpenError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take(&self) -> Result<Option<Kept>, OpenError> {
        let file = self.mark();
        if let Some(file) = file {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|kept| kept.file == file);
            if let Some(kept) = kept.pop() {
                return Ok(Some(kept));
            }
        }
        let opened = self.open()?;
        Ok(opened.zip(file).map(|(ledger, file)| Kept { ledger, file }))
    }

    /// A ledger of an older schema is read from a copy, which is not kept: the file may change.
    fn give_back(&self, one: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && one.ledger.path() == self.path {
            kept.push(one);
        }
    }

    fn mark(&self) -> Option<FileMark> {
        std::fs::metadata(&self.path).ok().map(|found| mark(&found))
    }
}

#[cfg(unix)]
fn mark(found: &Metadata) -> FileMark {
    use std::os::unix::fs::MetadataExt as _;
    FileMark { device: found.dev(), number: found.ino() }
}

#[cfg(not(unix))]
fn mark(found: &Metadata) -> FileMark {
    let made = found.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    FileMark { device: 0, number: made.map_or(0, |at| at.as_secs()) }
}
