//! Static values: any YAML value as the typed value that is sent.

use chrono::{DateTime, NaiveDate, Utc};
use coho_core::code::Code;
use coho_core::decimal::Decimal;
use coho_core::problem::Problem;
use coho_core::value::{Value, preview};

use crate::interpolate::is_variable;
use crate::yaml::{Content, Meaning, Node, Scalar};

/// The value of a node. What has no JSON form, or more than one, is a problem.
pub(crate) fn value(node: &Node, problems: &mut Vec<Problem>) -> Option<Value> {
    match &node.content {
        Content::Scalar(scalar) => scalar_value(node, scalar, problems),
        Content::List(items) => {
            let values: Vec<_> = items.iter().map(|item| value(item, problems)).collect();
            values.into_iter().collect::<Option<_>>().map(Value::Array)
        }
        Content::Map(entries) => {
            let members: Vec<_> = entries
                .iter()
                .map(|entry| value(&entry.value, problems).map(|value| (entry.key.clone(), value)))
                .collect();
            members.into_iter().collect::<Option<_>>().map(Value::Object)
        }
        Content::Unresolved => None,
    }
}

fn scalar_value(node: &Node, scalar: &Scalar, problems: &mut Vec<Problem>) -> Option<Value> {
    match scalar.meaning() {
        Meaning::Null => Some(Value::Null),
        Meaning::Bool(flag) => Some(Value::Bool(flag)),
        Meaning::Text(text) if is_reference(text) => {
            problems.push(
                Problem::new(Code::NOT_SUPPORTED, "environment variables work only in `coho.yaml`")
                    .at(&node.place)
                    .help("write the value itself, or put it in the model"),
            );
            None
        }
        Meaning::Text(text) => Some(Value::text(text)),
        Meaning::Number(digits) => number(digits).or_else(|| {
            problems.push(doubt(node, "has more digits than any number that can be sent"));
            None
        }),
        Meaning::Doubtful(_) => {
            problems.push(doubt(node, "can be read as a number or as text"));
            None
        }
    }
}

fn is_reference(text: &str) -> bool {
    text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(is_variable)
}

fn number(digits: &str) -> Option<Value> {
    digits.parse().map(Value::Int).ok().or_else(|| Decimal::parse(digits).map(Value::Decimal))
}

fn doubt(node: &Node, why: &str) -> Problem {
    let written = node.scalar().map_or("", |scalar| scalar.written.as_str());
    Problem::new(Code::WRONG_VALUE, format!("`{}` {why}", preview(written)))
        .at(&node.place)
        .help("put text in quotes; write a number with its digits")
}

/// A text as a moment with its zone, or as a date.
pub(crate) fn moment(text: &str) -> Option<Value> {
    if let Ok(date) = text.parse::<NaiveDate>()
        && text.len() == 10
    {
        return Some(Value::Date(date));
    }
    DateTime::parse_from_rfc3339(text).ok().map(|moment| Value::Timestamp(moment.with_timezone(&Utc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(number("1.50").unwrap().to_string(), "1.50");
        assert_eq!(number("12345678901234567890").unwrap().to_string(), "12345678901234567890");
        assert!(matches!(number("7"), Some(Value::Int(7))));
    }

    #[test]
    fn a_moment_has_a_zone() {
        assert!(matches!(moment("2026-01-31"), Some(Value::Date(_))));
        assert!(matches!(moment("2026-01-31T10:00:00+02:00"), Some(Value::Timestamp(_))));
        assert!(moment("2026-01-31T10:00:00").is_none());
        assert!(moment("31.01.2026").is_none());
    }
}
