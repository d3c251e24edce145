//! A value's JSON text: numbers keep their digits, objects their order.
//!
//! Numbers that fit 64 bits read as integers, all others as exact decimals; text stays text, whatever it looks like.

mod names;

use std::borrow::Borrow;
use std::fmt::{self, Write as _};

use crate::decimal::Decimal;
use crate::path::FieldPath;
use crate::value::Value;

/// A JSON document as `serde_json` holds it, under the one name that Coho has for it: a [`Value`] is exact, and `serde_json::Value` is not.
pub type Json = serde_json::Value;

/// A text that is not JSON, or a number in it that has no finite decimal form.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is not one JSON value.
    #[error("not valid JSON")]
    Syntax(#[source] serde_json::Error),
    /// A number with more than 1,000 digits, or an exponent beyond that.
    #[error("the number {0} is too long")]
    Number(String),
    /// An object that has one name twice; only [`parse_strict`] looks for those.
    #[error("an object has the key `{0}` twice")]
    Doubled(String),
}

/// Reads one JSON value. Of a name that an object has twice, the last value counts.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let json: Json = serde_json::from_str(text).map_err(JsonError::Syntax)?;
    from_serde(json)
}

/// Reads one JSON value from outside: an object that has a name twice is refused, at any depth.
pub fn parse_strict(text: &str) -> Result<Value, JsonError> {
    let value = parse(text)?;
    match names::doubled(text) {
        Some(name) => Err(JsonError::Doubled(crate::value::preview(&name))),
        None => Ok(value),
    }
}

/// The compact JSON text of a value.
pub fn write(value: &Value) -> String {
    let mut text = Vec::new();
    append(&mut text, value);
    finished(text)
}

/// Whether two values are the same on the wire: 1 and 1.0 are, and a moment and its text.
///
/// ```
/// use coho_core::json;
/// use coho_core::value::Value;
///
/// assert!(json::is_same(&Value::Int(1), &json::parse("1.0")?));
/// assert!(!json::is_same(&Value::Int(1), &Value::text("1")));
/// # Ok::<(), json::JsonError>(())
/// ```
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one.number(), other.number()) {
        (Some(one), Some(other)) => one.normalized() == other.normalized(),
        _ => write(one) == write(other),
    }
}

/// The compact JSON text of an object with these members. No name may come twice.
pub fn write_object<'a>(members: impl IntoIterator<Item = (impl fmt::Display, &'a Value)>) -> String {
    let mut text = Vec::with_capacity(512);
    append_object(&mut text, members);
    text.shrink_to_fit();
    finished(text)
}

/// The same of fields, in the order in which they are given.
pub fn write_fields<'a>(fields: impl IntoIterator<Item = (&'a FieldPath, impl Borrow<Value>)>) -> String {
    let mut text = Vec::with_capacity(512);
    text.push(b'{');
    for (at, (path, value)) in fields.into_iter().enumerate() {
        append_comma(&mut text, at);
        append_path(&mut text, path);
        text.push(b':');
        append(&mut text, value.borrow());
    }
    text.push(b'}');
    text.shrink_to_fit();
    finished(text)
}

/// Appends a path as a text, quoted.
pub fn append_path(text: &mut Vec<u8>, path: &FieldPath) {
    let (prefix, key) = path.parts();
    if key.bytes().any(is_escaped) {
        return append_text(text, &path.to_string());
    }
    text.push(b'"');
    text.extend_from_slice(prefix.as_bytes());
    text.extend_from_slice(key.as_bytes());
    text.push(b'"');
}

/// All that is appended is UTF-8.
fn finished(text: Vec<u8>) -> String {
    String::from_utf8(text).unwrap_or_default()
}

/// Appends the compact JSON text of a value.
pub fn append(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => text.extend(b"null"),
        Value::Bool(flag) => text.extend(if *flag { b"true".as_slice() } else { b"false" }),
        Value::Int(number) => serde_json::to_writer(text, number).unwrap_or_default(),
        Value::Decimal(number) => text.extend(number.as_str().as_bytes()),
        Value::Float(number) => serde_json::to_writer(text, &number.get()).unwrap_or_default(),
        Value::Text(words) => append_text(text, words),
        Value::Timestamp(_) | Value::LocalTimestamp(_) | Value::Date(_) => {
            append_text(text, &value.scalar_text().unwrap_or_default());
        }
        Value::Array(items) => {
            text.push(b'[');
            for (at, item) in items.iter().enumerate() {
                append_comma(text, at);
                append(text, item);
            }
            text.push(b']');
        }
        Value::Object(members) => append_object(text, members.iter().map(|(name, value)| (name, value))),
    }
}

fn append_object<'a>(text: &mut Vec<u8>, members: impl IntoIterator<Item = (impl fmt::Display, &'a Value)>) {
    let mut written = String::new();
    text.push(b'{');
    for (at, (name, value)) in members.into_iter().enumerate() {
        append_comma(text, at);
        written.clear();
        // Writing into a text does not fail.
        write!(written, "{name}").unwrap_or_default();
        append_text(text, &written);
        text.push(b':');
        append(text, value);
    }
    text.push(b'}');
}

fn append_comma(text: &mut Vec<u8>, at: usize) {
    if at > 0 {
        text.push(b',');
    }
}

/// Appends a text, quoted, and escaped where that is needed. Memory takes all that is written.
pub fn append_text(text: &mut Vec<u8>, words: &str) {
    if words.bytes().fold(false, |found, byte| found | is_escaped(byte)) {
        serde_json::to_writer(text, words).unwrap_or_default();
        return;
    }
    text.reserve(words.len() + 2);
    text.push(b'"');
    text.extend_from_slice(words.as_bytes());
    text.push(b'"');
}

/// Whether a byte cannot stand in a quoted text as it is.
fn is_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// A value from what `serde_json` read.
pub fn from_serde(json: Json) -> Result<Value, JsonError> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => from_number(number.as_str())?,
        Json::String(text) => Value::Text(text),
        Json::Array(items) => {
            Value::Array(items.into_iter().map(from_serde).collect::<Result<_, JsonError>>()?)
        }
        Json::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, json)| Ok((name, from_serde(json)?)))
                .collect::<Result<_, JsonError>>()?,
        ),
    })
}

fn from_number(digits: &str) -> Result<Value, JsonError> {
    if let Ok(number) = digits.parse::<i64>() {
        return Ok(Value::Int(number));
    }
    Decimal::parse(digits).map(Value::Decimal).ok_or_else(|| JsonError::Number(crate::value::preview(digits)))
}

/// The value as `serde_json` writes it.
pub fn to_serde(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Decimal(number) => Json::Number(serde_json::Number::from_string_unchecked(number.to_string())),
        Value::Float(number) => Json::from(number.get()),
        Value::Text(text) => Json::String(text.clone()),
        Value::Timestamp(_) | Value::LocalTimestamp(_) | Value::Date(_) => {
            value.scalar_text().map_or(Json::Null, Json::String)
        }
        Value::Array(items) => Json::Array(items.iter().map(to_serde).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), to_serde(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::value::Float;

    #[test]
    fn fields_are_an_object_with_their_paths_as_names() {
        let paths = ["name", "traits.plan", "traits.a \"b\"\\c\n", "properties.ö"];
        let fields: BTreeMap<FieldPath, Value> =
            paths.iter().zip(1..).map(|(path, number)| (FieldPath::new(path), Value::Int(number))).collect();
        assert_eq!(write_fields(&fields), write_object(&fields));
        assert_eq!(write_fields(&BTreeMap::<FieldPath, Value>::new()), "{}");
    }

    /// All scalars that a source or a template can give.
    fn scalars() -> impl Strategy<Value = Value> {
        let micros = -60_000_000_000_000_000_i64..250_000_000_000_000_000;
        let moment = micros.prop_filter_map("a moment", chrono::DateTime::from_timestamp_micros);
        let digits = prop_oneof![
            "[+-]?[0-9]{0,20}(\\.[0-9]{0,20})?([eE][+-]?[0-9]{1,4})?",
            "[+-]?0{0,3}\\.[0-9]{980,1010}",
            "-?[0-9]{1,3}e-?(9[0-9]{2}|1000)",
        ];
        prop_oneof![
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter_map("finite", Float::new).prop_map(Value::Float),
            any::<f32>()
                .prop_filter_map("finite", |number| Float::new(f64::from(number)))
                .prop_map(Value::Float),
            digits.prop_filter_map("a number", |digits| Decimal::parse(&digits)).prop_map(Value::Decimal),
            ".*".prop_map(Value::Text),
            moment.clone().prop_map(Value::Timestamp),
            moment.clone().prop_map(|moment| Value::LocalTimestamp(moment.naive_utc())),
            moment.prop_map(|moment| Value::Date(moment.date_naive())),
        ]
    }

    proptest! {
        /// A value that were not what was sent of it would be sent in every run.
        #[test]
        fn what_is_sent_of_a_value_equals_it(value in scalars()) {
            let sent = write(&value);
            let back = parse(&sent).unwrap();
            prop_assert_eq!(&back, &value, "{}", sent);
            // What is remembered is written once more.
            prop_assert_eq!(&parse(&write(&back)).unwrap(), &value);
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let text = r#"{"big":12345678901234567890.10,"int":9223372036854775807,"b":[1.0,null,true,"x"]}"#;
        assert_eq!(write(&parse(text).unwrap()), text);
    }

    #[test]
    fn moments_are_utc_with_milliseconds() {
        let moment = chrono::DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        assert_eq!(write(&Value::Timestamp(moment)), r#""2023-11-14T22:13:20.123Z""#);
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        assert!(parse("{").is_err());
        assert!(parse("1e99999").is_err());
        assert!(matches!(parse_strict(r#"{"a":1,"a":1}"#), Err(JsonError::Doubled(name)) if name == "a"));
    }

    #[test]
    fn every_character_is_quoted_as_others_quote_it() {
        for character in (0..=0x2_ff).filter_map(char::from_u32).chain(['\u{2028}', '\u{10ffff}']) {
            let words = format!("a{character}b");
            let mut text = Vec::new();
            append_text(&mut text, &words);
            assert_eq!(text, serde_json::to_vec(&words).unwrap(), "{character:?}");
        }
    }
}
