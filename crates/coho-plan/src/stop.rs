//! Stopping: a person or a caller asks a plan or a run to end cleanly.

use std::sync::Arc;

use coho_vitally::client::Until;
use tokio::sync::watch;

/// A switch that any thread may throw. What is under way is finished; nothing new is begun, and nothing is waited for.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// A switch that nobody has thrown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Throws it.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was thrown.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Until it is thrown.
    pub fn until(&self) -> Until {
        Until::asked(self.0.subscribe())
    }
}
