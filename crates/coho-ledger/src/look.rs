//! Looking: what pages and the command line show of what was run. Each question is asked here once, reads only, and ends at a
//! limit that the asker gives.

mod calls;
mod failures;

pub use self::calls::{CallFilter, CallRecord, CallSums};
pub use self::failures::{EXAMPLES, FailureGroup, FailuresOf};
