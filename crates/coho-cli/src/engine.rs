//! The rim of the engine: the real clock, random ids, and the machine's name.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use coho_engine::context::{Engine, Setup};
use coho_engine::lineage::LineageTarget;
use coho_ledger::lease::Holder;
use coho_project::Project;

use crate::project::Loaded;

/// An engine for a loaded project.
pub(crate) fn of(loaded: &Loaded) -> Engine<'_> {
    Engine::new(setup(&loaded.project, &loaded.root))
}

/// What an engine is made with.
pub(crate) fn setup<'p>(project: &'p Project, root: &Path) -> Setup<'p> {
    Setup {
        project,
        root: root.to_owned(),
        temporary: std::env::temp_dir(),
        clock: Arc::new(Utc::now),
        holder: holder(),
        run_id: Arc::new(|| uuid::Uuid::now_v7().to_string()),
        lineage: lineage(&|name| std::env::var(name).ok().filter(|value| !value.is_empty())),
    }
}

/// Where events of lineage go: the variables are those of OpenLineage's own clients.
fn lineage(variable: &dyn Fn(&str) -> Option<String>) -> Option<LineageTarget> {
    let url = variable("OPENLINEAGE_URL")?;
    if variable("OPENLINEAGE_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let endpoint = variable("OPENLINEAGE_ENDPOINT").unwrap_or_else(|| "api/v1/lineage".to_owned());
    Some(LineageTarget {
        url: format!("{}/{}", url.trim_end_matches('/'), endpoint.trim_start_matches('/')),
        api_key: variable("OPENLINEAGE_API_KEY").map(Into::into),
        namespace: variable("OPENLINEAGE_NAMESPACE").unwrap_or_else(|| "coho".to_owned()),
    })
}

/// This process, as others see it that wait for the ledger.
pub(crate) fn holder() -> Holder {
    Holder { id: uuid::Uuid::new_v4().to_string(), pid: std::process::id(), host: host() }
}

/// The machine's name, as far as it is told.
pub(crate) fn host() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    std::env::var("HOSTNAME").ok().or_else(from_file).unwrap_or_else(|| "this machine".to_owned())
}
