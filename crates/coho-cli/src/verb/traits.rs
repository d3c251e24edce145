//! `coho traits`: the traits of a workspace, as YAML to paste into a sync.

use coho_core::json::{Json, to_serde};
use coho_core::object::Object;
use coho_core::problem::nearest;
use coho_core::value::preview;
use coho_engine::traits::{CacheUse, Choice, CustomField, Traits};
use serde_json::json;

use crate::args::Global;
use crate::exit::{Exit, Known};
use crate::{engine, print, project};

/// How many options a comment names.
const SHOWN: usize = 12;

/// Prints the traits of an object.
pub(crate) async fn traits(
    global: &Global,
    object: &str,
    destination: Option<&str>,
    freshness: CacheUse,
) -> anyhow::Result<Exit> {
    let object = named(object)?;
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let destination = engine.destination_named(destination)?;
    let traits = engine.traits(destination, object, freshness).await?;
    if global.json {
        print::json(&document(&traits))?;
    } else {
        print::out(&yaml(&traits))?;
    }
    Ok(Exit::Done)
}

/// The object of this name, singular as in a sync's file.
fn named(name: &str) -> anyhow::Result<Object> {
    let names = || Object::RECORDS.into_iter().map(Object::name);
    if let Some(object) = Object::parse(name) {
        return Ok(object);
    }
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the objects are {}", names().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("unknown object `{}`", preview(name));
    Err(Known { message, help: Some(help), code: 2, source: None }.into())
}

/// YAML for `fields`: what stands in it is right but for the columns, which are guesses.
fn yaml(traits: &Traits) -> String {
    let (object, destination) = (traits.object, &traits.destination);
    let count = print::counted(traits.fields.len() as u64, "trait");
    let fetched = traits.fetched.format("%Y-%m-%dT%H:%M:%SZ");
    let mut text =
        format!("# {count} of {object}s in the workspace of `{destination}`, fetched {fetched}.\n");
    if traits.fields.is_empty() {
        text.push_str("# Vitally creates a trait when it is first sent, with the type of that value.\n");
        return text;
    }
    text.push_str("# The columns are guesses: replace them with your model's columns.\ntraits:\n");
    for field in &traits.fields {
        text.push_str(&entry(field));
    }
    text
}

fn entry(field: &CustomField) -> String {
    let kind = if field.kind.is_empty() { "type unknown" } else { &field.kind };
    let mut text = format!("  # {}: {}{}\n", preview(&field.label), preview(kind), options(&field.options));
    let column = column(&field.path);
    let value = match cast(&field.kind) {
        Some(cast) => format!("{{ column: {column}, as: {cast} }}"),
        None => column,
    };
    text.extend(["  ", &key(&field.path), ": ", &value, "\n"]);
    text
}

fn options(options: &[Choice]) -> String {
    if options.is_empty() {
        return String::new();
    }
    let shown = |choice: &Choice| {
        let value = choice.value.preview();
        let is_called_so = choice.value.scalar_text().as_deref() == Some(choice.label.as_str());
        if is_called_so { value } else { format!("{value} ({})", preview(&choice.label)) }
    };
    let list: Vec<String> = options.iter().take(SHOWN).map(shown).collect();
    let more = if options.len() > SHOWN { ", …" } else { "" };
    format!("; one of {}{more}", list.join(", "))
}

/// The path as a key of YAML, in quotes where it must be.
fn key(path: &str) -> String {
    let begins = path.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let is_plain = path.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.-".contains(letter));
    let is_word = !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&path.to_lowercase().as_str());
    if begins && is_plain && is_word { path.to_owned() } else { Json::from(path).to_string() }
}

/// A column that may be meant: `vitally.custom.isVip` is `is_vip`.
fn column(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    let mut name = String::new();
    for letter in last.chars() {
        match letter {
            'A'..='Z' if name.ends_with(|before: char| before.is_ascii_lowercase()) => {
                name.push('_');
                name.push(letter.to_ascii_lowercase());
            }
            _ if letter.is_ascii_alphanumeric() => name.push(letter.to_ascii_lowercase()),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if is_name { name } else { "COLUMN".to_owned() }
}

/// The cast that gives a value of a type, where columns often have another.
fn cast(kind: &str) -> Option<&'static str> {
    match kind.to_lowercase().as_str() {
        "number" => Some("number"),
        "boolean" => Some("boolean"),
        "date" => Some("date"),
        "datetime" => Some("timestamp"),
        _ => None,
    }
}

/// `{version, kind: "traits", destination, object, fetched_at, traits: [{path, label, type, options: [{label, value}]}]}`;
/// `options` only where they are limited, `type` only where Vitally says it.
fn document(traits: &Traits) -> Json {
    let option = |choice: &Choice| json!({ "label": choice.label, "value": to_serde(&choice.value) });
    let field = |field: &CustomField| {
        let mut shown = json!({ "path": field.path, "label": field.label });
        if !field.kind.is_empty() {
            shown["type"] = json!(field.kind);
        }
        if !field.options.is_empty() {
            shown["options"] = field.options.iter().map(option).collect();
        }
        shown
    };
    json!({
        "version": 1,
        "kind": "traits",
        "destination": traits.destination,
        "object": traits.object.name(),
        "fetched_at": traits.fetched.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "traits": traits.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_guessed_from_the_path() {
        assert_eq!(column("vitally.custom.isVip"), "is_vip");
        assert_eq!(column("Plan Name"), "plan_name");
        assert_eq!(column("2fa"), "COLUMN");
    }

    #[test]
    fn a_key_that_yaml_would_read_otherwise_is_quoted() {
        assert_eq!(key("vitally.custom.tier"), "vitally.custom.tier");
        assert_eq!(key("Plan: name"), "\"Plan: name\"");
        assert_eq!(key("yes"), "\"yes\"");
        assert_eq!(key("2fa"), "\"2fa\"");
    }
}
