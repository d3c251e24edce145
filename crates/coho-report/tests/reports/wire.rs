//! The fixtures' own shapes, and how they become plans and summaries.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::{Change, Reason};
use coho_core::fields::Difference;
use coho_core::json;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::plan::{
    Calls, GuardHit, LeastTime, ProblemCount, ProblemCounts, ProblemKind, RemovalOrigins, Sample, SyncPlan,
    SyncStatus, SyncSummary,
};
use coho_core::problem::Problem;
use coho_core::row_state::Verb;
use coho_core::started::Started;
use coho_core::sync::{Api, FirstRun, Mode, SyncId};
use coho_core::target::ExternalId;
use coho_core::time::Time;
use coho_core::verdict::{Outcome, RowStatus};
use coho_report::line::{RowLine, RunLine};
use serde::Deserialize;

use crate::Failure;

/// A sync's plan. `changes` are change, reason, count; `counts` statuses of rows, and of keys under `gone`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    sync: String,
    object: String,
    mode: String,
    #[serde(default = "rest")]
    api: String,
    /// `baseline`, `adopt`, or the day since when.
    #[serde(default)]
    first_run: Option<String>,
    counts: WireCounts,
    changes: Vec<(String, String, u64)>,
    #[serde(default)]
    samples: Vec<WireSample>,
    #[serde(default)]
    problems: Vec<WireProblem>,
    #[serde(default)]
    guards: Vec<Guard>,
    #[serde(default)]
    removals: (u64, u64),
    #[serde(default)]
    calls: (u64, u64),
    #[serde(default)]
    time: WireTime,
    #[serde(default)]
    notes: Vec<String>,
}

fn rest() -> String {
    Api::Rest.name().to_owned()
}

/// What a write costs, and the time by the Analytics API.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTime {
    write_price: Option<u32>,
    by_analytics: Option<u64>,
}

fn least_time(rate: u32, wire: &WireTime, calls: u64) -> LeastTime {
    let write_price = wire.write_price.unwrap_or(1_000);
    let millis = if rate == 0 { 0 } else { calls * 60 * u64::from(write_price) / u64::from(rate) };
    LeastTime { rate, write_price, millis, by_analytics: wire.by_analytics }
}

fn first_run(text: &str) -> Result<FirstRun, Failure> {
    Ok(match text {
        "baseline" => FirstRun::Baseline,
        "adopt" => FirstRun::Adopt,
        since => FirstRun::Since(since.parse::<Time>()?),
    })
}

/// A sync's end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    sync: String,
    object: String,
    status: String,
    #[serde(default)]
    errors: Vec<WireProblem>,
    halt: Option<(String, String)>,
    #[serde(default)]
    counts: WireCounts,
    #[serde(default)]
    problems: Vec<WireProblem>,
    #[serde(default)]
    guards: Vec<Guard>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    calls: u64,
    #[serde(default)]
    millis: u64,
}

/// Counts of rows, keys and operations.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WireCounts {
    read: u64,
    absent: u64,
    writes: u64,
    removals: u64,
    rows: BTreeMap<String, u64>,
    gone: BTreeMap<String, u64>,
    outcomes: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSample {
    key: String,
    target: String,
    change: String,
    reason: String,
    #[serde(default)]
    differences: Vec<WireDifference>,
}

/// `[field, after]` of a field that was never sent, or `[field, before, after]`.
type WireDifference = Vec<serde_json::Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProblem {
    code: String,
    message: String,
    #[serde(default)]
    count: u64,
    key: Option<String>,
    help: Option<String>,
    field: Option<String>,
    /// File, line, column.
    place: Option<(String, u32, u32)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guard {
    code: String,
    message: String,
    help: String,
    held: u64,
}

/// The lines of a listing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    #[serde(default)]
    runs: Vec<WireRun>,
    #[serde(default)]
    rows: Vec<WireRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRun {
    run: String,
    sync: String,
    started: String,
    millis: Option<u64>,
    status: String,
    counts: WireCounts,
    calls: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRow {
    key: String,
    status: String,
    verb: Option<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    run: String,
    at: String,
    #[serde(default)]
    differences: Vec<WireDifference>,
}

impl Plan {
    /// The plan, at this many calls a minute; 0 where that is not known.
    pub(crate) fn read(self, rate: u32) -> Result<SyncPlan, Failure> {
        let changes = self.changes.into_iter().map(|(kind, reason, count)| {
            let reason = Reason::parse(&reason).ok_or_else(|| format!("no reason: {reason}"))?;
            Ok(((change(&kind)?, reason), count))
        });
        let plan = SyncPlan {
            sync: SyncId::new(self.sync),
            object: Object::parse(&self.object).ok_or("no such object")?,
            mode: Mode::ALL.into_iter().find(|mode| mode.name() == self.mode).ok_or("no such mode")?,
            api: Api::ALL.into_iter().find(|api| api.name() == self.api).ok_or("no such api")?,
            first_run: self.first_run.as_deref().map(first_run).transpose()?,
            counts: self.counts.read()?,
            changes: changes.collect::<Result<_, Failure>>()?,
            samples: self.samples.into_iter().map(WireSample::read).collect::<Result<_, Failure>>()?,
            problems: problems(self.problems)?,
            guards: guards(self.guards)?,
            removals: RemovalOrigins { created: self.removals.0, found: self.removals.1 },
            calls: Calls { least: self.calls.0, most: self.calls.1 },
            time: least_time(rate, &self.time, self.calls.0),
            notes: self.notes,
        };
        plan.counts.check_plan()?;
        Ok(plan)
    }
}

impl Run {
    /// The summary.
    pub(crate) fn read(self) -> Result<SyncSummary, Failure> {
        let status = match (self.status.as_str(), self.halt) {
            ("completed", _) => SyncStatus::Completed,
            ("completed-with-errors", _) => SyncStatus::CompletedWithErrors,
            ("held", _) => SyncStatus::Held,
            ("interrupted", _) => SyncStatus::Interrupted,
            ("time-up", _) => SyncStatus::TimeUp,
            ("halted", Some((halt, message))) => SyncStatus::Halted { code: code(&halt)?, message, at: None },
            ("failed", _) => {
                let problems = self.errors.into_iter().map(WireProblem::read);
                SyncStatus::Failed(problems.collect::<Result<_, Failure>>()?)
            }
            (other, _) => return Err(format!("no status: {other}").into()),
        };
        let summary = SyncSummary {
            sync: SyncId::new(self.sync),
            object: Object::parse(&self.object).ok_or("no such object")?,
            status,
            counts: self.counts.read()?,
            problems: problems(self.problems)?,
            waiting: 0,
            guards: guards(self.guards)?,
            calls: self.calls,
            millis: self.millis,
            notes: self.notes,
        };
        summary.counts.check_run()?;
        Ok(summary)
    }
}

impl Listing {
    /// The lines.
    pub(crate) fn read(self) -> Result<(Vec<RunLine>, Vec<RowLine>), Failure> {
        let runs = self.runs.into_iter().map(WireRun::read).collect::<Result<_, Failure>>()?;
        let rows = self.rows.into_iter().map(WireRow::read).collect::<Result<_, Failure>>()?;
        Ok((runs, rows))
    }
}

impl WireCounts {
    fn read(self) -> Result<Counts, Failure> {
        let outcome = |(name, count): (String, u64)| {
            let found = Outcome::ALL.into_iter().find(|outcome| outcome.status().as_str() == name);
            Ok((found.ok_or_else(|| format!("no outcome: {name}"))?, count))
        };
        Ok(Counts {
            read: self.read,
            absent: self.absent,
            writes: self.writes,
            removals: self.removals,
            rows: statuses(self.rows)?,
            keys: statuses(self.gone)?,
            outcomes: self.outcomes.into_iter().map(outcome).collect::<Result<_, Failure>>()?,
        })
    }
}

impl WireSample {
    fn read(self) -> Result<Sample, Failure> {
        Ok(Sample {
            key: Key::new(self.key),
            target: ExternalId::parse(&self.target)?,
            change: change(&self.change)?,
            reason: Reason::parse(&self.reason).ok_or("no such reason")?,
            differences: self.differences.iter().map(difference).collect::<Result<_, Failure>>()?,
        })
    }
}

impl WireProblem {
    fn read(self) -> Result<Problem, Failure> {
        let mut problem = Problem::new(code(&self.code)?, self.message);
        problem.help = self.help;
        problem.field = self.field.map(|path| FieldPath::new(&path));
        problem.place =
            self.place.map(|(file, line, column)| Place { file: file.into(), line, column, length: 1 });
        Ok(problem)
    }
}

impl WireRun {
    fn read(self) -> Result<RunLine, Failure> {
        Ok(RunLine {
            run: self.run,
            sync: SyncId::new(self.sync),
            started: self.started.parse::<Time>()?,
            millis: self.millis,
            status: self.status,
            counts: self.counts.read()?,
            calls: self.calls,
            start: Started::default(),
            full_why: None,
            kept: "all",
            kept_until: None,
            failures_until: None,
        })
    }
}

impl WireRow {
    fn read(self) -> Result<RowLine, Failure> {
        let verb = match self.verb.as_deref() {
            None => None,
            Some("write") => Some(Verb::Write),
            Some("remove") => Some(Verb::Remove),
            Some(other) => return Err(format!("no verb: {other}").into()),
        };
        Ok(RowLine {
            key: self.key,
            status: RowStatus::parse(&self.status).ok_or("no such status")?,
            verb,
            code: self.code,
            message: self.message,
            run: self.run,
            at: self.at.parse::<Time>()?,
            differences: self.differences.iter().map(difference).collect::<Result<_, Failure>>()?,
        })
    }
}

fn difference(wire: &WireDifference) -> Result<Difference, Failure> {
    let (path, before, after) = match wire.as_slice() {
        [path, after] => (path, None, after),
        [path, before, after] => (path, Some(before), after),
        _ => return Err("a difference has two or three parts".into()),
    };
    Ok(Difference {
        path: FieldPath::new(path.as_str().ok_or("a field is named by text")?),
        before: before.cloned().map(json::from_serde).transpose()?,
        after: json::from_serde(after.clone())?,
    })
}

fn change(name: &str) -> Result<Change, Failure> {
    Ok(match name {
        "add" => Change::Add,
        "update" => Change::Update,
        "retry" => Change::Retry,
        "resolve" => Change::Resolve,
        "remove" => Change::Remove,
        "look" => Change::Probe,
        "learn" => Change::Learn,
        "release" => Change::Release,
        "keep" => Change::Keep,
        "forget" => Change::Forget,
        "held" => Change::Hold,
        "invalid" => Change::Invalid,
        "unchanged" => Change::Unchanged,
        other => return Err(format!("no change: {other}").into()),
    })
}

fn code(text: &str) -> Result<Code, Failure> {
    Code::parse(text).ok_or_else(|| format!("no code: {text}").into())
}

fn statuses(statuses: BTreeMap<String, u64>) -> Result<BTreeMap<RowStatus, u64>, Failure> {
    let status = |(name, count): (String, u64)| {
        Ok((RowStatus::parse(&name).ok_or_else(|| format!("no status: {name}"))?, count))
    };
    statuses.into_iter().map(status).collect()
}

fn problems(problems: Vec<WireProblem>) -> Result<ProblemCounts, Failure> {
    let counted = |mut problem: WireProblem| {
        let (count, key) = (problem.count, problem.key.take().map(Key::new));
        let first = problem.read()?;
        Ok((ProblemKind::of(&first), ProblemCount { count, key, first }))
    };
    problems.into_iter().map(counted).collect()
}

fn guards(guards: Vec<Guard>) -> Result<Vec<GuardHit>, Failure> {
    let hit = |guard: Guard| {
        Ok(GuardHit { code: code(&guard.code)?, message: guard.message, help: guard.help, held: guard.held })
    };
    guards.into_iter().map(hit).collect()
}
