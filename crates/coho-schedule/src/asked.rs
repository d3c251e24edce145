//! A run that was asked for, and what becomes of several: while one waits, whatever is asked for joins it.

use crate::Time;
use crate::due::DueTick;

/// A run that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asked first.
    pub cause: AskedBy,
    /// The newest tick that it carries out; `None` if no tick is.
    pub tick: Option<Time>,
    /// How many ticks before that it makes up for.
    pub missed: u64,
}

/// Who asks for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// The sync's schedule.
    Schedule,
    /// The runs of the syncs that it follows.
    Sequence,
    /// The trigger API.
    Api,
    /// A person, on a page.
    Page,
}

impl AskedBy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Schedule, Self::Sequence, Self::Api, Self::Page];

    /// As it is remembered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Sequence => "sequence",
            Self::Api => "api",
            Self::Page => "page",
        }
    }

    /// The cause of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

impl Asked {
    /// A run that somebody asks for.
    pub fn by(cause: AskedBy) -> Self {
        Self { cause, tick: None, missed: 0 }
    }

    /// A run for a tick.
    pub fn for_tick(due: DueTick) -> Self {
        Self { cause: AskedBy::Schedule, tick: Some(due.tick), missed: due.missed }
    }

    /// One run for both, where this one waits already. A tick that waited counts as missed once a newer one comes.
    #[must_use]
    pub fn join(self, later: Self) -> Self {
        let missed = match (self.tick, later.tick) {
            (Some(_), Some(_)) => self.missed + 1 + later.missed,
            (Some(_), None) => self.missed,
            (None, _) => later.missed,
        };
        Self { cause: self.cause, tick: later.tick.or(self.tick), missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(minute: i64, missed: u64) -> Asked {
        let tick = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute);
        Asked::for_tick(DueTick { tick, missed })
    }

    #[test]
    fn ticks_that_wait_become_one_run_that_counts_them() {
        assert_eq!(tick(1, 2).join(tick(9, 3)), Asked { missed: 6, ..tick(9, 0) });
    }

    #[test]
    fn a_trigger_joins_a_tick_and_the_other_way_round() {
        let api = Asked::by(AskedBy::Api);
        assert_eq!(tick(1, 2).join(api), tick(1, 2));
        assert_eq!(api.join(tick(1, 2)), Asked { cause: AskedBy::Api, ..tick(1, 2) });
        assert_eq!(api.join(Asked::by(AskedBy::Page)), api);
    }
}
