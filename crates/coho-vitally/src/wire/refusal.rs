//! Refusals: Vitally's own words, wherever an error's body hides them, and what they tell.
//!
//! Two shapes were captured: `{"error": "text"}`, and for a body that does not fit
//! `{"error": {"message": "validation failed", "errors": [{"instancePath": "/name", "message": "must be string", …}]}}`. The
//! others are read because nobody documents them away. The words that tell a duplicate or a missing record are guesses, and a
//! wrong guess costs one look, never a wrong write.

use coho_core::json::Json;

use serde_json::Map;

/// The most characters of Vitally's text that a verdict carries.
const LONGEST: usize = 300;

/// The most of a body that is neither JSON nor short, in characters.
const RAW: usize = 1_024;

/// Words of a refusal that says that the record is there already.
const EXISTS: [&str; 7] = ["exist", "unique", "already", "taken", "duplicate", "in use", "conflict"];

/// Words of a refusal that may say that the record is not there.
const MISSING: [&str; 7] = [
    "not found",
    "no such",
    "not exist",
    "n't exist",
    "no account with",
    "no user with",
    "no organization with",
];

/// Vitally's text: `error` and `message`, each of `errors` with its place, else the body itself; on one line and bounded.
pub(crate) fn text(body: &str) -> String {
    let found = match serde_json::from_str::<Json>(body) {
        Ok(Json::Object(members)) => said(&members).filter(|text| !text.trim().is_empty()),
        Ok(Json::String(text)) => Some(text),
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_)) | Err(_) => None,
    };
    bounded(&found.unwrap_or_else(|| plain(body)))
}

/// The text, or a sentence in its place where Vitally gave none.
pub(crate) fn text_or_status(status: u16, body: &str) -> String {
    match text(body) {
        empty if empty.is_empty() => format!("Vitally answered {status} and gave no reason"),
        text => text,
    }
}

fn words(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string()),
        Json::Array(items) => Some(items.iter().filter_map(words).collect::<Vec<_>>().join("; ")),
        Json::Object(members) => said(members).or_else(|| Some(named(members))),
    }
}

/// What an object says: where, what, and what is wrong in particular.
fn said(members: &Map<String, Json>) -> Option<String> {
    let spoken = |name: &str| members.get(name).and_then(words).filter(|text| !text.trim().is_empty());
    let (error, message, errors) = (spoken("error"), spoken("message"), spoken("errors"));
    let message = message.filter(|text| error.as_ref() != Some(text));
    let parts: Vec<String> = [error, message, errors].into_iter().flatten().collect();
    let what = (!parts.is_empty()).then(|| parts.join(": "))?;
    let place = members.get("instancePath").and_then(Json::as_str).filter(|place| !place.is_empty());
    let extra =
        members.get("params").and_then(|params| params.get("additionalProperty")).and_then(Json::as_str);
    let what = extra.map_or_else(|| what.clone(), |name| format!("{what}: `{name}`"));
    Some(place.map_or_else(|| what.clone(), |place| format!("{place} {what}")))
}

fn named(members: &Map<String, Json>) -> String {
    let parts = members.iter().filter_map(|(name, value)| Some(format!("{name}: {}", words(value)?)));
    parts.collect::<Vec<_>>().join("; ")
}

/// A body that is no JSON, without the tags of a page.
fn plain(body: &str) -> String {
    let mut shown = String::new();
    let mut in_tag = false;
    for c in body.chars().take(RAW) {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                shown.push(' ');
            }
            _ if in_tag => {}
            _ => shown.push(c),
        }
    }
    shown
}

fn bounded(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(LONGEST).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}

/// How sure it is that a record exists whose POST was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Vitally says so: 409, or words that say it.
    Said,
    /// Vitally gave no reason: 400 or 422 without a word.
    Guessed,
}

/// Whether a refused POST may mean that the record exists.
pub(crate) fn may_exist(status: u16, body: &str) -> Option<Certainty> {
    match status {
        409 => Some(Certainty::Said),
        400 | 422 if text(body).is_empty() => Some(Certainty::Guessed),
        400 | 422 if says(body, &EXISTS) && !says(body, &MISSING) => Some(Certainty::Said),
        _ => None,
    }
}

/// Whether a refused PUT may mean that the record is missing. A plain 404 is another matter: it says so.
pub(crate) fn may_be_missing(status: u16, body: &str) -> bool {
    status == 410 || matches!(status, 400 | 422) && says(body, &MISSING)
}

/// Whether a refusal says in words that the record is missing.
pub(crate) fn says_missing(status: u16, body: &str) -> bool {
    matches!(status, 400 | 422) && !text(body).is_empty() && says(body, &MISSING)
}

fn says(body: &str, words: &[&str]) -> bool {
    let text = text(body).to_lowercase();
    text.is_empty() || words.iter().any(|word| text.contains(word))
}

/// Whether a refusal says that the route takes only Vitally's ids. Captured on another route: "Given ID expected to be a UUID".
/// Where it names the places that are wrong, a field of the body is not the path.
pub(crate) fn wants_vitallys_id(status: u16, body: &str) -> bool {
    let speaks = |text: &str| text.to_lowercase().contains("uuid");
    if status != 400 || !speaks(&text(body)) {
        return false;
    }
    let places = places(body);
    places.is_empty() || places.iter().any(|(place, text)| speaks(text) && is_of_path(place))
}

/// `/id` and the like are parameters of the path; a body has fields with names of its own.
fn is_of_path(place: &str) -> bool {
    matches!(
        place.trim_start_matches('/'),
        "" | "id" | "params/id" | "accountId" | "userId" | "organizationId"
    )
}

/// What each of `errors` finds fault with, and its text.
fn places(body: &str) -> Vec<(String, String)> {
    let Ok(body) = serde_json::from_str::<Json>(body) else { return Vec::new() };
    let errors = [body.pointer("/error/errors"), body.pointer("/errors")];
    let errors = errors.into_iter().flatten().filter_map(Json::as_array).flatten();
    let place = |error: &Json| {
        let text = |name: &str| error.get(name).and_then(Json::as_str).map(str::to_owned);
        Some((text("instancePath")?, text("message").unwrap_or_default()))
    };
    errors.filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vitallys_words_are_found_in_every_shape() {
        assert_eq!(text(r#"{"error":"Not found"}"#), "Not found");
        assert_eq!(text(r#"{"error":{"message":"Not found"}}"#), "Not found");
        assert_eq!(text(r#"{"message":"Not found"}"#), "Not found");
        assert_eq!(text(r#"{"message":["a","b"]}"#), "a; b");
        assert_eq!(text(r#"{"errors":[{"message":"a"},"b"]}"#), "a; b");
        assert_eq!(text(r#"{"errors":{"name":["too long"]}}"#), "name: too long");
        assert_eq!(text("<html><h1>Not\n found</h1></html>"), "Not found");
        assert_eq!(
            text(r#"{"error":"Bad Request","message":"name must be text"}"#),
            "Bad Request: name must be text"
        );
        assert_eq!(text("seats > 5 is too much"), "seats > 5 is too much");
        assert_eq!(text(""), "");
        assert_eq!(text_or_status(400, "{}"), "{}");
        assert_eq!(text_or_status(400, " "), "Vitally answered 400 and gave no reason");
    }

    fn validation(place: &str, message: &str) -> String {
        let error =
            format!(r#"{{"instancePath":"{place}","keyword":"type","params":{{}},"message":"{message}"}}"#);
        format!(r#"{{"error":{{"message":"validation failed","errors":[{error}]}}}}"#)
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(
            text(&validation("/traits/seats", "must be string")),
            "validation failed: /traits/seats must be string"
        );
        let two = r#"{"error":{"message":"validation failed","errors":[{"instancePath":"/name","message":"must be string"},
            {"instancePath":"","message":"must NOT have additional properties","params":{"additionalProperty":"mrr"}}]}}"#;
        let told = "validation failed: /name must be string; must NOT have additional properties: `mrr`";
        assert_eq!(text(two), told);
    }

    #[test]
    fn only_a_path_wants_vitallys_id() {
        assert!(wants_vitallys_id(400, r#"{"error":"Given ID expected to be a UUID"}"#));
        assert!(wants_vitallys_id(400, &validation("/id", "must match format uuid")));
        assert!(!wants_vitallys_id(400, &validation("/traits/device", "must match format uuid")));
        assert!(!wants_vitallys_id(400, &validation("/accountIds/0", "must match format uuid")));
        assert!(!wants_vitallys_id(422, r#"{"error":"trait device must be a uuid"}"#));
    }

    #[test]
    fn a_long_text_is_bounded() {
        assert_eq!(text(&"x".repeat(5_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn words_tell_duplicates_and_missing_records() {
        assert_eq!(may_exist(409, r#"{"error":"no"}"#), Some(Certainty::Said));
        assert_eq!(may_exist(400, r#"{"error":"externalId must be unique"}"#), Some(Certainty::Said));
        assert_eq!(may_exist(400, r#"{"error":"the account does not exist"}"#), None);
        assert_eq!(may_exist(422, ""), Some(Certainty::Guessed));
        assert_eq!(may_exist(400, r#"{"error":"Field name must be a string"}"#), None);
        assert!(may_be_missing(400, r#"{"error":"No account with this id"}"#));
        assert!(!may_be_missing(404, r#"{"error":"Not found"}"#));
        assert!(may_be_missing(410, "{}") && may_be_missing(422, "") && !may_be_missing(400, "{}"));
        assert!(says_missing(422, r#"{"error":"User not found"}"#));
        assert!(!says_missing(422, "") && !says_missing(400, r#"{"error":"the account has users"}"#));
    }
}
