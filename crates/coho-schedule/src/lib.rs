//! Schedules: when a sync is due, what was missed, and which sync follows which.
//!
//! **What it is:** a [`Timed`] is an interval (`every: 15m`) or a cron pattern in a named [`Zone`]. It yields the moments at which it is due,
//! its *ticks*, in order and without end, through every change of the clocks. [`due`](due()) says which tick to carry out now and how many
//! were missed; [`follow`](follow()), whether a sync may run after others. All of them are functions of their arguments.
//!
//! **What it is not:** it has no clock, starts nothing and remembers nothing. It knows nothing of syncs, projects or ledgers, and can be used
//! alone.
//!
//! **Where to begin:** [`timed`] for the two kinds, [`cron`] for patterns and clock changes, [`mod@due`] for what a scheduler asks.
//!
//! **Decisions** (`docs/decisions/0033-schedules-walk-the-clock.md`):
//!
//! - A time of day that the clocks skip is due at the moment of the change; one that occurs twice is due the first time. A pattern whose hour is
//!   `*` or `*/n` counts the hours that pass.
//! - Intervals count from 1970-01-01 00:00 UTC, so a restart does not shift them.
//! - One run makes up for all missed ticks and knows how many they were, because a sync compares states.
//!
//! ```
//! use coho_schedule::{Spread, Timed, Zone, due};
//!
//! let berlin = Zone::named("Europe/Berlin").ok_or("a zone")?;
//! let mornings = Timed::cron("0 7 * * MON-FRI", berlin)?;
//! let taken = "2026-03-27T06:00:00Z".parse()?; // Friday, 07:00 in Berlin
//! let next = mornings.next(taken).ok_or("it goes on")?;
//! assert_eq!(next.to_rfc3339(), "2026-03-30T05:00:00+00:00"); // Monday, in summer time
//!
//! // After a week without power: the last tick is due, and four were missed.
//! let now = "2026-04-03T12:00:00Z".parse()?;
//! let due = due(&mornings, Spread::NONE, taken, now).ok_or("it is due")?;
//! assert_eq!((due.tick.to_rfc3339().as_str(), due.missed), ("2026-04-03T05:00:00+00:00", 4));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod zone;
pub mod fault;
pub mod cron;
pub mod every;
pub mod timed;
pub mod spread;
pub mod due;
pub mod asked;
pub mod sequence;

pub use asked::{Asked, AskedBy};
pub use cron::{Cron, Skipped};
pub use due::{COUNTED, DueTick, due, wakes};
pub use every::Every;
pub use fault::ScheduleError;
pub use sequence::{Ended, Follow, StopRule, follow};
pub use spread::Spread;
pub use timed::Timed;
pub use zone::Zone;

/// A moment.
pub type Time = chrono::DateTime<chrono::Utc>;
