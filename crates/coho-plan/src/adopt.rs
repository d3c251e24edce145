//! Adopting: rows are remembered as far as Vitally is seen to hold them. It is the answer to a lost ledger.
//!
//! All records of the object are listed once, a hundred a call. A row whose record holds what the row says is remembered as
//! it is. Where something differs, what Vitally holds is remembered, so that the next run sends the difference and nothing
//! else. What a person typed is never taken for Coho's: fields that the row leaves null are not remembered.

use std::collections::{BTreeSet, HashMap};

use coho_core::fields::{FieldValue, Rendered, Rendering, Sent};
use coho_core::json;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::sync::{Associations, FieldTarget, Matching, NullPolicy, Sync};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;
use coho_core::verdict::{Call, Verdict};
use coho_vitally::client::Client;
use coho_vitally::list::ListEnd;
use coho_vitally::{Linked, Record};

use crate::progress::{Progress, Step};
use crate::table::read::Named;

/// What Vitally holds of one object.
#[derive(Debug, Default)]
pub struct Held {
    /// By external id, or by e-mail address in lower case; `None` where several records have it.
    records: HashMap<String, Option<Record>>,
    /// The external ids of organizations, by Vitally's.
    organizations: HashMap<VitallyId, String>,
    /// The fields and traits that are compared; empty where all traits are mapped at once, and any may be.
    mapped: BTreeSet<FieldPath>,
    /// The calls that the listing took.
    pub calls: Vec<Call>,
}

/// What is remembered of a row.
#[derive(Debug, PartialEq)]
pub(crate) struct Adopted {
    /// What Vitally holds of what the row sets.
    pub(crate) sent: Sent,
    /// Whether that is all of it.
    pub(crate) agreement: Agreement,
    /// The ids of the record and of what it is linked to.
    pub(crate) ids: Vec<Named>,
}

/// Whether Vitally holds what a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// All of it.
    Whole,
    /// Not all of it.
    Part,
}

impl Held {
    /// Lists all records that a sync may concern. Of each no more is kept than the sync maps.
    pub async fn list(client: &Client, sync: &Sync, goes_on: Progress<'_>) -> Result<Self, Verdict> {
        let mut held = Self { mapped: mapped(sync), ..Self::default() };
        let maps_organization = sync.fields.iter().any(|field| field.to.to_string() == "organizationId");
        if maps_organization {
            held.all(client, Object::Organization, goes_on, Self::organization).await?;
        }
        let take = match &sync.matching {
            Matching::Email { .. } => Self::by_email,
            Matching::ExternalId(_) | Matching::Message(_) => Self::by_external_id,
        };
        held.all(client, sync.object, goes_on, take).await?;
        Ok(held)
    }

    fn organization(&mut self, record: Record) {
        if let (Some(id), Some(external_id)) = (record.id, record.external_id) {
            self.organizations.insert(id, external_id);
        }
    }

    fn by_email(&mut self, record: Record) {
        let email = record.email.as_ref().map(|email| email.to_lowercase());
        self.record(email, record);
    }

    fn by_external_id(&mut self, record: Record) {
        self.record(record.external_id.clone(), record);
    }

    fn record(&mut self, name: Option<String>, record: Record) {
        let Some(name) = name else { return };
        let record = record.with_only(|path| self.mapped.is_empty() || self.mapped.contains(path));
        self.records.entry(name).and_modify(|known| *known = None).or_insert(Some(record));
    }

    /// Lists all records of an object, page by page.
    async fn all(
        &mut self,
        client: &Client,
        object: Object,
        goes_on: Progress<'_>,
        take: fn(&mut Self, Record),
    ) -> Result<(), Verdict> {
        let mut pages = client.list(object);
        loop {
            let listed = pages.next().await;
            self.calls.extend(listed.calls);
            for record in listed.records {
                take(self, record);
            }
            match listed.end {
                ListEnd::More if goes_on(Step::Evaluating).is_continue() => {}
                ListEnd::More => return Err(Verdict::Unsent { why: "the run was interrupted".to_owned() }),
                ListEnd::End => return Ok(()),
                ListEnd::Failed(verdict) => return Err(verdict),
            }
        }
    }

    /// What Vitally holds of a row; `None` where it has no such record, or several.
    pub(crate) fn adopt(&self, name: &str, object: Object, rendered: &Rendered) -> Option<Adopted> {
        let record = self.records.get(name)?.as_ref()?;
        let mut adopted = Adopted {
            sent: Sent::new(),
            agreement: Agreement::Whole,
            ids: ids(record, object, &rendered.target),
        };
        for (path, rendering) in &rendered.fields {
            let wanted = match rendering {
                Rendering::Set(wanted) => wanted,
                // It is to be cleared whoever set it.
                Rendering::Null(NullPolicy::Clear) => {
                    if let Some(held) = record.value(path).filter(|held| !held.is_null()) {
                        adopted.agreement = Agreement::Part;
                        adopted.sent.insert(path.clone(), held);
                    }
                    continue;
                }
                Rendering::Null(NullPolicy::Follow | NullPolicy::Omit) => continue,
            };
            let held = self.held(record, path, wanted, rendered.associations);
            if !held.as_ref().is_some_and(|held| json::is_same(held, &wanted.to_value())) {
                adopted.agreement = Agreement::Part;
            }
            if let Some(held) = held {
                adopted.sent.insert(path.clone(), held);
            }
        }
        Some(adopted)
    }

    /// What a record holds of a field, in the form in which Coho remembers it: as the row has it, where it is the same.
    fn held(
        &self,
        record: &Record,
        path: &FieldPath,
        wanted: &FieldValue,
        associations: Associations,
    ) -> Option<Value> {
        match wanted {
            FieldValue::Value(wanted) => {
                let held = record.value(path)?;
                Some(if json::is_same(&held, wanted) { wanted.clone() } else { held })
            }
            FieldValue::Id(object, _) => Some(FieldValue::Id(*object, record.organization_id()?).to_value()),
            FieldValue::Ids(object, wanted) => {
                let counts = |id: &&VitallyId| associations == Associations::Exact || wanted.contains(*id);
                let ids = linked(record, *object).iter().map(|linked| &linked.id).filter(counts).cloned();
                Some(FieldValue::Ids(*object, ids.collect()).to_value())
            }
            FieldValue::Reference(..) => {
                let id = record.organization_id()?;
                self.organizations.get(&id).map(Value::text)
            }
            FieldValue::References(object, wanted) => {
                let linked =
                    linked(record, *object).iter().filter_map(|linked| linked.external_id.as_deref());
                let linked = linked.filter_map(|id| ExternalId::parse(id).ok());
                let counts = |id: &ExternalId| associations == Associations::Exact || wanted.contains(id);
                let ids: BTreeSet<ExternalId> = linked.filter(counts).collect();
                Some(FieldValue::References(*object, ids).to_value())
            }
        }
    }
}

/// The ids that a record tells: its own, by the external id that its row has, and those of what it is linked to.
fn ids(record: &Record, object: Object, target: &ExternalId) -> Vec<Named> {
    let own = record.id.clone().map(|id| (object, target.clone(), id));
    let linked = [Object::Account, Object::Organization].into_iter().flat_map(|object| {
        let named = linked(record, object).iter().filter_map(move |linked| {
            let external_id = ExternalId::parse(linked.external_id.as_deref()?).ok()?;
            Some((object, external_id, linked.id.clone()))
        });
        named.collect::<Vec<_>>()
    });
    own.into_iter().chain(linked).collect()
}

/// What a record is linked to.
fn linked(record: &Record, object: Object) -> &[Linked] {
    match object {
        Object::Organization => record.organizations(),
        Object::Account | Object::User | Object::Event => record.accounts(),
    }
}

fn mapped(sync: &Sync) -> BTreeSet<FieldPath> {
    let paths = sync.fields.iter().map(|field| match &field.to {
        FieldTarget::Path(path) => Some(path.clone()),
        FieldTarget::AllTraits => None,
    });
    paths.collect::<Option<_>>().unwrap_or_default()
}
