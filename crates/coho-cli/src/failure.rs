//! The one printer of errors: what happened, why, and what helps.

use coho_core::code::Family;
use coho_core::failure::Failure as _;
use coho_core::json::Json;
use coho_core::problem::Problem;
use coho_core::words;
use coho_engine::context::EngineError;
use coho_project::{File, excerpt};
use serde_json::json;

use crate::exit::Known;
use crate::print;

/// In which form an error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As text on stderr.
    Text,
    /// As one document on stdout, for `--json`.
    Document,
}

/// Tells an error with its causes and gives the exit code.
pub(crate) fn report(error: &anyhow::Error, form: Form) -> u8 {
    match form {
        Form::Text => print::talk(&text(error)),
        Form::Document => drop(print::json(&document(error))),
    }
    code(error)
}

/// An error with its causes and what helps, as text.
pub(crate) fn told(error: &anyhow::Error) -> String {
    text(error)
}

fn text(error: &anyhow::Error) -> String {
    let colours = print::colours_talk();
    let red = |text: &str| if colours { format!("\u{1b}[1;31m{text}\u{1b}[0m") } else { text.to_owned() };
    let shown = error.downcast_ref::<Refused>().map_or_else(String::new, Refused::excerpts);
    let mut text = format!("{shown}{}: {error}{}", red("error"), known(error));
    for cause in causes(error) {
        text.extend(["\n  because: ", &cause]);
    }
    if let Some(help) = help(error) {
        text.extend(["\n", &words::help(&help)]);
    }
    text
}

fn causes(error: &anyhow::Error) -> Vec<String> {
    let (mut causes, mut last) = (Vec::new(), error.to_string());
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error says the same as what it holds, and so do some libraries' at each level.
        if !cause.ends_with(&last) {
            causes.push(cause.clone());
            last = cause;
        }
    }
    causes
}

/// `{version, kind: "problems", exit_code, problems: [{code, message, help, because: […], place, field}], warnings: […]}`: the
/// one form of whatever keeps a command from its work. `code` is left out where there is none, `because` where nothing is
/// behind the message.
fn document(error: &anyhow::Error) -> Json {
    let list =
        |problems: &[Problem]| -> Vec<Json> { problems.iter().map(coho_report::json::problem).collect() };
    let (problems, warnings) = match error.downcast_ref::<Refused>() {
        Some(refused) => (list(&refused.problems), list(&refused.warnings)),
        None => (vec![one(error)], Vec::new()),
    };
    json!({
        "version": coho_report::json::VERSION, "kind": "problems", "exit_code": code(error),
        "problems": problems, "warnings": warnings,
    })
}

fn one(error: &anyhow::Error) -> Json {
    let mut problem = json!({ "version": coho_report::json::VERSION });
    let coded = error.downcast_ref::<EngineError>().map(EngineError::code);
    if let Some(code) = coded.or_else(|| error.downcast_ref::<Known>().and_then(Known::named)) {
        problem["code"] = code.as_str().into();
    }
    let message = error.to_string();
    let bare = match coded {
        None => message
            .rsplit_once(" [")
            .filter(|_| problem.get("code").is_some())
            .map(|(bare, _)| bare.to_owned()),
        Some(_) => None,
    };
    problem["message"] = bare.unwrap_or(message).into();
    if let Some(help) = help(error) {
        problem["help"] = help.into();
    }
    let causes = causes(error);
    if !causes.is_empty() {
        problem["because"] = causes.into();
    }
    problem
}

/// A project, or a part of it, that cannot be used: all its problems, and its warnings.
#[derive(Debug, thiserror::Error)]
#[error("{}", print::counted(problems.len() as u64, "problem"))]
pub(crate) struct Refused {
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What may not be meant.
    pub(crate) warnings: Vec<Problem>,
    /// The files, for the lines that are shown.
    pub(crate) files: Vec<File>,
}

impl Refused {
    fn excerpts(&self) -> String {
        let warnings =
            self.warnings.iter().map(|warning| format!("warning: {}\n", excerpt(warning, &self.files)));
        let problems = self.problems.iter().map(|problem| format!("{}\n", excerpt(problem, &self.files)));
        warnings.chain(problems).collect()
    }

    fn code(&self) -> u8 {
        let is_halt =
            |problem: &Problem| problem.code.entry().is_some_and(|entry| entry.family == Family::Halt);
        if self.problems.iter().any(is_halt) { coho_report::exit::HALTED } else { coho_report::exit::FAILED }
    }
}

/// The stable code, in brackets: what the reference of error codes is searched for.
fn known(error: &anyhow::Error) -> String {
    error.downcast_ref::<EngineError>().map_or_else(String::new, |error| format!(" [{}]", error.code()))
}

fn help(error: &anyhow::Error) -> Option<String> {
    let known = error.downcast_ref::<Known>().and_then(|known| known.help.clone());
    known.or_else(|| error.downcast_ref::<EngineError>().and_then(EngineError::help))
}

/// The exit code of an error.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    if let Some(known) = error.downcast_ref::<Known>() {
        return known.code;
    }
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return refused.code();
    }
    let code = error.downcast_ref::<EngineError>().map(EngineError::code);
    code.map_or(coho_report::exit::UNEXPECTED, coho_report::exit::refused)
}
