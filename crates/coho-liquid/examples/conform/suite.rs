//! Runs files of Liquid cases, and counts what passes.
//!
//! Two formats: golden cases (`template`, `data`, `result` or `results` or `invalid`, `class`, `liquidjs`), and a LiquidJS suite
//! over one row (`row` beside `tests`, each with `template`, `kind` and `value`). All run with undefined values empty.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::json::JsonError;
use coho_core::problem::Problem;
use coho_core::snippet::{Snippet, Snippets};
use coho_core::value::Value;

use coho_liquid::{CompileScope, Context, TemplateSettings, compile};

use super::dialect::DIFFERENCES;
use super::differences;
use super::recorded::Answer;

/// What cannot be run.
#[derive(Debug)]
pub(crate) enum CaseError {
    /// The file is not JSON.
    Json(JsonError),
    /// It has no list `tests`.
    NoTests,
}

impl std::fmt::Display for CaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json(_) => "the case file cannot be read",
            Self::NoTests => "the case file has no list `tests`",
        })
    }
}

impl std::error::Error for CaseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::NoTests => None,
        }
    }
}

/// The counts of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Cases that gave what they must.
    pub(crate) passed: usize,
    /// Cases that gave something else.
    pub(crate) failed: usize,
    /// Cases that need what the reference leaves out: other templates.
    pub(crate) left_out: usize,
    /// Cases that differ as the reference says.
    pub(crate) listed: usize,
}

/// A case that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its name, or its template.
    pub(crate) name: String,
    /// Its class.
    pub(crate) class: String,
    /// Its template.
    pub(crate) template: String,
    /// What it must give.
    pub(crate) expected: String,
    /// What it gave.
    pub(crate) found: String,
}

/// What a file gave.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Report {
    /// The counts by class.
    pub(crate) classes: BTreeMap<String, Tally>,
    /// What failed, in the file's order.
    pub(crate) failures: Vec<Failure>,
}

enum Outcome {
    Passed,
    LeftOut,
    Listed,
    Failed { expected: String, found: String },
}

/// Runs the cases of one file, given as its text.
pub(crate) fn run(text: &str) -> Result<Report, CaseError> {
    let file = coho_core::json::parse(text).map_err(CaseError::Json)?;
    let tests = if matches!(file, Value::Array(_)) { Some(&file) } else { file.get("tests") };
    let Some(Value::Array(tests)) = tests else { return Err(CaseError::NoTests) };
    let mut report = Report::default();
    for test in tests {
        let (class, outcome) = match file.get("row") {
            Some(row) => mapping(test, row),
            None => golden(test),
        };
        report.add(test, class, outcome);
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, test: &Value, class: String, outcome: Outcome) {
        let tally = self.classes.entry(class.clone()).or_default();
        match outcome {
            Outcome::Passed => tally.passed += 1,
            Outcome::LeftOut => tally.left_out += 1,
            Outcome::Listed => tally.listed += 1,
            Outcome::Failed { expected, found } => {
                tally.failed += 1;
                let template = text_of(test, "template");
                let name = if test.get("name").is_some() { text_of(test, "name") } else { template.clone() };
                self.failures.push(Failure { name, class, template, expected, found });
            }
        }
    }
}

fn text_of(test: &Value, name: &str) -> String {
    test.get(name).and_then(Value::as_text).unwrap_or_default().to_owned()
}

fn scope() -> CompileScope {
    CompileScope::free().settings(TemplateSettings::lenient())
}

fn show(problem: &Problem) -> String {
    let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{problem} at {place}")
}

fn golden(test: &Value) -> (String, Outcome) {
    let invalid = matches!(test.get("invalid"), Some(Value::Bool(true)));
    let class = match test.get("class").and_then(Value::as_text) {
        Some(class) => class.to_owned(),
        None => if invalid { "invalid" } else { "agree" }.to_owned(),
    };
    let rendered = golden_text(test);
    let outcome = if invalid { refusal(rendered) } else { agreement(test, &class, rendered) };
    (class, outcome)
}

/// A case that must be refused, with its place.
fn refusal(rendered: Result<String, Problem>) -> Outcome {
    match rendered {
        Err(problem) if problem.place.as_ref().is_some_and(|place| place.line > 0 && place.column > 0) => {
            Outcome::Passed
        }
        Err(problem) => {
            Outcome::Failed { expected: "a refusal with its place".to_owned(), found: show(&problem) }
        }
        Ok(text) => Outcome::Failed { expected: "a refusal".to_owned(), found: format!("{text:?}") },
    }
}

fn agreement(case: &Value, class: &str, rendered: Result<String, Problem>) -> Outcome {
    match rendered {
        Err(problem) if problem.code == Code::NOT_SUPPORTED => Outcome::LeftOut,
        Err(problem) => Outcome::Failed { expected: expectation(case), found: show(&problem) },
        Ok(text) if accepted(case, class).contains(&text.as_str()) => Outcome::Passed,
        Ok(text) if is_listed(case) || shows_objects(case, &text) => Outcome::Listed,
        Ok(text) => Outcome::Failed { expected: expectation(case), found: format!("{text:?}") },
    }
}

/// Where LiquidJS's text has an object in it, Coho's has its JSON, as the reference says; the text around it is the same.
fn shows_objects(test: &Value, found: &str) -> bool {
    let theirs = test.get("liquidjs").and_then(Value::as_text).unwrap_or_default();
    let parts: Vec<&str> = theirs.split("[object Object]").collect();
    let [first, .., last] = parts.as_slice() else { return false };
    found.starts_with(&format!("{first}{{")) && found.ends_with(&format!("}}{last}"))
}

fn is_listed(test: &Value) -> bool {
    DIFFERENCES.iter().any(|(listed, _)| test.get("template").and_then(Value::as_text) == Some(listed))
}

fn golden_text(test: &Value) -> Result<String, Problem> {
    let template = compile(&text_of(test, "template"), &scope().snippets(&snippets(test))).map_err(first)?;
    template.render_text(&Context::free(test.get("data").unwrap_or(&Value::Null)))
}

/// The templates that a case may render.
fn snippets(case: &Value) -> Snippets {
    let Some(Value::Object(members)) = case.get("templates") else { return Snippets::default() };
    let snippet = |(name, text): &(String, Value)| {
        let text = text.as_text().unwrap_or_default().to_owned();
        (name.clone(), Snippet { text, file: name.as_str().into() })
    };
    members.iter().map(snippet).collect()
}

fn first(problems: Vec<Problem>) -> Problem {
    let none = || Problem::new(Code::TEMPLATE_SYNTAX, "refused without a problem");
    problems.into_iter().next().unwrap_or_else(none)
}

/// The texts that a case may give: where the engines differ, either; the reference says which.
fn accepted<'t>(test: &'t Value, class: &str) -> Vec<&'t str> {
    let mut texts: Vec<&str> = test.get("result").and_then(Value::as_text).into_iter().collect();
    if let Some(Value::Array(results)) = test.get("results") {
        texts.extend(results.iter().filter_map(Value::as_text));
    }
    if class == "dialect" {
        texts.extend(test.get("liquidjs").and_then(Value::as_text));
    }
    texts
}

fn expectation(test: &Value) -> String {
    let texts = accepted(test, &text_of(test, "class"));
    texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" or ")
}

fn mapping(test: &Value, row: &Value) -> (String, Outcome) {
    let kind = text_of(test, "kind");
    let template = text_of(test, "template");
    let names = Value::Object(vec![("row".to_owned(), row.clone())]);
    let expected = test.get("value").unwrap_or(&Value::Null);
    let found = compile(&template, &scope()).map_err(first).and_then(|compiled| {
        let context = Context::free(&names);
        if kind == "typed" {
            compiled.render(&context)
        } else {
            compiled.render_text(&context).map(Value::Text)
        }
    });
    if found.as_ref().is_ok_and(|value| same(value, expected)) {
        return (kind, Outcome::Passed);
    }
    let in_text = expected.to_string().contains("[object Object]");
    let explained =
        in_text || differences::case(&template, &Answer::plain(expected.clone()), &found).is_some();
    let found = found.map_or_else(|problem| show(&problem), |value| value.to_string());
    if explained || is_listed(test) {
        return (kind, Outcome::Listed);
    }
    (kind, Outcome::Failed { expected: expected.to_string(), found })
}

/// LiquidJS's undefined is null for Coho, and so is its nil, which it shows as `{}`.
fn same(value: &Value, expected: &Value) -> bool {
    let empty = matches!(expected, Value::Object(members) if members.is_empty());
    let nothing = empty || expected.is_null() || expected.get("undefined") == Some(&Value::Bool(true));
    value == expected || (nothing && value.is_null())
}
