//! All runs, the newest first.

use coho_core::sync::SyncId;
use coho_ledger::look::runs::{ListedRun, WantedRuns};
use coho_ledger::run::RunStatus;
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::time;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use super::sum::Sum;
use crate::markup::parts;
use crate::moment::{Moment, millis};
use crate::shown::Page;
use crate::target::{self, Target};

/// So many runs are shown at once.
const MOST: usize = 50;

/// Runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunsPage {
    /// Only runs that stand so.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Only runs of this sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<String>,
    runs: Vec<RunState>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RunState {
    run: String,
    run_kind: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    started: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    syncs: Vec<String>,
    sum: Sum,
}

/// No runs.
pub(crate) fn empty() -> RunsPage {
    RunsPage { status: None, sync: None, runs: Vec::new(), next: None }
}

/// The runs that the filters choose.
pub(crate) fn make(context: &Context<'_>, ledger: &Ledger) -> Result<RunsPage, LedgerError> {
    let asked = context.asked;
    let status =
        asked.filter("status").and_then(|text| RunStatus::ALL.into_iter().find(|one| one.as_str() == text));
    let wanted = WantedRuns {
        status,
        sync: asked.filter("sync").map(SyncId::new),
        before: asked.filter("before").and_then(|number| number.parse().ok()),
    };
    let mut runs = ledger.list_runs(&wanted, MOST + 1)?;
    let next = (runs.len() > MOST).then(|| runs.get(MOST - 1).map(|run| run.number)).flatten();
    runs.truncate(MOST);
    Ok(RunsPage {
        status: status.map(|status| status.as_str().to_owned()),
        sync: wanted.sync.map(|sync| sync.as_str().to_owned()),
        runs: runs.iter().map(state).collect(),
        next,
    })
}

fn state(run: &ListedRun) -> RunState {
    RunState {
        run: run.run.as_str().to_owned(),
        run_kind: run.run_kind.clone(),
        status: run.status.as_str().to_owned(),
        error: run.error.clone(),
        started: run.started.into(),
        millis: run.ended.map(|ended| millis(run.started, ended)),
        syncs: run.syncs.iter().map(|sync| sync.as_str().to_owned()).collect(),
        sum: Sum::of(&run.counts),
    }
}

impl Page for RunsPage {
    fn title(&self) -> String {
        "Runs".to_owned()
    }

    fn main(&self) -> Markup {
        html! {
            h1 { "Runs" @if let Some(sync) = &self.sync { " of " (sync) } }
            nav .filters aria-label="Runs by status" {
                a href=(self.address(None, None)) aria-current=[self.status.is_none().then_some("true")] { "all" }
                @for status in RunStatus::ALL.map(RunStatus::as_str) {
                    a href=(self.address(Some(status), None))
                        aria-current=[(self.status.as_deref() == Some(status)).then_some("true")] { (status) }
                }
            }
            @if self.runs.is_empty() {
                (parts::empty(if self.status.is_some() { "No run stands so." } else { "No run yet. `coho run` makes one." }))
            } @else {
                (self.table())
            }
            @if let Some(next) = self.next {
                p { a .more rel="next" href=(self.address(self.status.as_deref(), Some(&next.to_string()))) { "Older runs" } }
            }
        }
    }
}

impl RunsPage {
    fn address(&self, status: Option<&str>, before: Option<&str>) -> String {
        Target::Runs.with(&[("sync", self.sync.as_deref()), ("status", status), ("before", before)])
    }

    fn table(&self) -> Markup {
        html! {
            div .wide { table {
                thead { tr {
                    th { "Run" } th { "Status" } th { "For" } th { "Syncs" } th .num { "Read" } th .num { "Sent" }
                    th .num { "Failed" } th .num { "Time" }
                } }
                tbody { @for run in &self.runs { (run.show()) } }
            } }
        }
    }
}

impl RunState {
    fn show(&self) -> Markup {
        html! {
            tr id={ "run-" (self.run) } {
                th scope="row" {
                    a href=(target::run(&self.run).path()) { (parts::moment(&self.started)) }
                    br; span .faint .small .mono { (self.run) }
                }
                td { (parts::state(&self.status)) @if let Some(error) = &self.error { p .small .badtext { (error) } } }
                td { (self.run_kind) }
                td { (self.syncs.join(", ")) }
                (parts::cell(self.sum.read))
                (parts::cell(self.sum.sent()))
                (parts::cell(self.sum.failed()))
                td .num { @if let Some(millis) = self.millis { (time(millis)) } @else { span .faint { "…" } } }
            }
        }
    }
}
