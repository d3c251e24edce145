//! The JSON of one call in the log.

use serde::Serialize;
use serde_json::Value;

use crate::call::{CallReply, ServedCall};

#[derive(Debug, Serialize)]
pub(crate) struct CallForm {
    number: u64,
    at: String,
    method: String,
    path: String,
    query: Option<String>,
    /// JSON where it reads as such, else text; null where it is empty.
    body: Value,
    /// `answered`, `cut` or `hung`.
    ending: &'static str,
    status: Option<u16>,
    answer: Value,
    committed: bool,
}

impl From<&ServedCall> for CallForm {
    fn from(call: &ServedCall) -> Self {
        let (ending, answer) = match &call.reply {
            CallReply::Answered { body, .. } => ("answered", shown(body)),
            CallReply::Cut => ("cut", Value::Null),
            CallReply::Hung => ("hung", Value::Null),
        };
        Self {
            number: call.number,
            at: call.at.to_string(),
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            body: shown(&call.body),
            ending,
            status: call.status(),
            answer,
            committed: call.committed,
        }
    }
}

fn shown(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
