//! A record as the simulator keeps it: the three objects share one shape. How it reads in an answer is
//! [`crate::rest`]'s business; how it is written to the file and by the inspection API, [`form`]'s.

pub(crate) mod form;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::SimulatorTime;

/// What kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// An organization: the upper level, holds accounts and users.
    Organization,
    /// An account: a customer.
    Account,
    /// A user: a person at a customer.
    User,
}

impl RecordKind {
    /// All objects, in the order in which one may refer to the one before.
    pub const ALL: [Self; 3] = [Self::Organization, Self::Account, Self::User];

    /// The object's name in paths: `organizations`, `accounts`, `users`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Organization => "organizations",
            Self::Account => "accounts",
            Self::User => "users",
        }
    }

    /// The object's name for one record: `organization`, `account`, `user`.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Account => "account",
            Self::User => "user",
        }
    }

    /// The object with that name in paths.
    pub fn from_plural(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.plural() == name)
    }
}

/// An id that Vitally gave: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Uuid);

impl RecordId {
    /// Reads the hyphenated form; `None` where the text is not a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        // `Uuid` also reads braces and the form without hyphens, which are external ids like any other text.
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }

    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The `n`-th id of a simulator whose ids are told beforehand.
    pub(crate) const fn nth(n: u64) -> Self {
        Self(Uuid::from_u128(0x4000_8000_0000_0000_0000 | n as u128))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a customer or a person stands with the workspace, as far as events are concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LifecycleStage {
    /// Events are collected.
    #[default]
    Active,
    /// `churned`: events are dropped.
    Churned,
    /// `ignored`: events are dropped.
    Ignored,
}

impl LifecycleStage {
    const ALL: [Self; 3] = [Self::Active, Self::Churned, Self::Ignored];

    /// Its name in the inspection API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Churned => "churned",
            Self::Ignored => "ignored",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lifecycle| lifecycle.name() == name)
    }
}

/// One record. Members that an object does not have are empty on it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// What kind of record.
    pub object: RecordKind,
    /// Vitally's id.
    pub id: RecordId,
    /// The id of the customer's own system; records made inside Vitally have none.
    pub external_id: Option<String>,
    /// When it was made.
    pub created_at: SimulatorTime,
    /// When it was last written.
    pub updated_at: SimulatorTime,
    /// Its name.
    pub name: Option<String>,
    /// User: e-mail address.
    pub email: Option<String>,
    /// User: URL of a picture.
    pub avatar: Option<String>,
    /// User: ISO 8601 text, as it was sent.
    pub join_date: Option<String>,
    /// User: since when the user takes no conversations.
    pub unsubscribed_at: Option<SimulatorTime>,
    /// Traits by key.
    pub traits: Map<String, Value>,
    /// Account: its organization.
    pub organization: Option<RecordId>,
    /// User: linked accounts.
    pub accounts: BTreeSet<RecordId>,
    /// User: linked organizations.
    pub organizations: BTreeSet<RecordId>,
    /// User: marked as deleted, and gone from then on.
    pub delete_on: Option<SimulatorTime>,
    /// User: the account of the last Analytics message about the user.
    pub last_account: Option<RecordId>,
    /// Whether its events are collected.
    pub lifecycle: LifecycleStage,
    /// The timestamp of the Analytics message that last wrote a member, where `stale_timestamp=newest`.
    pub(crate) stamps: BTreeMap<String, SimulatorTime>,
}

impl StoredRecord {
    /// A record with nothing but an id and the time of its making.
    pub(crate) fn new(object: RecordKind, id: RecordId, created_at: SimulatorTime) -> Self {
        Self {
            object,
            id,
            external_id: None,
            created_at,
            updated_at: created_at,
            name: None,
            email: None,
            avatar: None,
            join_date: None,
            unsubscribed_at: None,
            traits: Map::new(),
            organization: None,
            accounts: BTreeSet::new(),
            organizations: BTreeSet::new(),
            delete_on: None,
            last_account: None,
            lifecycle: LifecycleStage::Active,
            stamps: BTreeMap::new(),
        }
    }

    /// Whether an account's `churnedAt` trait is set: lists leave such accounts out unless asked.
    pub fn is_churned(&self) -> bool {
        self.traits.get("churnedAt").is_some_and(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_a_vitally_id() {
        assert!(RecordId::parse("00000000-0000-4000-8000-00000000002A").is_some());
        assert!(RecordId::parse("000000000000400080000000000000000042").is_none());
        assert!(RecordId::parse("00000000000040008000000000000042").is_none());
        assert!(RecordId::parse("acme").is_none());
    }

    #[test]
    fn told_ids_are_uuids_of_version_4() {
        assert_eq!(RecordId::nth(255).to_string(), "00000000-0000-4000-8000-0000000000ff");
    }
}
