//! The two kinds of schedules that go by time.

use crate::Time;
use crate::cron::{Cron, Skipped};
use crate::every::Every;
use crate::fault::ScheduleError;
use crate::zone::Zone;

/// A schedule that goes by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timed {
    /// An interval.
    Every(Every),
    /// A pattern in a zone.
    Cron(Cron, Zone),
}

impl Timed {
    /// A cron pattern in a zone.
    pub fn cron(pattern: &str, zone: Zone) -> Result<Self, ScheduleError> {
        Ok(Self::Cron(Cron::parse(pattern)?, zone))
    }

    /// The moments after this one at which it is due, in order. An interval's never end; a pattern's may, or there are none.
    pub fn ticks(&self, after: Time) -> Box<dyn Iterator<Item = Time> + '_> {
        match self {
            Self::Every(every) => {
                let step = |last: &Time| every.next(*last);
                Box::new(std::iter::successors(every.next(after), step))
            }
            Self::Cron(cron, zone) => Box::new(cron.ticks(zone, after)),
        }
    }

    /// The first tick after a moment; `None` if there is none within fifty years.
    pub fn next(&self, after: Time) -> Option<Time> {
        self.ticks(after).next()
    }

    /// The zone that it is read in.
    pub fn zone(&self) -> Zone {
        match self {
            Self::Every(_) => Zone::utc(),
            Self::Cron(_, zone) => zone.clone(),
        }
    }

    /// What it says: `every 15m`, or `At 07:00, on Monday (Europe/Berlin)`.
    pub fn words(&self) -> String {
        match self {
            Self::Every(every) => format!("every {every}"),
            Self::Cron(cron, zone) => format!("{} ({})", cron.words(), zone.name()),
        }
    }

    /// The times that the next change of the clocks skips, if it skips any.
    pub fn skipped(&self, after: Time) -> Option<Skipped> {
        match self {
            Self::Every(_) => None,
            Self::Cron(cron, zone) => cron.skipped(zone, after),
        }
    }
}
