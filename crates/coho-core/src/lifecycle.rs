//! What happens to a sync as a whole, for programs that wait for it: it starts, and it ends well or not.

use crate::plan::SyncStatus;

/// What happened to a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifecycle {
    /// It began.
    Started,
    /// It came to its end; single rows may not have got through.
    Completed,
    /// It did not: it failed, halted or was interrupted.
    Failed,
}

impl Lifecycle {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Started, Self::Completed, Self::Failed];

    /// The word in `coho.yaml` and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "sync.started",
            Self::Completed => "sync.completed",
            Self::Failed => "sync.failed",
        }
    }

    /// The one of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// How a sync ended.
    pub fn of(status: &SyncStatus) -> Self {
        match status {
            SyncStatus::Completed
            | SyncStatus::CompletedWithErrors
            | SyncStatus::Held
            | SyncStatus::TimeUp => Self::Completed,
            SyncStatus::Failed(_) | SyncStatus::Halted { .. } | SyncStatus::Interrupted => Self::Failed,
        }
    }
}
