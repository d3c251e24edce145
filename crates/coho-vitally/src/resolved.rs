//! What the caller knows before an exchange: ids of records, what a search found, and whether links can be taken away.

use std::collections::BTreeMap;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;

use crate::wire::record::Record;

/// What the caller knows: Vitally's ids of the records that operations refer to, by their external ids, and more.
///
/// ```
/// use coho_core::object::Object;
/// use coho_core::target::{ExternalId, VitallyId};
/// use coho_vitally::resolved::{Match, Resolved, Unlinking};
///
/// let acme = ExternalId::parse("acme")?;
/// let mut resolved = Resolved::new();
/// resolved.insert(Object::Account, acme.clone(), VitallyId::new("0b5c"));
/// assert_eq!(resolved.get(Object::Account, &acme), Some(&VitallyId::new("0b5c")));
///
/// // The user's address was searched already, and the workspace has a token of the Analytics API.
/// let resolved = resolved.with_match(Match::None).with_unlinking(Unlinking::Possible);
/// # Ok::<(), coho_core::target::ExternalIdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    ids: BTreeMap<(Object, ExternalId), VitallyId>,
    pub(crate) found: Option<Match>,
    pub(crate) unlinking: Unlinking,
    pub(crate) at: Option<Time>,
}

/// What a search by the operation's e-mail address found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Nobody has it.
    None,
    /// One user.
    One(Box<Record>),
    /// Several users.
    Several,
}

/// Whether a user can be taken away from an account: only the Analytics API can, and it has a token of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlinking {
    /// The client has that token.
    Possible,
    /// It has not.
    #[default]
    NoToken,
}

impl Resolved {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    pub fn insert(&mut self, object: Object, external_id: ExternalId, id: VitallyId) {
        self.ids.insert((object, external_id), id);
    }

    /// The id of a record.
    pub fn get(&self, object: Object, external_id: &ExternalId) -> Option<&VitallyId> {
        self.ids.get(&(object, external_id.clone()))
    }

    /// The same, with what a search by the operation's e-mail address found: the exchange does not ask again.
    #[must_use]
    pub fn with_match(mut self, found: Match) -> Self {
        self.found = Some(found);
        self
    }

    /// The same, with whether the client can take users away from accounts. Unless told, it cannot.
    #[must_use]
    pub fn with_unlinking(mut self, unlinking: Unlinking) -> Self {
        self.unlinking = unlinking;
        self
    }

    /// The same, with the time that messages of the Analytics API carry, such as that of the intent. Unless told, it is the
    /// time of the write before them.
    #[must_use]
    pub fn with_time(mut self, at: Time) -> Self {
        self.at = Some(at);
        self
    }
}

impl FromIterator<((Object, ExternalId), VitallyId)> for Resolved {
    fn from_iter<I: IntoIterator<Item = ((Object, ExternalId), VitallyId)>>(records: I) -> Self {
        Self { ids: records.into_iter().collect(), ..Self::default() }
    }
}
