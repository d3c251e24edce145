//! Runs as telemetry sees them: whoever listens to a run is wrapped, and [`crate::telemetry`] is told of the run when it is over.

use std::sync::{Mutex, PoisonError};

use coho_core::event::{Event, Listener};

use crate::args::Global;
use crate::telemetry;

/// A listener whose run is told to telemetry once nobody listens any more.
pub(crate) struct Traced<L> {
    listener: L,
    global: Global,
    run: Mutex<Option<String>>,
}

impl<L: Listener> Traced<L> {
    /// The listener, wrapped.
    pub(crate) fn new(listener: L, global: &Global) -> Self {
        telemetry::watch(global);
        Self { listener, global: global.clone(), run: Mutex::default() }
    }
}

impl<L: Listener> Listener for Traced<L> {
    fn on(&self, event: &Event) {
        if let Event::RunStarted { run, .. } = event {
            *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
        }
        self.listener.on(event);
    }
}

impl<L> Drop for Traced<L> {
    fn drop(&mut self) {
        if let Some(run) = self.run.lock().unwrap_or_else(PoisonError::into_inner).take() {
            telemetry::run_ended(&self.global, run);
        }
    }
}
