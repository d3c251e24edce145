//! The records of one object, with an index for each way in which they are looked up.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use crate::clock::SimulatorTime;
use crate::record::{RecordId, StoredRecord};

/// The order of a list; always newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    UpdatedAt,
    CreatedAt,
}

/// Where a record stands in an order. The id tells apart what was written in one millisecond.
pub(crate) type Place = (SimulatorTime, RecordId);

#[derive(Debug, Default)]
pub(crate) struct Table {
    records: HashMap<RecordId, StoredRecord>,
    external: HashMap<String, RecordId>,
    created: BTreeSet<Place>,
    updated: BTreeSet<Place>,
    emails: HashMap<String, BTreeSet<RecordId>>,
    domains: HashMap<String, BTreeSet<RecordId>>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn get(&self, id: RecordId) -> Option<&StoredRecord> {
        self.records.get(&id)
    }

    pub(crate) fn by_external(&self, external_id: &str) -> Option<&StoredRecord> {
        self.get(*self.external.get(external_id)?)
    }

    pub(crate) fn by_email(&self, email: &str) -> Vec<&StoredRecord> {
        self.all(self.emails.get(&email.to_lowercase()))
    }

    pub(crate) fn by_email_domain(&self, domain: &str) -> Vec<&StoredRecord> {
        self.all(self.domains.get(&domain.to_lowercase()))
    }

    fn all(&self, ids: Option<&BTreeSet<RecordId>>) -> Vec<&StoredRecord> {
        ids.into_iter().flatten().filter_map(|id| self.get(*id)).collect()
    }

    pub(crate) fn in_order(&self, order: Order, after: Option<Place>) -> impl Iterator<Item = &StoredRecord> {
        let places = match order {
            Order::UpdatedAt => &self.updated,
            Order::CreatedAt => &self.created,
        };
        let end = after.map_or(Bound::Unbounded, Bound::Excluded);
        places.range((Bound::Unbounded, end)).rev().filter_map(|(_, id)| self.get(*id))
    }

    pub(crate) fn insert(&mut self, record: StoredRecord) {
        let id = record.id;
        if let Some(external_id) = &record.external_id {
            self.external.insert(external_id.clone(), id);
        }
        self.created.insert((record.created_at, id));
        self.updated.insert((record.updated_at, id));
        if let Some((email, domain)) = address(&record) {
            self.emails.entry(email).or_default().insert(id);
            self.domains.entry(domain).or_default().insert(id);
        }
        self.records.insert(id, record);
    }

    pub(crate) fn remove(&mut self, id: RecordId) -> Option<StoredRecord> {
        let record = self.records.remove(&id)?;
        if let Some(external_id) = &record.external_id {
            self.external.remove(external_id);
        }
        self.created.remove(&(record.created_at, id));
        self.updated.remove(&(record.updated_at, id));
        if let Some((email, domain)) = address(&record) {
            forget(&mut self.emails, &email, id);
            forget(&mut self.domains, &domain, id);
        }
        Some(record)
    }
}

/// The address in lower case, and its domain.
fn address(record: &StoredRecord) -> Option<(String, String)> {
    let email = record.email.as_deref()?.to_lowercase();
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
    Some((email, domain))
}

fn forget(index: &mut HashMap<String, BTreeSet<RecordId>>, key: &str, id: RecordId) {
    let Some(ids) = index.get_mut(key) else { return };
    ids.remove(&id);
    if ids.is_empty() {
        index.remove(key);
    }
}
