//! Texts for people: what `coho plan`, `coho run`, `coho runs` and `coho rows` print.
//!
//! Every text ends with a line feed. Values appear as bounded previews, and texts from outside without control characters.

mod alerts;
mod plan;
mod tally;
mod run;
mod listing;
mod calls;
mod detail;
mod failures;
mod cases;
mod csv;
mod notice;
mod differences;

pub use self::alerts::{alerts, tried};
pub use self::calls::{attempt, calls};
pub use self::cases::cases;
pub use self::csv::csv;
pub use self::detail::{kept, run_detail, started, waits};
pub use self::failures::failures;
pub use self::listing::{rows, runs};
pub use self::plan::{plan, plan_cost, plan_total};
pub use self::run::run;
