//! `coho check`: what is wrong, all of it.

use crate::args::Global;
use crate::exit::Exit;
use crate::{engine, print, project};

/// Checks files, and unless it is offline, sources and destinations.
pub(crate) async fn check(global: &Global, offline: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[])?;
    if !offline {
        let problems = engine.check(&syncs).await;
        if !problems.is_empty() {
            return Err(project::report(&problems, &loaded.files, global));
        }
    }
    if global.json {
        print::json(&serde_json::json!({ "version": 1, "kind": "problems", "problems": [] }))?;
        return Ok(Exit::Done);
    }
    let looked_at = if offline { "files" } else { "files, sources, mappings and destinations" };
    let (syncs, models) = (loaded.project.syncs.len(), loaded.project.models.len());
    print::out(&format!("{syncs} syncs of {models} models: {looked_at} are right\n"))?;
    Ok(Exit::Done)
}
