//! Looking: what pages and the command line ask of what was run.
//!
//! Each question reads one moment, goes through an index and ends at a limit. Where a question could still take long, the
//! caller's [`Patience`] ends it.

mod calls;
mod failures;
pub mod home;
pub mod run;
pub mod runs;
pub mod search;
pub mod row;
pub mod requests;

pub use self::calls::CallSums;
pub use self::failures::{EXAMPLES, FailureGroup, FailuresOf, NamedCause};

use std::fmt;
use std::sync::Arc;

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;

/// So many steps of SQLite's machine lie between two questions to [`Patience`]: about a tenth of a millisecond.
const STEPS: i32 = 10_000;

/// Says when a question has taken long enough.
#[derive(Clone)]
pub struct Patience(Arc<dyn Fn() -> bool + Send + Sync>);

impl Patience {
    /// Patience that is over as soon as this says so.
    pub fn until(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_over))
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patience")
    }
}

impl Ledger {
    /// From now on questions end with [`LedgerError::TooLong`] when this patience is over; `None` lets them take as long as
    /// they need.
    pub fn be_patient(&self, patience: Option<Patience>) -> Result<(), LedgerError> {
        let set = match patience {
            Some(patience) => self.connection().progress_handler(STEPS, Some(move || patience.is_over())),
            None => self.connection().progress_handler(0, None::<fn() -> bool>),
        };
        set.map_err(|error| Fault::from(error).on(self.named(), "limiting a query"))
    }

    /// A number that changes whenever another connection, of this process or of any other, wrote to the ledger.
    pub fn version(&self) -> Result<i64, LedgerError> {
        let read = self.connection().query_row("PRAGMA data_version", [], |row| row.get(0));
        read.map_err(|error| Fault::from(error).on(self.named(), "looking for changes"))
    }
}
