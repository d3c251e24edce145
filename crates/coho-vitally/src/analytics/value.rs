//! Values in messages: moments in UTC with milliseconds, dates as dates, and numbers that every reader reads alike.

use coho_core::json;
use coho_core::time::Time;
use coho_core::value::Value;

/// The largest whole number that a reader with binary floating-point numbers tells from its neighbours: 2^53 - 1.
const SAFE: u64 = 9_007_199_254_740_991;

/// A moment as messages have it: `2026-11-24T10:00:00.000Z`.
pub(super) fn moment(at: Time) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Writes a value as messages have it. Whole numbers beyond 2^53 become text: Vitally is taken to read JavaScript's numbers,
/// and would change their last digits.
pub(super) fn append(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Int(number) if number.unsigned_abs() > SAFE => json::append_text(text, &number.to_string()),
        Value::Decimal(number) if number.is_integer() && !is_safe(number.normalized()) => {
            json::append_text(text, number.normalized());
        }
        Value::Array(items) => {
            text.push(b'[');
            for (at, item) in items.iter().enumerate() {
                comma(text, at);
                append(text, item);
            }
            text.push(b']');
        }
        Value::Object(members) => {
            text.push(b'{');
            for (at, (name, value)) in members.iter().enumerate() {
                comma(text, at);
                json::append_text(text, name);
                text.push(b':');
                append(text, value);
            }
            text.push(b'}');
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_) => json::append(text, value),
    }
}

fn comma(text: &mut Vec<u8>, at: usize) {
    if at > 0 {
        text.push(b',');
    }
}

fn is_safe(digits: &str) -> bool {
    digits.parse::<i64>().is_ok_and(|number| number.unsigned_abs() <= SAFE)
}

#[cfg(test)]
mod tests {
    use coho_core::decimal::Decimal;

    use super::*;

    fn text(value: &Value) -> String {
        let mut text = Vec::new();
        append(&mut text, value);
        String::from_utf8(text).unwrap()
    }

    fn decimal(digits: &str) -> Value {
        Value::Decimal(Decimal::parse(digits).unwrap())
    }

    #[test]
    fn whole_numbers_that_a_reader_would_change_are_text() {
        assert_eq!(text(&Value::Int(9_007_199_254_740_991)), "9007199254740991");
        assert_eq!(text(&Value::Int(9_007_199_254_740_992)), r#""9007199254740992""#);
        assert_eq!(text(&Value::Int(i64::MIN)), r#""-9223372036854775808""#);
        assert_eq!(text(&decimal("12345678901234567890.00")), r#""12345678901234567890""#);
        assert_eq!(text(&Value::Array(vec![Value::Int(i64::MAX)])), r#"["9223372036854775807"]"#);
    }

    #[test]
    fn what_is_nested_is_written_as_it_is() {
        let value = coho_core::json::parse(r#"{"a":[1,null,{"b":"\"x\""}],"n":9007199254740993}"#).unwrap();
        assert_eq!(text(&value), r#"{"a":[1,null,{"b":"\"x\""}],"n":"9007199254740993"}"#);
    }

    #[test]
    fn other_numbers_keep_their_digits() {
        assert_eq!(text(&decimal("1.50")), "1.50");
        assert_eq!(text(&decimal("7.00")), "7.00");
        assert_eq!(text(&decimal("0.12345678901234567890")), "0.12345678901234567890");
    }
}
