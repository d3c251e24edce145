//! `coho forget`: forgets on purpose, after asking.

use coho_core::key::Key;
use coho_core::started::Started;
use coho_core::sync::Sync;
use coho_engine::context::{Engine, EngineError};

use crate::args::Global;
use crate::exit::Exit;
use crate::{engine, print, project, started};

/// Forgets a sync's memory, or that of one key.
pub(crate) fn forget(global: &Global, sync: &str, key: Option<&str>, yes: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let what = key.map_or_else(|| format!("all of `{sync}`"), |key| format!("key `{key}` of `{sync}`"));
    if !yes && !print::confirmed(&format!("forget {what}? What was delivered stays in Vitally."))? {
        print::talk("nothing was forgotten");
        return Ok(Exit::Done);
    }
    let key = crate::key::typed(key, &loaded.project, &syncs)?;
    let forgotten = all(&engine, &syncs, key.as_ref(), &started::by_command(&loaded.files, &loaded.root))?;
    if forgotten == 0 {
        print::talk(&format!("the ledger knows nothing about {what}"));
    } else {
        let keys = print::counted(forgotten, "key");
        print::out(&format!("forgot {keys}: their rows are new to the next run\n"))?;
    }
    Ok(Exit::Done)
}

/// Forgets what is remembered of these syncs, or of one key, and remembers who asked. Gives how many keys.
pub(crate) fn all(
    engine: &Engine<'_>,
    syncs: &[&Sync],
    key: Option<&Key>,
    asked: &Started,
) -> Result<u64, EngineError> {
    syncs.iter().map(|sync| engine.forget(sync, key, asked)).sum()
}
