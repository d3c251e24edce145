//! `coho check --grants`: the statements that give Coho the rights that its caches need.

use coho_source::cache;

use crate::args::Global;
use crate::exit::Exit;
use crate::{engine, print, project};

/// Prints the statements, for whoever owns the databases. Nothing is run.
pub(crate) fn grants(global: &Global) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let caches = engine.caches().into_iter().filter_map(|(source, connection, schema)| {
        Some((source, connection.kind(), cache::grants(&connection, &schema)?))
    });
    let caches: Vec<_> = caches.collect();
    if global.json {
        let caches: Vec<_> = caches
            .iter()
            .map(|(source, kind, sql)| serde_json::json!({ "source": source, "kind": kind, "sql": sql }))
            .collect();
        print::json(&serde_json::json!({ "grants": caches }))?;
        return Ok(Exit::Done);
    }
    if caches.is_empty() {
        print::out(NONE)?;
    }
    for (source, kind, sql) in caches {
        print::out(&format!("-- source `{source}`: run as an owner of the {kind} database\n{sql}\n"))?;
    }
    Ok(Exit::Done)
}

const NONE: &str = "no source has a `cache`: Coho only needs to read\n";
