//! References: external ids become Vitally ids when they are sent. Each is looked up once a run, whoever needs it first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coho_core::memory::Time;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::{Call, Verdict};
use coho_ledger::lease::Lease;
use coho_ledger::{Ledger, LedgerError};
use coho_vitally::client::Client;
use coho_vitally::lookup::Finding;
use coho_vitally::resolved::Resolved;
use tokio::sync::OnceCell;

type Name = (Object, ExternalId);

/// What is known of a reference in this run.
#[derive(Clone, Debug)]
enum Known {
    /// Its id, and whether this run found it out.
    Id(VitallyId, Source),
    /// Vitally has no such record.
    Missing,
    /// It could not be found out.
    Failed(Verdict),
}

/// Where an id comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The ledger remembered it; it may be of a record that was deleted since.
    Remembered,
    /// Vitally said it in this run.
    Asked,
}

/// The references of one workspace in one run.
pub(crate) struct References<'a> {
    ledger: &'a Ledger,
    lease: &'a Lease,
    workspace: String,
    client: &'a Client,
    cells: Mutex<HashMap<Name, Arc<OnceCell<Known>>>>,
}

/// What became of an operation's references.
pub(crate) struct Resolution {
    /// The ids, or why the operation cannot be sent.
    pub(crate) resolved: Result<Resolved, Verdict>,
    /// The calls that it took.
    pub(crate) calls: Vec<Call>,
}

impl<'a> References<'a> {
    pub(crate) fn new(ledger: &'a Ledger, lease: &'a Lease, workspace: String, client: &'a Client) -> Self {
        Self { ledger, lease, workspace, client, cells: Mutex::default() }
    }

    /// Finds the ids of all records that an operation refers to.
    pub(crate) async fn resolve(&self, operation: &Operation, now: Time) -> Result<Resolution, LedgerError> {
        let mut resolved = Resolved::new();
        let mut calls = Vec::new();
        for (object, id) in operation.references() {
            let cell = self.cell(&(object, id.clone()));
            let known = cell.get_or_try_init(|| self.find(object, &id, now, &mut calls)).await?;
            let verdict = match known {
                Known::Id(vitally_id, _) => {
                    resolved.insert(object, id, vitally_id.clone());
                    continue;
                }
                Known::Missing => Verdict::Deferred { message: format!("{object} {id}") },
                Known::Failed(verdict) => verdict.clone(),
            };
            return Ok(Resolution { resolved: Err(verdict), calls });
        }
        Ok(Resolution { resolved: Ok(resolved), calls })
    }

    /// Forgets those references of an operation that this run did not ask Vitally for: a refusal may mean that their
    /// records were deleted. Whether there were any.
    pub(crate) fn doubt(&self, operation: &Operation) -> Result<bool, LedgerError> {
        let mut doubted = false;
        for (object, id) in operation.references() {
            let name = (object, id);
            let remembered =
                self.cell(&name).get().is_some_and(|known| matches!(known, Known::Id(_, Source::Remembered)));
            if remembered {
                let cell = OnceCell::new();
                self.cells().insert(name.clone(), Arc::new(cell));
                self.ledger.drop_references(self.lease, &self.workspace, name.0, &[name.1])?;
                doubted = true;
            }
        }
        Ok(doubted)
    }

    /// The same as [`References::resolve`], but what was doubted is asked of Vitally, not of the ledger.
    pub(crate) async fn ask_again(
        &self,
        operation: &Operation,
        now: Time,
    ) -> Result<Resolution, LedgerError> {
        let mut calls = Vec::new();
        for (object, id) in operation.references() {
            let cell = self.cell(&(object, id.clone()));
            cell.get_or_try_init(|| self.ask(object, &id, now, &mut calls)).await?;
        }
        let rest = self.resolve(operation, now).await?;
        calls.extend(rest.calls);
        Ok(Resolution { resolved: rest.resolved, calls })
    }

    async fn find(
        &self,
        object: Object,
        id: &ExternalId,
        now: Time,
        calls: &mut Vec<Call>,
    ) -> Result<Known, LedgerError> {
        let remembered = self.ledger.references(&self.workspace, object, std::slice::from_ref(id))?;
        match remembered.into_values().next() {
            Some(vitally_id) => Ok(Known::Id(vitally_id, Source::Remembered)),
            None => self.ask(object, id, now, calls).await,
        }
    }

    async fn ask(
        &self,
        object: Object,
        id: &ExternalId,
        now: Time,
        calls: &mut Vec<Call>,
    ) -> Result<Known, LedgerError> {
        let looked_up = self.client.lookup(object, id).await;
        calls.extend(looked_up.calls);
        Ok(match looked_up.finding {
            Finding::Found(record) => match &record.id {
                Some(vitally_id) => {
                    let pair = [(id.clone(), vitally_id.clone())];
                    self.ledger.put_references(self.lease, &self.workspace, object, &pair, now)?;
                    Known::Id(vitally_id.clone(), Source::Asked)
                }
                None => Known::Missing,
            },
            Finding::Missing | Finding::Wrong { .. } => Known::Missing,
            Finding::Several => Known::Failed(Verdict::Ambiguous),
            Finding::Failed(verdict) => Known::Failed(verdict),
        })
    }

    fn cell(&self, name: &Name) -> Arc<OnceCell<Known>> {
        Arc::clone(self.cells().entry(name.clone()).or_default())
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<OnceCell<Known>>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
