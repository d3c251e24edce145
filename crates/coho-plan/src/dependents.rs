//! Dependents: users that would be deleted with the last account or organization that they are linked to.
//!
//! Vitally deletes a user with its last link (vitally-rest, "Deletes"). A user that a sync holds must not go that way.

use std::collections::{BTreeSet, HashMap};

use coho_core::operation::Operation;
use coho_ledger::identity::{Link, link_by_id};
use coho_ledger::{Ledger, LedgerError};

/// The links that the users of a workspace have left.
#[derive(Debug, Default)]
pub struct Dependents {
    /// How many links each has.
    left: Vec<usize>,
    /// Who is linked to a record.
    linked: HashMap<Link, Vec<usize>>,
}

/// Whether a record can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removable {
    /// No user goes with it.
    Yes,
    /// It is the last link of some user.
    TakesUsersAlong,
}

impl Dependents {
    /// The links of the users that the syncs of a workspace hold now.
    pub fn of(ledger: &Ledger, workspace: &str) -> Result<Self, LedgerError> {
        Ok(Self::new(ledger.links_of_users(workspace)?))
    }

    fn new(users: BTreeSet<BTreeSet<Link>>) -> Self {
        let mut dependents = Self::default();
        for (user, links) in users.into_iter().enumerate() {
            dependents.left.push(links.len());
            for link in links {
                dependents.linked.entry(link).or_default().push(user);
            }
        }
        dependents
    }

    /// Whether a record can be removed; if so, it counts as removed from now on. Users may be linked to it by its external id,
    /// or by Vitally's.
    pub fn remove(&mut self, operation: &Operation) -> Removable {
        let by_id = operation.known.id().map(|id| link_by_id(operation.object, id));
        let names = by_id.into_iter().chain([(operation.object, operation.target.as_str().to_owned())]);
        let mut removable = names.map(|link| self.remove_link(&link));
        removable.find(|removable| *removable == Removable::TakesUsersAlong).unwrap_or(Removable::Yes)
    }

    fn remove_link(&mut self, link: &Link) -> Removable {
        let Some(users) = self.linked.get(link) else { return Removable::Yes };
        if users.iter().any(|user| self.left.get(*user).is_some_and(|left| *left <= 1)) {
            return Removable::TakesUsersAlong;
        }
        for user in users {
            if let Some(left) = self.left.get_mut(*user) {
                *left -= 1;
            }
        }
        self.linked.remove(link);
        Removable::Yes
    }
}

#[cfg(test)]
mod tests {
    use coho_core::object::Object;

    use super::*;

    fn account(id: &str) -> Link {
        (Object::Account, id.to_owned())
    }

    #[test]
    fn the_last_link_of_a_user_stays() {
        let user = BTreeSet::from([account("a"), account("b"), (Object::Organization, "a".to_owned())]);
        let mut dependents = Dependents::new(BTreeSet::from([user]));
        assert_eq!(dependents.remove_link(&account("nobody's")), Removable::Yes);
        assert_eq!(dependents.remove_link(&account("a")), Removable::Yes);
        assert_eq!(dependents.remove_link(&(Object::Organization, "a".to_owned())), Removable::Yes);
        assert_eq!(dependents.remove_link(&account("b")), Removable::TakesUsersAlong);
    }
}
