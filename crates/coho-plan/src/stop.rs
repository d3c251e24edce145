//! Stopping: a person or a caller asks a plan or a run to end cleanly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A switch that any thread may throw. What is under way is finished; nothing new is begun.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A switch that nobody has thrown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Throws it.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was thrown.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
