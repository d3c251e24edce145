//! `coho check`: what is wrong, all of it.

use coho_mapping::Mapping;

use crate::args::Global;
use crate::exit::Exit;
use crate::{engine, print, project};

/// Checks files, and unless it is offline, sources and destinations.
pub(crate) async fn check(global: &Global, offline: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[])?;
    let problems = if offline {
        syncs.iter().flat_map(|sync| Mapping::template_problems(&sync.fields)).collect()
    } else {
        engine.check(&syncs).await
    };
    if !problems.is_empty() {
        return Err(project::report(&problems, &loaded.files, global));
    }
    if global.json {
        print::json(&serde_json::json!({ "version": 1, "kind": "problems", "problems": [] }))?;
        return Ok(Exit::Done);
    }
    let looked_at = if offline { "files" } else { "files, sources, mappings and destinations" };
    let syncs = print::counted(loaded.project.syncs.len() as u64, "sync");
    let models = print::counted(loaded.project.models.len() as u64, "model");
    print::out(&format!("{syncs} of {models}: {looked_at} are right\n"))?;
    Ok(Exit::Done)
}
