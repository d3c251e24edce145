//! The JSON of marks: which records are churned or ignored.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::refusal::Refusal;
use crate::record::{LifecycleStage, RecordKind};
use crate::world::World;

/// By external id: `active`, `churned` or `ignored`.
type Marks = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LifecycleForm {
    #[serde(default)]
    organizations: Marks,
    #[serde(default)]
    accounts: Marks,
    #[serde(default)]
    users: Marks,
}

impl LifecycleForm {
    /// Marks all, up to the first that is refused.
    pub(crate) fn mark(self, world: &mut World) -> Result<(), Refusal> {
        mark(world, RecordKind::Organization, self.organizations)?;
        mark(world, RecordKind::Account, self.accounts)?;
        mark(world, RecordKind::User, self.users)?;
        Ok(world.store.flush()?)
    }
}

fn mark(world: &mut World, object: RecordKind, marks: Marks) -> Result<(), Refusal> {
    for (external_id, word) in marks {
        let Some(lifecycle) = LifecycleStage::from_name(&word) else {
            return Err(Refusal::Text { what: "one of active, churned, ignored", text: word });
        };
        if !world.mark(object, &external_id, lifecycle) {
            return Err(Refusal::Text { what: "the external id of a record", text: external_id });
        }
    }
    Ok(())
}
