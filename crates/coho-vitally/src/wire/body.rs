//! Bodies: the JSON that creates or updates a record. References become Vitally's ids here.

use std::collections::BTreeSet;
use std::sync::Arc;

use coho_core::fields::{Difference, FieldValue, Fields};
use coho_core::json::{self, Json};
use coho_core::object::{FieldKind, Object};
use coho_core::path::FieldPath;
use coho_core::target::ExternalId;
use coho_core::value::Value;

use crate::resolved::Resolved;
use crate::wire::record::{Record, same_address};

/// The fields whose values are links of a user. REST can add to them and cannot take away.
const LINKS: [&str; 2] = ["accountIds", "organizationIds"];

/// A body in the making.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Body {
    fields: Members,
    traits: Members,
}

/// The members of an object, each name once. There are few, and mostly all of them are written: a map would only cost.
#[derive(Clone, Debug, Default)]
struct Members(Vec<(Arc<str>, Json)>);

impl Members {
    fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(member, _)| **member == *name).map(|(_, value)| value)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.0.iter_mut().find(|(member, _)| **member == *name).map(|(_, value)| value)
    }

    /// Appends them as JSON.
    fn append(&self, text: &mut Vec<u8>) {
        for (at, (name, value)) in self.0.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            json::append_text(text, name);
            text.push(b':');
            // Memory takes all that is written.
            serde_json::to_writer(&mut *text, value).unwrap_or_default();
        }
    }
}

/// Two objects are the same whatever the order of their members.
impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl Eq for Members {}

/// References that have no Vitally id yet, such as the accounts acme and zeta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved(pub(crate) String);

impl Body {
    /// The body that creates a record: its external id and all fields.
    pub(crate) fn create(target: &ExternalId, draft: Draft<'_>) -> Result<Self, Unresolved> {
        let mut body = Self::default();
        body.fields.0.push(("externalId".into(), Json::from(target.as_str())));
        let all = draft.complete.iter().filter(|(path, value)| !is_vain(draft.object, path, value));
        body.fill(all, draft)?;
        Ok(body)
    }

    /// The body that updates a record with all fields. Links that do not change and lead nowhere are left out: a record that is
    /// no more must not keep others from being written.
    pub(crate) fn update(draft: Draft<'_>, changed: &[Difference]) -> Result<Self, Unresolved> {
        let mut body = Self::default();
        let all: Vec<(&FieldPath, FieldValue)> = draft
            .complete
            .iter()
            .map(|(path, value)| {
                let is_other = changed.iter().any(|difference| difference.path == *path);
                (path, if is_other { value.clone() } else { draft.reachable(value) })
            })
            .collect();
        body.fill(all.iter().map(|(path, value)| (*path, value)), draft)?;
        Ok(body)
    }

    /// The body that updates a record with the fields that differ.
    pub(crate) fn change(changed: &[Difference], draft: Draft<'_>) -> Result<Self, Unresolved> {
        let mut body = Self::default();
        let known: Vec<(FieldPath, FieldValue)> =
            changed.iter().map(|difference| field(difference, draft.complete)).collect();
        body.fill(known.iter().map(|(path, value)| (path, value)), draft)?;
        Ok(body)
    }

    fn fill<'f>(
        &mut self,
        fields: impl Iterator<Item = (&'f FieldPath, &'f FieldValue)>,
        draft: Draft<'_>,
    ) -> Result<(), Unresolved> {
        let mut missing = Vec::new();
        for (path, value) in fields {
            match path {
                FieldPath::Field(name) if **name == *"externalId" || is_empty_link(name, value) => {}
                FieldPath::Field(name) => {
                    let json = draft.json(value, &mut missing);
                    self.fields.0.push((Arc::clone(name), json));
                }
                // Only events have properties, and no body of a record is made of an event.
                FieldPath::Property(_) => {}
                FieldPath::Trait(key) => {
                    let json = draft.json(value, &mut missing);
                    self.traits.0.push((Arc::clone(key), json));
                }
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Unresolved(missing.join(", "))) }
    }

    /// Whether it links a user to accounts or organizations.
    pub(crate) fn has_links(&self) -> bool {
        LINKS.iter().any(|name| self.fields.get(name).is_some())
    }

    /// The same, with the links that the record has: right whether Vitally adds them or replaces them.
    #[must_use]
    pub(crate) fn with_links_of(mut self, record: &Record) -> Self {
        for (name, held) in LINKS.into_iter().zip([record.accounts(), record.organizations()]) {
            if let Some(Json::Array(ids)) = self.fields.get_mut(name) {
                let wanted: BTreeSet<String> =
                    ids.iter().filter_map(Json::as_str).map(str::to_owned).collect();
                let more = held.iter().map(|linked| linked.id.as_str()).filter(|id| !wanted.contains(*id));
                ids.extend(more.map(Json::from));
            }
        }
        self
    }

    /// The JSON text.
    pub(crate) fn text(&self) -> String {
        let mut text = Vec::with_capacity(512);
        text.push(b'{');
        self.fields.append(&mut text);
        if !self.traits.0.is_empty() {
            text.extend_from_slice(if self.fields.0.is_empty() { b"" } else { b"," });
            text.extend_from_slice(b"\"traits\":{");
            self.traits.append(&mut text);
            text.push(b'}');
        }
        text.push(b'}');
        // All that is appended is UTF-8.
        String::from_utf8(text).unwrap_or_default()
    }

    /// What an answer shows to be otherwise than this body asked.
    pub(crate) fn compare(&self, answer: &Record) -> Vec<String> {
        let mut notes = Vec::new();
        if let (Some(Json::String(sent)), Some(held)) = (self.fields.get("name"), &answer.name)
            && sent != held
        {
            let held = coho_core::value::preview(held);
            notes.push(format!("Vitally did not accept the name: it is still `{held}`"));
        }
        if let (Some(Json::String(sent)), Some(held)) = (self.fields.get("email"), &answer.email)
            && !same_address(sent, held)
        {
            let held = coho_core::value::preview(held);
            notes.push(format!("Vitally did not accept the e-mail address: it is still `{held}`"));
        }
        let dropped = self.traits.0.iter().filter(|(key, value)| !value.is_null() && answer.lacks_trait(key));
        notes.extend(dropped.map(|(key, _)| format!("Vitally did not accept the trait `{key}`")));
        notes
    }
}

/// What bodies are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) object: Object,
    pub(crate) complete: &'a Fields,
    pub(crate) resolved: &'a Resolved,
}

impl Draft<'_> {
    /// Links without those whose records are not known.
    fn reachable(self, value: &FieldValue) -> FieldValue {
        match value {
            FieldValue::References(object, ids) => {
                let known = ids.iter().filter(|id| self.resolved.get(*object, id).is_some());
                FieldValue::References(*object, known.cloned().collect())
            }
            FieldValue::Value(_) | FieldValue::Reference(..) | FieldValue::Id(..) | FieldValue::Ids(..) => {
                value.clone()
            }
        }
    }

    fn json(self, value: &FieldValue, missing: &mut Vec<String>) -> Json {
        match value {
            FieldValue::Value(value) => json::to_serde(value),
            FieldValue::Id(_, id) => Json::from(id.as_str()),
            FieldValue::Ids(_, ids) => Json::Array(ids.iter().map(|id| Json::from(id.as_str())).collect()),
            FieldValue::Reference(object, id) => self.reference(*object, id, missing),
            FieldValue::References(object, ids) => {
                Json::Array(ids.iter().map(|id| self.reference(*object, id, missing)).collect())
            }
        }
    }

    fn reference(self, object: Object, id: &ExternalId, missing: &mut Vec<String>) -> Json {
        if let Some(found) = self.resolved.get(object, id) {
            return Json::from(found.as_str());
        }
        let name = format!("{object} `{id}`");
        if !missing.contains(&name) {
            missing.push(name);
        }
        Json::Null
    }
}

/// What a difference sends. Differences speak of external ids; the complete fields know what they refer to.
fn field(difference: &Difference, complete: &Fields) -> (FieldPath, FieldValue) {
    let value = complete.get(&difference.path).cloned();
    let value = value.unwrap_or_else(|| FieldValue::Value(difference.after.clone()));
    (difference.path.clone(), value)
}

/// A null in a new record's reference says nothing, and Vitally may refuse it.
fn is_vain(object: Object, path: &FieldPath, value: &FieldValue) -> bool {
    let kind = path.as_field().and_then(|name| object.field(name)).map(|field| field.kind);
    matches!(kind, Some(FieldKind::Reference(_))) && *value == FieldValue::Value(Value::Null)
}

/// An empty list of links, or null in its place: REST cannot unlink, and nobody knows what Vitally makes of it.
fn is_empty_link(name: &str, value: &FieldValue) -> bool {
    match value {
        FieldValue::References(_, ids) => ids.is_empty(),
        FieldValue::Ids(_, ids) => ids.is_empty(),
        FieldValue::Value(Value::Null) => LINKS.contains(&name),
        FieldValue::Value(_) | FieldValue::Reference(..) | FieldValue::Id(..) => false,
    }
}
