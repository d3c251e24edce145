//! Values as YAML text that reads back as the same values.

use coho_core::value::Value;

use super::scalar::{Meaning, Scalar, Style};

/// The longest line that is written in braces or brackets, in characters.
const WIDEST: usize = 100;

/// Words that readers of YAML 1.1 take for booleans.
const WORDS: [&str; 4] = ["yes", "no", "on", "off"];

/// A value on one line: `{ externalId: u-1, traits: { plan: pro } }`.
pub(crate) fn flow(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", text(name), flow(value)));
            format!("{{ {} }}", list(members.collect()))
        }
        Value::Array(items) => format!("[{}]", list(items.iter().map(flow).collect())),
        Value::Text(content) => text(content),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_) => value.scalar_text().map_or_else(|| value.to_string(), |content| text(&content)),
    }
}

/// What stands behind `key:` and its colon, where the key stands in this column (from 0): on the same line if it fits and
/// is no object, else on lines of its own.
pub(crate) fn block(value: &Value, column: usize) -> String {
    let margin = format!("\n{}", " ".repeat(column + 2));
    let lines: Vec<String> = match value {
        Value::Object(members) => {
            let line = |(name, value): &(String, Value)| {
                format!("{margin}{}:{}", text(name), block(value, column + 2))
            };
            members.iter().map(line).collect()
        }
        Value::Array(items) if !fits(value, column) => {
            items.iter().map(|item| format!("{margin}- {}", flow(item))).collect()
        }
        Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_) => Vec::new(),
    };
    if lines.is_empty() { format!(" {}", flow(value)) } else { lines.concat() }
}

/// Whether a value fits on the line of its key, which begins in this column.
pub(crate) fn fits(value: &Value, column: usize) -> bool {
    column + flow(value).chars().count() + "problems: ".len() <= WIDEST
}

/// A text: plain if nobody could take it for anything else, otherwise in quotes.
fn text(content: &str) -> String {
    if is_plain(content) { content.to_owned() } else { Value::text(content).to_string() }
}

fn is_plain(content: &str) -> bool {
    let scalar = Scalar { text: content.to_owned(), written: content.to_owned(), style: Style::Plain };
    let begins = content.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '/');
    let ends = content.ends_with(|c: char| c.is_alphanumeric() || "_/.".contains(c));
    let is_plain = |c: char| c.is_alphanumeric() || " _-./@+:".contains(c);
    begins
        && ends
        && content.chars().all(is_plain)
        && !content.contains(": ")
        && !WORDS.contains(&content.to_ascii_lowercase().as_str())
        && matches!(scalar.meaning(), Meaning::Text(_))
}

#[cfg(test)]
mod tests {
    use coho_core::json;
    use proptest::prelude::*;

    use super::*;
    use crate::yaml::parse;

    #[test]
    fn records_are_written_as_people_write_them() {
        let value = json::parse(r#"{"externalId":"u-1","at":"2026-01-01T00:00:00.000Z","n":1.50,"no":"no","ids":["a","7"],"traits":{"a b":null,"e":"","q":"a: b"}}"#).unwrap();
        assert_eq!(
            flow(&value),
            r#"{ externalId: u-1, at: 2026-01-01T00:00:00.000Z, n: 1.50, "no": "no", ids: [a, "7"], traits: { a b: null, e: "", q: "a: b" } }"#
        );
        assert_eq!(
            format!(
                "record:{}",
                block(&json::parse(r#"{"externalId":"u-1","traits":{"a":{},"b":[1]}}"#).unwrap(), 0)
            ),
            "record:\n  externalId: u-1\n  traits:\n    a: {}\n    b: [1]"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            "\\PC{0,12}".prop_filter("no reference", |text| !text.contains("${")).prop_map(Value::Text),
            "[ -~\\n]{0,12}".prop_filter("no reference", |text| !text.contains("${")).prop_map(Value::Text),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[ -#%-~]{0,6}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in values()) {
            for text in [format!("a: {}", flow(&value)), format!("a:{}", block(&value, 0))] {
                let mut problems = Vec::new();
                let root = parse(&"a.yaml".into(), &text, &mut problems);
                let back = root.as_ref().and_then(|root| crate::read::value::value(root.get("a")?, &mut problems));
                prop_assert_eq!(back.as_ref(), Some(&value), "{}\n{:?}", text, problems);
            }
        }
    }
}
