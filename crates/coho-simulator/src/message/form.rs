//! The JSON of messages, events and instances, in the state file and in the inspection API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Content, DropReason, Dropped, End, Instance, Message, MessageType, StoredEvent};
use crate::clock::SimulatorTime;

/// The JSON of a message in the state file; its number is beside it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MessageForm {
    message_id: String,
    timestamp: String,
    arrived_at: String,
    due: String,
    #[serde(rename = "type")]
    kind: String,
    organization_id: Option<String>,
    account_id: Option<String>,
    user_id: Option<String>,
    event: Option<String>,
    external_id: Option<String>,
    custom_object_id: Option<String>,
    name: Option<String>,
    bag: Map<String, Value>,
    end: EndForm,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndForm {
    /// `pending`, `applied`, `stored` or `dropped`.
    word: String,
    at: Option<String>,
    account: Option<String>,
    reason: Option<String>,
}

/// The JSON of an instance in the state file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InstanceForm {
    custom_object_id: String,
    external_id: String,
    name: Option<String>,
    account_id: Option<String>,
    organization_id: Option<String>,
    traits: Map<String, Value>,
}

impl From<&Message> for MessageForm {
    fn from(message: &Message) -> Self {
        let content = message.content.clone();
        Self {
            message_id: message.id.clone(),
            timestamp: message.timestamp.to_string(),
            arrived_at: message.arrived_at.to_string(),
            due: message.due.to_string(),
            kind: content.kind.name().to_owned(),
            organization_id: content.organization_id,
            account_id: content.account_id,
            user_id: content.user_id,
            event: content.event,
            external_id: content.external_id,
            custom_object_id: content.custom_object_id,
            name: content.name,
            bag: content.bag,
            end: EndForm::from(&message.end),
        }
    }
}

impl From<&End> for EndForm {
    fn from(end: &End) -> Self {
        let (word, at, account, reason) = match end {
            End::Pending => ("pending", None, None, None),
            End::Applied => ("applied", None, None, None),
            End::Stored { at, account } => ("stored", Some(at), account.clone(), None),
            End::Dropped { at, reason } => ("dropped", Some(at), None, Some(reason.name().to_owned())),
        };
        Self { word: word.to_owned(), at: at.map(SimulatorTime::to_string), account, reason }
    }
}

impl MessageForm {
    /// The message; `None` where something of it does not read.
    pub(crate) fn into_message(self, number: u64) -> Option<Message> {
        Some(Message {
            number,
            id: self.message_id,
            timestamp: SimulatorTime::parse(&self.timestamp)?,
            arrived_at: SimulatorTime::parse(&self.arrived_at)?,
            due: SimulatorTime::parse(&self.due)?,
            content: Content {
                kind: MessageType::from_name(&self.kind)?,
                organization_id: self.organization_id,
                account_id: self.account_id,
                user_id: self.user_id,
                event: self.event,
                external_id: self.external_id,
                custom_object_id: self.custom_object_id,
                name: self.name,
                bag: self.bag,
            },
            end: self.end.into_end()?,
        })
    }
}

impl EndForm {
    fn into_end(self) -> Option<End> {
        let at = self.at.as_deref().and_then(SimulatorTime::parse);
        match self.word.as_str() {
            "pending" => Some(End::Pending),
            "applied" => Some(End::Applied),
            "stored" => Some(End::Stored { at: at?, account: self.account }),
            "dropped" => {
                let reason = DropReason::from_name(self.reason.as_deref()?)?;
                Some(End::Dropped { at: at?, reason })
            }
            _ => None,
        }
    }
}

impl From<&Instance> for InstanceForm {
    fn from(instance: &Instance) -> Self {
        let instance = instance.clone();
        Self {
            custom_object_id: instance.custom_object_id,
            external_id: instance.external_id,
            name: instance.name,
            account_id: instance.account_id,
            organization_id: instance.organization_id,
            traits: instance.traits,
        }
    }
}

impl From<InstanceForm> for Instance {
    fn from(form: InstanceForm) -> Self {
        Self {
            custom_object_id: form.custom_object_id,
            external_id: form.external_id,
            name: form.name,
            account_id: form.account_id,
            organization_id: form.organization_id,
            traits: form.traits,
        }
    }
}

/// An event in the inspection API.
pub(crate) fn event(event: &StoredEvent) -> Value {
    json!({
        "number": event.number,
        "messageId": event.message_id,
        "event": event.name,
        "timestamp": event.timestamp.to_string(),
        "arrivedAt": event.arrived_at.to_string(),
        "storedAt": event.stored_at.to_string(),
        "userId": event.user_id,
        "accountId": event.account_id,
        "organizationId": event.organization_id,
        "account": event.account,
        "properties": event.properties,
    })
}

/// A dropped message in the inspection API.
pub(crate) fn dropped(dropped: &Dropped) -> Value {
    json!({
        "number": dropped.number,
        "type": dropped.kind.name(),
        "messageId": dropped.message_id,
        "userId": dropped.user_id,
        "accountId": dropped.account_id,
        "organizationId": dropped.organization_id,
        "at": dropped.at.to_string(),
        "reason": dropped.reason.name(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back_from_its_form_whatever_became_of_it() {
        let at = SimulatorTime::from_millis(1_500);
        for end in [
            End::Pending,
            End::Applied,
            End::Stored { at, account: Some("acme".to_owned()) },
            End::Dropped { at, reason: DropReason::Stale },
        ] {
            let content = Content {
                kind: MessageType::Track,
                organization_id: None,
                account_id: Some("acme".to_owned()),
                user_id: Some("u-1".to_owned()),
                event: Some("Order placed".to_owned()),
                external_id: None,
                custom_object_id: None,
                name: None,
                bag: Map::from_iter([("total".to_owned(), json!(12.5))]),
            };
            let id = "m-1".to_owned();
            let message = Message { number: 7, id, timestamp: at, arrived_at: at, due: at, content, end };
            let text = serde_json::to_string(&MessageForm::from(&message)).unwrap();
            let form: MessageForm = serde_json::from_str(&text).unwrap();
            assert_eq!(form.into_message(7), Some(message));
        }
    }
}
