//! Messages of Dagster Pipes, protocol 0.1: what a process that Dagster started tells it
//! (<https://docs.dagster.io/guides/build/external-pipelines/dagster-pipes-details-and-customization>, read 2026-11-27).

use coho_core::json::Json;
use coho_core::lifecycle::Lifecycle;
use coho_core::plan::SyncSummary;
use coho_core::verdict::RowStatus;
use serde_json::{Map, json};

/// The version of the protocol.
const PROTOCOL: &str = "0.1";

/// How much a line of a log weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipesLevel {
    /// All is well.
    Info,
    /// Some rows did not get through.
    Warning,
    /// A sync did not come to its end.
    Error,
}

/// The first message.
pub fn pipes_opened() -> Json {
    message("opened", &json!({}))
}

/// A line of a log.
pub fn pipes_log(level: PipesLevel, text: &str) -> Json {
    let level = match level {
        PipesLevel::Info => "INFO",
        PipesLevel::Warning => "WARNING",
        PipesLevel::Error => "ERROR",
    };
    message("log", &json!({ "message": text, "level": level }))
}

/// That a sync, or several that are one asset, was carried out: its counts, all of its statuses among them.
pub fn pipes_materialization(asset: &str, run: &str, summaries: &[&SyncSummary]) -> Json {
    let sum = |of: &dyn Fn(&SyncSummary) -> u64| summaries.iter().map(|summary| of(summary)).sum::<u64>();
    let mut metadata = Map::new();
    let mut put = |name: &str, kind: &str, value: Json| {
        metadata.insert(name.to_owned(), json!({ "raw_value": value, "type": kind }));
    };
    put("coho/run", "text", run.into());
    put("coho/rows_read", "int", sum(&|summary| summary.counts.read).into());
    for status in RowStatus::ALL {
        let count = sum(&|summary| summary.counts.status(status));
        if count > 0 {
            put(&format!("coho/{status}"), "int", count.into());
        }
    }
    put("coho/calls", "int", sum(&|summary| summary.calls).into());
    put("coho/millis", "int", sum(&|summary| summary.millis).into());
    let statuses = summaries.iter().map(|summary| summary.status.name()).collect::<Vec<_>>().join(", ");
    put("coho/status", "text", statuses.into());
    let params = json!({ "asset_key": asset, "data_version": null, "metadata": metadata });
    message("report_asset_materialization", &params)
}

/// The last message, with the reason where the run did not come to its end: a stable code and a sentence.
pub fn pipes_closed(exception: Option<(&str, &str)>) -> Json {
    let params = match exception {
        None => json!({}),
        Some((code, text)) => json!({
            "exception": { "message": text, "stack": [], "name": code, "cause": null, "context": null },
        }),
    };
    message("closed", &params)
}

/// The syncs that are an asset: those of its name, or all where it is the only one. An asset is materialized by syncs that came
/// to their end.
pub fn pipes_syncs_of<'a>(
    asset: &str,
    is_only: bool,
    summaries: &'a [SyncSummary],
) -> Option<Vec<&'a SyncSummary>> {
    let name = asset.rsplit('/').next().unwrap_or(asset);
    let named: Vec<_> = summaries.iter().filter(|summary| summary.sync.as_str() == name).collect();
    let syncs = if named.is_empty() && is_only { summaries.iter().collect() } else { named };
    let is_done = |summary: &&SyncSummary| Lifecycle::of(&summary.status) == Lifecycle::Completed;
    (!syncs.is_empty() && syncs.iter().all(is_done)).then_some(syncs)
}

fn message(method: &str, params: &Json) -> Json {
    json!({ "__dagster_pipes_version": PROTOCOL, "method": method, "params": params })
}
