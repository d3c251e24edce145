//! Questions about traits, asked of one account. What counts is what can be read afterwards, not what the write answers.

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::target::VitallyId;
use coho_core::value::Value;
use serde_json::json;

use super::error::LiveError;
use super::question::Question;
use super::records::TRAIT;
use super::session::{Session, refused};
use crate::Record;

/// A trait that is an object.
const NESTED: &str = "coho_check_nested";

/// A custom trait that nobody defined.
const UNDEFINED: &str = "vitally.custom.cohoCheck";

/// What is asked of traits.
pub(super) async fn ask(session: &mut Session<'_>, account: &VitallyId) -> Result<(), LiveError> {
    let answer = write(session, account, TRAIT, json!("text"), |held| match held {
        Some(Value::Text(_)) => "stored",
        Some(Value::Null) | None => "cleared",
        Some(_) => "dropped",
    });
    let answer = answer.await?;
    session.learn(Question::TraitType, None, answer);
    let answer = write(session, account, TRAIT, Json::Null, |held| match held {
        None => "left-out",
        Some(Value::Null) => "null",
        Some(_) => "kept",
    });
    let answer = answer.await?;
    session.learn(Question::ClearedTrait, None, answer);
    let answer = write(session, account, NESTED, json!({ "inner": 1 }), |held| match held {
        Some(Value::Object(_)) => "stored",
        Some(Value::Text(_)) => "made-text",
        Some(_) => "changed",
        None => "dropped",
    });
    let answer = answer.await?;
    session.learn(Question::NestedTrait, None, answer);
    let answer = write(session, account, UNDEFINED, json!("text"), |held| match held {
        Some(Value::Null) | None => "dropped",
        Some(_) => "stored",
    });
    let answer = answer.await?;
    session.learn(Question::UndefinedTrait, None, answer);
    Ok(())
}

/// Writes a trait and reads it back.
async fn write(
    session: &mut Session<'_>,
    account: &VitallyId,
    key: &str,
    value: Json,
    answer: fn(Option<Value>) -> &'static str,
) -> Result<String, LiveError> {
    let object = Object::Account;
    let written = session.put(object, account.as_str(), json!({ "traits": { key: value } })).await?;
    if !written.reply.is_fine() {
        return Ok(refused(&written.reply));
    }
    let record: Record = session.record(object, account).await?.unwrap_or_default();
    Ok(answer(record.value(&FieldPath::Trait(key.into()))).to_owned())
}
