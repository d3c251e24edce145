//! The JSON of a whole record, in the state file and in the inspection API. Not the form of a REST answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{LifecycleStage, RecordId, RecordKind, StoredRecord};
use crate::clock::SimulatorTime;

/// The JSON of a whole record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RecordForm {
    id: String,
    external_id: Option<String>,
    created_at: String,
    updated_at: String,
    name: Option<String>,
    email: Option<String>,
    avatar: Option<String>,
    join_date: Option<String>,
    unsubscribed_at: Option<String>,
    traits: Map<String, Value>,
    organization_id: Option<String>,
    account_ids: Vec<String>,
    organization_ids: Vec<String>,
    delete_on: Option<String>,
    last_account_id: Option<String>,
    /// `churned` or `ignored`; absent is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    stamps: BTreeMap<String, String>,
}

impl From<&StoredRecord> for RecordForm {
    fn from(record: &StoredRecord) -> Self {
        Self {
            id: record.id.to_string(),
            external_id: record.external_id.clone(),
            created_at: record.created_at.to_string(),
            updated_at: record.updated_at.to_string(),
            name: record.name.clone(),
            email: record.email.clone(),
            avatar: record.avatar.clone(),
            join_date: record.join_date.clone(),
            unsubscribed_at: record.unsubscribed_at.map(|at| at.to_string()),
            traits: record.traits.clone(),
            organization_id: record.organization.map(|id| id.to_string()),
            account_ids: record.accounts.iter().map(RecordId::to_string).collect(),
            organization_ids: record.organizations.iter().map(RecordId::to_string).collect(),
            delete_on: record.delete_on.map(|at| at.to_string()),
            last_account_id: record.last_account.map(|id| id.to_string()),
            lifecycle: match record.lifecycle {
                LifecycleStage::Active => None,
                marked @ (LifecycleStage::Churned | LifecycleStage::Ignored) => {
                    Some(marked.name().to_owned())
                }
            },
            stamps: record.stamps.iter().map(|(member, at)| (member.clone(), at.to_string())).collect(),
        }
    }
}

impl RecordForm {
    /// The record; `None` where an id or a time does not read.
    pub(crate) fn into_record(self, object: RecordKind) -> Option<StoredRecord> {
        Some(StoredRecord {
            object,
            id: RecordId::parse(&self.id)?,
            external_id: self.external_id,
            created_at: SimulatorTime::parse(&self.created_at)?,
            updated_at: SimulatorTime::parse(&self.updated_at)?,
            name: self.name,
            email: self.email,
            avatar: self.avatar,
            join_date: self.join_date,
            unsubscribed_at: optional(self.unsubscribed_at.as_deref(), SimulatorTime::parse)?,
            traits: self.traits,
            organization: optional(self.organization_id.as_deref(), RecordId::parse)?,
            accounts: self.account_ids.iter().map(|id| RecordId::parse(id)).collect::<Option<_>>()?,
            organizations: self
                .organization_ids
                .iter()
                .map(|id| RecordId::parse(id))
                .collect::<Option<_>>()?,
            delete_on: optional(self.delete_on.as_deref(), SimulatorTime::parse)?,
            last_account: optional(self.last_account_id.as_deref(), RecordId::parse)?,
            lifecycle: optional(self.lifecycle.as_deref(), LifecycleStage::from_name)?.unwrap_or_default(),
            stamps: self
                .stamps
                .into_iter()
                .map(|(member, at)| Some((member, SimulatorTime::parse(&at)?)))
                .collect::<Option<_>>()?,
        })
    }
}

/// `Some(None)` where there is no text, `None` where there is one that does not read.
#[expect(clippy::option_option, reason = "absent and unreadable must stay apart for `?`")]
fn optional<T>(text: Option<&str>, read: fn(&str) -> Option<T>) -> Option<Option<T>> {
    text.map_or(Some(None), |text| read(text).map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_from_its_form() {
        let mut record =
            StoredRecord::new(RecordKind::User, RecordId::nth(3), SimulatorTime::from_millis(1_500));
        record.external_id = Some("u-1".to_owned());
        record.traits.insert("plan".to_owned(), Value::from("pro"));
        record.accounts.insert(RecordId::nth(1));
        record.delete_on = Some(SimulatorTime::from_millis(9_000));
        record.last_account = Some(RecordId::nth(1));
        record.lifecycle = LifecycleStage::Ignored;
        record.stamps.insert("plan".to_owned(), SimulatorTime::from_millis(2_000));
        let text = serde_json::to_string(&RecordForm::from(&record)).unwrap();
        let form: RecordForm = serde_json::from_str(&text).unwrap();
        assert_eq!(form.into_record(RecordKind::User), Some(record));
    }
}
