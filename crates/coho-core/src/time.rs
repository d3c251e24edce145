//! Time: moments come from a clock that the caller injects.

use chrono::{DateTime, Utc};

/// A moment, from a clock that the caller injects.
pub type Time = DateTime<Utc>;
