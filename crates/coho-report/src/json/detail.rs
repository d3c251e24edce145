//! One run in more detail, as a document.

use coho_core::json::Json;

use serde_json::Map;

use super::listing::runs;
use super::{moment, object};
use crate::line::{RunDetail, RunLine, StageLine};

/// What `coho runs RUN --json` gives: what [`runs`] gives, and beside it the stages and the waits of each sync:
///
/// ```json
/// {
///   "version": 1,
///   "runs": [{ "…": "as in `runs`" }],
///   "details": [{
///     "sync": "accounts",
///     "stages": [{ "stage": "send", "phase": "fresh", "began": "2026-11-24T09:00:00.000Z", "millis": 310, "rows": 91 }],
///     "repeated": 1, "waited_millis": { "backoff": 512 }
///   }]
/// }
/// ```
pub fn run_detail(lines: &[RunLine], details: &[RunDetail]) -> Json {
    let mut document = runs(lines);
    document["details"] = details.iter().map(detail).collect();
    document
}

fn detail(detail: &RunDetail) -> Json {
    let millis = |wait: &std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let waits: Map<_, _> =
        detail.waits.iter().map(|(why, wait)| (why.as_str().to_owned(), millis(wait).into())).collect();
    object([
        ("sync", Some(detail.sync.as_str().into())),
        ("stages", Some(detail.stages.iter().map(stage).collect())),
        ("repeated", Some(detail.repeated.into())),
        ("waited_millis", Some(waits.into())),
    ])
}

fn stage(line: &StageLine) -> Json {
    object([
        ("stage", Some(line.stage.as_str().into())),
        ("phase", line.phase.as_deref().map(Json::from)),
        ("began", Some(moment(line.began))),
        ("millis", line.millis.map(Json::from)),
        ("rows", line.rows.map(Json::from)),
    ])
}
