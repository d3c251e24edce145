//! What a project says of a sync's model, for whoever makes rows of it.

use coho_core::sync::Sync;
use coho_mapping::cases::Declared;
use coho_project::Project;

/// What the project says of a sync's model.
pub(super) fn declared<'p>(project: &'p Project, sync: &Sync) -> Declared<'p> {
    let key = project.model(&sync.model).map_or(&[][..], |model| &model.key);
    Declared { types: project.declared_types(&sync.model), key, filters: None }
}
