//! When a sync runs by itself, as its file says it.

use coho_core::place::Place;
use coho_core::sync::SyncId;
use coho_schedule::{StopRule, Timed};

/// A sync's schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSpec {
    /// What it goes by.
    pub trigger: StartTrigger,
    /// Where it stands.
    pub place: Place,
}

/// What a sync is started by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartTrigger {
    /// Time.
    Timed(Timed),
    /// The runs of other syncs.
    After {
        /// The syncs.
        syncs: Vec<SyncId>,
        /// When it does not run after them.
        stop_on: StopRule,
    },
}

impl ScheduleSpec {
    /// What it says: `every 15m`, `after organizations and accounts`.
    pub fn words(&self) -> String {
        match &self.trigger {
            StartTrigger::Timed(timed) => timed.words(),
            StartTrigger::After { syncs, .. } => {
                let syncs: Vec<_> = syncs.iter().map(SyncId::as_str).collect();
                format!("after {}", syncs.join(" and "))
            }
        }
    }
}
