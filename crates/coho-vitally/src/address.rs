//! Addresses: the paths of Vitally's resources, and what is known of the ids that they take.
//!
//! Vitally documents that `/:id` takes its own id or an external id
//! (<https://docs.vitally.io/en/articles/9880654-rest-api-accounts>, read 2026-11-24). Where a route turns out to take
//! only Vitally's, [`Paths`] remembers it.

use std::fmt::Write as _;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};

use crate::request::{Answer, Request};
use crate::wire::refusal;

/// The prefix of all of Vitally's REST paths.
pub(crate) const RESOURCES: &str = "/resources/";

/// The most records of one page; Vitally's maximum.
const PAGE: u32 = 100;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// All records of an object.
    All(Object),
    /// One record, by Vitally's id.
    Id(Object, VitallyId),
    /// One record, by its external id.
    External(Object, ExternalId),
    /// The users with an external id.
    Search(ExternalId),
    /// The users with an e-mail address.
    Email(String),
    /// The definitions of an object's custom traits.
    CustomFields(Object),
    /// A page of a list, from a cursor on.
    Page(Object, Option<String>),
}

impl Address {
    /// Path and query, percent-encoded.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::All(object) => format!("{RESOURCES}{}", plural(*object)),
            Self::Id(object, id) => format!("{RESOURCES}{}/{}", plural(*object), encode(id.as_str())),
            Self::External(object, id) => format!("{RESOURCES}{}/{}", plural(*object), encode(id.as_str())),
            Self::Search(id) => format!("{RESOURCES}users/search?externalId={}", encode(id.as_str())),
            Self::Email(address) => format!("{RESOURCES}users/search?email={}", encode(address)),
            Self::CustomFields(object) => format!("{RESOURCES}customFields?model={}", plural(*object)),
            Self::Page(object, from) => page(*object, from.as_deref()),
        }
    }
}

/// Lists are read by `createdAt`, the documented cure for rows that change while one pages. Accounts that churned are
/// hidden unless they are asked for.
fn page(object: Object, from: Option<&str>) -> String {
    let mut path = format!("{RESOURCES}{}?limit={PAGE}&sortBy=createdAt", plural(object));
    if object == Object::Account {
        path.push_str("&status=activeOrChurned");
    }
    if let Some(cursor) = from {
        path.push_str("&from=");
        path.push_str(&encode(cursor));
    }
    path
}

/// The object's name in paths. Events have no resource: exchanges and look-ups of them end before one would be addressed.
pub(crate) fn plural(object: Object) -> &'static str {
    match object {
        Object::Organization => "organizations",
        Object::Account => "accounts",
        Object::User => "users",
        Object::Event => "events",
    }
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

/// Which ids the routes of each object take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    organizations: Ids,
    accounts: Ids,
    users: Ids,
}

/// Which ids a route takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// Vitally's and external ids, as is documented.
    #[default]
    Both,
    /// Only Vitally's.
    VitallysOnly,
}

impl Paths {
    /// Which ids the routes of this object take.
    pub fn of(self, object: Object) -> Ids {
        match object {
            Object::Organization => self.organizations,
            Object::Account => self.accounts,
            Object::User => self.users,
            // Nothing finds an event.
            Object::Event => Ids::VitallysOnly,
        }
    }

    /// The same, with the routes of this object taking only Vitally's ids.
    #[must_use]
    pub fn only_vitallys(mut self, object: Object) -> Self {
        match object {
            Object::Organization => self.organizations = Ids::VitallysOnly,
            Object::Account => self.accounts = Ids::VitallysOnly,
            Object::User => self.users = Ids::VitallysOnly,
            Object::Event => {}
        }
        self
    }

    /// What an answer teaches: a refusal that names UUIDs, to a request with an external id in its path, means that the
    /// route takes only Vitally's ids.
    #[must_use]
    pub fn learn(self, request: &Request, answer: &Answer) -> Self {
        let Answer::Reply(reply) = answer else { return self };
        let named = Object::RECORDS.into_iter().find_map(|object| {
            let rest = request.path.strip_prefix(RESOURCES)?.strip_prefix(plural(object))?;
            Some((object, rest.strip_prefix('/')?))
        });
        match named {
            Some((object, id))
                if !id.contains('?')
                    && !VitallyId::is_formed(id)
                    && refusal::wants_vitallys_id(reply.status, &reply.body) =>
            {
                self.only_vitallys(object)
            }
            Some(_) | None => self,
        }
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
        let path = Address::Search(ExternalId::parse("a+b").unwrap()).path();
        assert_eq!(path, "/resources/users/search?externalId=a%2Bb");
        let path = Address::Email("ada+test@acme.io".to_owned()).path();
        assert_eq!(path, "/resources/users/search?email=ada%2Btest%40acme.io");
    }

    #[test]
    fn churned_accounts_are_listed_too() {
        let path = Address::Page(Object::Account, Some("c=".to_owned())).path();
        assert_eq!(path, "/resources/accounts?limit=100&sortBy=createdAt&status=activeOrChurned&from=c%3D");
        let path = Address::Page(Object::Organization, None).path();
        assert_eq!(path, "/resources/organizations?limit=100&sortBy=createdAt");
    }

    #[test]
    fn only_the_hyphenated_form_is_a_uuid() {
        assert!(VitallyId::is_formed("00000000-0000-4000-8000-00000000002A"));
        assert!(!VitallyId::is_formed("00000000000040008000000000000042"));
        assert!(!VitallyId::is_formed("00000000-0000-4000-8000-00000000002g"));
    }
}
