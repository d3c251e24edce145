//! The schemas against the files that [`crate::load`] takes, and against the table of keys.

use std::path::Path;

use coho_core::json::Json;

use serde_json::{Map, json};

use super::{SchemaKind, schema};
use crate::file::{Kind, kind};
use crate::starter;
use crate::yaml::{Content, Meaning, Node, parse};

fn to_json(node: &Node) -> Json {
    match &node.content {
        Content::Scalar(scalar) => match scalar.meaning() {
            Meaning::Null => Json::Null,
            Meaning::Bool(flag) => Json::Bool(flag),
            Meaning::Number(digits) => serde_json::from_str(digits).unwrap_or(Json::Null),
            Meaning::Doubtful(text) | Meaning::Text(text) => Json::String(text.to_owned()),
        },
        Content::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Content::Map(entries) => Json::Object(
            entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect::<Map<_, _>>(),
        ),
        Content::Unresolved => Json::Null,
    }
}

fn schema_kind(path: &str) -> Option<SchemaKind> {
    match kind(path)? {
        Kind::Project => Some(SchemaKind::Project),
        Kind::Model => Some(SchemaKind::Model),
        Kind::Sync => Some(SchemaKind::Sync),
        Kind::Test => Some(SchemaKind::Test),
        Kind::SqlModel | Kind::Workspace | Kind::Snippet => None,
    }
}

/// What the schema says against a file; empty if nothing.
fn complaints(path: &str, text: &str) -> Vec<String> {
    let Some(kind) = schema_kind(path) else { return Vec::new() };
    let mut problems = Vec::new();
    let Some(node) = parse(&path.into(), text, &mut problems) else { return vec![format!("{problems:?}")] };
    match jsonschema::validator_for(&schema(kind)) {
        Ok(validator) => validator
            .iter_errors(&to_json(&node))
            .map(|error| format!("{path} {}: {error}", error.instance_path()))
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// The files of all fixtures in a folder.
fn fixtures(folder: &str) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            let text = format!("\n{}", std::fs::read_to_string(&path)?);
            for part in text.split("\n--- ").skip(1) {
                let (path, content) = part.split_once('\n').unwrap_or((part, ""));
                files.push((path.to_owned(), content.to_owned()));
            }
        }
    }
    Ok(files)
}

#[test]
fn valid_files_are_valid_by_the_schema() {
    let files = fixtures("valid").unwrap();
    assert!(!files.is_empty());
    let starter = starter().iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    for (path, text) in files.into_iter().chain(starter) {
        assert_eq!(complaints(&path, &text), Vec::<String>::new());
    }
}

#[test]
fn the_schema_knows_the_keys_of_the_parser() {
    for kind in SchemaKind::ALL {
        let schema = schema(kind);
        let names: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let keys: Vec<&str> = kind.shape().keys.iter().map(|key| key.name).collect();
        assert_eq!(names, keys);
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[test]
fn an_event_must_say_how_it_begins_and_a_record_how_it_is_found() {
    let sync = schema(SchemaKind::Sync);
    let needed: Vec<(&Json, &Json)> = sync["allOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (&rule["if"]["properties"]["object"]["enum"], &rule["then"]["required"][0]))
        .collect();
    let (records, events) = (json!(["organization", "account", "user"]), json!(["event"]));
    assert_eq!(needed, [(&records, &json!("match")), (&events, &json!("first_run"))]);
}

#[test]
fn what_the_parser_refuses_the_schema_refuses() {
    for (path, text) in [
        ("coho.yaml", "project: a\nsources: {}\ndestinations: {}\nledgr: x\n"),
        ("models/a.yaml", "source: a\nprimary_key: id\n"),
        ("models/a.yaml", "source: a\nprimary_key: id\ntable: t\nheader: true\n"),
        (
            "syncs/a.yaml",
            "id: a\nmodel: m\nobject: account\nmode: replace\nmatch: { externalId: id }\nfields: {}\n",
        ),
        (
            "syncs/a.yaml",
            "id: a\nmodel: m\nobject: account\nmatch: { externalId: id }\nfields: { name: { as: text } }\n",
        ),
        ("syncs/a.yaml", "id: a\nmodel: m\nobject: account\nfields: { name: name }\n"),
        ("syncs/a.yaml", "id: a\nmodel: m\nobject: event\nfields: { event: name, userId: id }\n"),
        (
            "syncs/a.yaml",
            "id: a\nmodel: m\nobject: event\nfields: { event: name, userId: id }\nfirst_run: { after: 2026-01-01 }\n",
        ),
        (
            "syncs/a.yaml",
            "id: a\nmodel: m\nobject: event\nfields: { event: name, userId: id }\nfirst_run: { since: soon }\n",
        ),
        (
            "syncs/a.yaml",
            "id: a\nmodel: m\nobject: event\nfields: { event: name, userId: id }\nfirst_run: send\nremember: 36h\n",
        ),
        ("syncs/a.yaml", "id: a\nmodel: m\nobject: account\nmatch: { extId: id }\nfields: { name: name }\n"),
        (
            "coho.yaml",
            "project: a\nsources: {}\ndestinations: { v: { type: vitally, region: eu, analytics_rate: 5/s } }\n",
        ),
    ] {
        assert_ne!(complaints(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}
