//! What `coho runs`, `coho rows` and `coho alerts` list, one value a line. Whoever reads the ledger fills them in.

use std::collections::BTreeMap;
use std::time::Duration;

use coho_core::alert::{Level, Subject, Trigger};
use coho_core::call::WaitWhy;
use coho_core::cause::Cause;
use coho_core::counts::Counts;
use coho_core::fields::Difference;
use coho_core::key::Key;
use coho_core::row_state::Verb;
use coho_core::started::{FullWhy, Stage, Started};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;

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
    /// How it ended, as [`coho_core::plan::SyncStatus::name`] has it, or `running`.
    pub status: String,
    /// Rows, keys and operations by status.
    pub counts: Counts,
    /// Calls that were made.
    pub calls: u64,
    /// What started the run.
    pub start: Started,
    /// Why every row was evaluated, where every row was.
    pub full_why: Option<FullWhy>,
    /// What is still kept of its rows and calls: all, failures, counts.
    pub kept: &'static str,
    /// Until when rows that did not fail are kept with their calls, unless the ledger becomes too large before.
    pub kept_until: Option<Time>,
    /// The same of rows that failed.
    pub failures_until: Option<Time>,
}

/// More of one sync of one run, for whoever looks at that run alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDetail {
    /// The sync.
    pub sync: SyncId,
    /// Its stages, in the order in which they began.
    pub stages: Vec<StageLine>,
    /// How many calls sent a request once more.
    pub repeated: u64,
    /// How long requests waited, by what for. Several may have waited at the same time.
    pub waits: BTreeMap<WaitWhy, Duration>,
}

/// A stage of one sync of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageLine {
    /// Which.
    pub stage: Stage,
    /// Of sending: what was sent.
    pub phase: Option<String>,
    /// When it began.
    pub began: Time,
    /// How long it took, in milliseconds; absent where it has not ended.
    pub millis: Option<u64>,
    /// How many rows or operations went through it, where that is counted.
    pub rows: Option<u64>,
}

/// Rows of one sync that failed of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureLine {
    /// The sync.
    pub sync: SyncId,
    /// The cause.
    pub cause: Cause,
    /// How many rows.
    pub count: u64,
    /// How they ended.
    pub statuses: BTreeMap<RowStatus, u64>,
    /// The first few of them.
    pub examples: Vec<Key>,
    /// What was said of one of them.
    pub message: Option<String>,
    /// When a row failed of it for the first time.
    pub first: Time,
    /// Since when no row waits with it any more.
    pub healed: Option<Time>,
    /// Whether it had been healed before.
    pub came_back: bool,
}

/// What became of one key in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowLine {
    /// The key's canonical text.
    pub key: String,
    /// Where it ended.
    pub status: RowStatus,
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
