//! What started a run, as members of a document.

use coho_core::json::Json;
use coho_core::started::{Started, StartedBy};

use super::moment;

/// What started a run; members that are not known are left out.
pub(super) fn start(start: &Started) -> [(&'static str, Option<Json>); 9] {
    [
        ("started_by", start.by.map(StartedBy::as_str).map(Json::from)),
        ("user", start.user.as_deref().map(Json::from)),
        ("host", start.host.as_deref().map(Json::from)),
        ("arguments", start.arguments.as_deref().map(Json::from)),
        ("scheduled", start.scheduled.map(moment)),
        ("coho_version", start.version.as_deref().map(Json::from)),
        ("project_digest", start.project.as_deref().map(Json::from)),
        ("git_commit", start.commit.as_ref().map(|commit| commit.id.as_str().into())),
        ("git_dirty", start.commit.as_ref().map(|commit| commit.is_dirty.into())),
    ]
}
