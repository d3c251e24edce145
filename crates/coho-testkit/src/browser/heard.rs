//! What a browser wrote down while it showed pages: its console, and each request that it made.

use serde_json::Value;

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What the console said: errors of scripts, what a policy refused, what could not be loaded.
    pub console: Vec<String>,
    /// The addresses that were asked for.
    pub asked: Vec<String>,
}

impl Heard {
    pub(super) fn of(console: &Value, performance: &Value) -> Self {
        let entries = |log: &Value| log.as_array().cloned().unwrap_or_default();
        let said =
            |entry: &Value| Some(format!("{}: {}", entry["level"].as_str()?, entry["message"].as_str()?));
        Self {
            console: entries(console).iter().filter_map(said).collect(),
            asked: entries(performance).iter().filter_map(asked).collect(),
        }
    }
}

/// The address of an entry that tells of a request.
fn asked(entry: &Value) -> Option<String> {
    let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
    let message = &event["message"];
    let is_request = message["method"] == "Network.requestWillBeSent";
    is_request.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned)).flatten()
}
