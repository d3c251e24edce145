//! All records, in memory, with the orders and the look-ups that the REST API needs; written through to a file where
//! one was given.
//!
//! [`table`] holds the records of one object, [`links`] who belongs to whom, [`messages`] what came by the Analytics
//! API, [`file`] the state file. Nothing here knows of HTTP or of switches.

pub(crate) mod file;
mod links;
mod messages;
mod table;

#[cfg(test)]
mod laws;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::clock::SimulatorTime;
use crate::message::{End, Instance, Message};
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::settings::IdSource;
use crate::traits::{CustomField, Definitions, inferred_kind};
use file::{Changes, StateFile, StateFileError};
use links::Links;
pub(crate) use messages::Messages;
use table::Table;
pub(crate) use table::{Order, Place};

/// The Vitally id of a custom object, and the external id of an instance of it.
pub(crate) type InstanceKey = (String, String);

/// All records.
#[derive(Debug)]
pub(crate) struct Store {
    tables: BTreeMap<RecordKind, Table>,
    links: Links,
    definitions: Definitions,
    messages: Messages,
    /// By custom object and external id.
    instances: BTreeMap<InstanceKey, Instance>,
    ids: IdSource,
    /// How many ids were told so far, for [`IdSource::Sequential`].
    minted: u64,
    /// Users marked as deleted, by the time when they go.
    due: BTreeSet<(SimulatorTime, RecordId)>,
    unwritten: Unwritten,
    file: Option<StateFile>,
}

/// What changed since the file was last written.
#[derive(Debug, Default)]
struct Unwritten {
    records: BTreeSet<(RecordKind, RecordId)>,
    fields: BTreeSet<(&'static str, String)>,
    messages: BTreeSet<u64>,
    instances: BTreeSet<InstanceKey>,
}

impl Unwritten {
    fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.fields.is_empty()
            && self.messages.is_empty()
            && self.instances.is_empty()
    }
}

impl Store {
    pub(crate) fn in_memory(ids: IdSource) -> Self {
        Self {
            tables: RecordKind::ALL.into_iter().map(|object| (object, Table::default())).collect(),
            links: Links::default(),
            definitions: Definitions::default(),
            messages: Messages::default(),
            instances: BTreeMap::new(),
            ids,
            minted: 0,
            due: BTreeSet::new(),
            unwritten: Unwritten::default(),
            file: None,
        }
    }

    /// The records of a state file, and from now on written through to it.
    pub(crate) fn in_file(ids: IdSource, file: StateFile) -> Result<Self, StateFileError> {
        let mut store = Self::in_memory(ids);
        for record in file.records()? {
            store.put(record);
        }
        for (model, field) in file.fields()? {
            store.definitions.put(model, field);
        }
        for message in file.messages()? {
            store.messages.put(message);
        }
        for instance in file.instances()? {
            store.put_instance(instance);
        }
        store.minted = file.minted()?;
        store.unwritten = Unwritten::default();
        store.file = Some(file);
        Ok(store)
    }

    pub(crate) fn mint(&mut self) -> RecordId {
        match self.ids {
            IdSource::Random => RecordId::random(),
            IdSource::Sequential => {
                self.minted += 1;
                RecordId::nth(self.minted)
            }
        }
    }

    fn table(&self, object: RecordKind) -> &Table {
        // Every object has its table from the beginning.
        &self.tables[&object]
    }

    pub(crate) fn get(&self, object: RecordKind, id: RecordId) -> Option<&StoredRecord> {
        self.table(object).get(id)
    }

    pub(crate) fn by_external(&self, object: RecordKind, external_id: &str) -> Option<&StoredRecord> {
        self.table(object).by_external(external_id)
    }

    /// Users with that address, upper and lower case being the same.
    pub(crate) fn by_email(&self, email: &str) -> Vec<&StoredRecord> {
        self.table(RecordKind::User).by_email(email)
    }

    /// Users whose address ends in `@` and that domain.
    pub(crate) fn by_email_domain(&self, domain: &str) -> Vec<&StoredRecord> {
        self.table(RecordKind::User).by_email_domain(domain)
    }

    /// All records of an object, newest first, from after `place` on.
    pub(crate) fn in_order(
        &self,
        object: RecordKind,
        order: Order,
        after: Option<Place>,
    ) -> impl Iterator<Item = &StoredRecord> {
        self.table(object).in_order(order, after)
    }

    pub(crate) fn count(&self, object: RecordKind) -> usize {
        self.table(object).len()
    }

    pub(crate) fn users_of(&self, id: RecordId) -> impl ExactSizeIterator<Item = RecordId> + '_ {
        self.links.users_of(id).iter().copied()
    }

    pub(crate) fn accounts_of(&self, id: RecordId) -> impl ExactSizeIterator<Item = RecordId> + '_ {
        self.links.accounts_of(id).iter().copied()
    }

    /// Adds the record, or puts it in place of the one with its id.
    pub(crate) fn put(&mut self, record: StoredRecord) {
        let key = (record.object, record.id);
        self.take(key.0, key.1);
        self.links.add(&record);
        if let Some(due) = record.delete_on {
            self.due.insert((due, record.id));
        }
        if let Some(table) = self.tables.get_mut(&key.0) {
            table.insert(record);
        }
        self.unwritten.records.insert(key);
    }

    fn take(&mut self, object: RecordKind, id: RecordId) -> Option<StoredRecord> {
        let record = self.tables.get_mut(&object)?.remove(id)?;
        self.links.remove(&record);
        if let Some(due) = record.delete_on {
            self.due.remove(&(due, id));
        }
        self.unwritten.records.insert((object, id));
        Some(record)
    }

    /// Deletes the record and what hangs on it alone: accounts leave a deleted organization, users are unlinked, and
    /// users that were linked to nothing else go too.
    pub(crate) fn delete(&mut self, object: RecordKind, id: RecordId) {
        let accounts: Vec<RecordId> = self.accounts_of(id).collect();
        let users: Vec<RecordId> = self.users_of(id).collect();
        self.take(object, id);
        for account in accounts {
            if let Some(mut record) = self.get(RecordKind::Account, account).cloned() {
                record.organization = None;
                self.put(record);
            }
        }
        for user in users {
            self.unlink(user, id);
        }
    }

    fn unlink(&mut self, user: RecordId, from: RecordId) {
        let Some(mut record) = self.take(RecordKind::User, user) else { return };
        record.accounts.remove(&from);
        record.organizations.remove(&from);
        if !record.accounts.is_empty() || !record.organizations.is_empty() {
            self.put(record);
        }
    }

    /// Removes the users whose time has come.
    pub(crate) fn sweep(&mut self, now: SimulatorTime) {
        while let Some((due, id)) = self.due.first().copied() {
            if due > now {
                return;
            }
            self.due.remove(&(due, id));
            self.take(RecordKind::User, id);
        }
    }

    pub(crate) const fn messages(&self) -> &Messages {
        &self.messages
    }

    /// The number of a request that brings messages, from 1.
    pub(crate) const fn next_request(&mut self) -> u64 {
        self.messages.next_request()
    }

    pub(crate) fn put_message(&mut self, message: Message) {
        self.unwritten.messages.insert(message.number);
        self.messages.put(message);
    }

    /// Says what became of a pending message.
    pub(crate) fn settle_message(&mut self, number: u64, end: End) {
        self.unwritten.messages.insert(number);
        self.messages.settle(number, end);
    }

    pub(crate) fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values()
    }

    pub(crate) fn instance(&self, key: &InstanceKey) -> Option<&Instance> {
        self.instances.get(key)
    }

    pub(crate) fn put_instance(&mut self, instance: Instance) {
        let key = (instance.custom_object_id.clone(), instance.external_id.clone());
        self.unwritten.instances.insert(key.clone());
        self.instances.insert(key, instance);
    }

    pub(crate) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    pub(crate) fn define(&mut self, model: &'static str, field: CustomField) {
        self.unwritten.fields.insert((model, field.path.clone()));
        self.definitions.put(model, field);
    }

    /// Defines the plain keys that were not seen before, with the types of these values, as Vitally does.
    pub(crate) fn define_unseen(
        &mut self,
        object: RecordKind,
        traits: &Map<String, Value>,
        now: SimulatorTime,
    ) {
        for (path, value) in traits {
            let Some(kind) = inferred_kind(path, value) else { continue };
            if self.definitions.get(object.plural(), path).is_some() {
                continue;
            }
            let field = CustomField {
                id: self.mint(),
                created_at: now,
                label: path.clone(),
                path: path.clone(),
                kind: kind.to_owned(),
                options: Vec::new(),
            };
            self.define(object.plural(), field);
        }
    }

    /// Makes everything since the last call durable, in one transaction. Does nothing where there is no file.
    pub(crate) fn flush(&mut self) -> Result<(), StateFileError> {
        let unwritten = std::mem::take(&mut self.unwritten);
        let Some(file) = &mut self.file else { return Ok(()) };
        if unwritten.is_empty() {
            return Ok(());
        }
        let records =
            unwritten.records.iter().map(|(object, id)| (*object, *id, self.tables[object].get(*id)));
        let fields = unwritten
            .fields
            .iter()
            .filter_map(|(model, path)| self.definitions.get(model, path).map(|field| (*model, field)));
        let messages = unwritten.messages.iter().filter_map(|number| self.messages.get(*number));
        let instances = unwritten.instances.iter().filter_map(|key| self.instances.get(key));
        file.write(Changes { records, fields, messages, instances }, self.minted)
    }

    /// Forgets all records and definitions, in the file too.
    pub(crate) fn clear(&mut self) -> Result<(), StateFileError> {
        let mut empty = Self::in_memory(self.ids);
        empty.file = self.file.take();
        *self = empty;
        self.file.as_mut().map_or(Ok(()), StateFile::clear)
    }
}
