//! What webhooks are told of syncs: written into the outbox in the transaction that begins or ends the sync, so that neither a
//! short run nor a process that dies loses any of it.

use coho_alert::channel::webhook::Webhook;
use coho_core::lifecycle::Lifecycle;
use coho_core::sync::Sync;
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::run::{RunRecord, RunStatus, SyncRecord};
use coho_ledger::written::Written;
use coho_report::json::{Happened, SyncFrame, lifecycle};

use crate::context::Engine;
use crate::failure::EngineError;

impl Engine<'_> {
    /// The webhooks by the names under which the outbox has their messages: no recipient of alerts can be called so.
    pub(crate) fn webhooks(&self) -> Vec<(String, Webhook)> {
        let specs = self.setup.project.webhooks.iter();
        let webhook = |spec: &coho_project::WebhookSpec| {
            let webhook = Webhook { url: spec.url.clone(), secrets: spec.secrets.clone() };
            (recipient(&spec.name), webhook)
        };
        specs.map(webhook).collect()
    }

    /// The names under which the outbox has the messages of webhooks.
    pub(crate) fn webhook_names(&self) -> impl Iterator<Item = String> {
        self.setup.project.webhooks.iter().map(|spec| recipient(&spec.name))
    }

    /// What webhooks are told of a sync.
    pub(crate) fn notices(&self, run: &str, sync: &Sync, happened: &Happened<'_>, at: Time) -> Vec<Written> {
        self.written_of(run, sync.id.as_str(), &sync.destination, happened, at)
    }

    /// What webhooks are told of the syncs of a run whose process ended before the run did. To be asked before another one
    /// begins.
    pub(crate) fn notices_of_dead(&self, ledger: &Ledger) -> Result<Vec<Written>, EngineError> {
        if self.setup.project.webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let last = ledger.runs(1)?.into_iter().find(|run| run.status == RunStatus::Running);
        Ok(last.map(|run| self.notices_of_open(&run, &Happened::Died)).unwrap_or_default())
    }

    /// What webhooks are told of the syncs of a run that are not over.
    pub(crate) fn notices_of_open(&self, run: &RunRecord, happened: &Happened<'_>) -> Vec<Written> {
        let at = self.setup.clock.now();
        let open = run.syncs.iter().filter(|sync| sync.status == RunStatus::Running);
        let told = |sync: &SyncRecord| {
            self.written_of(run.id.as_str(), sync.sync.as_str(), &sync.destination, happened, at)
        };
        open.flat_map(told).collect()
    }

    fn written_of(
        &self,
        run: &str,
        sync: &str,
        destination: &str,
        happened: &Happened<'_>,
        at: Time,
    ) -> Vec<Written> {
        let (project, kind) = (self.setup.project, happened.lifecycle());
        let object = project.syncs.iter().find(|known| known.id.as_str() == sync).map(|sync| sync.object);
        let frame = SyncFrame {
            project: &project.name,
            target: project.target.as_deref(),
            run,
            sync,
            object,
            destination,
            public_url: project.alerts.public_url.as_deref(),
        };
        let told = project.webhooks.iter().filter(|webhook| webhook.events.contains(&kind));
        let written = |webhook: &coho_project::WebhookSpec| Written {
            id: id(run, sync, kind, &webhook.name),
            recipient: recipient(&webhook.name),
            body: lifecycle(&frame, happened, at).to_string(),
        };
        told.map(written).collect()
    }
}

fn recipient(webhook: &str) -> String {
    format!("webhooks.{webhook}")
}

/// The same whenever the same is told, so that it is told once.
fn id(run: &str, sync: &str, kind: Lifecycle, webhook: &str) -> String {
    let name = format!("coho {} {run} {sync} {webhook}", kind.as_str());
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}
