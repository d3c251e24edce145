//! Listings as documents.

use coho_core::memory::Verb;
use serde_json::{Value as Json, json};

use super::plan::{counts, differences};
use super::{VERSION, moment, object};
use crate::line::{RowLine, RunLine};

/// What `coho runs --json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "runs": [{
///     "run": "0193…", "sync": "accounts", "started": "2026-11-24T09:00:00.000Z", "millis": 420,
///     "status": "completed", "counts": { "read": 91, "…": "as in `plan`" }, "calls": 3
///   }]
/// }
/// ```
///
/// `millis` is left out where the run has not ended.
pub fn runs(lines: &[RunLine]) -> Json {
    let lines = lines.iter().map(|line| {
        object([
            ("run", Some(line.run.as_str().into())),
            ("sync", Some(line.sync.as_str().into())),
            ("started", Some(moment(line.started))),
            ("millis", line.millis.map(Json::from)),
            ("status", Some(line.status.as_str().into())),
            ("counts", Some(counts(&line.counts))),
            ("calls", Some(line.calls.into())),
        ])
    });
    json!({ "version": VERSION, "runs": lines.collect::<Vec<_>>() })
}

/// What `coho rows --as json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "rows": [{
///     "key": "7", "fate": "rejected", "verb": "write", "code": "refused", "message": "…",
///     "run": "0193…", "at": "2026-11-24T09:00:00.000Z",
///     "differences": [{ "field": "traits.seats", "before": 40, "after": 45 }]
///   }]
/// }
/// ```
///
/// `verb` is left out where nothing was to be done, `code` and `message` where there is none.
pub fn rows(lines: &[RowLine]) -> Json {
    let lines = lines.iter().map(|line| {
        let verb = line.verb.map(|verb| match verb {
            Verb::Write => "write",
            Verb::Remove => "remove",
        });
        let known = |text: &str| (!text.is_empty()).then(|| text.into());
        object([
            ("key", Some(line.key.as_str().into())),
            ("fate", Some(line.fate.as_str().into())),
            ("verb", verb.map(Json::from)),
            ("code", known(&line.code)),
            ("message", known(&line.message)),
            ("run", Some(line.run.as_str().into())),
            ("at", Some(moment(line.at))),
            ("differences", Some(differences(&line.differences))),
        ])
    });
    json!({ "version": VERSION, "rows": lines.collect::<Vec<_>>() })
}
