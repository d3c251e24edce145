//! Who belongs to whom, read from the parent's side. The child's side is in the records themselves.

use std::collections::{BTreeSet, HashMap};

use crate::record::{RecordId, StoredRecord};

static NOBODY: BTreeSet<RecordId> = BTreeSet::new();

type Members = HashMap<RecordId, BTreeSet<RecordId>>;

#[derive(Debug, Default)]
pub(crate) struct Links {
    /// By account or organization; ids are unique over all objects.
    users: Members,
    /// By organization.
    accounts: Members,
}

impl Links {
    pub(crate) fn users_of(&self, parent: RecordId) -> &BTreeSet<RecordId> {
        self.users.get(&parent).unwrap_or(&NOBODY)
    }

    pub(crate) fn accounts_of(&self, organization: RecordId) -> &BTreeSet<RecordId> {
        self.accounts.get(&organization).unwrap_or(&NOBODY)
    }

    pub(crate) fn add(&mut self, record: &StoredRecord) {
        for parent in record.accounts.iter().chain(&record.organizations) {
            self.users.entry(*parent).or_default().insert(record.id);
        }
        if let Some(parent) = record.organization {
            self.accounts.entry(parent).or_default().insert(record.id);
        }
    }

    pub(crate) fn remove(&mut self, record: &StoredRecord) {
        for parent in record.accounts.iter().chain(&record.organizations) {
            leave(&mut self.users, *parent, record.id);
        }
        if let Some(parent) = record.organization {
            leave(&mut self.accounts, parent, record.id);
        }
    }
}

fn leave(members: &mut Members, parent: RecordId, child: RecordId) {
    let Some(children) = members.get_mut(&parent) else { return };
    children.remove(&child);
    if children.is_empty() {
        members.remove(&parent);
    }
}
