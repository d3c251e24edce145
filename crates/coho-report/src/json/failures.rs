//! Failures by cause, as a document.

use coho_core::code::Code;
use coho_core::json::Json;
use coho_core::key::Key;
use serde_json::{Map, json};

use super::{VERSION, moment, object};
use crate::line::FailureLine;

/// What `coho runs RUN --failures --json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "failures": [{
///     "sync": "accounts", "code": "refused", "cause": "seats: # is more than #", "count": 400,
///     "statuses": { "rejected": 400 }, "examples": ["1", "2", "3"], "message": "seats: 100 is more than 50",
///     "first": "2026-11-24T09:00:00.000Z", "came_back": false, "help": "read Vitally's text; mend the row or the mapping"
///   }]
/// }
/// ```
///
/// `healed` is there where no row waits with the cause any more: since when. `code`, `cause`, `message` and `help` are left out
/// where there is none.
pub fn failures(lines: &[FailureLine]) -> Json {
    let lines: Vec<_> = lines.iter().map(line).collect();
    json!({ "version": VERSION, "failures": lines })
}

fn line(line: &FailureLine) -> Json {
    let statuses: Map<_, _> =
        line.statuses.iter().map(|(status, count)| (status.as_str().to_owned(), (*count).into())).collect();
    let text = |text: &str| (!text.is_empty()).then(|| Json::from(text));
    let entry = line.cause.code.and_then(Code::entry);
    object([
        ("sync", Some(line.sync.as_str().into())),
        ("code", line.cause.code.map(|code| code.as_str().into())),
        ("cause", text(&line.cause.message)),
        ("count", Some(line.count.into())),
        ("statuses", Some(statuses.into())),
        ("examples", Some(line.examples.iter().map(Key::as_str).collect::<Vec<_>>().into())),
        ("message", line.message.as_deref().and_then(text)),
        ("first", Some(moment(line.first))),
        ("healed", line.healed.map(moment)),
        ("came_back", Some(line.came_back.into())),
        ("help", entry.map(|entry| entry.help().into())),
    ])
}
