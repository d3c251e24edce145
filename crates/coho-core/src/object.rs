//! The catalog: Vitally's objects, their fields and the rules that a record must keep.
//!
//! This is the only place that knows which fields an account, an organization or a user has. To add a field, add it here,
//! then to the simulator's answers; mapping, sealing and transport read this table. Each object stands in a file of its own.

mod account;
mod event;
mod organization;
mod user;

use std::fmt;
use std::sync::Arc;

/// An object of Vitally. The order is the order in which they are sent: what others refer to comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A group of accounts.
    Organization,
    /// A customer.
    Account,
    /// A person at a customer.
    User,
    /// Something that happened once. It is no record: it is never updated, and nothing refers to it.
    Event,
}

impl Object {
    /// All objects, in the order in which they are sent.
    pub const ALL: [Self; 4] = [Self::Organization, Self::Account, Self::User, Self::Event];

    /// The objects that have records, in the order in which they are sent.
    pub const RECORDS: [Self; 3] = [Self::Organization, Self::Account, Self::User];

    /// The name in configuration files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Account => "account",
            Self::User => "user",
            Self::Event => "event",
        }
    }

    /// The name of several.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Organization => "organizations",
            Self::Account => "accounts",
            Self::User => "users",
            Self::Event => "events",
        }
    }

    /// The object of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name() == name)
    }

    /// What is known of it.
    pub fn catalog(self) -> &'static Catalog {
        match self {
            Self::Organization => &organization::CATALOG,
            Self::Account => &account::CATALOG,
            Self::User => &user::CATALOG,
            Self::Event => &event::CATALOG,
        }
    }

    /// `an account`, `a user`: with its article, as messages say it.
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Organization => "an organization",
            Self::Account => "an account",
            Self::User => "a user",
            Self::Event => "an event",
        }
    }

    /// What its custom values are called.
    pub fn bag(self) -> Bag {
        match self {
            Self::Organization | Self::Account | Self::User => Bag::Traits,
            Self::Event => Bag::Properties,
        }
    }

    /// The field of this name that may be mapped.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.catalog().fields.iter().find(|field| field.name == name)
    }

    /// The field of this name that Vitally keeps for itself.
    pub fn read_only(self, name: &str) -> Option<&'static ReadOnly> {
        self.catalog().read_only.iter().find(|field| field.name == name)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What custom values are called, in configuration files and by Vitally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bag {
    /// Of records: they are merged with what is there.
    Traits,
    /// Of events.
    Properties,
}

impl Bag {
    /// The name in configuration files and in Vitally's APIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traits => "traits",
            Self::Properties => "properties",
        }
    }

    /// The path of the custom value with this key.
    pub fn path(self, key: impl Into<Arc<str>>) -> crate::path::FieldPath {
        match self {
            Self::Traits => crate::path::FieldPath::Trait(key.into()),
            Self::Properties => crate::path::FieldPath::Property(key.into()),
        }
    }
}

/// What is known of an object.
#[derive(Debug)]
pub struct Catalog {
    /// The fields that may be mapped, besides the custom values that every object has.
    pub fields: &'static [Field],
    /// The fields that can be read only.
    pub read_only: &'static [ReadOnly],
    /// Fields of which a record needs at least one, and the text for when it has none. Empty: no such rule.
    pub owners: Option<Owners>,
    /// Where Vitally documents it, and the day it was read.
    pub source: Source,
}

/// A field that may be mapped.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in Vitally's API.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// When it must have a value.
    pub required: Required,
    /// When it may be written.
    pub editable: Editable,
    /// Where Vitally documents it, and the day it was read.
    pub source: Source,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A moment; a date stands for its midnight in UTC.
    Timestamp,
    /// One record of another object, by its external id.
    Reference(Object),
    /// Any number of records of another object, by their external ids.
    References(Object),
    /// The external id of one record of another object, which is sent as it is.
    ExternalId(Object),
}

/// `text`, `boolean`, `timestamp`, `organization`, `accounts`: what the field takes, as messages name it.
impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Bool => f.write_str("boolean"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Reference(object) => write!(f, "{object}"),
            Self::References(object) => write!(f, "{object}s"),
            Self::ExternalId(object) => write!(f, "external id of {}", object.with_article()),
        }
    }
}

/// When a field must have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// Never.
    No,
    /// Where the record may have to be created.
    OnCreate,
}

/// When a field may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editable {
    /// At any time.
    Always,
    /// Only when the record is created.
    OnCreate,
}

/// A field that can be read only.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadOnly {
    /// Its name in Vitally's API.
    pub name: &'static str,
    /// What to do in its place, if anything can be done.
    pub hint: Option<&'static str>,
}

/// The rule that a record needs at least one owner.
#[derive(Debug, PartialEq, Eq)]
pub struct Owners {
    /// The fields of which at least one needs a value.
    pub any_of: &'static [&'static str],
    /// The text that users know from Hightouch, word for word.
    pub text: &'static str,
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The page.
    pub page: &'static str,
    /// The day it was read, as `YYYY-MM-DD`.
    pub day: &'static str,
}

/// The external id that every object has: it is given when the record is created, by the sync's `match`.
const fn external_id(source: Source) -> Field {
    let (required, editable) = (Required::OnCreate, Editable::OnCreate);
    Field { name: "externalId", kind: FieldKind::Text, required, editable, source }
}

/// A field that a record cannot be created without.
const fn required(name: &'static str, kind: FieldKind, source: Source) -> Field {
    Field { name, kind, required: Required::OnCreate, editable: Editable::Always, source }
}

/// A field that may be mapped or not.
const fn optional(name: &'static str, kind: FieldKind, source: Source) -> Field {
    Field { name, kind, required: Required::No, editable: Editable::Always, source }
}

/// A field that only Vitally writes.
const fn kept(name: &'static str) -> ReadOnly {
    ReadOnly { name, hint: None }
}

/// A field that mirrors a trait: it is written through `traits`.
const fn mirrored(name: &'static str, hint: &'static str) -> ReadOnly {
    ReadOnly { name, hint: Some(hint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_refer_to_is_sent_first() {
        for object in Object::ALL {
            for field in object.catalog().fields {
                if let FieldKind::Reference(other) | FieldKind::References(other) = field.kind {
                    assert!(other < object, "{object}.{} refers to {other}", field.name);
                }
            }
        }
    }

    #[test]
    fn no_field_is_both_writable_and_read_only() {
        for object in Object::ALL {
            for field in object.catalog().fields {
                assert_eq!(object.read_only(field.name), None, "{object}.{}", field.name);
            }
        }
    }

    #[test]
    fn owners_are_fields() {
        for object in Object::ALL {
            for name in object.catalog().owners.iter().flat_map(|owners| owners.any_of) {
                assert!(object.field(name).is_some(), "{object}.{name}");
            }
        }
    }
}
