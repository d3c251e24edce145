//! Messages: an operation as the Analytics API takes it. Pure.
//!
//! A record is sent whole: what it holds besides stays, since traits are merged. An association only adds, one for each
//! message, so a user becomes a message for each organization and account; that of the first account comes last, since
//! Vitally counts events to the account that a user was linked to last
//! (<https://docs.vitally.io/en/articles/9874149-analytics-api-track>, read 2026-11-24). What takes a user away from an
//! account is a message of its own.

use coho_core::code::Code;
use coho_core::fields::FieldValue;
use coho_core::json;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::Verb;
use coho_core::sync::{Associations, Mode};
use coho_core::value::Value;

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
        let draft = Draft::of(operation)?;
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

/// Whether references are by ids of Vitally's own, which stand in objects.
fn has_own_ids(value: &Value) -> bool {
    let is_own = |value: &Value| matches!(value, Value::Object(_));
    if let Value::Array(items) = value { items.iter().any(is_own) } else { is_own(value) }
}

fn cannot(what: impl Into<String>) -> Unfit {
    Unfit { code: Code::API_CANNOT, message: what.into() }
}

/// A message in the making, written as its fields come.
#[derive(Debug, Default)]
struct Draft {
    /// Members of the message itself: an event's name and owners.
    members: Members,
    /// Traits or properties.
    bag: Members,
    accounts: Vec<String>,
    organizations: Vec<String>,
    /// When an event happened, as it is written: an intent remembers the text.
    at: Option<String>,
}

impl Draft {
    /// What is sent of an operation, over external ids. A probe repeats the message of the intent that was left open: the row
    /// is gone, and nothing can be read here.
    fn of(operation: &Operation) -> Result<Self, Unfit> {
        let mut draft = Self::default();
        match &operation.action {
            Action::Write { mode: Mode::Update | Mode::Insert, .. } if operation.object != Object::Event => {
                return Err(cannot("the Analytics API can only upsert"));
            }
            Action::Write { complete, .. } => {
                for (path, value) in complete {
                    match value {
                        FieldValue::Value(value) => draft.take(operation.object, path, value)?,
                        FieldValue::Reference(..)
                        | FieldValue::References(..)
                        | FieldValue::Id(..)
                        | FieldValue::Ids(..) => draft.take(operation.object, path, &value.to_value())?,
                    }
                }
            }
            Action::Probe { verb: Verb::Write, would_send } => {
                for (path, value) in would_send {
                    draft.take(operation.object, path, value)?;
                }
            }
            Action::Remove | Action::Probe { verb: Verb::Remove, .. } => {
                return Err(cannot("the Analytics API cannot remove"));
            }
        }
        Ok(draft)
    }

    fn take(&mut self, object: Object, path: &FieldPath, value: &Value) -> Result<(), Unfit> {
        match (object, path) {
            (Object::Event, FieldPath::Field(name)) => self.take_of_event(name, value),
            (Object::Organization | Object::Account | Object::User, FieldPath::Field(name)) => {
                self.take_of_record(object, name, value)?;
            }
            // Fields come before; a field and a trait of one name are one key here, and the field is meant.
            (_, FieldPath::Trait(key) | FieldPath::Property(key)) => {
                if !self.bag.has(key) {
                    self.bag.begin(key);
                    value::append(&mut self.bag.text, value);
                }
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
            self.members.field(name);
            json::append_text(&mut self.members.text, &text);
        }
    }

    /// The fields of this API stand among the traits
    /// (<https://docs.vitally.io/en/articles/9874145-analytics-api-user>, read 2026-11-24).
    fn take_of_record(&mut self, object: Object, name: &str, value: &Value) -> Result<(), Unfit> {
        match (object, name) {
            (_, "externalId") => {}
            (_, "accountIds" | "organizationIds" | "organizationId") if has_own_ids(value) => {
                return Err(cannot(format!(
                    "the Analytics API takes only external ids, but `{name}` has Vitally's ids"
                )));
            }
            (Object::User, "accountIds") => self.accounts = ids(value),
            (Object::User, "organizationIds") | (Object::Account, "organizationId") => {
                self.organizations = ids(value);
            }
            (_, "name") if is_blank(value) => {}
            (_, "name" | "email" | "avatar") => {
                self.bag.field(name);
                value::append(&mut self.bag.text, value);
            }
            (_, "joinDate") => {
                self.bag.field("createdAt");
                value::append(&mut self.bag.text, value);
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
        let mut members = Members::default();
        members.text(id, target);
        if let Some((name, id)) = link {
            members.text(name, id);
        }
        members.object("traits", &self.bag);
        seal(Kind::of(outgoing.operation.object), target, &members, message_id, &value::moment(outgoing.at))
    }

    fn event(&self, outgoing: &Outgoing<'_>) -> Result<AnalyticsMessage, Unfit> {
        let catalog = Object::Event.catalog();
        if !self.members.has("event") {
            let message = "Required field: the event has no name".to_owned();
            return Err(Unfit { code: Code::NULL_REQUIRED, message });
        }
        let owners = catalog.owners.iter().flat_map(|owners| owners.any_of);
        if !owners.into_iter().any(|name| self.members.has(name)) {
            return Err(no_owner(Object::Event));
        }
        let target = outgoing.operation.target.as_str();
        let mut members = self.members.clone();
        members.object("properties", &self.bag);
        let at = self.at.clone().unwrap_or_else(|| value::moment(outgoing.at));
        Ok(seal(Kind::Track, target, &members, target.to_owned(), &at))
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
        let mut members = Members::default();
        members.text("userId", target);
        members.text("accountId", &account);
        let id = format!("{}-unlink-{}", outgoing.message_id, number + 1);
        seal(Kind::Unlink, target, &members, id, &value::moment(outgoing.at))
    };
    lost.enumerate().map(unlink).collect()
}

/// Puts the envelope around a message: its type, id and time.
fn seal(kind: Kind, record: &str, members: &Members, id: String, at: &str) -> AnalyticsMessage {
    let mut whole = Members::default();
    whole.text("type", kind.as_str());
    if !members.text.is_empty() {
        whole.text.push(b',');
        whole.text.extend(&members.text);
    }
    whole.text("messageId", &id);
    whole.text("timestamp", at);
    AnalyticsMessage { kind, record: record.to_owned(), id, text: whole.finished() }
}

/// The members of a JSON object, as they are written.
#[derive(Clone, Debug, Default)]
struct Members {
    /// The fields that were noted, of which there are few.
    fields: Vec<String>,
    text: Vec<u8>,
}

impl Members {
    /// Whether a field of this name was noted.
    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field == name)
    }

    /// Begins a member; its value follows.
    fn begin(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
        json::append_text(&mut self.text, name);
        self.text.push(b':');
    }

    /// Begins a member that is noted.
    fn field(&mut self, name: &str) {
        self.fields.push(name.to_owned());
        self.begin(name);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.begin(name);
        json::append_text(&mut self.text, text);
    }

    fn object(&mut self, name: &str, members: &Self) {
        self.begin(name);
        self.text.push(b'{');
        self.text.extend(&members.text);
        self.text.push(b'}');
    }

    /// The object's text. All that is written is UTF-8.
    fn finished(self) -> String {
        let text = String::from_utf8(self.text).unwrap_or_default();
        format!("{{{text}}}")
    }
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
