//! One run: how it stands, law 1 in numbers, failures by cause, its syncs, its calls.

use coho_core::counts::Counts;
use coho_core::sync::SyncId;
use coho_ledger::look::FailuresOf;
use coho_ledger::look::home::SyncRun;
use coho_ledger::look::requests::CallCount;
use coho_ledger::look::run::StatusCount;
use coho_ledger::run::{RunId, RunRecord, SyncRecord};
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::{counted, number, time};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use super::cause::{self, Cause};
use super::compare::{self, Comparison};
use super::head::{Head, head};
use super::now::Now;
use super::origin::Origin;
use super::stages::Stages;
use super::sum::Sum;
use crate::markup::parts;
use crate::moment::millis;
use crate::shown::{Formed, Hand};
use crate::target::Target;

/// So many causes of each sync are shown.
const CAUSES: usize = 20;

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunPage {
    head: Head,
    origin: Origin,
    /// What it does now; absent where it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Now>,
    /// Rows that it wrote down as failed, by cause.
    failures: Vec<Cause>,
    /// All rows of all syncs that have ended.
    sum: Sum,
    syncs: Vec<SyncPart>,
    /// Rows that the ledger keeps, by where they ended.
    kept: Vec<Kept>,
    calls: Vec<Calls>,
}

/// A sync of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SyncPart {
    sync: String,
    model: String,
    destination: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    /// Absent while the sync is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Sum>,
    calls: u64,
    /// Why every row was evaluated, where every row was.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_why: Option<String>,
    #[serde(flatten)]
    stages: Stages,
    /// Beside its earlier runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Comparison>,
}

/// Rows of a sync that ended so, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    sync: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    rows: u64,
}

/// Calls with one method and one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Calls {
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    number: u64,
    /// How long they took together.
    millis: u64,
}

/// A run, if there is one with this id.
pub(crate) fn make(
    context: &Context<'_>,
    ledger: &Ledger,
    run: &str,
) -> Result<Option<RunPage>, LedgerError> {
    let id = RunId::new(run);
    let Some(record) = ledger.run(&id)? else { return Ok(None) };
    let earlier = ledger.runs_before(&id, compare::RUNS)?;
    let (stages, sums) = (ledger.stages(&id)?, ledger.call_sums(&id)?);
    let mut counts = Counts::default();
    record.syncs.iter().filter_map(|sync| sync.counts.as_ref()).for_each(|of_sync| counts.add(of_sync));
    let statuses = ledger.statuses_of_run(&id)?;
    let settled = statuses.iter().map(|count| count.rows).sum();
    Ok(Some(RunPage {
        head: head(context, &record),
        origin: Origin::of(ledger, &record, &context.site.retention)?,
        now: Now::of(context, ledger, &record, settled)?,
        failures: failures(ledger, &record)?,
        sum: Sum::of(&counts),
        syncs: record
            .syncs
            .iter()
            .map(|sync| part(sync, &earlier, Stages::of(&sync.sync, &stages, &sums)))
            .collect(),
        kept: statuses.iter().map(kept).collect(),
        calls: ledger.request_counts(&id)?.iter().map(calls).collect(),
    }))
}

/// Failures of all syncs, those of most rows first.
fn failures(ledger: &Ledger, record: &RunRecord) -> Result<Vec<Cause>, LedgerError> {
    let rows = Target::Rows { run: record.id.as_str().to_owned() };
    let mut causes = Vec::new();
    for sync in &record.syncs {
        let Some(scope) = ledger.scope_of(&sync.workspace, &sync.sync)? else { continue };
        let groups = ledger.failures(&scope, FailuresOf::Run(&record.id), CAUSES)?;
        causes.extend(groups.iter().map(|group| Cause::of(&sync.sync, group, &rows, &[])));
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.rows));
    Ok(causes)
}

fn part(sync: &SyncRecord, earlier: &[(SyncId, SyncRun)], stages: Stages) -> SyncPart {
    let of_sync = earlier.iter().filter(|(id, _)| *id == sync.sync);
    let of_sync: Vec<_> = of_sync.map(|(_, run)| run).collect();
    SyncPart {
        sync: sync.sync.as_str().to_owned(),
        model: sync.model.clone(),
        destination: sync.destination.clone(),
        status: sync.status.as_str().to_owned(),
        error: sync.error.clone(),
        millis: sync.ended.map(|ended| millis(sync.started, ended)),
        sum: sync.counts.as_ref().map(Sum::of),
        calls: sync.calls,
        full_why: sync.full_why.map(|why| why.as_str().to_owned()),
        stages,
        compared: Comparison::of(sync, &of_sync),
    }
}

fn kept(count: &StatusCount) -> Kept {
    Kept {
        sync: count.sync.as_str().to_owned(),
        status: count.status.as_str().to_owned(),
        code: count.code.clone(),
        rows: count.rows,
    }
}

fn calls(count: &CallCount) -> Calls {
    Calls {
        method: count.method.clone(),
        status: count.status,
        number: count.calls,
        millis: count.micros / 1_000,
    }
}

impl Calls {
    /// The filter of calls among which these are: it has one for all that were not answered with 2xx.
    fn failed(&self) -> Option<&'static str> {
        (!matches!(self.status, Some(200..=299))).then_some("yes")
    }
}

impl Formed for RunPage {
    fn title(&self) -> String {
        format!("Run of {}", self.head.started.shown())
    }

    fn main(&self, hand: &Hand) -> Markup {
        html! {
            (self.head.show("Overview"))
            (self.origin.show())
            @if let Some(now) = &self.now { (now.show()) }
            @if !self.failures.is_empty() {
                section aria-labelledby="failures" {
                    h2 #failures { "Failures" }
                    (cause::list(&self.failures, hand))
                }
            }
            section aria-labelledby="rows" {
                h2 #rows { "Rows" }
                @if self.now.is_none() || self.sum.read > 0 { (self.sum.show(&self.head.run, None)) }
                (self.shown_kept())
            }
            section aria-labelledby="syncs" {
                h2 #syncs { "Syncs" }
                @for sync in &self.syncs { (self.shown_sync(sync)) }
            }
            section aria-labelledby="calls" {
                h2 #calls { "Calls" }
                @if self.calls.is_empty() { (parts::empty("This run made no calls: there was nothing to send.")) }
                @else { (self.shown_calls()) }
            }
        }
    }
}

impl RunPage {
    fn shown_kept(&self) -> Markup {
        let rows = Target::Rows { run: self.head.run.clone() };
        html! {
            @if !self.kept.is_empty() {
                ul .chips {
                    @for kept in &self.kept {
                        li { a class={ "chip " (parts::tone(&kept.status)) } href=(rows.with(&[
                            ("sync", Some(&kept.sync)), ("status", Some(&kept.status)), ("code", kept.code.as_deref())])) {
                            b { (number(kept.rows)) } " " (kept.sync) " " (kept.status.replace('-', " "))
                            @if let Some(code) = kept.code.as_ref().filter(|code| **code != kept.status) { " " code { (code) } }
                        } }
                    }
                }
            }
        }
    }

    fn shown_sync(&self, sync: &SyncPart) -> Markup {
        html! {
            article .sync id={ "sync-" (sync.sync) } {
                h3 { (sync.sync) " " (parts::state(&sync.status)) }
                p .faint {
                    "model " (sync.model) " → " (sync.destination) " · " (counted(sync.calls, "call"))
                    @if let Some(millis) = sync.millis { " · " (time(millis)) }
                }
                @if let Some(sum) = &sync.sum { (sum.show(&self.head.run, Some(&sync.sync))) }
                @if let Some(error) = &sync.error { p .alert { (error) } }
                @if let Some(why) = &sync.full_why { p .faint { "every row was evaluated: " (why.replace('-', " ")) } }
                @if let Some(compared) = &sync.compared { (compared.show()) }
                (sync.stages.show())
            }
        }
    }

    fn shown_calls(&self) -> Markup {
        let calls = Target::Calls { run: self.head.run.clone() };
        html! {
            div .wide { table .narrow {
                thead { tr { th { "Method" } th { "Answer" } th .num { "Calls" } th .num { "Mean time" } } }
                tbody { @for count in &self.calls {
                    tr {
                        td .mono { (count.method) }
                        td { (parts::answer(count.status)) }
                        td .num { a href=(calls.with(&[("failed", count.failed())])) { (number(count.number)) } }
                        td .num { (number(count.millis / count.number.max(1))) " ms" }
                    }
                } }
            } }
        }
    }
}
