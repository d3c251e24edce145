//! Alerts as documents.

use coho_core::json::Json;

use serde_json::json;

use super::{VERSION, moment, object};
use crate::line::{AlertLine, AlertsLines, FailingLine, MuteLine, TriedLine};

/// What `coho alerts --json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "alerts": [{
///     "subject": "sync vitally/accounts", "trigger": "rejected", "level": "warning",
///     "since": "2026-11-24T09:00:00.000Z", "what": "…", "remedy": "…", "run": "0193…", "told": ["ops"], "to_tell": []
///   }],
///   "mutes": [{ "sync": "users", "until": "2026-11-24T13:00:00.000Z", "why": "…" }],
///   "failing": [{ "recipient": "ops", "since": "…", "waiting": 1, "due": "…", "error": "it answered 500" }],
///   "waiting": 1
/// }
/// ```
///
/// `muted_until` of an alert is there while nobody is told of it; `to_tell` names those whose messages wait to be sent; `due` is left out where the last message was given up.
pub fn alerts(lines: &AlertsLines) -> Json {
    json!({
        "version": VERSION,
        "alerts": lines.open.iter().map(alert).collect::<Vec<_>>(),
        "mutes": lines.mutes.iter().map(mute).collect::<Vec<_>>(),
        "failing": lines.failing.iter().map(failing).collect::<Vec<_>>(),
        "waiting": lines.waiting,
    })
}

fn alert(line: &AlertLine) -> Json {
    object([
        ("subject", Some(line.subject.to_string().into())),
        ("trigger", Some(line.trigger.as_str().into())),
        ("level", Some(line.level.as_str().into())),
        ("since", Some(moment(line.since))),
        ("what", Some(line.what.as_str().into())),
        ("remedy", line.remedy.as_deref().map(Json::from)),
        ("run", line.run.as_deref().map(Json::from)),
        ("muted_until", line.muted_until.map(moment)),
        ("told", Some(line.told.clone().into())),
        ("to_tell", Some(line.to_tell.clone().into())),
    ])
}

fn mute(line: &MuteLine) -> Json {
    json!({ "sync": line.sync.as_str(), "until": moment(line.until), "why": line.why })
}

fn failing(line: &FailingLine) -> Json {
    object([
        ("recipient", Some(line.recipient.as_str().into())),
        ("since", Some(moment(line.since))),
        ("waiting", Some(line.waiting.into())),
        ("due", line.due.map(moment)),
        ("error", Some(line.error.as_str().into())),
    ])
}

/// What `coho alerts test --json` gives; `error` is left out where the message was taken:
///
/// ```json
/// { "version": 1, "channels": [{ "recipient": "ops", "type": "slack", "error": "it answered 404" }] }
/// ```
pub fn tried(lines: &[TriedLine]) -> Json {
    let channel = |line: &TriedLine| {
        object([
            ("recipient", Some(line.recipient.as_str().into())),
            ("type", Some(line.kind.as_str().into())),
            ("error", line.error.as_deref().map(Json::from)),
        ])
    };
    json!({ "version": VERSION, "channels": lines.iter().map(channel).collect::<Vec<_>>() })
}
