//! What `coho runs`, `coho rows` and `coho alerts` list, one value a line. Whoever reads the ledger fills them in.

use coho_core::alert::{Level, Subject, Trigger};
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

/// An alert that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertLine {
    /// What it is about.
    pub subject: Subject,
    /// What is watched.
    pub trigger: Trigger,
    /// How bad it is.
    pub level: Level,
    /// Since when.
    pub since: Time,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The run that found it.
    pub run: Option<String>,
    /// Until when nobody is told of it.
    pub muted_until: Option<Time>,
    /// Who was told.
    pub told: Vec<String>,
    /// Who is going to be told: the message waits to be sent.
    pub to_tell: Vec<String>,
}

/// A sync of which nobody is told for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteLine {
    /// The sync.
    pub sync: SyncId,
    /// Until when.
    pub until: Time,
    /// Why.
    pub why: String,
}

/// A recipient whose messages do not get through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingLine {
    /// Who.
    pub recipient: String,
    /// Since when.
    pub since: Time,
    /// How many messages wait.
    pub waiting: u64,
    /// When the next attempt is due; none where the last message was given up.
    pub due: Option<Time>,
    /// Why the last attempt failed.
    pub error: String,
}

/// What `coho alerts` lists.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AlertsLines {
    /// Alerts that are open, the gravest first.
    pub open: Vec<AlertLine>,
    /// Mutes.
    pub mutes: Vec<MuteLine>,
    /// Recipients whose messages do not get through.
    pub failing: Vec<FailingLine>,
    /// How many messages wait to be sent.
    pub waiting: u64,
}

/// What came of a message that tries a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedLine {
    /// Who.
    pub recipient: String,
    /// The kind of the channel.
    pub kind: String,
    /// Why it was not taken; none where it was.
    pub error: Option<String>,
}
