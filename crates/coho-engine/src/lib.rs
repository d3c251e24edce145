//! Plan and run: the only crate that knows the order of the stages.
pub mod clock;
pub mod context;
pub mod plan;
pub mod run;
pub mod send;
mod notes;
pub mod conclude;
pub mod preview;
pub mod check;
pub mod stop;
