//! Workspaces: whether a token still belongs to the workspace that the ledger remembers. Staging and production look alike,
//! most of all in the EU, where all workspaces share a host: another token is not believed until it has shown a record that
//! was delivered before.

use coho_core::digest::Digest;
use coho_core::object::Object;
use coho_core::target::ExternalId;
use coho_core::verdict::Verdict;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::reference::WorkspaceFingerprint;
use coho_vitally::Record;
use coho_vitally::client::Client;
use coho_vitally::lookup::LookupResult;
use secrecy::ExposeSecret as _;

use crate::context::{Engine, EngineError};

/// How many delivered records are asked for before a workspace counts as another one: some may have been deleted by hand.
const SAMPLE_RECORDS: usize = 10;

impl Engine<'_> {
    /// Fails where a destination's token is another one than before, and shows none of the records that were delivered. Gives
    /// the anchor to lay where it is another token of the same workspace.
    pub(crate) async fn recognise(
        &self,
        ledger: &Ledger,
        destination: &str,
        client: &Client,
    ) -> Result<Option<WorkspaceFingerprint>, EngineError> {
        let Some(token) = self.token_digest(destination) else { return Ok(None) };
        let workspace = self.workspace(destination);
        let Some(fingerprint) = ledger.fingerprint(&workspace)? else { return Ok(None) };
        if fingerprint.token == token {
            return Ok(None);
        }
        let records = ledger.some_records(&workspace, SAMPLE_RECORDS)?;
        for (object, external_id, vitally_id) in &records {
            match client.record(*object, vitally_id).await.finding {
                LookupResult::Found(record) if is_sample(&record, *object, external_id) => {
                    return Ok(Some(WorkspaceFingerprint { token, ..fingerprint }));
                }
                LookupResult::Failed(verdict) => return Err(unanswered(destination, verdict)),
                LookupResult::Found(_)
                | LookupResult::Missing
                | LookupResult::Several
                | LookupResult::Wrong { .. } => {}
            }
        }
        // Where nothing was delivered there is nothing to mistake.
        if records.is_empty() { Ok(None) } else { Err(other_workspace(destination, &workspace)) }
    }

    /// Remembers by which record each destination's workspace is known.
    pub(crate) fn keep_fingerprints<'n>(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        destinations: impl Iterator<Item = &'n String>,
    ) -> Result<(), EngineError> {
        for destination in destinations {
            let workspace = self.workspace(destination);
            let Some(token) = self.token_digest(destination) else { continue };
            if ledger.fingerprint(&workspace)?.is_some() {
                continue;
            }
            let newest = ledger.some_records(&workspace, 1)?.into_iter().next();
            if let Some((object, external_id, vitally_id)) = newest {
                let at = self.setup.clock.now();
                let destination = destination.clone();
                let fingerprint =
                    WorkspaceFingerprint { destination, object, external_id, vitally_id, token, at };
                ledger.keep_fingerprint(lease, &workspace, &fingerprint)?;
            }
        }
        Ok(())
    }

    /// Stands for a destination's REST token.
    fn token_digest(&self, destination: &str) -> Option<Digest> {
        let spec = self.setup.project.destinations.get(destination)?;
        let token = spec.rest_token.as_ref()?.expose_secret();
        Some(Digest::of(token.trim().as_bytes()))
    }
}

/// Whether a record with the id of a delivered one is that. A user that was found by its e-mail address keeps another external
/// id.
fn is_sample(record: &Record, object: Object, external_id: &ExternalId) -> bool {
    object == Object::User || record.external_id.as_deref() == Some(external_id.as_str())
}

fn other_workspace(destination: &str, workspace: &str) -> EngineError {
    EngineError::OtherWorkspace { destination: destination.to_owned(), workspace: workspace.to_owned() }
}

fn unanswered(destination: &str, verdict: Verdict) -> EngineError {
    EngineError::Unanswered { destination: destination.to_owned(), verdict: Box::new(verdict) }
}
