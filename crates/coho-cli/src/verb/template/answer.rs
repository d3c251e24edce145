//! Templates for other programs: one request a line, one answer a line.
//!
//! A request is `{"template": …, "data": {…} | "row": {…}, "templates": {"name": …}, "mode": "typed" | "text", "undefined": "error" | "empty"}`, an answer
//! `{"value": …}` or `{"error": {"code", "message", "line", "column"}}`. `mode` and `undefined` may be left out; `empty` reads
//! as LiquidJS does, dates included.

use chrono::{DateTime, Utc};
use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::row::{Column, ColumnType, Columns};
use coho_core::snippet::{Snippet, Snippets};
use coho_core::value::Value;

use coho_liquid::{CompileScope, Context, TemplateSettings, compile};

/// The longest request, in bytes.
const LONGEST: usize = 8 << 20;

/// Answers one request at this time.
pub(super) fn answer(request_line: &str, now: DateTime<Utc>) -> String {
    let answer = match read(request_line).and_then(|request| request.render(now)) {
        Ok(value) => Value::Object(vec![("value".to_owned(), value)]),
        Err(problem) => Value::Object(vec![("error".to_owned(), error(&problem))]),
    };
    coho_core::json::write(&answer)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Typed,
    Text,
}

struct Request {
    template: String,
    data: Option<Value>,
    row: Option<Value>,
    mode: Mode,
    settings: TemplateSettings,
    snippets: Snippets,
}

fn refused(message: impl Into<String>) -> Problem {
    Problem::new(Code::WRONG_VALUE, message)
}

fn read(line: &str) -> Result<Request, Problem> {
    if line.len() > LONGEST {
        return Err(Problem::new(
            Code::TEMPLATE_LIMIT,
            format!("the request is longer than {LONGEST} bytes"),
        ));
    }
    let request = coho_core::json::parse(line).map_err(|_| refused("the request is not JSON"))?;
    let Value::Object(members) = request else { return Err(refused("the request is not an object")) };
    let (mut template, mut data, mut row) = (None, None, None);
    let (mut mode, mut settings, mut snippets) =
        (Mode::Typed, TemplateSettings::default(), Snippets::default());
    for (name, value) in members {
        match (name.as_str(), value) {
            ("template", Value::Text(text)) => template = Some(text),
            ("data", value @ (Value::Object(_) | Value::Null)) => data = Some(value),
            ("row", value @ (Value::Object(_) | Value::Null)) => row = Some(value),
            ("templates", Value::Object(members)) => snippets = named(members)?,
            ("mode", value) => {
                mode = choice("mode", &value, &[("typed", Mode::Typed), ("text", Mode::Text)])?;
            }
            ("undefined", value) => {
                let choices =
                    [("error", TemplateSettings::default()), ("empty", TemplateSettings::lenient())];
                settings = choice("undefined", &value, &choices)?;
            }
            ("template", _) => return Err(refused("`template` must be a string")),
            ("data" | "row" | "templates", _) => return Err(refused(format!("`{name}` must be an object"))),
            _ => {
                return Err(refused(format!("unknown key `{}`", coho_core::value::preview(&name))));
            }
        }
    }
    let template = template.ok_or_else(|| refused("`template` is missing"))?;
    Ok(Request { template, data, row, mode, settings, snippets })
}

/// The snippets of a request.
fn named(members: Vec<(String, Value)>) -> Result<Snippets, Problem> {
    let snippet = |(name, text): (String, Value)| match text {
        Value::Text(text) => Ok((name.clone(), Snippet { text, file: name.as_str().into() })),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Object(_) => Err(refused("each value in `templates` must be a string")),
    };
    members.into_iter().map(snippet).collect()
}

fn choice<T: Copy>(name: &str, value: &Value, choices: &[(&str, T)]) -> Result<T, Problem> {
    let chosen = choices.iter().find(|(known, _)| value.as_text() == Some(known));
    chosen.map(|(_, chosen)| *chosen).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|(known, _)| format!("`{known}`")).collect();
        refused(format!("`{name}` must be {}", names.join(" or ")))
    })
}

impl Request {
    fn render(&self, now: DateTime<Utc>) -> Result<Value, Problem> {
        let scope = self.scope().settings(self.settings).snippets(&self.snippets);
        let template = compile(&self.template, &scope).map_err(|problems| {
            problems.into_iter().next().unwrap_or_else(|| refused("the template cannot be read"))
        })?;
        let context = match (&self.data, &self.row) {
            (Some(data), Some(row)) => Context::free_with_row(data, row),
            (Some(data), None) => Context::free(data),
            (None, Some(row)) => Context::row_object(row),
            (None, None) => Context::free(&Value::Null),
        };
        let context = context.at(now);
        match self.mode {
            Mode::Typed => template.render(&context),
            Mode::Text => template.render_text(&context).map(Value::Text),
        }
    }

    /// A row alone is what its members are; other names may be anything.
    fn scope(&self) -> CompileScope {
        let (None, Some(Value::Object(members))) = (&self.data, &self.row) else {
            return CompileScope::free();
        };
        let column = |(name, _): &(String, Value)| Column { name: name.clone(), kind: ColumnType::Mixed };
        let columns = Columns::new(members.iter().map(column).collect());
        columns.map_or_else(|_| CompileScope::free(), |columns| CompileScope::columns(&columns))
    }
}

fn error(problem: &Problem) -> Value {
    let number = |number: Option<u32>| number.map_or(Value::Null, |number| Value::Int(i64::from(number)));
    let place = problem.place.as_ref();
    let message = match &problem.help {
        Some(help) => format!("{}; {help}", problem.message),
        None => problem.message.clone(),
    };
    let members = [
        ("code", Value::text(problem.code.as_str())),
        ("message", Value::Text(message)),
        ("line", number(place.map(|place| place.line))),
        ("column", number(place.map(|place| place.column))),
    ];
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_are_long_or_deep_are_refused() {
        let request = |length: usize| format!(r#"{{"template":"x","data":{}"#, "[".repeat(length));
        let answer = |length| answer(&request(length), DateTime::UNIX_EPOCH);
        assert!(answer(100 << 20).contains("template-limit"));
        assert!(answer(1 << 20).contains("the request is not JSON"));
    }

    #[test]
    fn a_request_is_answered_with_a_typed_value_or_an_error() {
        for (request, expected) in [
            (
                r#"{"template":"{{ row.n | plus: 1 }}","row":{"n":9007199254740993}}"#,
                r#"{"value":9007199254740994}"#,
            ),
            (
                r#"{"template":"{% render 'a', x: n %}","data":{"n":1},"templates":{"a":"<{{ x }}>"}}"#,
                r#"{"value":"<1>"}"#,
            ),
            (r#"{"template":"{{ row.n }}","row":{"n":1},"mode":"text"}"#, r#"{"value":"1"}"#),
            (r#"{"template":"{{ a.b }}","data":{"a":{"b":[1,{"c":null}]}}}"#, r#"{"value":[1,{"c":null}]}"#),
            (r#"{"template":"{{ row.x }}","row":{"n":1},"undefined":"empty"}"#, r#"{"value":null}"#),
            (
                r#"{"template":"a\n{{ row.nn }}","row":{"n":1}}"#,
                r#"{"error":{"code":"unknown-column","message":"the model has no column `nn`; did you mean `n`?","line":2,"column":8}}"#,
            ),
            (
                r#"{"template":1}"#,
                r#"{"error":{"code":"wrong-value","message":"`template` must be a string","line":null,"column":null}}"#,
            ),
            (
                "{",
                r#"{"error":{"code":"wrong-value","message":"the request is not JSON","line":null,"column":null}}"#,
            ),
            (
                r#"{"template":"{% if a %}","data":[]}"#,
                r#"{"error":{"code":"wrong-value","message":"`data` must be an object","line":null,"column":null}}"#,
            ),
        ] {
            assert_eq!(answer(request, DateTime::UNIX_EPOCH), expected, "{request}");
        }
    }
}
