//! What `coho runs` and `coho rows` list, one value a line. Whoever reads the ledger fills them in.

use coho_core::counts::Counts;
use coho_core::fields::Difference;
use coho_core::memory::{Time, Verb};
use coho_core::sync::SyncId;
use coho_core::verdict::Fate;

/// One sync of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    /// The run's id.
    pub run: String,
    /// The sync.
    pub sync: SyncId,
    /// When the run began.
    pub started: Time,
    /// How long it took, in milliseconds; absent where it has not ended, or was killed.
    pub millis: Option<u64>,
    /// How it ended, as [`coho_core::plan::Status::name`] has it, or `running`.
    pub status: String,
    /// Rows, keys and operations by fate.
    pub counts: Counts,
    /// Calls that were made.
    pub calls: u64,
}

/// What became of one key in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowLine {
    /// The key's canonical text.
    pub key: String,
    /// Where it ended.
    pub fate: Fate,
    /// What was done, where anything was to be done.
    pub verb: Option<Verb>,
    /// The reason or the code of what went wrong; may be empty.
    pub code: String,
    /// Vitally's text, or what was wrong with the row; may be empty.
    pub message: String,
    /// The run's id.
    pub run: String,
    /// When.
    pub at: Time,
    /// What was sent, or was to be sent.
    pub differences: Vec<Difference>,
}
