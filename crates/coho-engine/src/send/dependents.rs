//! Dependents: users that would be deleted with the last account or organization that they are linked to.
//!
//! Vitally deletes a user with its last link (vitally-rest, "Deletes"). A user that a sync holds must not go that way.

use std::collections::{BTreeSet, HashMap};

use coho_core::object::Object;
use coho_ledger::identity::Link;

/// The links that the users of a workspace have left.
#[derive(Debug, Default)]
pub(crate) struct Dependents {
    /// How many links each has.
    left: Vec<usize>,
    /// Who is linked to a record.
    linked: HashMap<Link, Vec<usize>>,
}

/// Whether a record can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removable {
    /// No user goes with it.
    Yes,
    /// It is the last link of some user.
    TakesUsersAlong,
}

impl Dependents {
    pub(crate) fn new(users: BTreeSet<BTreeSet<Link>>) -> Self {
        let mut dependents = Self::default();
        for (user, links) in users.into_iter().enumerate() {
            dependents.left.push(links.len());
            for link in links {
                dependents.linked.entry(link).or_default().push(user);
            }
        }
        dependents
    }

    /// Whether a record can be removed; if so, it counts as removed from now on.
    pub(crate) fn remove(&mut self, object: Object, target: &str) -> Removable {
        let link = (object, target.to_owned());
        let Some(users) = self.linked.get(&link) else { return Removable::Yes };
        if users.iter().any(|user| self.left.get(*user).is_some_and(|left| *left <= 1)) {
            return Removable::TakesUsersAlong;
        }
        for user in users {
            if let Some(left) = self.left.get_mut(*user) {
                *left -= 1;
            }
        }
        self.linked.remove(&link);
        Removable::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str) -> Link {
        (Object::Account, id.to_owned())
    }

    #[test]
    fn the_last_link_of_a_user_stays() {
        let user = BTreeSet::from([account("a"), account("b"), (Object::Organization, "a".to_owned())]);
        let mut dependents = Dependents::new(BTreeSet::from([user]));
        assert_eq!(dependents.remove(Object::Account, "nobody's"), Removable::Yes);
        assert_eq!(dependents.remove(Object::Account, "a"), Removable::Yes);
        assert_eq!(dependents.remove(Object::Organization, "a"), Removable::Yes);
        assert_eq!(dependents.remove(Object::Account, "b"), Removable::TakesUsersAlong);
    }
}
