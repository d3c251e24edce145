//! How a plan that is being made tells how far it is, and hears whether it goes on.

use std::ops::ControlFlow;

use coho_core::started::Stage;

/// How far a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many rows were read.
    Reading(u64),
    /// Rows are compared and evaluated.
    Evaluating,
    /// A stage begins, after so many rows went through the one before.
    Began(Stage, u64),
}

/// Hears how far a plan is, and says whether it goes on.
pub type Progress<'a> = &'a (dyn Fn(Step) -> ControlFlow<()> + std::marker::Sync);
