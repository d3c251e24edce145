//! Records as Vitally answers them, read leniently: only what decides something is read, and anything may be absent.

use std::collections::BTreeSet;

use chrono::DateTime;
use coho_core::memory::Time;
use coho_core::target::VitallyId;
use serde_json::{Map, Value as Json};

/// A record of Vitally, as far as exchanges need it.
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
    /// The keys of its traits, where the answer has traits.
    pub traits: Option<BTreeSet<String>>,
    /// User: the linked accounts.
    pub accounts: BTreeSet<VitallyId>,
    /// User: the linked organizations.
    pub organizations: BTreeSet<VitallyId>,
}

impl Record {
    /// Reads a record; `None` where the body is not a JSON object.
    pub fn parse(body: &str) -> Option<Self> {
        match serde_json::from_str(body).ok()? {
            Json::Object(members) => Some(Self::of(&members)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
        }
    }

    fn of(members: &Map<String, Json>) -> Self {
        let text = |name: &str| members.get(name).and_then(Json::as_str).map(str::to_owned);
        let time = |name: &str| members.get(name).and_then(Json::as_str).and_then(time);
        Self {
            id: text("id").filter(|id| !id.is_empty()).map(VitallyId::new),
            external_id: text("externalId").filter(|id| !id.is_empty()),
            created_at: time("createdAt"),
            updated_at: time("updatedAt"),
            name: text("name"),
            traits: members
                .get("traits")
                .and_then(Json::as_object)
                .map(|keys| keys.keys().cloned().collect()),
            accounts: linked(members, "accounts"),
            organizations: linked(members, "organizations"),
        }
    }
}

fn time(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn linked(members: &Map<String, Json>, name: &str) -> BTreeSet<VitallyId> {
    let items = members.get(name).and_then(Json::as_array).into_iter().flatten();
    items.filter_map(|item| item.get("id").and_then(Json::as_str)).map(VitallyId::new).collect()
}

/// A page of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The records.
    pub(crate) records: Vec<Record>,
    /// Where the next page begins; absent on the last.
    pub(crate) next: Option<String>,
}

impl Page {
    /// Reads a page in any of the shapes that Vitally answers: a list, `results`, `data`, or one object.
    pub(crate) fn parse(body: &str) -> Option<Self> {
        let records = |items: &[Json]| items.iter().filter_map(Json::as_object).map(Record::of).collect();
        match serde_json::from_str(body).ok()? {
            Json::Array(items) => Some(Self { records: records(&items), next: None }),
            Json::Object(members) => {
                let listed = ["results", "data"].into_iter().find_map(|name| members.get(name)?.as_array());
                match listed {
                    Some(items) => Some(Self { records: records(items), next: next(&members, items) }),
                    None => Some(Self { records: alone(&members), next: None }),
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        }
    }
}

/// `atEnd` and an empty page end a list too, whatever the cursor says.
fn next(members: &Map<String, Json>, items: &[Json]) -> Option<String> {
    if items.is_empty() || members.get("atEnd") == Some(&Json::Bool(true)) {
        return None;
    }
    members.get("next").and_then(Json::as_str).filter(|cursor| !cursor.is_empty()).map(str::to_owned)
}

fn alone(members: &Map<String, Json>) -> Vec<Record> {
    if members.contains_key("id") { vec![Record::of(members)] } else { Vec::new() }
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
        let record = Record::parse(r#"{"id":"u","accounts":[{"id":"a","traits":{}},{"id":"b"}]}"#).unwrap();
        assert_eq!(record.accounts, [VitallyId::new("a"), VitallyId::new("b")].into());
    }

    #[test]
    fn a_page_has_any_shape() {
        for body in
            [r#"[{"id":"a"}]"#, r#"{"results":[{"id":"a"}]}"#, r#"{"data":[{"id":"a"}]}"#, r#"{"id":"a"}"#]
        {
            let page = Page::parse(body).unwrap();
            assert_eq!(page.records.len(), 1, "{body}");
            assert_eq!(page.next, None, "{body}");
        }
        assert_eq!(Page::parse(r#"{"results":[]}"#).unwrap().records, []);
    }

    #[test]
    fn a_list_ends_in_three_ways() {
        let next = |body: &str| Page::parse(body).unwrap().next;
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":"c"}"#), Some("c".to_owned()));
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":null}"#), None);
        assert_eq!(next(r#"{"results":[{"id":"a"}],"next":"c","atEnd":true}"#), None);
        assert_eq!(next(r#"{"results":[],"next":"c"}"#), None);
    }
}
