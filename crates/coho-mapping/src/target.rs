//! Which record a row becomes: its external id, the e-mail address that finds it, an event's `messageId`.
//!
//! [`crate::compile`] makes these from a sync's `match`; [`crate::mapping`] asks them for each row.

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::message;
use coho_core::problem::Problem;
use coho_core::row::Row;
use coho_core::sync::SyncId;
use coho_core::target::ExternalId;
use coho_core::value::Value;

use crate::ids;
use crate::source::Source;

/// What gives the target.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A column with the external id.
    ExternalId(Source),
    /// A column with the `messageId`.
    MessageId(Source),
    /// The `messageId` is derived from the sync's id and the row's key.
    OfKey(SyncId),
}

impl Target {
    /// The target of a row.
    pub(crate) fn of(&self, key: Option<&Key>, row: &dyn Row) -> Result<ExternalId, Problem> {
        match self {
            Self::ExternalId(source) => {
                ids::external_id(&value(row, source)).map_err(|problem| said("External ID", source, problem))
            }
            Self::MessageId(source) => {
                ids::message_id(&value(row, source)).map_err(|problem| said("Message ID", source, problem))
            }
            Self::OfKey(sync) => of_key(sync, key),
        }
    }
}

/// Without a key there is no id that would be the same next time, so none is made up.
fn of_key(sync: &SyncId, key: Option<&Key>) -> Result<ExternalId, Problem> {
    let Some(key) = key else {
        let message = "Message ID: it is derived from the row's primary key, which is missing";
        return Err(Problem::new(Code::NULL_TARGET, message));
    };
    message::of_event(sync, key)
        .map_err(|error| Problem::new(Code::TARGET_FORM, format!("Message ID: {error}")))
}

/// The e-mail address in a column, exactly as it is.
pub(crate) fn email(source: &Source, row: &dyn Row) -> Result<String, Problem> {
    address(value(row, source)).map_err(|problem| said("Email", source, problem))
}

fn address(value: Value) -> Result<String, Problem> {
    let (kind, preview) = (value.kind(), value.preview());
    match value {
        Value::Null => Err(Problem::new(Code::NULL_TARGET, "the value is null")),
        Value::Text(text) if text.trim().is_empty() => {
            Err(Problem::new(Code::NULL_TARGET, "the value is empty"))
        }
        Value::Text(text) if is_address(&text) => Ok(text),
        Value::Text(_) => {
            let message = format!("not an e-mail address (one `@` with text on both sides): {preview}");
            Err(Problem::new(Code::TARGET_FORM, message).help("fix the address in the model"))
        }
        Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Object(_) => {
            Err(Problem::new(Code::VALUE_TYPE, format!("expected text, found {kind}: {preview}")))
        }
    }
}

/// What Vitally takes for an address is its own matter; this only keeps a search from finding what nobody meant.
fn is_address(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(name, host)| !name.trim().is_empty() && !host.trim().is_empty() && !host.contains('@'))
}

fn value(row: &dyn Row, source: &Source) -> Value {
    row.cell(source.column).to_value()
}

fn said(what: &str, source: &Source, problem: Problem) -> Problem {
    Problem { message: format!("{what} (column `{}`): {}", source.name, problem.message), ..problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_with_text_on_both_sides() {
        assert!(is_address("ada@alder.example") && is_address(" ada@alder.example "));
        for text in ["ada", "@", "ada@", "@alder.example", "a@b@c", " @ "] {
            assert!(!is_address(text), "{text}");
        }
    }
}
