//! A write's body: a JSON object of at most 1 MiB, sent as JSON.

use serde_json::{Map, Value};

use super::{Asked, Received, Refused};

/// The largest body that Vitally is taken to accept, in bytes.
const LARGEST: usize = 1024 * 1024;

pub(crate) fn read(asked: &Asked) -> Result<Map<String, Value>, Refused> {
    let bytes = match &asked.body {
        Received::Whole(bytes) if bytes.len() <= LARGEST => bytes,
        Received::Whole(_) | Received::TooLarge => {
            return Err(Refused { status: 413, ..Refused::bad("request entity too large") });
        }
    };
    let media_type =
        asked.content_type.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Refused::bad("Content-Type must be application/json"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refused::bad("Body must be a JSON object")),
        Err(_) => Err(Refused::bad("Body is not valid JSON")),
    }
}
