//! The JSON Schema of `run_results.json`. It lets members be added, as documents of one version may.

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::plan::SyncStatus;
use coho_core::verdict::RowStatus;
use serde_json::{Map, json};

use crate::json::VERSION;

/// The schema, of draft 2020-12.
pub fn results_schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "run_results.json",
        "description": "How the last run of a project ended. New members may appear without a new version.",
        "type": "object",
        "required": ["version", "project", "purpose", "started_at", "ended_at", "coho_version", "exit_code", "syncs"],
        "properties": {
            "version": { "const": VERSION },
            "run": text("The run's id, as `coho runs` lists it. Left out if no run began."),
            "project": text("The project's name."),
            "target": text("The chosen target. Left out in a project without targets."),
            "purpose": {
                "enum": ["sync", "baseline", "adopt", "resend", "resend-events"],
                "description": "The kind of run: `sync` sends what changed.",
            },
            "started_at": moment("When it began."),
            "ended_at": moment("When it ended."),
            "coho_version": text("The version of Coho."),
            "exit_code": { "type": "integer", "description": "The exit code of `coho run`." },
            "error": {
                "type": "object",
                "description": "The error that ended the run early. Left out if the run reached its end.",
                "required": ["code", "message"],
                "properties": {
                    "code": text("The stable code."),
                    "message": text("What happened."),
                    "help": text("What helps."),
                },
            },
            "syncs": { "type": "array", "items": sync(), "description": "The syncs, in the order in which they ran." },
        },
    })
}

fn sync() -> Json {
    json!({
        "type": "object",
        "required": ["sync", "object", "status", "counts", "problems", "guards", "notes", "calls", "millis"],
        "properties": {
            "sync": text("The sync's id."),
            "object": { "enum": Object::ALL.map(Object::name), "description": "The object that its rows become." },
            "status": { "enum": statuses(), "description": "How it ended." },
            "errors": { "type": "array", "items": problem(), "description": "Why it failed: with `status: failed` only." },
            "halt": {
                "type": "object",
                "description": "Why it halted: with `status: halted` only.",
                "required": ["code", "message"],
                "properties": { "code": text("The stable code."), "message": text("What happened.") },
            },
            "counts": counts(),
            "problems": { "type": "array", "items": problems(), "description": "Problems of rows by code and field." },
            "guards": { "type": "array", "items": guard(), "description": "Guards that held something." },
            "notes": { "type": "array", "items": { "type": "string" }, "description": "Notes for people." },
            "calls": number("Calls that were made, including look-ups and repeats."),
            "millis": number("How long it took, in milliseconds."),
        },
    })
}

fn counts() -> Json {
    let statuses = RowStatus::ALL.map(|status| (status.as_str().to_owned(), number("")));
    json!({
        "type": "object",
        "description": "The rows read and the keys gone are together the sum of the counts by status: each row ends in exactly one status.",
        "required": ["read", "absent", "writes", "removals", "statuses"],
        "properties": {
            "read": number("Rows of the model."),
            "absent": number("Keys that were there before and are gone."),
            "writes": number("Operations that write a record."),
            "removals": number("Operations that remove one."),
            "statuses": {
                "type": "object",
                "description": "Rows and keys by status; counts of 0 are left out.",
                "properties": statuses.into_iter().collect::<Map<_, _>>(),
                "additionalProperties": false,
            },
        },
    })
}

fn problems() -> Json {
    json!({
        "type": "object",
        "required": ["code", "count", "first"],
        "properties": {
            "code": text("The stable code."),
            "field": text("The field of the record, where it is one field's problem."),
            "count": number("How many rows have it."),
            "key": text("The primary key of the first row that has it."),
            "first": problem(),
        },
    })
}

fn problem() -> Json {
    json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": text("The stable code."),
            "message": text("What is wrong."),
            "help": text("What helps."),
            "field": text("The field of the record."),
            "place": {
                "type": "object",
                "description": "Where in the project's files.",
                "required": ["file"],
                "properties": {
                    "file": text("The file."),
                    "line": number("The line, starting at 1."),
                    "column": number("The column, starting at 1."),
                    "length": number("How many characters."),
                },
            },
        },
    })
}

fn guard() -> Json {
    json!({
        "type": "object",
        "required": ["code", "message", "help", "held"],
        "properties": {
            "code": text("Which guard."),
            "message": text("What it saw."),
            "help": text("How to proceed, if this is intended."),
            "held": number("How many operations it holds."),
        },
    })
}

fn statuses() -> Vec<&'static str> {
    let halted =
        SyncStatus::Halted { code: coho_core::code::Code::UNAUTHORIZED, message: String::new(), at: None };
    [
        SyncStatus::Completed,
        SyncStatus::CompletedWithErrors,
        SyncStatus::Held,
        SyncStatus::TimeUp,
        SyncStatus::Failed(Vec::new()),
        halted,
        SyncStatus::Interrupted,
    ]
    .iter()
    .map(SyncStatus::name)
    .collect()
}

fn text(description: &str) -> Json {
    described(json!({ "type": "string" }), description)
}

fn number(description: &str) -> Json {
    described(json!({ "type": "integer", "minimum": 0 }), description)
}

fn moment(description: &str) -> Json {
    described(json!({ "type": "string", "format": "date-time" }), description)
}

fn described(mut schema: Json, description: &str) -> Json {
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    schema
}
