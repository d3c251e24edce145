//! What started a run: who, how, with which version of Coho and of the project. The engine does not look for it; whoever starts
//! a run says it.

use crate::time::Time;

/// What started a run. What is not known is absent.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Started {
    /// How.
    pub by: Option<StartedBy>,
    /// Who, as the system names them.
    pub user: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// What was asked for, as a command line without the program's name.
    pub arguments: Option<String>,
    /// When it was due, where a schedule started it.
    pub scheduled: Option<Time>,
    /// The version of Coho.
    pub version: Option<String>,
    /// The digest of the project's files.
    pub project: Option<String>,
    /// The commit that the project's folder was at.
    pub commit: Option<Commit>,
}

/// A commit of a Git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Whether files differed from it.
    pub is_dirty: bool,
}

/// How a run was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartedBy {
    /// A person or a program, by the command line.
    Command,
    /// A schedule, at its time.
    Schedule,
    /// A call of the API.
    Api,
    /// A schedule, after times that were missed.
    CatchUp,
    /// A person, on a page of the debugger.
    Debugger,
}

impl StartedBy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Command, Self::Schedule, Self::Api, Self::CatchUp, Self::Debugger];

    /// The text in the ledger and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Schedule => "schedule",
            Self::Api => "api",
            Self::CatchUp => "catch-up",
            Self::Debugger => "debugger",
        }
    }

    /// The one of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == text)
    }
}

/// Why a run evaluated every row of a sync, and not only those that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FullWhy {
    /// The sync had not run before.
    FirstRun,
    /// Its mapping changed.
    MappingChanged,
    /// This version of Coho digests rows in another way.
    EncodingChanged,
    /// All records were to be sent again.
    Resend,
    /// Events too.
    ResendEvents,
    /// Rows were to be taken as sent.
    Baseline,
    /// What Vitally holds was to be taken as sent.
    Adopt,
}

impl FullWhy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::FirstRun,
        Self::MappingChanged,
        Self::EncodingChanged,
        Self::Resend,
        Self::ResendEvents,
        Self::Baseline,
        Self::Adopt,
    ];

    /// The text in the ledger and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstRun => "first-run",
            Self::MappingChanged => "mapping-changed",
            Self::EncodingChanged => "encoding-changed",
            Self::Resend => "resend",
            Self::ResendEvents => "resend-events",
            Self::Baseline => "baseline",
            Self::Adopt => "adopt",
        }
    }

    /// The one of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

/// A stage of a sync's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The model's rows are read.
    Read,
    /// They are brought into the order of their keys.
    Sort,
    /// They are compared with what is remembered, and evaluated.
    Compare,
    /// The plan is made of that: targets, removals, guards.
    Plan,
    /// What is planned is sent.
    Send,
    /// What came of it is counted.
    Conclude,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Sort, Self::Compare, Self::Plan, Self::Send, Self::Conclude];

    /// The text in the ledger and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Sort => "sort",
            Self::Compare => "compare",
            Self::Plan => "plan",
            Self::Send => "send",
            Self::Conclude => "conclude",
        }
    }

    /// The one of this text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}
