//! `coho forget`: forgets on purpose, after asking.

use coho_core::key::Key;
use coho_core::started::Started;
use coho_core::sync::Sync;
use coho_engine::context::{Engine, EngineError};
use serde_json::json;

use crate::args::Global;
use crate::exit::Exit;
use crate::{engine, print, project, started};

/// Forgets a sync's memory, or that of one key.
pub(crate) fn forget(global: &Global, sync: &str, key: Option<&str>, yes: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let what = key.map_or_else(|| format!("all rows of `{sync}`"), |key| format!("key `{key}` of `{sync}`"));
    if !yes && !print::confirmed(&format!("forget {what}? What was delivered stays in Vitally."))? {
        print::talk("nothing was forgotten");
        return told(global, sync, None, 0);
    }
    let key = crate::key::typed(key, &loaded.project, &syncs)?;
    let forgotten = all(&engine, &syncs, key.as_ref(), &started::by_command(&loaded.files, &loaded.root))?;
    if forgotten == 0 {
        let of = key.as_ref().map(|_| what.clone()).unwrap_or(format!("any row of `{sync}`"));
        print::talk(&format!("the ledger knows nothing about {of}"));
    }
    told(global, sync, key.as_ref(), forgotten)
}

/// How many keys were forgotten, on stdout; in text, only where there were any.
fn told(global: &Global, sync: &str, key: Option<&Key>, forgotten: u64) -> anyhow::Result<Exit> {
    if global.json {
        let key = key.map(Key::row);
        print::json(
            &json!({ "version": 1, "kind": "forget", "sync": sync, "key": key, "forgotten": forgotten }),
        )?;
    } else if forgotten > 0 {
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
