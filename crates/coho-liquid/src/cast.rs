//! Casts: `as: number` and the like, with checks. What cannot be read is a problem, never an empty value.

use chrono::{DateTime, NaiveTime, Utc};
use coho_core::code::Code;
use coho_core::dates;
use coho_core::decimal::Decimal;
use coho_core::problem::Problem;
use coho_core::sync::Cast;
use coho_core::value::Value;

/// Casts a value. Null stays null.
pub fn cast(value: Value, to: Cast) -> Result<Value, Problem> {
    if value.is_null() {
        return Ok(value);
    }
    let result = match to {
        Cast::Text => Some(text(&value)),
        Cast::Number => number(&value),
        Cast::Integer => integer(&value),
        Cast::Boolean => boolean(&value),
        Cast::Date => date(&value),
        Cast::Timestamp => timestamp(&value).map(Value::Timestamp),
        Cast::Json => json(&value),
    };
    result.ok_or_else(|| unreadable(&value, to))
}

fn unreadable(value: &Value, to: Cast) -> Problem {
    let wanted = match to {
        Cast::Text => "text",
        Cast::Number => "a number",
        Cast::Integer => "a whole number of 64 bits",
        Cast::Boolean => "a boolean",
        Cast::Date => "a date",
        Cast::Timestamp => "a timestamp",
        Cast::Json => "JSON",
    };
    let help = match to {
        Cast::Date | Cast::Timestamp => {
            "write it in the model as `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`, or use another `as:`"
        }
        Cast::Text | Cast::Number | Cast::Integer | Cast::Boolean | Cast::Json => {
            "fix the value in the model, or use another `as:`"
        }
    };
    Problem::new(Code::CAST_FAILED, format!("cannot read {} as {wanted}", value.preview())).help(help)
}

fn text(value: &Value) -> Value {
    Value::Text(value.scalar_text().unwrap_or_else(|| coho_core::json::write(value)))
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::Decimal(_) | Value::Float(_) => Some(value.clone()),
        Value::Text(text) => {
            let text = text.trim();
            match text.parse::<i64>() {
                Ok(number) => Some(Value::Int(number)),
                Err(_) => Decimal::parse(text).map(Value::Decimal),
            }
        }
        Value::Bool(_)
        | Value::Null
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

fn integer(value: &Value) -> Option<Value> {
    let number = number(value)?.number()?;
    if !number.is_integer() {
        return None;
    }
    number.normalized().parse().ok().map(Value::Int)
}

fn boolean(value: &Value) -> Option<Value> {
    let flag = match value {
        Value::Bool(flag) => *flag,
        Value::Int(1) => true,
        Value::Int(0) => false,
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => true,
            "false" | "f" | "no" | "n" | "off" | "0" => false,
            _ => return None,
        },
        Value::Int(_)
        | Value::Null
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Object(_) => return None,
    };
    Some(Value::Bool(flag))
}

fn date(value: &Value) -> Option<Value> {
    if let Value::Date(date) = value {
        return Some(Value::Date(*date));
    }
    timestamp(value).map(|moment| Value::Date(moment.date_naive()))
}

fn timestamp(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Timestamp(moment) => Some(*moment),
        Value::LocalTimestamp(moment) => Some(moment.and_utc()),
        Value::Date(date) => Some(date.and_time(NaiveTime::MIN).and_utc()),
        Value::Text(text) => dates::moment(text.trim()),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

fn json(value: &Value) -> Option<Value> {
    match value.as_text() {
        Some(text) => coho_core::json::parse_strict(text).ok(),
        None => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn cast_text(text: &str, to: Cast) -> Option<String> {
        cast(Value::text(text), to).ok().map(|value| value.to_string())
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(cast_text(" 12.50 ", Cast::Number).as_deref(), Some("12.50"));
        assert_eq!(cast_text("9223372036854775808", Cast::Number).as_deref(), Some("9223372036854775808"));
        assert_eq!(cast_text("9223372036854775808", Cast::Integer), None);
        assert_eq!(cast_text("12.0", Cast::Integer).as_deref(), Some("12"));
        assert_eq!(cast_text("12,5", Cast::Number), None);
    }

    #[test]
    fn booleans_are_words_and_digits() {
        assert_eq!(cast_text("Yes", Cast::Boolean).as_deref(), Some("true"));
        assert_eq!(cast_text("0", Cast::Boolean).as_deref(), Some("false"));
        assert_eq!(cast_text("maybe", Cast::Boolean), None);
    }

    #[test]
    fn moments_are_read_with_and_without_zone() {
        let utc = Some("\"2026-11-24T10:00:00.000Z\"");
        assert_eq!(cast_text("2026-11-24T12:00:00+02:00", Cast::Timestamp).as_deref(), utc);
        assert_eq!(cast_text("2026-11-24 12:00:00+02", Cast::Timestamp).as_deref(), utc);
        assert_eq!(cast_text("2026-11-24 10:00:00", Cast::Timestamp).as_deref(), utc);
        assert_eq!(cast_text("2026-11-24", Cast::Timestamp).as_deref(), Some("\"2026-11-24T00:00:00.000Z\""));
        assert_eq!(cast_text("24.11.2026", Cast::Timestamp), None);
    }

    #[test]
    fn a_column_without_a_zone_is_taken_as_utc() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let moment = Value::LocalTimestamp(day.and_hms_opt(10, 0, 0).unwrap());
        let cast = |value: &Value, to: Cast| cast(value.clone(), to).map(|value| value.to_string());
        assert_eq!(cast(&moment, Cast::Timestamp).as_deref(), Ok("\"2026-11-24T10:00:00.000Z\""));
        assert_eq!(cast(&moment, Cast::Date).as_deref(), Ok("\"2026-11-24\""));
        assert_eq!(cast(&Value::Date(day), Cast::Timestamp).as_deref(), Ok("\"2026-11-24T00:00:00.000Z\""));
        assert_eq!(cast(&Value::Date(day), Cast::Date).as_deref(), Ok("\"2026-11-24\""));
    }

    #[test]
    fn what_could_be_another_day_is_no_date() {
        for text in
            ["24-11-26", "6-1-5", "03-04-25", "+12026-01-01", "-2026-01-01", "24-11-26 10:00:00", "2026-1-5"]
        {
            assert_eq!(cast_text(text, Cast::Date), None, "{text}");
            assert_eq!(cast_text(text, Cast::Timestamp), None, "{text}");
        }
    }

    #[test]
    fn finer_digits_are_cut_and_a_leap_second_is_the_next_minute() {
        let cut = cast_text("2026-03-29T01:30:00.001999999Z", Cast::Timestamp);
        assert_eq!(cut.as_deref(), Some("\"2026-03-29T01:30:00.001Z\""));
        let leap = cast_text("2016-12-31T23:59:60Z", Cast::Timestamp);
        assert_eq!(leap.as_deref(), Some("\"2017-01-01T00:00:00.000Z\""));
        assert_eq!(cast_text("2016-12-31T23:59:60Z", Cast::Date).as_deref(), Some("\"2017-01-01\""));
    }

    #[test]
    fn json_with_a_name_twice_is_none() {
        assert_eq!(cast_text(r#"{"a":1,"a":2}"#, Cast::Json), None);
    }

    #[test]
    fn a_date_is_the_utc_day() {
        assert_eq!(cast_text("2026-11-24T23:30:00-02:00", Cast::Date).as_deref(), Some("\"2026-11-25\""));
    }

    #[test]
    fn anything_plain_becomes_text() {
        assert_eq!(cast(Value::Int(7), Cast::Text), Ok(Value::text("7")));
        let list = Value::Array(vec![Value::Int(1)]);
        assert_eq!(cast(list, Cast::Text), Ok(Value::text("[1]")));
        assert_eq!(cast(Value::Null, Cast::Text), Ok(Value::Null));
    }
}
