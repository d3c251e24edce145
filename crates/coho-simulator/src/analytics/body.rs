//! A request's body: JSON, sent as JSON, not too large; an object for one message, an array for a batch.

use serde_json::{Map, Value};

use crate::rest::{Asked, Received, Refused, Turn};

/// The body of a single message.
pub(super) fn object(turn: &Turn<'_>, asked: &Asked) -> Result<Map<String, Value>, Refused> {
    match json(turn, asked)? {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Refused::bad("Body must be a JSON object"))
        }
    }
}

/// The body of a batch.
pub(super) fn array(turn: &Turn<'_>, asked: &Asked) -> Result<Vec<Value>, Refused> {
    match json(turn, asked)? {
        Value::Array(items) => Ok(items),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(Refused::bad("Body must be a JSON array"))
        }
    }
}

fn json(turn: &Turn<'_>, asked: &Asked) -> Result<Value, Refused> {
    let largest = usize::try_from(turn.switches.max_body).unwrap_or(usize::MAX);
    let bytes = match &asked.body {
        Received::Whole(bytes) if bytes.len() <= largest => bytes,
        Received::Whole(_) | Received::TooLarge => {
            return Err(Refused { status: 413, ..Refused::bad("request entity too large") });
        }
    };
    let media_type =
        asked.content_type.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Refused { status: 415, ..Refused::bad("Content-Type must be application/json") });
    }
    serde_json::from_slice(bytes).map_err(|_| Refused::bad("Body is not valid JSON"))
}
