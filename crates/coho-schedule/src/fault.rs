//! What is wrong with the text of a schedule, and where.

use std::ops::Range;

/// What is wrong with the text of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScheduleError {
    /// Where, in bytes of the text.
    pub at: Range<usize>,
    /// What is wrong: a fragment.
    pub message: String,
    /// What helps: a fragment.
    pub help: String,
}

impl ScheduleError {
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: help.into() }
    }
}
