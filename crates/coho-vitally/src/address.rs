//! Addresses: the paths of Vitally's resources, and what is known of the ids that they take.
//!
//! Vitally documents that `/:id` takes its own id or an external id
//! (<https://docs.vitally.io/en/articles/9880654-rest-api-accounts>, read 2026-11-24). Where a route turns out to take
//! only Vitally's, [`Paths`] remembers it.

use std::fmt::Write as _;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};

/// The prefix of all of Vitally's REST paths.
const RESOURCES: &str = "/resources/";

/// The most records of one page; Vitally's maximum.
const PAGE: u32 = 100;

/// Where one record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// By Vitally's id.
    Id(Object, VitallyId),
    /// By its external id.
    External(Object, ExternalId),
}

impl Address {
    /// The path, percent-encoded.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Id(object, id) => format!("{}/{}", all(*object), encode(id.as_str())),
            Self::External(object, id) => format!("{}/{}", all(*object), encode(id.as_str())),
        }
    }
}

/// The path of all records of an object.
pub(crate) fn all(object: Object) -> String {
    format!("{RESOURCES}{}", object.plural())
}

/// The search of users by one of their members.
pub(crate) fn search(member: &str, value: &str) -> String {
    format!("{RESOURCES}users/search?{member}={}", encode(value))
}

/// The definitions of an object's custom traits.
pub(crate) fn custom_fields(object: Object) -> String {
    format!("{RESOURCES}customFields?model={}", object.plural())
}

/// A page of a list, from a cursor on. Lists are read by `createdAt`, the documented cure for rows that change while one pages.
/// Accounts that churned are hidden unless they are asked for.
pub(crate) fn page(object: Object, from: Option<&str>) -> String {
    let mut path = format!("{}?limit={PAGE}&sortBy=createdAt", all(object));
    if object == Object::Account {
        path.push_str("&status=activeOrChurned");
    }
    if let Some(cursor) = from {
        path.push_str("&from=");
        path.push_str(&encode(cursor));
    }
    path
}

/// Percent-encodes a whole segment: all but letters, digits and `-._~`.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// Whether an id has characters that servers between us and Vitally may read as part of an address.
pub(crate) fn is_odd(id: &ExternalId) -> bool {
    encode(id.as_str()) != id.as_str()
}

/// What is known of the ids that the routes of each object take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    organizations: RouteIds,
    accounts: RouteIds,
    users: RouteIds,
}

/// Which ids a route takes. What stands further down is surer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteIds {
    /// Vitally's and external ids, as is documented; nothing has shown it yet.
    #[default]
    Both,
    /// The same, and an external id did lead to its record: where one leads nowhere, there is none.
    BothShown,
    /// Only Vitally's.
    VitallysOnly,
}

impl Paths {
    /// Which ids the routes of this object take.
    pub fn of(self, object: Object) -> RouteIds {
        match object {
            Object::Organization => self.organizations,
            Object::Account => self.accounts,
            Object::User => self.users,
            // Nothing finds an event.
            Object::Event => RouteIds::VitallysOnly,
        }
    }

    /// The same, with the routes of this object taking only Vitally's ids.
    #[must_use]
    pub fn only_vitallys(mut self, object: Object) -> Self {
        self.learn(object, RouteIds::VitallysOnly);
        self
    }

    /// The same, with all that others learned too.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        for object in Object::RECORDS {
            self.learn(object, other.of(object));
        }
        self
    }

    /// Notes which ids the routes of this object take, unless something surer is known.
    pub(crate) fn learn(&mut self, object: Object, ids: RouteIds) {
        let known = match object {
            Object::Organization => &mut self.organizations,
            Object::Account => &mut self.accounts,
            Object::User => &mut self.users,
            Object::Event => return,
        };
        *known = ids.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external(id: &str) -> String {
        Address::External(Object::Account, ExternalId::parse(id).unwrap()).path()
    }

    #[test]
    fn the_whole_external_id_is_one_segment() {
        assert_eq!(external("a/b?c#d%e f"), "/resources/accounts/a%2Fb%3Fc%23d%25e%20f");
        assert_eq!(external("ä"), "/resources/accounts/%C3%A4");
        assert_eq!(external("A-z_0.9~"), "/resources/accounts/A-z_0.9~");
    }

    #[test]
    fn a_plus_in_a_search_is_encoded() {
        assert_eq!(search("externalId", "a+b"), "/resources/users/search?externalId=a%2Bb");
        assert_eq!(search("email", "ada+test@acme.io"), "/resources/users/search?email=ada%2Btest%40acme.io");
    }

    #[test]
    fn churned_accounts_are_listed_too() {
        let path = page(Object::Account, Some("c="));
        assert_eq!(path, "/resources/accounts?limit=100&sortBy=createdAt&status=activeOrChurned&from=c%3D");
        assert_eq!(page(Object::Organization, None), "/resources/organizations?limit=100&sortBy=createdAt");
    }

    #[test]
    fn what_one_exchange_learned_all_know() {
        let (ours, theirs) =
            (Paths::default().only_vitallys(Object::User), Paths::default().only_vitallys(Object::Account));
        let joined = ours.joined(theirs);
        assert_eq!(
            (joined.of(Object::User), joined.of(Object::Account)),
            (RouteIds::VitallysOnly, RouteIds::VitallysOnly)
        );
        assert_eq!(joined.of(Object::Organization), RouteIds::Both);
    }

    #[test]
    fn only_the_hyphenated_form_is_a_uuid() {
        assert!(VitallyId::is_formed("00000000-0000-4000-8000-00000000002A"));
        assert!(!VitallyId::is_formed("00000000000040008000000000000042"));
        assert!(!VitallyId::is_formed("00000000-0000-4000-8000-00000000002g"));
    }
}
