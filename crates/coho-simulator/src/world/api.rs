//! Which of the two APIs a request is for, and when it came.

use crate::analytics::route::PREFIX;
use crate::clock::SimulatorTime;

/// Which API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// Also for paths that are neither's.
    Rest,
    Analytics,
}

impl Api {
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with(PREFIX) { Self::Analytics } else { Self::Rest }
    }
}

/// A request's API and time: what the form of its answer hangs on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) api: Api,
    pub(super) now: SimulatorTime,
}
