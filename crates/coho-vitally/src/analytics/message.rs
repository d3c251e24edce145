//! Messages: an operation as the Analytics API takes it. Pure.
//!
//! A record is sent whole: what it holds besides stays, since traits are merged. An association only adds, one for each
//! message, so a user becomes a message for each organization and account; that of the first account comes last, since
//! Vitally counts events to the account that a user was linked to last
//! (<https://docs.vitally.io/en/articles/9874149-analytics-api-track>, read 2026-11-24). What takes a user away from an
//! account is a message of its own.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::Verb;
use coho_core::sync::{Associations, Mode};
use coho_core::value::Value;
use serde_json::{Map, Value as Json};

use super::{Outgoing, value};

/// The types of messages, as a batch names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A group of accounts.
    Organization,
    /// A customer.
    Account,
    /// A person at a customer.
    User,
    /// An event.
    Track,
    /// Takes a user away from an account.
    Unlink,
}

impl Kind {
    /// The type of an object's messages.
    pub fn of(object: Object) -> Self {
        match object {
            Object::Organization => Self::Organization,
            Object::Account => Self::Account,
            Object::User => Self::User,
            Object::Event => Self::Track,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Account => "account",
            Self::User => "user",
            Self::Track => "track",
            Self::Unlink => "unlink",
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyticsMessage {
    /// Its type.
    pub kind: Kind,
    /// The record's external id; an event's `messageId`.
    pub record: String,
    /// Its `messageId`.
    pub id: String,
    /// Its JSON text, as it stands in a batch.
    pub text: String,
}

/// Why an operation makes no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unfit {
    /// The stable code.
    pub code: Code,
    /// What is wrong with it.
    pub message: String,
}

impl AnalyticsMessage {
    /// The messages of an operation, in the order in which they are sent; never none.
    pub fn of(outgoing: &Outgoing<'_>) -> Result<Vec<Self>, Unfit> {
        let operation = outgoing.operation;
        let mut draft = Draft::default();
        for (path, value) in fields(operation)? {
            draft.take(operation.object, &path, &value)?;
        }
        match operation.object {
            Object::Event => draft.event(outgoing).map(|message| vec![message]),
            Object::Organization => Ok(vec![draft.record(outgoing, "organizationId", None, None)]),
            Object::Account => {
                let parent = draft.organizations.first().cloned();
                let parent = parent.as_deref().map(|id| ("organizationId", id));
                Ok(vec![draft.record(outgoing, "accountId", parent, None)])
            }
            Object::User => {
                let mut messages = draft.user(outgoing)?;
                messages.extend(unlinks(outgoing));
                Ok(messages)
            }
        }
    }
}

/// What is sent of an operation, over external ids. A probe repeats the message of the intent that was left open: the row is
/// gone, and nothing can be read here.
fn fields(operation: &Operation) -> Result<Vec<(FieldPath, Value)>, Unfit> {
    match &operation.action {
        Action::Write { mode: Mode::Update | Mode::Insert, .. } if operation.object != Object::Event => {
            Err(cannot("the Analytics API can only upsert"))
        }
        Action::Write { complete, .. } => {
            Ok(complete.iter().map(|(path, value)| (path.clone(), value.to_value())).collect())
        }
        Action::Probe { verb: Verb::Write, would_send } => {
            Ok(would_send.iter().map(|(path, value)| (path.clone(), value.clone())).collect())
        }
        Action::Remove | Action::Probe { verb: Verb::Remove, .. } => {
            Err(cannot("the Analytics API cannot remove"))
        }
    }
}

/// Whether references are by ids of Vitally's own, which stand in objects.
fn has_own_ids(value: &Value) -> bool {
    let is_own = |value: &Value| matches!(value, Value::Object(_));
    if let Value::Array(items) = value { items.iter().any(is_own) } else { is_own(value) }
}

fn cannot(what: impl Into<String>) -> Unfit {
    Unfit { code: Code::API_CANNOT, message: what.into() }
}

/// A message in the making.
#[derive(Debug, Default)]
struct Draft {
    /// Members of the message itself: an event's name and owners.
    members: Map<String, Json>,
    /// Traits or properties.
    bag: Map<String, Json>,
    accounts: Vec<String>,
    organizations: Vec<String>,
    /// When an event happened, as it is written: an intent remembers the text.
    at: Option<String>,
}

impl Draft {
    fn take(&mut self, object: Object, path: &FieldPath, value: &Value) -> Result<(), Unfit> {
        match (object, path) {
            (Object::Event, FieldPath::Field(name)) => self.take_of_event(name, value),
            (Object::Organization | Object::Account | Object::User, FieldPath::Field(name)) => {
                self.take_of_record(object, name, value)?;
            }
            // Fields come before; a field and a trait of one name are one key here, and the field is meant.
            (_, FieldPath::Trait(key) | FieldPath::Property(key)) => {
                self.bag.entry(key.to_string()).or_insert_with(|| value::json(value));
            }
        }
        Ok(())
    }

    fn take_of_event(&mut self, name: &str, value: &Value) {
        if value.is_null() {
            return;
        }
        let text = value.scalar_text().unwrap_or_else(|| value.to_string());
        if name == "timestamp" {
            self.at = Some(text);
        } else {
            self.members.insert(name.to_owned(), Json::String(text));
        }
    }

    /// The fields of this API stand among the traits
    /// (<https://docs.vitally.io/en/articles/9874145-analytics-api-user>, read 2026-11-24).
    fn take_of_record(&mut self, object: Object, name: &str, value: &Value) -> Result<(), Unfit> {
        match (object, name) {
            (_, "externalId") => {}
            (_, "accountIds" | "organizationIds" | "organizationId") if has_own_ids(value) => {
                return Err(cannot(format!(
                    "the Analytics API takes external ids only, and `{name}` has Vitally's"
                )));
            }
            (Object::User, "accountIds") => self.accounts = ids(value),
            (Object::User, "organizationIds") | (Object::Account, "organizationId") => {
                self.organizations = ids(value);
            }
            (_, "name") if is_blank(value) => {}
            (_, "name" | "email" | "avatar") => {
                self.bag.insert(name.to_owned(), value::json(value));
            }
            (_, "joinDate") => {
                self.bag.insert("createdAt".to_owned(), value::json(value));
            }
            _ => {
                let what = object.with_article();
                return Err(cannot(format!("the Analytics API has no field `{name}` of {what}")));
            }
        }
        Ok(())
    }

    fn user(&self, outgoing: &Outgoing<'_>) -> Result<Vec<AnalyticsMessage>, Unfit> {
        let organizations = last_first(&self.organizations).map(|id| ("organizationId", id));
        let links: Vec<_> =
            organizations.chain(last_first(&self.accounts).map(|id| ("accountId", id))).collect();
        let is_one = links.len() == 1;
        let messages = links.into_iter().enumerate().map(|(number, link)| {
            let number = (!is_one).then_some(number + 1);
            self.record(outgoing, "userId", Some(link), number)
        });
        let messages: Vec<AnalyticsMessage> = messages.collect();
        if messages.is_empty() { Err(no_owner(Object::User)) } else { Ok(messages) }
    }

    fn record(
        &self,
        outgoing: &Outgoing<'_>,
        id: &str,
        link: Option<(&str, &str)>,
        number: Option<usize>,
    ) -> AnalyticsMessage {
        let target = outgoing.operation.target.as_str();
        let message_id = match number {
            Some(number) => format!("{}-{number}", outgoing.message_id),
            None => outgoing.message_id.clone(),
        };
        let mut members = Map::new();
        members.insert(id.to_owned(), Json::from(target));
        members.extend(link.map(|(name, id)| (name.to_owned(), Json::from(id))));
        members.insert("traits".to_owned(), Json::Object(self.bag.clone()));
        seal(Kind::of(outgoing.operation.object), target, members, message_id, value::moment(outgoing.at))
    }

    fn event(&self, outgoing: &Outgoing<'_>) -> Result<AnalyticsMessage, Unfit> {
        let catalog = Object::Event.catalog();
        if !self.members.contains_key("event") {
            let message = "Required field: the event has no name".to_owned();
            return Err(Unfit { code: Code::NULL_REQUIRED, message });
        }
        let owners = catalog.owners.iter().flat_map(|owners| owners.any_of);
        if !owners.into_iter().any(|name| self.members.contains_key(*name)) {
            return Err(no_owner(Object::Event));
        }
        let target = outgoing.operation.target.as_str();
        let mut members = self.members.clone();
        members.insert("properties".to_owned(), Json::Object(self.bag.clone()));
        let at = self.at.clone().unwrap_or_else(|| value::moment(outgoing.at));
        Ok(seal(Kind::Track, target, members, target.to_owned(), at))
    }
}

/// Takes a user away from the accounts that were acknowledged before and are not among those of the row, where the row is to
/// say exactly which there are. Each pair is independent of the links that are added, so the order does not matter. There is
/// no such message for organizations.
fn unlinks(outgoing: &Outgoing<'_>) -> Vec<AnalyticsMessage> {
    let operation = outgoing.operation;
    let Action::Write { associations: Associations::Exact, changed, .. } = &operation.action else {
        return Vec::new();
    };
    let path = FieldPath::new("accountIds");
    let change = changed.iter().find(|difference| difference.path == path);
    let Some((before, after)) = change.and_then(|change| Some((change.before.as_ref()?, &change.after)))
    else {
        return Vec::new();
    };
    let (before, after) = (ids(before), ids(after));
    let lost = before.into_iter().filter(|id| !after.contains(id));
    let unlink = |(number, account): (usize, String)| {
        let target = operation.target.as_str();
        let ids = [("userId", target), ("accountId", account.as_str())];
        let members = ids.into_iter().map(|(name, id)| (name.to_owned(), Json::from(id))).collect();
        let id = format!("{}-unlink-{}", outgoing.message_id, number + 1);
        seal(Kind::Unlink, target, members, id, value::moment(outgoing.at))
    };
    lost.enumerate().map(unlink).collect()
}

/// Puts the envelope around a message: its type, id and time.
fn seal(kind: Kind, record: &str, members: Map<String, Json>, id: String, at: String) -> AnalyticsMessage {
    let mut whole = Map::new();
    whole.insert("type".to_owned(), Json::from(kind.as_str()));
    whole.extend(members);
    whole.insert("messageId".to_owned(), Json::from(id.as_str()));
    whole.insert("timestamp".to_owned(), Json::from(at));
    AnalyticsMessage { kind, record: record.to_owned(), id, text: Json::Object(whole).to_string() }
}

fn ids(value: &Value) -> Vec<String> {
    let items = if let Value::Array(items) = value { items.as_slice() } else { std::slice::from_ref(value) };
    items.iter().filter_map(Value::as_text).map(str::to_owned).collect()
}

/// All, and the first of them last.
fn last_first(ids: &[String]) -> impl Iterator<Item = &str> {
    ids.iter().skip(1).chain(ids.first()).map(String::as_str)
}

/// A name is left out rather than cleared: nobody knows whether Vitally would refuse it, or hold a record without a name.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_text().is_some_and(|text| text.trim().is_empty())
}

fn no_owner(object: Object) -> Unfit {
    let text = object.catalog().owners.as_ref().map(|owners| owners.text).unwrap_or_default();
    Unfit { code: Code::NO_OWNER, message: text.to_owned() }
}
