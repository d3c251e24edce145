//! What is remembered of alerts from one run to the next: their states, what each recipient was told, and mutes.

use std::collections::BTreeMap;

use super::{AlertKey, Level};
use crate::sync::SyncId;
use crate::time::Time;

/// The state of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// How bad it is; `None` where all is well, or not yet bad for long enough.
    pub level: Option<Level>,
    /// In how many runs in a row it was bad.
    pub streak: u32,
    /// Since when it is as bad or as well as it is.
    pub since: Time,
    /// What was found last.
    pub detail: Detail,
}

/// What was found, in words. It holds no values of rows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Detail {
    /// A few words that hold no text of others, for channels that are read by anybody: `12 rows rejected`.
    pub brief: String,
    /// What happened, one sentence.
    pub what: String,
    /// How many rows.
    pub count: Option<u64>,
    /// The keys of a few of them.
    pub examples: Vec<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The run that found it.
    pub run: Option<String>,
}

/// What a recipient was told of an alert last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How bad it is to the recipient's knowledge; `None` for well.
    pub level: Option<Level>,
    /// When it was told.
    pub at: Time,
    /// The message that told it.
    pub message: String,
    /// The message with which the alert opened for this recipient.
    pub opened_by: String,
    /// Since when it had been open, as it was told.
    pub opened_at: Time,
}

/// A silence, with an end and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Which sync is silent.
    pub sync: SyncId,
    /// Until when.
    pub until: Time,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: Time,
}

/// All that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Remembered {
    /// The alerts that are open or about to be, or whose end was not told to everybody.
    pub alerts: BTreeMap<AlertKey, Alert>,
    /// What each recipient was told.
    pub told: BTreeMap<(AlertKey, String), Told>,
    /// Mutes that were not lifted, also those that ended.
    pub mutes: Vec<Mute>,
}

impl Remembered {
    /// The mute under which a sync is silent at this moment.
    pub fn mute(&self, sync: &SyncId, now: Time) -> Option<&Mute> {
        self.mutes.iter().find(|mute| mute.sync == *sync && now < mute.until)
    }
}
