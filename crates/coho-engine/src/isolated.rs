//! Law 7: listeners are isolated. Whatever a listener does, the run goes on as if nobody listened.

use std::panic::{AssertUnwindSafe, catch_unwind};

use coho_core::event::{Event, Listener};

/// A listener whose panics end with itself.
pub(crate) struct Isolated<'a>(pub(crate) &'a dyn Listener);

impl Listener for Isolated<'_> {
    fn on(&self, event: &Event) {
        // What the listener left half done is its own; the run never looks at it.
        drop(catch_unwind(AssertUnwindSafe(|| self.0.on(event))));
    }
}
