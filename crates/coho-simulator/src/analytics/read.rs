//! One message, read as strictly as the documentation says: members, their types, and which of them must be there.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::SimulatorTime;
use crate::message::{Content, MessageType};
use crate::rest::{Refused, Turn};
use crate::switches::{LegacyIds, Unknown};

/// A message that reads, before it is taken.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) content: Content,
    pub(super) message_id: String,
    /// `None` is the time of arrival.
    pub(super) timestamp: Option<SimulatorTime>,
    /// It was accepted all the same, and is not to be applied.
    pub(super) is_bad: bool,
}

impl Draft {
    /// What can be read of a bad message.
    pub(super) fn of_bad(kind: MessageType, body: &Map<String, Value>) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let content = Content {
            kind,
            organization_id: text("organizationId"),
            account_id: text("accountId"),
            user_id: text("userId"),
            event: text("event"),
            external_id: text("externalId"),
            custom_object_id: text("customObjectId"),
            name: None,
            bag: Map::new(),
        };
        let message_id = text("messageId").unwrap_or_default();
        Self { content, message_id, timestamp: None, is_bad: true }
    }
}

/// Members that every message may have.
const ENVELOPE: [&str; 2] = ["messageId", "timestamp"];

/// Reads a message whose `type`, if it had one, was taken off.
pub(super) fn message(
    turn: &Turn<'_>,
    kind: MessageType,
    body: &Map<String, Value>,
) -> Result<Draft, Refused> {
    refuse_unknown(kind, body, turn.switches.unknown)?;
    let members = Members { body, legacy_ids: turn.switches.legacy_ids };
    let timestamp = members.timestamp()?;
    let message_id = match (members.id("messageId")?, timestamp) {
        (Some(id), _) => id,
        (None, Some(_)) => hash(kind, body),
        (None, None) => return Err(Refused::bad("Must specify at least one of: messageId or timestamp")),
    };
    Ok(Draft { content: content(kind, members)?, message_id, timestamp, is_bad: false })
}

fn refuse_unknown(kind: MessageType, body: &Map<String, Value>, unknown: Unknown) -> Result<(), Refused> {
    let is_known = |name: &str| ENVELOPE.contains(&name) || known(kind).contains(&name);
    match (unknown, body.keys().find(|name| !is_known(name))) {
        (Unknown::Reject, Some(name)) => Err(Refused::bad(format!("Unknown field: {name}"))),
        (Unknown::Reject, None) | (Unknown::Ignore, _) => Ok(()),
    }
}

const fn known(kind: MessageType) -> &'static [&'static str] {
    match kind {
        MessageType::Organization => &["organizationId", "traits"],
        MessageType::Account => &["accountId", "organizationId", "traits"],
        MessageType::User => &["userId", "accountId", "organizationId", "traits"],
        MessageType::Track => &["event", "userId", "accountId", "organizationId", "properties"],
        MessageType::Unlink => &["userId", "accountId"],
        MessageType::CustomObjectInstance => {
            &["externalId", "customObjectId", "accountId", "organizationId", "name", "traits"]
        }
    }
}

fn content(kind: MessageType, members: Members<'_>) -> Result<Content, Refused> {
    let content = Content {
        kind,
        organization_id: members.id("organizationId")?,
        account_id: members.id("accountId")?,
        user_id: members.id("userId")?,
        event: members.text("event")?,
        external_id: members.id("externalId")?,
        custom_object_id: members.id("customObjectId")?,
        name: members.text("name")?,
        bag: Map::new(),
    };
    let bag = match kind {
        MessageType::Organization | MessageType::Account => members.bag("traits")?.unwrap_or_default(),
        MessageType::User | MessageType::CustomObjectInstance => required("traits", members.bag("traits")?)?,
        MessageType::Track => required("properties", members.bag("properties")?)?,
        MessageType::Unlink => Map::new(),
    };
    require(&content)?;
    Ok(Content { bag, ..content })
}

/// That the ids are there which the type must have.
fn require(content: &Content) -> Result<(), Refused> {
    let has_parent = content.account_id.is_some() || content.organization_id.is_some();
    let wanted: &[(&str, &Option<String>)] = match content.kind {
        MessageType::Organization => &[("organizationId", &content.organization_id)],
        MessageType::Account => &[("accountId", &content.account_id)],
        MessageType::User => &[("userId", &content.user_id)],
        MessageType::Track => &[("event", &content.event)],
        MessageType::Unlink => &[("userId", &content.user_id), ("accountId", &content.account_id)],
        MessageType::CustomObjectInstance => {
            &[("externalId", &content.external_id), ("customObjectId", &content.custom_object_id)]
        }
    };
    if let Some((name, _)) = wanted.iter().find(|(_, value)| value.is_none()) {
        return Err(Refused::bad(format!("Required field: {name}")));
    }
    match content.kind {
        MessageType::User | MessageType::CustomObjectInstance if !has_parent => {
            Err(Refused::bad("Must specify at least one of: accountId or organizationId"))
        }
        MessageType::Track if !has_parent && content.user_id.is_none() => {
            Err(Refused::bad("Must specify at least one of: userId, accountId or organizationId"))
        }
        MessageType::Organization
        | MessageType::Account
        | MessageType::User
        | MessageType::Track
        | MessageType::Unlink
        | MessageType::CustomObjectInstance => Ok(()),
    }
}

fn required<T>(name: &str, value: Option<T>) -> Result<T, Refused> {
    value.ok_or_else(|| Refused::bad(format!("Required field: {name}")))
}

/// The members of one message.
#[derive(Clone, Copy)]
struct Members<'b> {
    body: &'b Map<String, Value>,
    legacy_ids: LegacyIds,
}

impl Members<'_> {
    fn id(self, name: &str) -> Result<Option<String>, Refused> {
        match (self.body.get(name), self.legacy_ids) {
            (Some(Value::Number(number)), LegacyIds::On) => Ok(Some(number.to_string())),
            (_, LegacyIds::On | LegacyIds::Off) => self.text(name),
        }
    }

    /// A text that is not empty.
    fn text(self, name: &str) -> Result<Option<String>, Refused> {
        match self.body.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(Refused::bad(format!("Field {name} must be a non-empty string"))),
        }
    }

    fn bag(self, name: &str) -> Result<Option<Map<String, Value>>, Refused> {
        match self.body.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members.clone())),
            Some(_) => Err(Refused::bad(format!("Field {name} must be an object"))),
        }
    }

    fn timestamp(self) -> Result<Option<SimulatorTime>, Refused> {
        let Some(value) = self.body.get("timestamp") else { return Ok(None) };
        match value.as_str().and_then(SimulatorTime::parse_utc) {
            Some(time) => Ok(Some(time)),
            None => Err(Refused::bad("Field timestamp must be an ISO 8601 date and time in UTC")),
        }
    }
}

/// The id of a message that has none. Equal messages have equal ids.
fn hash(kind: MessageType, body: &Map<String, Value>) -> String {
    let text = format!("{} {}", kind.name(), Value::Object(body.clone()));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
}
