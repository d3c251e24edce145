//! Reports of runs for other programs. None of them can change a run: what goes wrong with one is a warning.
//!
//! [`results`] writes how the last run ended into a file, [`lifecycle`] what webhooks are told of syncs, into the outbox;
//! [`lineage`] makes events of OpenLineage.
//! [`Teller`] wakes whoever sends what was written, while the run goes on.

pub mod results;
pub(crate) mod lifecycle;
mod lineage;

use coho_core::failure::Failure as _;
use std::time::Duration;

use coho_alert::request::Posting;
use coho_core::json::Json;
use coho_ledger::Ledger;
use coho_ledger::run::{Run, RunStatus};
use coho_ledger::written::Written;
use coho_report::json::Happened;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::context::Engine;
use crate::failure::EngineError;
use crate::lineage::LineageTarget;

/// For how long messages are sent at a time while a run goes on.
const BOUND: Duration = Duration::from_secs(5);

/// What is to be told while a run goes on.
pub(crate) enum Tell {
    /// There are messages in the outbox.
    Outbox,
    /// An event of lineage.
    Lineage(Box<Json>),
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

impl Teller {
    /// An event of lineage, if there is one.
    pub(crate) fn event(&self, event: Option<Json>) {
        if let Some(event) = event {
            drop(self.0.send(Tell::Lineage(Box::new(event))));
        }
    }
}

impl Engine<'_> {
    /// Sends beside a run what it tells, until it tells nothing any more.
    pub(crate) async fn send_beside(&self, ledger: &Ledger, mut told: UnboundedReceiver<Tell>) {
        let mut some = Vec::new();
        let mut lineage = self.setup.lineage.clone();
        while told.recv_many(&mut some, 1_000).await > 0 {
            if some.iter().any(|tell| matches!(tell, Tell::Outbox))
                && let Err(error) = self.deliver(ledger, BOUND).await
            {
                tracing::warn!("cannot send messages: {error}");
            }
            for tell in some.drain(..) {
                if let (Tell::Lineage(event), Some(target)) = (tell, &lineage)
                    && !self.is_told(target, &event).await
                {
                    // Who did not take one is not asked again in this run.
                    lineage = None;
                }
            }
        }
    }

    /// Tells of the syncs of a run that broke off before they ended.
    pub(crate) fn tell_broken(
        &self,
        ledger: &Ledger,
        run: &Run,
        teller: &Teller,
        error: &EngineError,
    ) -> Result<(), EngineError> {
        let Some(run) = ledger.run(run.id())? else { return Ok(()) };
        let (happened, now) = (Happened::Broken(error.code()), self.setup.clock.now());
        let told = self.notices_of_open(&run, &happened);
        if !told.is_empty() {
            ledger.post(&told, now)?;
        }
        for open in run.syncs.iter().filter(|sync| sync.status == RunStatus::Running) {
            if let Some(sync) = self.setup.project.sync(&open.sync) {
                teller.event(self.event_of(run.id.as_str(), sync, &happened, None, now));
            }
        }
        Ok(())
    }

    /// Tells an event of lineage. Says whether it was taken.
    async fn is_told(&self, target: &LineageTarget, event: &Json) -> bool {
        let sent = match self.sender() {
            Ok(sender) => sender.attempt(&target.request(event)).await,
            Err(error) => Posting::Never { why: error.to_string() },
        };
        match sent {
            Posting::Done { .. } => true,
            Posting::Later { why, .. } | Posting::Never { why } => {
                tracing::warn!("cannot report the lineage of this run: {}: {why}", target.shown());
                false
            }
        }
    }
}
