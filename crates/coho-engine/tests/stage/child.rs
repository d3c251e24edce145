//! A run in a process of its own: the project of a folder, with a clock that stands.

use std::path::Path;
use std::sync::Arc;

use coho_core::event::Silence;
use coho_core::time::Time;
use coho_engine::context::{Engine, Setup};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_project::{File, load};

use super::Failure;

/// Runs all syncs of the project in this folder.
pub(crate) async fn run(folder: &Path, now: i64) -> Result<(), Failure> {
    let mut files = Vec::new();
    for part in ["", "models", "syncs"] {
        for entry in std::fs::read_dir(folder.join(part))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let path = if part.is_empty() { name } else { format!("{part}/{name}") };
            if coho_project::belongs(&path) {
                files.push(File::text(&path, std::fs::read_to_string(folder.join(&path))?));
            }
        }
    }
    let project = load(&files, &|_| None, None).map_err(|problems| format!("{problems:?}"))?;
    let now = Time::from_timestamp_millis(now).unwrap_or_default();
    let engine = Engine::new(Setup {
        project: &project,
        root: folder.to_owned(),
        temporary: folder.to_owned(),
        clock: Arc::new(move || now),
        holder: Holder { id: "child".to_owned(), pid: std::process::id(), host: "here".to_owned() },
        run_id: Arc::new(move || format!("run-of-a-child-at-{}", now.timestamp())),
        lineage: None,
    });
    let syncs = engine.select(&[])?;
    engine.run(&syncs, &Options::default(), &Silence, &Stop::new()).await?;
    Ok(())
}
