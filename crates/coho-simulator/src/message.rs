//! Analytics messages as the simulator keeps them: what came, when, and what became of it. The six types share one
//! shape. Which of them are good is [`crate::analytics`]'s business; how they are written to the file, [`form`]'s.

pub(crate) mod form;

use serde_json::{Map, Value};

use crate::clock::SimulatorTime;

/// What kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageType {
    /// Makes or changes an organization.
    Organization,
    /// Makes or changes an account.
    Account,
    /// Makes or changes a user.
    User,
    /// An event.
    Track,
    /// Takes a user out of an account.
    Unlink,
    /// Makes or changes an instance of a custom object.
    CustomObjectInstance,
}

impl MessageType {
    /// All types.
    pub const ALL: [Self; 6] = [
        Self::Organization,
        Self::Account,
        Self::User,
        Self::Track,
        Self::Unlink,
        Self::CustomObjectInstance,
    ];

    /// The type's name in a batch, and the last part of its path.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Account => "account",
            Self::User => "user",
            Self::Track => "track",
            Self::Unlink => "unlink",
            Self::CustomObjectInstance => "customobjectinstance",
        }
    }

    /// The type with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a message says. Members that its type does not have are empty on it. All ids are external ids.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    pub(crate) kind: MessageType,
    pub(crate) organization_id: Option<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) user_id: Option<String>,
    /// Track: the event's name.
    pub(crate) event: Option<String>,
    /// Custom object instance: its external id.
    pub(crate) external_id: Option<String>,
    /// Custom object instance: Vitally's id of the custom object.
    pub(crate) custom_object_id: Option<String>,
    /// Custom object instance: its name.
    pub(crate) name: Option<String>,
    /// Traits, or the properties of an event.
    pub(crate) bag: Map<String, Value>,
}

/// One message that was taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Counts from 1 over the life of the simulator.
    pub(crate) number: u64,
    /// Its `messageId`, or what was made of its content in place of one.
    pub(crate) id: String,
    pub(crate) timestamp: SimulatorTime,
    pub(crate) arrived_at: SimulatorTime,
    /// When it is applied.
    pub(crate) due: SimulatorTime,
    pub(crate) content: Content,
    pub(crate) end: End,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It is still to be applied.
    Pending,
    /// Its record was written.
    Applied,
    /// It is an event and was stored.
    Stored {
        at: SimulatorTime,
        /// The external id of the account that it counts for.
        account: Option<String>,
    },
    Dropped {
        at: SimulatorTime,
        reason: DropReason,
    },
}

/// Why a message that was answered with 200 did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// `duplicate`: a message with its `messageId` came before.
    Duplicate,
    /// `unknown-account`: its account is not there.
    UnknownAccount,
    /// `stale`: all that it says was written by messages with newer timestamps.
    Stale,
    /// `churned`: an event of a churned customer.
    Churned,
    /// `ignored`: an event of an ignored customer.
    Ignored,
    /// `refused`: a bad message of a batch that was answered with 200.
    Refused,
    /// `not-linked`: an unlink of a user that is not in the account.
    NotLinked,
}

impl DropReason {
    const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Refused,
        Self::UnknownAccount,
        Self::Stale,
        Self::Churned,
        Self::Ignored,
        Self::NotLinked,
    ];

    /// Its name in the inspection API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::UnknownAccount => "unknown-account",
            Self::Stale => "stale",
            Self::Churned => "churned",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::NotLinked => "not-linked",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// An event that was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The number of its message.
    pub number: u64,
    /// Its identity.
    pub message_id: String,
    /// Its name.
    pub name: String,
    /// When it happened, by its sender.
    pub timestamp: SimulatorTime,
    /// When its message came.
    pub arrived_at: SimulatorTime,
    /// When it was stored.
    pub stored_at: SimulatorTime,
    /// The user's external id, as sent.
    pub user_id: Option<String>,
    /// The account's external id, as sent.
    pub account_id: Option<String>,
    /// The organization's external id, as sent.
    pub organization_id: Option<String>,
    /// The external id of the account that it counts for: as sent, else the last account of its user.
    pub account: Option<String>,
    /// Its properties.
    pub properties: Map<String, Value>,
}

/// A message that was answered with 200 and did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The number of the message.
    pub number: u64,
    /// Its type.
    pub kind: MessageType,
    /// Its `messageId`.
    pub message_id: String,
    /// The user's external id, as sent.
    pub user_id: Option<String>,
    /// The account's external id, as sent.
    pub account_id: Option<String>,
    /// The organization's external id, as sent.
    pub organization_id: Option<String>,
    /// When it was dropped.
    pub at: SimulatorTime,
    /// Why.
    pub reason: DropReason,
}

/// An instance of a custom object. REST does not show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Vitally's id of its custom object.
    pub custom_object_id: String,
    /// Its external id.
    pub external_id: String,
    /// Its name.
    pub name: Option<String>,
    /// The external id of its account.
    pub account_id: Option<String>,
    /// The external id of its organization.
    pub organization_id: Option<String>,
    /// Traits by key.
    pub traits: Map<String, Value>,
}

impl Message {
    /// The event, if it is one that was stored.
    pub(crate) fn event(&self) -> Option<StoredEvent> {
        let End::Stored { at, account } = &self.end else { return None };
        Some(StoredEvent {
            number: self.number,
            message_id: self.id.clone(),
            name: self.content.event.clone().unwrap_or_default(),
            timestamp: self.timestamp,
            arrived_at: self.arrived_at,
            stored_at: *at,
            user_id: self.content.user_id.clone(),
            account_id: self.content.account_id.clone(),
            organization_id: self.content.organization_id.clone(),
            account: account.clone(),
            properties: self.content.bag.clone(),
        })
    }

    /// What is known of it, if it was dropped.
    pub(crate) fn dropped(&self) -> Option<Dropped> {
        let End::Dropped { at, reason } = self.end else { return None };
        Some(Dropped {
            number: self.number,
            kind: self.content.kind,
            message_id: self.id.clone(),
            user_id: self.content.user_id.clone(),
            account_id: self.content.account_id.clone(),
            organization_id: self.content.organization_id.clone(),
            at,
            reason,
        })
    }
}
