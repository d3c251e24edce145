//! The nouns of alerts: what is watched, how bad it is, who is told, and what is remembered of it.
//!
//! [`rules`] says when something is bad; [`remembered`] what a ledger keeps between two runs. When a state changes and who is
//! told of it is decided in `coho-alert`.

pub mod remembered;
pub mod rules;

use std::collections::BTreeSet;
use std::fmt;

use crate::sync::SyncId;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Somebody should look at it.
    Warning,
    /// Somebody must look at it.
    Critical,
}

impl Level {
    /// Both, the lesser first.
    pub const ALL: [Self; 2] = [Self::Warning, Self::Critical];

    /// The word in files, in the ledger and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The level of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// What is watched of a sync, a destination, a source or the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A run of the sync failed or halted.
    Failed,
    /// A destination or a source refuses its credentials.
    Credentials,
    /// Vitally refused rows, and they are not delivered yet.
    Rejected,
    /// Rows cannot be sent as they are.
    Invalid,
    /// A guard holds operations.
    Held,
    /// The run took long.
    Duration,
    /// The model has far fewer or far more rows than in earlier runs.
    Volume,
    /// No run went well for a long time.
    Freshness,
    /// The disk of the ledger is nearly full.
    Disk,
}

impl Trigger {
    /// All of them, the gravest first.
    pub const ALL: [Self; 9] = [
        Self::Failed,
        Self::Credentials,
        Self::Rejected,
        Self::Invalid,
        Self::Held,
        Self::Duration,
        Self::Volume,
        Self::Freshness,
        Self::Disk,
    ];

    /// The word in files, in the ledger and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Credentials => "credentials",
            Self::Rejected => "rejected",
            Self::Invalid => "invalid",
            Self::Held => "held",
            Self::Duration => "duration",
            Self::Volume => "volume",
            Self::Freshness => "freshness",
            Self::Disk => "disk",
        }
    }

    /// The trigger of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == text)
    }

    /// Whether a failed run says nothing of it: what it would say is a part of the failure.
    pub fn is_silenced_by_failure(self) -> bool {
        match self {
            Self::Rejected | Self::Invalid | Self::Held | Self::Duration | Self::Volume => true,
            Self::Failed | Self::Credentials | Self::Freshness | Self::Disk => false,
        }
    }
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A sync, as it is sent to a destination: another target's runs are another matter.
    Sync {
        /// The destination's name.
        destination: String,
        /// The sync.
        sync: SyncId,
    },
    /// A destination.
    Destination(String),
    /// A source.
    Source(String),
    /// The ledger.
    Ledger,
}

impl Subject {
    /// The subject of the text that `Display` gives.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((kind, name)) = text.split_once(' ') else {
            return (text == "ledger").then_some(Self::Ledger);
        };
        match kind {
            "sync" => {
                let (destination, sync) = name.split_once('/')?;
                Some(Self::Sync { destination: destination.to_owned(), sync: SyncId::new(sync) })
            }
            "destination" => Some(Self::Destination(name.to_owned())),
            "source" => Some(Self::Source(name.to_owned())),
            _ => None,
        }
    }

    /// What a person calls it: a sync by its id alone.
    pub fn name(&self) -> String {
        match self {
            Self::Sync { sync, .. } => sync.to_string(),
            Self::Destination(_) | Self::Source(_) | Self::Ledger => self.to_string(),
        }
    }

    /// The sync that it is, if it is one.
    pub fn sync(&self) -> Option<&SyncId> {
        match self {
            Self::Sync { sync, .. } => Some(sync),
            Self::Destination(_) | Self::Source(_) | Self::Ledger => None,
        }
    }
}

/// `sync vitally/accounts`, `destination vitally`, `source warehouse`, `ledger`: the names hold neither spaces nor slashes.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sync { destination, sync } => write!(f, "sync {destination}/{sync}"),
            Self::Destination(name) => write!(f, "destination {name}"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::Ledger => f.write_str("ledger"),
        }
    }
}

/// Which alert: at most one is open of a subject and a trigger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertKey {
    /// What it is about.
    pub subject: Subject,
    /// What is watched.
    pub trigger: Trigger,
}

/// `sync vitally/accounts: failed`
impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.trigger.as_str())
    }
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Its name in the project.
    pub name: String,
    /// From which level on.
    pub from: Level,
    /// Of which triggers only; `None` for all.
    pub when: Option<BTreeSet<Trigger>>,
    /// Of which syncs only; `None` for all. Other subjects concern everybody.
    pub syncs: Option<BTreeSet<SyncId>>,
    /// Whether it is shown the keys of example rows.
    pub examples: bool,
}

impl Recipient {
    /// Somebody who is told everything.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), from: Level::Warning, when: None, syncs: None, examples: true }
    }

    /// What an alert at this level is to this recipient: nothing, where it did not ask for it.
    pub fn level(&self, key: &AlertKey, level: Option<Level>) -> Option<Level> {
        let of_trigger = self.when.as_ref().is_none_or(|when| when.contains(&key.trigger));
        let asked = |sync| self.syncs.as_ref().is_none_or(|syncs| syncs.contains(sync));
        let of_subject = key.subject.sync().is_none_or(asked);
        level.filter(|level| *level >= self.from && of_trigger && of_subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back() {
        let sync = Subject::Sync { destination: "vitally".to_owned(), sync: SyncId::new("accounts") };
        let named = [Subject::Destination("vitally".to_owned()), Subject::Source("files".to_owned())];
        for subject in [sync, Subject::Ledger].into_iter().chain(named) {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
        }
        assert_eq!(Subject::parse("sync accounts"), None);
        assert_eq!(Subject::parse("moon"), None);
    }

    #[test]
    fn words_read_back() {
        for trigger in Trigger::ALL {
            assert_eq!(Trigger::parse(trigger.as_str()), Some(trigger));
        }
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
    }

    #[test]
    fn a_recipient_sees_what_it_asked_for() {
        let subject = Subject::Sync { destination: "v".to_owned(), sync: SyncId::new("accounts") };
        let key = AlertKey { subject, trigger: Trigger::Held };
        let all = Recipient::new("all");
        assert_eq!(all.level(&key, Some(Level::Warning)), Some(Level::Warning));
        let grave = Recipient { from: Level::Critical, ..all.clone() };
        assert_eq!(grave.level(&key, Some(Level::Warning)), None);
        let failures = Recipient { when: Some([Trigger::Failed].into()), ..all.clone() };
        assert_eq!(failures.level(&key, Some(Level::Critical)), None);
        let users = Recipient { syncs: Some([SyncId::new("users")].into()), ..all };
        assert_eq!(users.level(&key, Some(Level::Critical)), None);
        let key = AlertKey { subject: Subject::Ledger, trigger: Trigger::Disk };
        assert_eq!(users.level(&key, Some(Level::Critical)), Some(Level::Critical));
    }
}
