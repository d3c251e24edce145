//! `run_results.json`: how the last run ended, for programs that did not see what it printed. [`schema`] says its form.

pub(super) mod schema;

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::json::Json;
use coho_core::plan::SyncSummary;
use coho_core::time::Time;
use serde_json::json;

use super::run::sync;
use super::{VERSION, moment, object};
use crate::exit;

/// A run that ended, or that could not begin.
#[derive(Clone, Debug)]
pub struct RunEnd<'a> {
    /// The run's id; none where no run began, or it is not known which.
    pub run: Option<&'a str>,
    /// The project's name.
    pub project: &'a str,
    /// The chosen target; none in a project without targets.
    pub target: Option<&'a str>,
    /// What the run was for.
    pub run_kind: RunKind,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Time,
    /// The version of Coho.
    pub coho: &'a str,
    /// What became of its syncs, or what kept the run from its end.
    pub end: Result<&'a [SyncSummary], RunRefusal>,
}

/// What kept a run from its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRefusal {
    /// The stable code.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What helps.
    pub help: Option<String>,
}

/// The document:
///
/// ```json
/// {
///   "version": 1, "run": "0193…", "project": "acme", "target": "prod", "purpose": "sync",
///   "started_at": "2026-11-24T09:00:00.000Z", "ended_at": "2026-11-24T09:00:00.420Z", "coho_version": "0.1.0",
///   "exit_code": 5,
///   "syncs": [{ "…": "as in `run`" }]
/// }
/// ```
///
/// `exit_code` and `syncs` are those of [`super::run()`]. A run that could not begin, or broke off, has no syncs and
/// `"error": { "code": "ledger-lost", "message": "…", "help": "…" }`.
pub fn results(end: &RunEnd<'_>) -> Json {
    let (exit_code, syncs, error) = match &end.end {
        Ok(summaries) => (exit::code(summaries), summaries.iter().map(sync).collect(), None),
        Err(refusal) => (exit::refused(refusal.code), json!([]), Some(error(refusal))),
    };
    object([
        ("version", Some(VERSION.into())),
        ("run", end.run.map(Json::from)),
        ("project", Some(end.project.into())),
        ("target", end.target.map(Json::from)),
        ("purpose", Some(end.run_kind.name().into())),
        ("started_at", Some(moment(end.started))),
        ("ended_at", Some(moment(end.ended))),
        ("coho_version", Some(end.coho.into())),
        ("exit_code", Some(exit_code.into())),
        ("error", error),
        ("syncs", Some(syncs)),
    ])
}

fn error(refusal: &RunRefusal) -> Json {
    object([
        ("code", Some(refusal.code.as_str().into())),
        ("message", Some(refusal.message.as_str().into())),
        ("help", refusal.help.as_deref().map(Json::from)),
    ])
}
