//! The JSON of seeds.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use crate::clock::SimulatorTime;
use crate::record::{RecordId, RecordKind};
use crate::seed::{self, Seed};
use crate::store::Store;
use crate::traits::{CustomField, MODELS};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SeedsForm {
    #[serde(default)]
    organizations: Vec<SeedForm>,
    #[serde(default)]
    accounts: Vec<SeedForm>,
    #[serde(default)]
    users: Vec<SeedForm>,
    #[serde(default)]
    custom_fields: Vec<FieldForm>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedForm {
    id: Option<String>,
    external_id: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    traits: Map<String, Value>,
    organization_id: Option<String>,
    #[serde(default)]
    account_ids: Vec<String>,
    #[serde(default)]
    organization_ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldForm {
    model: String,
    path: String,
    label: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    options: Vec<OptionForm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionForm {
    label: String,
    value: String,
}

impl SeedsForm {
    /// Plants everything, parents first, up to the first that is refused.
    pub(crate) fn plant(self, store: &mut Store, now: SimulatorTime) -> Result<Value, Refusal> {
        let mut fields = Vec::new();
        for form in self.custom_fields {
            fields.push(form.define(store, now)?);
        }
        Ok(json!({
            "organizations": plant(store, RecordKind::Organization, self.organizations, now)?,
            "accounts": plant(store, RecordKind::Account, self.accounts, now)?,
            "users": plant(store, RecordKind::User, self.users, now)?,
            "customFields": fields,
        }))
    }
}

fn plant(
    store: &mut Store,
    object: RecordKind,
    forms: Vec<SeedForm>,
    now: SimulatorTime,
) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    for form in forms {
        ids.push(seed::plant(store, form.into_seed(object)?, now)?.to_string());
    }
    Ok(ids)
}

impl SeedForm {
    fn into_seed(self, object: RecordKind) -> Result<Seed, Refusal> {
        Ok(Seed {
            object,
            id: self.id.map(|text| read("a Vitally id", text, RecordId::parse)).transpose()?,
            external_id: self.external_id,
            created_at: self.created_at.map(|text| read("a time", text, SimulatorTime::parse)).transpose()?,
            updated_at: self.updated_at.map(|text| read("a time", text, SimulatorTime::parse)).transpose()?,
            name: self.name,
            email: self.email,
            traits: self.traits,
            organization: self.organization_id,
            accounts: self.account_ids,
            organizations: self.organization_ids,
        })
    }
}

impl FieldForm {
    fn define(self, store: &mut Store, now: SimulatorTime) -> Result<String, Refusal> {
        let model = read("a model", self.model, |name| MODELS.into_iter().find(|known| *known == name))?;
        let id = store.mint();
        let label = self.label.unwrap_or_else(|| self.path.clone());
        let options = self.options.into_iter().map(|option| (option.label, option.value)).collect();
        store.define(
            model,
            CustomField { id, created_at: now, label, path: self.path, kind: self.kind, options },
        );
        Ok(id.to_string())
    }
}

fn read<T>(what: &'static str, text: String, parse: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
    parse(&text).ok_or(Refusal::Text { what, text })
}
