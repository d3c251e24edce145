//! Listings as documents.

use coho_core::json::Json;
use coho_core::row_state::Verb;
use serde_json::json;

use super::plan::{counts, differences};
use super::start::start;
use super::{VERSION, moment, object};
use crate::line::{RowLine, RunLine};

/// What `coho runs --json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "runs": [{
///     "run": "0193…", "sync": "accounts", "started": "2026-11-24T09:00:00.000Z", "millis": 420,
///     "status": "completed", "counts": { "read": 91, "…": "as in `plan`" }, "calls": 3,
///     "kept": "all", "kept_until": "2026-12-24T09:00:00.000Z", "failures_kept_until": "2027-02-22T09:00:00.000Z",
///     "full_why": "first-run",
///     "started_by": "command", "user": "deploy", "host": "east", "arguments": "run accounts",
///     "coho_version": "0.1.0", "project_digest": "5f1c…", "git_commit": "c0ffee…", "git_dirty": false
///   }]
/// }
/// ```
///
/// `millis` is left out where the run has not ended, `full_why` where only changed rows were evaluated, and what is not known
/// of the start. `kept` is what is still kept of the run's rows and calls: `all`, `failures` or `counts`, each until a moment
/// that is given, unless the ledger becomes too large before.
pub fn runs(lines: &[RunLine]) -> Json {
    let lines = lines.iter().map(|line| {
        let mut document = object([
            ("run", Some(line.run.as_str().into())),
            ("sync", Some(line.sync.as_str().into())),
            ("started", Some(moment(line.started))),
            ("millis", line.millis.map(Json::from)),
            ("status", Some(line.status.as_str().into())),
            ("counts", Some(counts(&line.counts))),
            ("calls", Some(line.calls.into())),
            ("kept", Some(line.kept.into())),
            ("kept_until", line.kept_until.map(moment)),
            ("failures_kept_until", line.failures_until.map(moment)),
            ("full_why", line.full_why.map(|why| why.as_str().into())),
        ]);
        if let (Json::Object(members), Json::Object(start)) = (&mut document, object(start(&line.start))) {
            members.extend(start);
        }
        document
    });
    json!({ "version": VERSION, "runs": lines.collect::<Vec<_>>() })
}

/// What `coho rows --as json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "rows": [{
///     "key": "7", "status": "rejected", "verb": "write", "code": "refused", "message": "…",
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
            ("status", Some(line.status.as_str().into())),
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
