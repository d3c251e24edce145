//! References: external ids become Vitally ids when they are sent. Each is looked up once a run, whoever needs it first.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use coho_core::object::Object;
use coho_core::operation::{self, Operation};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::verdict::{Call, Verdict};
use coho_ledger::lease::Lease;
use coho_ledger::{Ledger, LedgerError};
use coho_plan::lists::{WORTH_LISTING, patience};
use coho_vitally::Record;
use coho_vitally::client::Client;
use coho_vitally::exchange;
use coho_vitally::list::ListEnd;
use coho_vitally::lookup::LookupResult;
use coho_vitally::resolved::{Resolved, Unlinking};
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
    cells: Mutex<HashMap<Name, Arc<OnceCell<Known>>>>,
    /// The remembered ids of references that were doubted: they are asked for first.
    doubted: Mutex<HashMap<Name, VitallyId>>,
}

fn pair(record: &Record) -> Option<(ExternalId, VitallyId)> {
    let external_id = ExternalId::parse(record.external_id.as_deref()?).ok()?;
    Some((external_id, record.id.clone()?))
}

/// A record that is missing, as messages name it. An id with a comma is often a list that was taken for one id.
fn named(object: Object, id: &ExternalId) -> String {
    let separator = [',', ';'].into_iter().find(|separator| id.as_str().contains(*separator));
    let word = |separator| if separator == ',' { "comma" } else { "semicolon" };
    let aside = separator.map(|it| format!(", one id with a {} (a list needs `split: \"{it}\"`),", word(it)));
    format!("{object} `{id}`{}", aside.unwrap_or_default())
}

/// What became of an operation's references.
pub(crate) struct Resolution {
    /// The ids, or why the operation cannot be sent.
    pub(crate) resolved: Result<Resolved, Verdict>,
    /// The calls that it took.
    pub(crate) calls: Vec<Call>,
}

impl<'a> References<'a> {
    pub(crate) fn new(ledger: &'a Ledger, lease: &'a Lease, workspace: String) -> Self {
        Self { ledger, lease, workspace, cells: Mutex::default(), doubted: Mutex::default() }
    }

    /// Finds the ids of many records at once by listing, as long as that takes fewer calls than to look each one up. What it
    /// does not find is looked up when it is needed: a record may be hidden from lists. Gives the calls that it took.
    pub(crate) async fn list(
        &self,
        client: &Client,
        object: Object,
        wanted: &[ExternalId],
        now: Time,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Call>, LedgerError> {
        let known = self.ledger.references(&self.workspace, object, wanted)?;
        let mut open: BTreeSet<&ExternalId> = wanted.iter().filter(|id| !known.contains_key(*id)).collect();
        let (patience, mut calls) = (patience(open.len()), Vec::new());
        if open.len() < WORTH_LISTING {
            return Ok(calls);
        }
        let mut pages = client.list(object);
        let (mut read, mut found) = (0, 0);
        while !open.is_empty() && read <= found + patience && goes_on() {
            let listed = pages.next().await;
            calls.extend(listed.calls);
            read += 1;
            let pairs: Vec<_> =
                listed.records.iter().filter_map(pair).filter(|(id, _)| open.remove(id)).collect();
            found += pairs.len();
            self.ledger.put_references(self.lease, &self.workspace, object, &pairs, now)?;
            for (id, vitally_id) in pairs {
                let known = Known::Id(vitally_id, Source::Asked);
                self.cells().insert((object, id), Arc::new(OnceCell::new_with(Some(known))));
            }
            match listed.end {
                ListEnd::More => {}
                ListEnd::End | ListEnd::Failed(_) => break,
            }
        }
        Ok(calls)
    }

    /// Finds the ids of all records that an operation refers to. One that is not there keeps a new record from being made; of a
    /// record that is there the exchange says whether what it sends refers to it.
    pub(crate) async fn resolve(
        &self,
        client: &Client,
        operation: &Operation,
        now: Time,
    ) -> Result<Resolution, LedgerError> {
        let unlinking = if client.can_unlink() { Unlinking::Possible } else { Unlinking::NoToken };
        let mut resolved = Resolved::new().with_unlinking(unlinking).with_time(now);
        self.own_id(operation, &mut resolved)?;
        let mut calls = Vec::new();
        for (object, id) in operation.references() {
            let cell = self.cell(&(object, id.clone()));
            let known = cell.get_or_try_init(|| self.find(client, object, &id, now, &mut calls)).await?;
            let verdict = match known {
                Known::Id(vitally_id, _) => {
                    resolved.insert(object, id, vitally_id.clone());
                    continue;
                }
                Known::Missing if operation.known != operation::Known::New => continue,
                Known::Missing => Verdict::Deferred { message: named(object, &id) },
                Known::Failed(verdict) => {
                    if client.is_over() {
                        // One sync's time is up: another one may still ask.
                        self.cells().remove(&(object, id));
                    }
                    verdict.clone()
                }
            };
            return Ok(Resolution { resolved: Err(verdict), calls });
        }
        let waits = exchange::waits(operation, &resolved);
        Ok(Resolution { resolved: waits.map_or(Ok(resolved), Err), calls })
    }

    /// The id of the operation's own record, where a listing told it: a record that was adopted has no other place for it.
    fn own_id(&self, operation: &Operation, resolved: &mut Resolved) -> Result<(), LedgerError> {
        let is_there = match &operation.known {
            operation::Known::Assumed | operation::Known::There { id: None, .. } => true,
            operation::Known::New
            | operation::Known::There { id: Some(_), .. }
            | operation::Known::Unclear { .. } => false,
        };
        // A user that was found by its e-mail address may have another external id than the row that is remembered with it.
        if is_there && operation.object != Object::User {
            let own = std::slice::from_ref(&operation.target);
            for (target, id) in self.ledger.references(&self.workspace, operation.object, own)? {
                resolved.insert(operation.object, target, id);
            }
        }
        Ok(())
    }

    /// Forgets those references of an operation that this run did not ask Vitally for: a refusal may mean that their
    /// records were deleted. Whether there were any.
    pub(crate) fn doubt(&self, operation: &Operation) -> Result<bool, LedgerError> {
        let mut doubted = false;
        for (object, id) in operation.references() {
            let name = (object, id);
            let remembered = match self.cell(&name).get() {
                Some(Known::Id(id, Source::Remembered)) => Some(id.clone()),
                Some(Known::Id(_, Source::Asked) | Known::Missing | Known::Failed(_)) | None => None,
            };
            if let Some(id) = remembered {
                self.doubted.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), id);
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
        client: &Client,
        operation: &Operation,
        now: Time,
    ) -> Result<Resolution, LedgerError> {
        let mut calls = Vec::new();
        for (object, id) in operation.references() {
            let cell = self.cell(&(object, id.clone()));
            cell.get_or_try_init(|| self.ask(client, object, &id, now, &mut calls)).await?;
        }
        let rest = self.resolve(client, operation, now).await?;
        calls.extend(rest.calls);
        Ok(Resolution { resolved: rest.resolved, calls })
    }

    async fn find(
        &self,
        client: &Client,
        object: Object,
        id: &ExternalId,
        now: Time,
        calls: &mut Vec<Call>,
    ) -> Result<Known, LedgerError> {
        let remembered = self.ledger.references(&self.workspace, object, std::slice::from_ref(id))?;
        match remembered.into_values().next() {
            Some(vitally_id) => Ok(Known::Id(vitally_id, Source::Remembered)),
            None => self.ask(client, object, id, now, calls).await,
        }
    }

    async fn ask(
        &self,
        client: &Client,
        object: Object,
        id: &ExternalId,
        now: Time,
        calls: &mut Vec<Call>,
    ) -> Result<Known, LedgerError> {
        let doubted =
            self.doubted.lock().unwrap_or_else(PoisonError::into_inner).remove(&(object, id.clone()));
        let looked_up = match doubted {
            Some(remembered) => client.lookup_remembered(object, id, &remembered).await,
            None => client.lookup(object, id).await,
        };
        calls.extend(looked_up.calls);
        Ok(match looked_up.finding {
            LookupResult::Found(record) => match &record.id {
                Some(vitally_id) => {
                    let pair = [(id.clone(), vitally_id.clone())];
                    self.ledger.put_references(self.lease, &self.workspace, object, &pair, now)?;
                    Known::Id(vitally_id.clone(), Source::Asked)
                }
                None => Known::Missing,
            },
            LookupResult::Missing | LookupResult::Wrong { .. } => Known::Missing,
            LookupResult::Several => Known::Failed(Verdict::Ambiguous),
            LookupResult::Failed(verdict) => Known::Failed(verdict),
        })
    }

    fn cell(&self, name: &Name) -> Arc<OnceCell<Known>> {
        Arc::clone(self.cells().entry(name.clone()).or_default())
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<OnceCell<Known>>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
