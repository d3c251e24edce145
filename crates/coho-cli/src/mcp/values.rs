//! Answers without values of rows: what is known to be none is kept, by its name, and all else is left out.

use coho_core::json::Json;

use serde_json::Map;

/// Members that hold ids, codes, names of the project, counts and times, and neither values nor texts that may quote one.
const KEPT: [&str; 67] = [
    "absent",
    "api",
    "apis",
    "at",
    "attempt",
    "began",
    "call",
    "calls",
    "change",
    "changes",
    "code",
    "coho_version",
    "columns",
    "count",
    "counts",
    "created",
    "destination",
    "details",
    "differences",
    "examples",
    "exit_code",
    "failures",
    "field",
    "fields",
    "first",
    "firstRun",
    "found",
    "full_why",
    "guards",
    "healed",
    "held",
    "help",
    "key",
    "kept",
    "kept_until",
    "last",
    "least",
    "leastMillis",
    "method",
    "micros",
    "millis",
    "mode",
    "model",
    "most",
    "object",
    "phase",
    "primary_key",
    "problems",
    "read",
    "reason",
    "removals",
    "repeated",
    "rows",
    "run",
    "runs",
    "samples",
    "schedule",
    "stage",
    "stages",
    "started",
    "status",
    "statuses",
    "sync",
    "syncs",
    "verb",
    "version",
    "writes",
];

/// Members whose own members are counts, whatever they are called.
const COUNTS: [&str; 2] = ["statuses", "waited_millis"];

/// The document without values of rows.
pub(super) fn without(document: Json) -> Json {
    match document {
        Json::Object(members) => Json::Object(members.into_iter().filter_map(kept).collect::<Map<_, _>>()),
        Json::Array(items) => items.into_iter().map(without).collect(),
        scalar @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => scalar,
    }
}

fn kept((name, value): (String, Json)) -> Option<(String, Json)> {
    if COUNTS.contains(&name.as_str()) {
        return Some((name, value));
    }
    KEPT.contains(&name.as_str()).then(|| {
        let value = without(value);
        (name, value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_to_be_no_value_is_left_out() {
        let document = json!({
            "rows": [{
                "key": "7", "status": "rejected", "code": "refused", "message": "seats: 100 is more than 50",
                "differences": [{ "field": "traits.seats", "before": 40, "after": 100 }],
            }],
            "calls": [{ "method": "PUT", "path": "/search?email=a@b.test", "request": "{}", "response": "no", "status": 422 }],
            "statuses": { "rejected": 1 },
        });
        let expected = json!({
            "rows": [{ "key": "7", "status": "rejected", "code": "refused", "differences": [{ "field": "traits.seats" }] }],
            "calls": [{ "method": "PUT", "status": 422 }],
            "statuses": { "rejected": 1 },
        });
        assert_eq!(without(document), expected);
    }
}
