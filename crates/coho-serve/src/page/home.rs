//! The overview: what is wrong now, how each sync goes, and what is under way.

use coho_ledger::Ledger;
use coho_ledger::look::FailuresOf;
use coho_ledger::look::home::{SyncHistory, SyncRun};
use coho_ledger::run::RunStatus;
use coho_report::words::{counted, number, time};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use super::agenda::Agenda;
use super::cause::{self, Cause};
use super::sum::Sum;
use crate::markup::chart::{self, Bar};
use crate::markup::parts;
use crate::moment::{Moment, ago, millis};
use crate::reader::ReadError;
use crate::shown::{Formed, Hand};
use crate::target::{self, PageAction, Target};

/// So many of the newest runs are looked at.
const RUNS: usize = 200;

/// So many causes are shown.
const CAUSES: usize = 20;

/// The overview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Home {
    project: String,
    /// Whether there is a ledger.
    ran: bool,
    /// Rows that no later run mended, by cause.
    failing: Vec<Cause>,
    syncs: Vec<SyncState>,
    /// What is to come, where this process runs syncs.
    #[serde(skip_serializing_if = "Option::is_none")]
    agenda: Option<Agenda>,
}

/// How a sync goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SyncState {
    sync: String,
    object: String,
    workspace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<Moment>,
    /// How long ago that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    success_ago: Option<String>,
    /// Rows that wait for somebody now.
    failing: u64,
    /// Its last runs, the oldest first.
    history: Vec<Past>,
}

/// A sync's newest run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LastRun {
    run: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    started: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    sum: Sum,
}

/// An earlier run, as a bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Past {
    run: String,
    started: Moment,
    status: String,
    sent: u64,
    failed: u64,
}

/// The overview of a project that never ran.
pub(crate) fn empty(context: &Context<'_>) -> Home {
    Home {
        project: context.site.project.clone(),
        ran: false,
        failing: Vec::new(),
        syncs: Vec::new(),
        agenda: None,
    }
}

/// The overview.
pub(crate) fn make(context: &Context<'_>, ledger: &Ledger) -> Result<Home, ReadError> {
    let (mut syncs, mut failing) = (Vec::new(), Vec::new());
    for history in ledger.sync_histories(RUNS)? {
        let Some(scope) = ledger.scope_of(&history.workspace, &history.sync)? else { continue };
        let groups = ledger.failures(&scope, FailuresOf::Now, CAUSES)?;
        let shown = |group| Cause::of(&history.sync, group, &Target::Search, &[("standing", Some("yes"))]);
        failing.extend(groups.iter().map(shown));
        syncs.push(sync(context, &history, ledger.still_failing(&scope, None)?));
    }
    failing.sort_by_key(|cause| std::cmp::Reverse(cause.rows));
    failing.truncate(CAUSES);
    let agenda = context.house.map(|house| Agenda::of(house, ledger)).transpose()?;
    Ok(Home { project: context.site.project.clone(), ran: true, failing, syncs, agenda })
}

fn sync(context: &Context<'_>, history: &SyncHistory, failing: u64) -> SyncState {
    let bars: Vec<_> = history.runs.iter().take(chart::BARS).map(past).collect();
    SyncState {
        sync: history.sync.as_str().to_owned(),
        object: history.object.clone(),
        workspace: history.workspace.clone(),
        last: history.runs.first().map(last),
        last_success: history.last_success.map(Moment::from),
        success_ago: history.last_success.map(|then| ago(then, context.now)),
        failing,
        history: bars.into_iter().rev().collect(),
    }
}

fn last(run: &SyncRun) -> LastRun {
    LastRun {
        run: run.run.as_str().to_owned(),
        status: run.status.as_str().to_owned(),
        error: run.error.clone(),
        started: run.started.into(),
        millis: run.ended.map(|ended| millis(run.started, ended)),
        sum: Sum::of(&run.counts.clone().unwrap_or_default()),
    }
}

fn past(run: &SyncRun) -> Past {
    let counts = run.counts.clone().unwrap_or_default();
    let sum = Sum::of(&counts);
    let broke = matches!(run.status, RunStatus::Failed | RunStatus::Halted) && sum.failed() == 0;
    Past {
        run: run.run.as_str().to_owned(),
        started: run.started.into(),
        status: run.status.as_str().to_owned(),
        sent: sum.sent(),
        failed: if broke { 1 } else { sum.failed() },
    }
}

impl Formed for Home {
    fn title(&self) -> String {
        self.project.clone()
    }

    fn main(&self, hand: &Hand) -> Markup {
        if !self.ran || self.syncs.is_empty() {
            return html! {
                (nothing_yet())
                @if let Some(agenda) = &self.agenda { (agenda.show()) }
            };
        }
        html! {
            h1 .visually-hidden { "Overview" }
            @if hand.acts { p { a .more href=(Target::Act { action: PageAction::Run }.path()) { "Run now" } } }
            section aria-labelledby="wrong" {
                h2 #wrong { "Still failing" }
                @if self.failing.is_empty() {
                    (parts::empty("Nothing. Every row got through, or needs nobody."))
                } @else {
                    (cause::list(&self.failing))
                }
            }
            @if let Some(agenda) = &self.agenda { (agenda.show()) }
            section aria-labelledby="syncs" {
                h2 #syncs { "Syncs" }
                div .wide {
                    table {
                        thead { tr {
                            th { "Sync" } th { "Last run" } th .num { "Read" } th .num { "Sent" } th .num { "Failed" }
                            th .num { "Waiting now" } th { "Last success" } th { "Last " (chart::BARS) " runs" }
                        } }
                        tbody { @for sync in &self.syncs { (sync.show()) } }
                    }
                }
            }
        }
    }
}

impl SyncState {
    fn show(&self) -> Markup {
        html! {
            tr id={ "sync-" (self.sync) } {
                th scope="row" { a href=(Target::Runs.with(&[("sync", Some(&self.sync))])) { (self.sync) } span .faint { " → " (self.object) } br; span .faint .small { (self.workspace) } }
                @match &self.last {
                    None => { td colspan="4" .faint { "not among the last runs" } }
                    Some(last) => { (last.show()) }
                }
                (parts::cell(self.failing))
                td {
                    @match (&self.success_ago, &self.last_success) {
                        (Some(ago), Some(moment)) => { (ago) br; span .faint .small { (parts::moment(moment)) } }
                        _ => { span .faint { "never" } }
                    }
                }
                td { (self.bars()) }
            }
        }
    }

    fn bars(&self) -> Markup {
        let bars: Vec<_> = self.history.iter().map(Past::bar).collect();
        let failed = self.history.iter().filter(|past| past.failed > 0).count() as u64;
        let label = format!("{}: {} with failures", counted(bars.len() as u64, "run"), number(failed));
        chart::bars(&bars, &label)
    }
}

impl LastRun {
    fn show(&self) -> Markup {
        let run = target::run(&self.run).path();
        html! {
            td {
                a href=(run) { (parts::state(&self.status)) } " "
                @if let Some(millis) = self.millis { span .faint { (time(millis)) } }
                br; span .faint .small { (parts::moment(&self.started)) }
                @if let Some(error) = &self.error { p .small .badtext { (error) } }
            }
            (parts::cell(self.sum.read))
            (parts::cell(self.sum.sent()))
            (parts::cell(self.sum.failed()))
        }
    }
}

impl Past {
    fn bar(&self) -> Bar {
        Bar {
            good: self.sent,
            bad: self.failed,
            says: format!(
                "{} UTC: {}, {} sent, {} failed",
                self.started.shown(),
                self.status,
                number(self.sent),
                number(self.failed)
            ),
            href: target::run(&self.run).path(),
        }
    }
}

fn nothing_yet() -> Markup {
    html! {
        h1 { "Nothing has run yet" }
        p { "This page fills itself as soon as a run begins. In the project’s folder:" }
        ol .steps {
            li { code { "coho check" } " says what is wrong with the project" }
            li { code { "coho plan" } " shows what would be sent" }
            li { code { "coho run" } " sends it: watch it here" }
        }
    }
}
