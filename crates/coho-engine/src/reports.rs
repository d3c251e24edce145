//! Reports of runs for other programs. None of them can change a run: what goes wrong with one is a warning.
//!
//! [`results`] writes how the last run ended into a file, [`lifecycle`] what webhooks are told of syncs, into the outbox.
//! [`Teller`] wakes whoever sends what was written, while the run goes on.

pub mod results;
pub(crate) mod lifecycle;

use std::time::Duration;

use coho_ledger::Ledger;
use coho_ledger::written::Written;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::context::Engine;

/// For how long messages are sent at a time while a run goes on.
const BOUND: Duration = Duration::from_secs(5);

/// What is to be told while a run goes on.
pub(crate) enum Tell {
    /// There are messages in the outbox.
    Outbox,
}

/// Whom a run tells that there is something to send. It never waits.
pub(crate) struct Teller(UnboundedSender<Tell>);

impl Teller {
    /// A teller, and what it told.
    pub(crate) fn new() -> (Self, UnboundedReceiver<Tell>) {
        let (told, telling) = unbounded_channel();
        (Self(told), telling)
    }

    /// These messages were written into the outbox.
    pub(crate) fn posted(&self, messages: &[Written]) {
        if !messages.is_empty() {
            // Where nobody listens any more, the end of the run sends them.
            drop(self.0.send(Tell::Outbox));
        }
    }
}

impl Engine<'_> {
    /// Sends beside a run what it tells, until it tells nothing any more.
    pub(crate) async fn send_beside(&self, ledger: &Ledger, mut told: UnboundedReceiver<Tell>) {
        let mut some = Vec::new();
        while told.recv_many(&mut some, 1_000).await > 0 {
            if some.iter().any(|tell| matches!(tell, Tell::Outbox))
                && let Err(error) = self.deliver(ledger, BOUND).await
            {
                tracing::warn!("messages could not be sent: {error}");
            }
            some.clear();
        }
    }
}
