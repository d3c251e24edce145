//! Which sync of events a sync may have been under another id: what [`coho_plan::repeats`] says of that is told in checks too.

use coho_core::object::Object;
use coho_core::sync::{Sync, SyncId};
use coho_ledger::scope::KnownSync;
pub(crate) use coho_plan::repeats::renamed_sync;
use coho_project::Project;

/// The sync of events that the project has no more, and that this one may be under another id: of the same model, or of one
/// that is gone too.
pub(crate) fn predecessor<'r>(
    project: &Project,
    sync: &Sync,
    remembered: &'r [KnownSync],
) -> Option<&'r SyncId> {
    let known =
        |id: &SyncId| project.syncs.iter().any(|other| other.id == *id || other.renamed_from.contains(id));
    let begins_anew =
        !remembered.iter().any(|one| one.sync == sync.id || sync.renamed_from.contains(&one.sync));
    let fits = |one: &&KnownSync| {
        let model = one.model.as_deref();
        let is_gone = model.is_none_or(|model| project.model(model).is_none());
        one.object == Object::Event && !known(&one.sync) && (is_gone || model == Some(sync.model.as_str()))
    };
    let concerns = sync.object == Object::Event && begins_anew;
    remembered.iter().filter(|_| concerns).find(fits).map(|one| &one.sync)
}
