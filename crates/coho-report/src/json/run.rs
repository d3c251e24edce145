//! A run's end as a document.

use coho_core::json::Json;
use coho_core::plan::{SyncStatus, SyncSummary};
use serde_json::json;

use super::plan::{counts, guards, problems};
use super::{VERSION, object, problem};
use crate::exit;

/// The summaries of the syncs of a run:
///
/// ```json
/// {
///   "version": 1,
///   "exit_code": 5,
///   "syncs": [{
///     "sync": "accounts", "object": "account",
///     "status": "completed-with-errors",
///     "counts": { "read": 91, "absent": 0, "writes": 3, "removals": 0, "statuses": { "delivered": 2, "rejected": 1, "unchanged": 88 } },
///     "problems": [], "guards": [], "notes": [],
///     "calls": 4, "millis": 420
///   }]
/// }
/// ```
///
/// `counts`, `problems` and `guards` are those of [`super::plan()`]. A sync that `failed` has `"errors": [problem, …]`, one
/// that is `halted` has `"halt": { "code": "unauthorized", "message": "…" }`.
pub fn run(summaries: &[SyncSummary]) -> Json {
    json!({
        "version": VERSION,
        "exit_code": exit::code(summaries),
        "syncs": summaries.iter().map(sync).collect::<Vec<_>>(),
    })
}

pub(super) fn sync(summary: &SyncSummary) -> Json {
    let errors = if let SyncStatus::Failed(problems) = &summary.status {
        Some(problems.iter().map(problem::members).collect())
    } else {
        None
    };
    let halt = if let SyncStatus::Halted { code, message, .. } = &summary.status {
        Some(json!({ "code": code.as_str(), "message": message }))
    } else {
        None
    };
    object([
        ("sync", Some(summary.sync.as_str().into())),
        ("object", Some(summary.object.name().into())),
        ("status", Some(summary.status.name().into())),
        ("errors", errors),
        ("halt", halt),
        ("counts", Some(counts(&summary.counts))),
        ("problems", Some(problems(&summary.problems))),
        ("guards", Some(guards(&summary.guards))),
        ("notes", Some(summary.notes.clone().into())),
        ("calls", Some(summary.calls.into())),
        ("millis", Some(summary.millis.into())),
    ])
}
