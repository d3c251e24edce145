//! Records as Vitally answers them, read leniently: anything may be absent, and nothing is decided here.

use chrono::DateTime;
use coho_core::json::{self, Json};
use coho_core::path::FieldPath;
use coho_core::target::VitallyId;
use coho_core::time::Time;
use coho_core::value::Value;
use serde_json::Map;

use crate::wire::reading::speaks_of_error;

/// Members that are read apart, or that nobody asks for: whole records stand in them, some of them large.
const APART: [&str; 5] = ["traits", "accounts", "organizations", "segments", "keyRoles"];

/// A record of Vitally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Vitally's id.
    pub id: Option<VitallyId>,
    /// The external id; records that were made inside Vitally have none.
    pub external_id: Option<String>,
    /// When it was made.
    pub created_at: Option<Time>,
    /// When it was last written.
    pub updated_at: Option<Time>,
    /// Its name.
    pub name: Option<String>,
    /// User: the e-mail address.
    pub email: Option<String>,
    fields: Map<String, Json>,
    traits: Option<Map<String, Json>>,
    accounts: Option<Vec<Linked>>,
    organizations: Option<Vec<Linked>>,
}

/// A record that another one is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Vitally's id.
    pub id: VitallyId,
    /// The external id; records that were made inside Vitally have none.
    pub external_id: Option<String>,
}

impl Record {
    /// Reads a record; `None` where the body is not a JSON object.
    ///
    /// ```
    /// use coho_core::path::FieldPath;
    /// use coho_core::value::Value;
    /// use coho_vitally::Record;
    ///
    /// let record = Record::parse(r#"{"id":"0b5c","name":"Acme","traits":{"vitally.custom.seats":7}}"#).unwrap_or_default();
    /// assert_eq!(record.value(&FieldPath::new("name")), Some(Value::text("Acme")));
    /// assert_eq!(record.value(&FieldPath::new("traits.vitally.custom.seats")), Some(Value::Int(7)));
    /// assert_eq!(record.value(&FieldPath::new("traits.plan")), None);
    /// ```
    pub fn parse(body: &str) -> Option<Self> {
        match serde_json::from_str(body).ok()? {
            Json::Object(members) => Some(Self::of(members)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
        }
    }

    pub(crate) fn of(mut members: Map<String, Json>) -> Self {
        let traits = match members.remove("traits") {
            Some(Json::Object(traits)) => Some(traits),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) | None => {
                None
            }
        };
        let (accounts, organizations) = (linked(&members, "accounts"), linked(&members, "organizations"));
        members.retain(|name, _| !APART.contains(&name.as_str()));
        let text = |name: &str| members.get(name).and_then(Json::as_str).map(str::to_owned);
        let time = |name: &str| members.get(name).and_then(Json::as_str).and_then(time);
        Self {
            id: text("id").filter(|id| !id.is_empty()).map(VitallyId::new),
            external_id: text("externalId").filter(|id| !id.is_empty()),
            created_at: time("createdAt"),
            updated_at: time("updatedAt"),
            name: text("name"),
            email: text("email"),
            fields: members,
            traits,
            accounts,
            organizations,
        }
    }

    /// What a field or a trait holds; `None` where the answer does not say. A moment reads as text, which is equal to the
    /// moment that was sent. What others are linked to reads as [`Record::accounts`] and its neighbours.
    pub fn value(&self, path: &FieldPath) -> Option<Value> {
        let held = match path {
            FieldPath::Field(name) => self.fields.get(&**name),
            FieldPath::Trait(key) => self.traits.as_ref()?.get(&**key),
            // Only events have properties, and an event is no record.
            FieldPath::Property(_) => None,
        };
        json::from_serde(held?.clone()).ok()
    }

    /// User: the linked accounts, as far as the answer tells.
    pub fn accounts(&self) -> &[Linked] {
        self.accounts.as_deref().unwrap_or_default()
    }

    /// User: the linked organizations, as far as the answer tells.
    pub fn organizations(&self) -> &[Linked] {
        self.organizations.as_deref().unwrap_or_default()
    }

    /// The same with no other fields and traits than these, besides what says which record it is and what it is linked to.
    #[must_use]
    pub fn with_only(mut self, wanted: impl Fn(&FieldPath) -> bool) -> Self {
        self.fields
            .retain(|name, _| name == "organizationId" || wanted(&FieldPath::Field(name.as_str().into())));
        if let Some(traits) = &mut self.traits {
            traits.retain(|key, _| wanted(&FieldPath::Trait(key.as_str().into())));
        }
        self
    }

    /// The same without its traits and all fields but those that say which record it is and what it is linked to: many of
    /// them fit into little memory.
    #[must_use]
    pub fn bare(self) -> Self {
        Self { name: None, fields: Map::new(), traits: None, ..self }
    }

    /// Account: the id of its organization.
    pub fn organization_id(&self) -> Option<VitallyId> {
        let id = self.fields.get("organizationId").and_then(Json::as_str);
        id.filter(|id| !id.is_empty()).map(VitallyId::new)
    }

    /// Whether the answer tells the linked accounts, be they none.
    pub(crate) fn tells_accounts(&self) -> bool {
        self.accounts.is_some()
    }

    /// Whether the answer tells the linked organizations, be they none.
    pub(crate) fn tells_organizations(&self) -> bool {
        self.organizations.is_some()
    }

    /// Whether the answer has traits, and this one is not among them.
    pub(crate) fn lacks_trait(&self, key: &str) -> bool {
        self.traits.as_ref().is_some_and(|traits| !traits.contains_key(key))
    }

    /// Whether this is the record's address, in upper or lower case.
    pub(crate) fn has_email(&self, address: &str) -> bool {
        self.email.as_ref().is_some_and(|held| same_address(held, address))
    }
}

/// Whether two e-mail addresses are one: whether Vitally minds upper and lower case is not documented, and people do not.
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn time(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn linked(members: &Map<String, Json>, name: &str) -> Option<Vec<Linked>> {
    let text = |item: &Json, name: &str| {
        item.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let one = |item: &Json| {
        Some(Linked { id: VitallyId::new(text(item, "id")?), external_id: text(item, "externalId") })
    };
    Some(members.get(name)?.as_array()?.iter().filter_map(one).collect())
}

/// A page of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The records.
    pub(crate) records: Vec<Record>,
    /// Where the next page begins.
    pub(crate) next: Next,
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nowhere: this was the last page.
    End,
    /// At this cursor.
    From(String),
    /// There is more, and the page does not say where.
    Lost,
}

/// A list in any of the shapes that Vitally answers: bare, or under `results` or `data`.
pub(crate) struct Envelope {
    /// The entries; `None` where the answer is an object by itself.
    pub(crate) items: Option<Vec<Map<String, Json>>>,
    /// Where the next page begins.
    next: Next,
}

impl Envelope {
    /// Reads it; `None` where the body is neither a list of objects nor an object.
    pub(crate) fn parse(body: &str) -> Option<Self> {
        match serde_json::from_str(body).ok()? {
            Json::Array(items) => Some(Self { items: Some(objects(items)?), next: Next::End }),
            Json::Object(members) if speaks_of_error(&members) => None,
            Json::Object(mut members) => {
                let name = ["results", "data"]
                    .into_iter()
                    .find(|name| members.get(*name).is_some_and(Json::is_array));
                let Some(Json::Array(items)) = name.and_then(|name| members.remove(name)) else {
                    return Some(Self { items: None, next: Next::End });
                };
                Some(Self { items: Some(objects(items)?), next: next(&members) })
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        }
    }

    /// The page of records; `None` where it is no list, or an entry has no id.
    pub(crate) fn page(self) -> Option<Page> {
        let records: Vec<Record> = self.items?.into_iter().map(Record::of).collect();
        records.iter().all(|record| record.id.is_some()).then_some(Page { records, next: self.next })
    }
}

fn objects(items: Vec<Json>) -> Option<Vec<Map<String, Json>>> {
    let object = |item| if let Json::Object(members) = item { Some(members) } else { None };
    items.into_iter().map(object).collect()
}

/// A list ends where it says so, or where there is no cursor and it does not say that there is more. An empty page with a cursor is no end: what it would hold may be
/// hidden from lists.
fn next(members: &Map<String, Json>) -> Next {
    let cursor = members.get("next").and_then(Json::as_str).filter(|cursor| !cursor.is_empty());
    match (members.get("atEnd"), cursor) {
        (Some(Json::Bool(true)), _) => Next::End,
        (_, Some(cursor)) => Next::From(cursor.to_owned()),
        (Some(Json::Bool(false)), None) => Next::Lost,
        (_, None) => Next::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_absent() {
        assert_eq!(Record::parse("{}"), Some(Record::default()));
        assert_eq!(Record::parse("[]"), None);
        assert_eq!(Record::parse("<html>"), None);
    }

    #[test]
    fn links_are_read_from_nested_records() {
        let body = r#"{"id":"u","accounts":[{"id":"a","externalId":"acme","traits":{}},{"id":"b"}]}"#;
        let record = Record::parse(body).unwrap();
        let acme = Linked { id: VitallyId::new("a"), external_id: Some("acme".to_owned()) };
        assert_eq!(record.accounts(), [acme, Linked { id: VitallyId::new("b"), external_id: None }]);
        assert!(record.tells_accounts());
        assert_eq!((record.organizations(), record.tells_organizations()), (&[][..], false));
    }

    #[test]
    fn a_bare_record_says_only_which_one_it_is_and_what_it_is_linked_to() {
        let body = r#"{"id":"u","externalId":"7","email":"a@b.c","name":"Ada","avatar":"x","traits":{"plan":"pro"},
            "createdAt":"2024-05-01T00:00:00.000Z","accounts":[{"id":"a"}]}"#;
        let record = Record::parse(body).unwrap();
        let bare = record.clone().bare();
        let says = |record: &Record| {
            let (id, external_id, email) = (&record.id, &record.external_id, &record.email);
            (id.clone(), external_id.clone(), email.clone(), record.created_at, record.accounts().to_vec())
        };
        assert_eq!(says(&bare), says(&record));
        let holds = |record: &Record, path: &str| record.value(&FieldPath::new(path)).is_some();
        for path in ["name", "avatar", "traits.plan"] {
            assert!(holds(&record, path) && !holds(&bare, path), "{path}");
        }
        assert_eq!(bare.name, None);
    }

    #[test]
    fn fields_and_traits_read_as_values() {
        let body = r#"{"id":"a","organizationId":"o","joinDate":"2024-05-01T00:00:00.000Z","avatar":null,
            "traits":{"plan":"pro","tags":["a"],"gone":null}}"#;
        let record = Record::parse(body).unwrap();
        let value = |path: &str| record.value(&FieldPath::new(path));
        let joined = DateTime::from_timestamp(1_714_521_600, 0).unwrap();
        assert_eq!(value("joinDate"), Some(Value::Timestamp(joined)));
        assert_eq!(value("traits.tags"), Some(Value::Array(vec![Value::text("a")])));
        assert_eq!((value("avatar"), value("traits.gone")), (Some(Value::Null), Some(Value::Null)));
        assert_eq!((value("email"), value("traits"), value("traits.other")), (None, None, None));
        assert_eq!(record.organization_id(), Some(VitallyId::new("o")));
    }

    #[test]
    fn addresses_are_compared_whatever_their_case() {
        let record = Record::parse(r#"{"email":"Ada@Acme.io"}"#).unwrap();
        assert!(record.has_email("ada@acme.io") && !record.has_email("ada@acme.com"));
        assert!(!Record::default().has_email(""));
    }

    fn page(body: &str) -> Option<Page> {
        Envelope::parse(body)?.page()
    }

    #[test]
    fn a_page_has_any_shape() {
        for body in [r#"[{"id":"a"}]"#, r#"{"results":[{"id":"a"}]}"#, r#"{"data":[{"id":"a"}]}"#] {
            let page = page(body).unwrap();
            assert_eq!((page.records.len(), page.next), (1, Next::End), "{body}");
        }
        assert_eq!(page(r#"{"results":[]}"#).unwrap().records, []);
        assert_eq!(page(r#"{"next":null}"#), None);
    }

    #[test]
    fn a_list_ends_where_it_says_so_or_without_a_cursor() {
        let next = |body: &str| page(body).unwrap().next;
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":"c"}"#), Next::From("c".to_owned()));
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":null}"#), Next::End);
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":null,"atEnd":false}"#), Next::Lost);
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":"c","atEnd":true}"#), Next::End);
        assert_eq!(next(r#"{"results":[],"next":"c","atEnd":false}"#), Next::From("c".to_owned()));
    }
}
