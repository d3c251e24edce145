//! Schedules against an oracle that walks every minute, and a year of a scheduler that is killed at every point.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own texts has failed")]

#[path = "schedule/oracle.rs"]
mod oracle;
#[path = "schedule/patterns.rs"]
mod patterns;
#[path = "schedule/clocks.rs"]
mod clocks;
#[path = "schedule/year.rs"]
mod year;
