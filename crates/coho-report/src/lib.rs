//! Plans, runs, rows and problems as text for people and as JSON for programs.
//!
//! **What it is:** pure functions from the values of [`coho_core::plan`] and [`coho_core::event`] to text ([`text`]), documents ([`json`]) and
//! exit codes ([`exit`]). [`line`](mod@line) has the lines of listings; [`style`] sets colors and line width.
//!
//! **What it is not:** it knows nothing of terminals, files, clocks or environments: callers print what it returns, and choose whether to use
//! colors. It can never change a run.
//!
//! **Where to begin:** [`text::plan()`] and [`text::run()`]. The snapshots beside the fixtures show their output.
//!
//! ```
//! use coho_core::counts::Counts;
//! use coho_core::object::Object;
//! use coho_core::plan::{SyncStatus, SyncSummary};
//! use coho_core::sync::SyncId;
//! use coho_core::verdict::{RowStatus, Outcome};
//! use coho_report::{exit, style::Style, text};
//!
//! let mut counts = Counts { read: 2, writes: 1, ..Counts::default() };
//! counts.row(RowStatus::Unchanged);
//! counts.outcome(Outcome::Delivered);
//! let summary = SyncSummary {
//!     sync: SyncId::new("accounts"),
//!     object: Object::Account,
//!     status: SyncStatus::Completed,
//!     counts,
//!     problems: [].into(),
//!     waiting: 0,
//!     guards: vec![],
//!     calls: 1,
//!     millis: 120,
//!     notes: vec![],
//! };
//! let text = text::run(&[summary.clone()], &Style::default());
//! assert!(text.contains("2 rows read = 1 delivered + 1 unchanged"));
//! assert_eq!(exit::code(&[summary]), exit::DONE);
//! ```

pub mod style;
pub mod line;
pub mod text;
pub mod json;
pub mod junit;
pub mod exit;
pub mod words;
mod mismatch;
mod grid;
