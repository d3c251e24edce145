//! Rules: from where on something is a warning, and from where on critical.

use chrono::TimeDelta;

use super::Level;

/// How many hours late a sync may be by its schedule, if the project does not say.
pub const GRACE_HOURS: i64 = 1;

/// The rules of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Its runs fail or halt.
    pub failed: Option<Steady>,
    /// Rows that Vitally refused.
    pub rejected: Bounds,
    /// Rows that cannot be sent as they are.
    pub invalid: Bounds,
    /// Guards hold operations.
    pub held: Option<Steady>,
    /// How long a run may take.
    pub duration: Times,
    /// How far the number of rows may lie from the median of earlier runs, in thousandths of it.
    pub volume: Shares,
    /// How old the last successful run may be, and how late a run.
    pub freshness: Freshness,
}

impl Default for Rules {
    /// A failed run is critical at once; a refused or an invalid row is a warning, and critical from 5 % or in the third run in
    /// a row; what a guard holds is a warning; a sync that is an hour late by its schedule is critical. What depends on the
    /// project, times and volumes, is not watched.
    fn default() -> Self {
        let rows = Bounds {
            warning: Some(Bound::Rows(1)),
            critical: Some(Bound::Permille(50)),
            after: 1,
            critical_after: Some(3),
        };
        Self {
            failed: Some(Steady { level: Level::Critical, after: 1 }),
            rejected: rows.clone(),
            invalid: rows,
            held: Some(Steady { level: Level::Warning, after: 1 }),
            duration: Times::default(),
            volume: Shares::default(),
            freshness: Freshness { age: Times::default(), grace: Some(TimeDelta::hours(GRACE_HOURS)) },
        }
    }
}

/// How old the last successful run may be, and how late a run.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Freshness {
    /// How long ago the last successful run may have ended.
    pub age: Times,
    /// How long after a time of its schedule a sync may be without a successful run that began since.
    pub grace: Option<TimeDelta>,
}

/// Something that is there or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steady {
    /// How bad it is.
    pub level: Level,
    /// In how many runs in a row it must be there.
    pub after: u32,
}

/// From how many rows on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many rows.
    Rows(u64),
    /// So many thousandths of the rows.
    Permille(u32),
}

impl Bound {
    /// Whether so many of all rows reach it. No rows never do.
    pub fn is_reached(self, rows: u64, all: u64) -> bool {
        rows > 0
            && match self {
                Self::Rows(bound) => rows >= bound,
                Self::Permille(bound) => {
                    u128::from(rows) * 1_000 >= u128::from(bound) * u128::from(all.max(rows))
                }
            }
    }
}

/// Bounds of a number of rows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The limit for a warning.
    pub warning: Option<Bound>,
    /// The limit for a critical alert.
    pub critical: Option<Bound>,
    /// How many runs in a row must have the problem before the alert opens.
    pub after: u32,
    /// After how many runs in a row a warning becomes critical.
    pub critical_after: Option<u32>,
}

impl Bounds {
    /// How bad so many of all rows are in one run.
    pub fn level(&self, rows: u64, all: u64) -> Option<Level> {
        let reached = |bound: Option<Bound>| bound.is_some_and(|bound| bound.is_reached(rows, all));
        level(reached(self.warning), reached(self.critical))
    }
}

/// Bounds of a time.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Times {
    /// The limit for a warning.
    pub warning: Option<TimeDelta>,
    /// The limit for a critical alert.
    pub critical: Option<TimeDelta>,
}

impl Times {
    /// How bad a time is.
    pub fn level(&self, time: TimeDelta) -> Option<Level> {
        let reached = |bound: Option<TimeDelta>| bound.is_some_and(|bound| time >= bound);
        level(reached(self.warning), reached(self.critical))
    }
}

/// Bounds of a share, in thousandths.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shares {
    /// The limit for a warning.
    pub warning: Option<u32>,
    /// The limit for a critical alert.
    pub critical: Option<u32>,
}

impl Shares {
    /// How bad a share is.
    pub fn level(&self, permille: u64) -> Option<Level> {
        let reached = |bound: Option<u32>| bound.is_some_and(|bound| permille >= u64::from(bound));
        level(reached(self.warning), reached(self.critical))
    }
}

fn level(is_warning: bool, is_critical: bool) -> Option<Level> {
    match (is_warning, is_critical) {
        (_, true) => Some(Level::Critical),
        (true, false) => Some(Level::Warning),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_all_rows_and_nothing_reaches_no_bound() {
        let bounds = Rules::default().rejected;
        assert_eq!(bounds.level(0, 0), None);
        assert_eq!(bounds.level(1, 1_000), Some(Level::Warning));
        assert_eq!(bounds.level(49, 1_000), Some(Level::Warning));
        assert_eq!(bounds.level(50, 1_000), Some(Level::Critical));
        assert_eq!(bounds.level(1, 0), Some(Level::Critical));
        assert_eq!(Bounds { warning: Some(Bound::Permille(0)), ..Bounds::default() }.level(0, 10), None);
    }

    #[test]
    fn a_time_and_a_share_reach_their_bounds() {
        let times = Times { warning: Some(TimeDelta::minutes(1)), critical: Some(TimeDelta::minutes(2)) };
        assert_eq!(times.level(TimeDelta::seconds(59)), None);
        assert_eq!(times.level(TimeDelta::seconds(60)), Some(Level::Warning));
        assert_eq!(times.level(TimeDelta::seconds(120)), Some(Level::Critical));
        let shares = Shares { warning: Some(500), critical: None };
        assert_eq!((shares.level(499), shares.level(500)), (None, Some(Level::Warning)));
    }
}
