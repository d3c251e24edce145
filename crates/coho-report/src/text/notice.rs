//! Notices: guards and problems, each as `! code  how often`, and under it what it says and what helps.

use coho_core::code::{Code, Entry};
use coho_core::plan::{GuardHit, ProblemCount, ProblemCounts};
use coho_core::problem::Problem;
use coho_core::sync::SyncId;

use crate::style::{Style, Tone};
use crate::words::{counted, seen, status, tame, times, wrap};

/// The most characters of a key outside of listings.
pub(super) const KEY: usize = 64;

/// The column of a notice's sentences.
const INDENT: usize = 6;

/// Guards that hold something.
pub(super) fn guards(guards: &[GuardHit], style: &Style) -> String {
    guards.iter().map(|guard| self::guard(guard, style)).collect()
}

fn guard(guard: &GuardHit, style: &Style) -> String {
    let held = match guard.held {
        0 => "there was nothing to hold".to_owned(),
        held => format!("holds {}", counted(held, "operation")),
    };
    head(guard.code, &held, Tone::Change, style) + &said(&guard.message, style) + &help(&guard.help, style)
}

/// Where the rows of a problem can be asked for.
#[derive(Clone, Copy)]
pub(super) enum See<'a> {
    /// In the ledger, under this sync.
    Rows(&'a SyncId),
    /// Nowhere yet.
    Nowhere,
}

/// Problems of rows, by code.
pub(super) fn problems(problems: &ProblemCounts, see: See<'_>, style: &Style) -> String {
    problems.iter().map(|(kind, count)| counted_problem(kind.code, count, see, style)).collect()
}

fn counted_problem(code: Code, problem: &ProblemCount, see: See<'_>, style: &Style) -> String {
    let first = if problem.count == 1 { "" } else { "first " };
    let place = match &problem.key {
        Some(key) => format!("{}, {first}at key {}", times(problem.count), seen(key.as_str(), KEY)),
        None => times(problem.count),
    };
    let see = match (see, status(code)) {
        // A row without a key has no place in the ledger.
        (See::Rows(sync), Some(status)) if problem.key.is_some() => {
            said(&format!("see: coho rows {sync} --status {status}"), style)
        }
        (See::Rows(_) | See::Nowhere, _) => String::new(),
    };
    head(code, &place, Tone::Bad, style) + &body(&problem.first, style) + &see
}

/// One problem of the project, with its place.
pub(super) fn problem(problem: &Problem, style: &Style) -> String {
    let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
    head(problem.code, &place, Tone::Bad, style) + &body(problem, style)
}

/// What stopped a run.
pub(super) fn halt(code: Code, message: &str, style: &Style) -> String {
    head(code, "", Tone::Bad, style) + &said(message, style) + &help(&remedy(code), style)
}

fn head(code: Code, what: &str, tone: Tone, style: &Style) -> String {
    let what = if what.is_empty() { String::new() } else { format!("  {what}") };
    format!("  {} {}{what}\n", style.paint(tone, "!"), style.paint(Tone::Strong, code.as_str()))
}

fn body(problem: &Problem, style: &Style) -> String {
    let field = problem.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
    let help = problem.help.clone().unwrap_or_else(|| remedy(problem.code));
    said(&format!("{field}{}", problem.message), style) + &self::help(&help, style)
}

/// What the reference says to do, as a fragment like all other texts.
fn remedy(code: Code) -> String {
    code.entry().map(Entry::help).unwrap_or_default()
}

fn said(text: &str, style: &Style) -> String {
    if text.is_empty() { String::new() } else { wrap(&tame(text), INDENT, style.width) }
}

fn help(text: &str, style: &Style) -> String {
    if text.is_empty() { String::new() } else { said(&format!("help: {text}"), style) }
}
