//! What the caller knows of ids: the records that operations refer to, and those that they write.

use std::collections::BTreeMap;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};

/// Vitally's ids of records, by their external ids.
///
/// ```
/// use coho_core::object::Object;
/// use coho_core::target::{ExternalId, VitallyId};
/// use coho_vitally::resolved::Resolved;
///
/// let acme = ExternalId::parse("acme")?;
/// let mut resolved = Resolved::new();
/// resolved.insert(Object::Account, acme.clone(), VitallyId::new("0b5c"));
/// assert_eq!(resolved.get(Object::Account, &acme), Some(&VitallyId::new("0b5c")));
/// # Ok::<(), coho_core::target::ExternalIdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved(BTreeMap<(Object, ExternalId), VitallyId>);

impl Resolved {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    pub fn insert(&mut self, object: Object, external_id: ExternalId, id: VitallyId) {
        self.0.insert((object, external_id), id);
    }

    /// The id of a record.
    pub fn get(&self, object: Object, external_id: &ExternalId) -> Option<&VitallyId> {
        self.0.get(&(object, external_id.clone()))
    }
}

impl FromIterator<((Object, ExternalId), VitallyId)> for Resolved {
    fn from_iter<I: IntoIterator<Item = ((Object, ExternalId), VitallyId)>>(records: I) -> Self {
        Self(records.into_iter().collect())
    }
}
