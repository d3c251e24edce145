//! Whether the terminal was closed: the signals tell it, and what prints asks.

use std::sync::atomic::{AtomicBool, Ordering};

static TOLD: AtomicBool = AtomicBool::new(false);

/// The terminal was closed.
pub(crate) fn tell() {
    TOLD.store(true, Ordering::Relaxed);
}

/// Whether the terminal was closed, as far as anybody listened.
pub(crate) fn is_told() -> bool {
    TOLD.load(Ordering::Relaxed)
}
