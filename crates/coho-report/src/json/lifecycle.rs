//! What webhooks are told of a sync that started or ended: counts and codes, no keys, no values and no texts of others.

use coho_core::code::Code;
use coho_core::json::Json;
use coho_core::lifecycle::Lifecycle;
use coho_core::object::Object;
use coho_core::plan::{GuardHit, ProblemCounts, SyncStatus, SyncSummary};
use coho_core::time::Time;
use serde_json::json;

use super::plan::counts;
use super::{VERSION, moment, object};

/// Which sync, of which run.
#[derive(Clone, Copy, Debug)]
pub struct SyncFrame<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The chosen target; none in a project without targets.
    pub target: Option<&'a str>,
    /// The run's id.
    pub run: &'a str,
    /// The sync's id.
    pub sync: &'a str,
    /// What its rows become; none where the project does not have the sync any more.
    pub object: Option<Object>,
    /// Its destination.
    pub destination: &'a str,
    /// Where Coho's pages are, without a slash at the end.
    pub public_url: Option<&'a str>,
}

/// What happened to it.
#[derive(Clone, Debug)]
pub enum Happened<'a> {
    /// It began.
    Started,
    /// It came to its end.
    Ended(&'a SyncSummary),
    /// The run broke off.
    Broken(Code),
    /// The process of the run ended before the run did.
    Died,
}

impl Happened<'_> {
    /// The word for it.
    pub fn lifecycle(&self) -> Lifecycle {
        match self {
            Self::Started => Lifecycle::Started,
            Self::Ended(summary) => Lifecycle::of(&summary.status),
            Self::Broken(_) | Self::Died => Lifecycle::Failed,
        }
    }

    fn status(&self) -> &'static str {
        match self {
            Self::Started => "running",
            Self::Ended(summary) => summary.status.name(),
            Self::Broken(_) => "halted",
            Self::Died => "interrupted",
        }
    }

    /// Codes of what kept the sync from its end.
    pub(super) fn errors(&self) -> Vec<&'static str> {
        match self {
            Self::Started | Self::Died => Vec::new(),
            Self::Broken(code) => vec![code.as_str()],
            Self::Ended(summary) => match &summary.status {
                SyncStatus::Failed(problems) => {
                    problems.iter().map(|problem| problem.code.as_str()).collect()
                }
                SyncStatus::Halted { code, .. } => vec![code.as_str()],
                SyncStatus::Completed
                | SyncStatus::CompletedWithErrors
                | SyncStatus::Held
                | SyncStatus::TimeUp
                | SyncStatus::Interrupted => Vec::new(),
            },
        }
    }
}

/// The message:
///
/// ```json
/// {
///   "type": "sync.completed",
///   "timestamp": "2026-11-24T09:00:00.420Z",
///   "data": {
///     "version": 1, "project": "acme", "target": "prod", "run": "0193…", "sync": "accounts", "object": "account",
///     "destination": "vitally", "status": "completed-with-errors", "errors": [],
///     "counts": { "read": 91, "absent": 0, "writes": 3, "removals": 0, "statuses": { "delivered": 2, "rejected": 1, "unchanged": 88 } },
///     "problems": [{ "code": "refused", "field": "traits.seats", "count": 1 }], "guards": [{ "code": "max-removed", "held": 37 }],
///     "calls": 4, "millis": 420, "link": "https://coho.example.com/runs/0193…"
///   }
/// }
/// ```
///
/// From `counts` to `millis` stands what is known only of a sync that came to its end.
pub fn lifecycle(frame: &SyncFrame<'_>, happened: &Happened<'_>, at: Time) -> Json {
    let ended = if let Happened::Ended(summary) = happened { Some(*summary) } else { None };
    let data = object([
        ("version", Some(VERSION.into())),
        ("project", Some(frame.project.into())),
        ("target", frame.target.map(Json::from)),
        ("run", Some(frame.run.into())),
        ("sync", Some(frame.sync.into())),
        ("object", frame.object.map(|object| object.name().into())),
        ("destination", Some(frame.destination.into())),
        ("status", Some(happened.status().into())),
        ("errors", Some(happened.errors().into())),
        ("counts", ended.map(|summary| counts(&summary.counts))),
        ("problems", ended.map(|summary| problems(&summary.problems))),
        ("guards", ended.map(|summary| guards(&summary.guards))),
        ("calls", ended.map(|summary| summary.calls.into())),
        ("millis", ended.map(|summary| summary.millis.into())),
        ("link", frame.public_url.map(|url| format!("{url}/runs/{}", frame.run).into())),
    ]);
    json!({ "type": happened.lifecycle().as_str(), "timestamp": moment(at), "data": data })
}

fn problems(problems: &ProblemCounts) -> Json {
    let problems = problems.iter().map(|(kind, count)| {
        object([
            ("code", Some(kind.code.as_str().into())),
            ("field", kind.field.as_ref().map(|field| field.to_string().into())),
            ("count", Some(count.count.into())),
        ])
    });
    problems.collect()
}

fn guards(guards: &[GuardHit]) -> Json {
    guards.iter().map(|guard| json!({ "code": guard.code.as_str(), "held": guard.held })).collect()
}
