//! What is compiled to a mapping.

use coho_core::object::Object;
use coho_core::sync::{Associations, FieldSpec, Matching, Sync, SyncId};
use coho_liquid::Filters;

/// What is compiled: the parts of a sync that concern the mapping.
#[derive(Clone, Copy, Debug)]
pub struct Specification<'a> {
    /// Whose mapping it is: events without a column for it have a `messageId` that is made of this and of the row's key.
    pub sync: &'a SyncId,
    /// What rows become.
    pub object: Object,
    /// How a row finds its record.
    pub matching: &'a Matching,
    /// What happens to links that a row does not name.
    pub associations: Associations,
    /// What is mapped.
    pub fields: &'a [FieldSpec],
    /// The filters that its templates may call besides those of the dialect.
    pub filters: Option<&'a Filters>,
}

impl<'a> Specification<'a> {
    /// The parts of this sync.
    pub fn of(sync: &'a Sync) -> Self {
        Self {
            sync: &sync.id,
            object: sync.object,
            matching: &sync.matching,
            associations: sync.associations,
            fields: &sync.fields,
            filters: None,
        }
    }

    /// The same with filters that its templates may call besides those of the dialect.
    #[must_use]
    pub fn filters(mut self, filters: &'a Filters) -> Self {
        self.filters = Some(filters);
        self
    }
}
