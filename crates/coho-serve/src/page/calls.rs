//! The calls of a run, one below the other as time went on.

use coho_core::sync::SyncId;
use coho_ledger::look::requests::{NumberedCall, WantedCalls};
use coho_ledger::run::RunId;
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::number;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use super::head::{Head, head};
use crate::markup::{chart, parts};
use crate::moment::{Moment, took};
use crate::shown::Page;
use crate::target::Target;

/// So many calls are shown at once.
const MOST: usize = 200;

/// Calls of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallsPage {
    head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<String>,
    failed: bool,
    choices: Vec<Choice>,
    calls: Vec<CallLine>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Calls of a sync that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    sync: String,
    calls: u64,
    /// Those of them that were not answered with 2xx.
    failed: u64,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallLine {
    pub(crate) number: i64,
    pub(crate) sync: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// By what the row's page is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<i64>,
    pub(crate) at: Moment,
    pub(crate) micros: u64,
    /// Which attempt it was, and what it waited for, where there is something to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// How long it waited, where it begins and how long it is in the waterfall, in thousandths of what is shown.
    waited: u64,
    begin: u64,
    length: u64,
}

/// Calls of a run that the filters choose.
pub(crate) fn make(
    context: &Context<'_>,
    ledger: &Ledger,
    run: &str,
) -> Result<Option<CallsPage>, LedgerError> {
    let id = RunId::new(run);
    let Some(record) = ledger.run(&id)? else { return Ok(None) };
    let asked = context.asked;
    let wanted = WantedCalls {
        sync: asked.filter("sync").map(SyncId::new),
        failed: asked.filter("failed").is_some(),
        after: asked.filter("after").and_then(|number| number.parse().ok()),
    };
    let mut calls = ledger.requests_of_run(&id, &wanted, MOST + 1)?;
    let next = (calls.len() > MOST).then(|| calls.get(MOST - 1).map(|call| call.number)).flatten();
    calls.truncate(MOST);
    Ok(Some(CallsPage {
        head: head(context, &record),
        sync: wanted.sync.map(|sync| sync.as_str().to_owned()),
        failed: wanted.failed,
        choices: ledger.request_choices(&id)?.into_iter().map(choice).collect(),
        calls: lines(&calls),
        next,
    }))
}

fn choice((sync, calls, failed): (SyncId, u64, u64)) -> Choice {
    Choice { sync: sync.as_str().to_owned(), calls, failed }
}

fn lines(calls: &[NumberedCall]) -> Vec<CallLine> {
    let micros = |call: &NumberedCall| call.call.at.timestamp_micros();
    let waited =
        |call: &NumberedCall| u64::try_from(call.call.attempt.wait.length.as_micros()).unwrap_or_default();
    let starts = calls.iter().map(|call| micros(call).saturating_sub_unsigned(waited(call)));
    let begin = starts.min().unwrap_or_default();
    let ends = calls.iter().map(|call| micros(call).saturating_add_unsigned(call.call.micros));
    let whole = u64::try_from(ends.max().unwrap_or_default() - begin).unwrap_or_default().max(1);
    let line = |call: &NumberedCall| CallLine {
        number: call.number,
        sync: call.sync.as_str().to_owned(),
        key: call.key.as_ref().map(ToString::to_string),
        row: call.row,
        at: call.call.at.into(),
        micros: call.call.micros,
        told: coho_report::text::attempt(&call.call),
        method: call.call.method.to_owned(),
        path: call.call.path.clone(),
        status: call.call.status,
        waited: waited(call).saturating_mul(1_000) / whole,
        begin: u64::try_from(micros(call) - begin).unwrap_or_default().saturating_mul(1_000) / whole,
        length: call.call.micros.saturating_mul(1_000) / whole,
    };
    calls.iter().map(line).collect()
}

impl Page for CallsPage {
    fn title(&self) -> String {
        format!("Calls of the run of {}", self.head.started.shown())
    }

    fn main(&self) -> Markup {
        let calls = Target::Calls { run: self.head.run.clone() };
        let sync = self.sync.as_deref();
        html! {
            (self.head.show("Calls"))
            (self.filters(&calls))
            @if self.calls.is_empty() {
                (parts::empty(if self.failed { "Every call was answered with 2xx." } else { "No calls were made, or they are no longer kept." }))
            } @else {
                div .wide { table .calls {
                    thead { tr { th { "Call" } th { "Row" } th { "Answer" } th .num { "Took" } th .fall { "When" } } }
                    tbody { @for call in &self.calls { (call.show()) } }
                } }
                @if let Some(next) = self.next {
                    @let failed = self.failed.then_some("yes");
                    p { a .more rel="next" href=(calls.with(&[("sync", sync), ("failed", failed), ("after", Some(&next.to_string()))])) {
                        "Later calls"
                    } }
                }
            }
        }
    }
}

impl CallsPage {
    /// The filters with their choices. Each counts the calls that the other one leaves.
    fn filters(&self, calls: &Target) -> Markup {
        let (sync, failed) = (self.sync.as_deref(), self.failed.then_some("yes"));
        let chosen = self.choices.iter().filter(|choice| sync.is_none_or(|sync| sync == choice.sync));
        let (all, wrong) = chosen.fold((0, 0), |(all, wrong), one| (all + one.calls, wrong + one.failed));
        let of = |choice: &Choice| if self.failed { choice.failed } else { choice.calls };
        html! {
            nav .filters aria-label="Filters" {
                div .filter role="group" aria-label="answer" {
                    span .faint { "answer" }
                    a href=(calls.with(&[("sync", sync)])) aria-current=[(!self.failed).then_some("true")] { "all " b { (number(all)) } }
                    a href=(calls.with(&[("sync", sync), ("failed", Some("yes"))])) aria-current=[self.failed.then_some("true")] {
                        "not 2xx " b { (number(wrong)) }
                    }
                }
                div .filter role="group" aria-label="sync" {
                    span .faint { "sync" }
                    a href=(calls.with(&[("failed", failed)])) aria-current=[sync.is_none().then_some("true")] { "all" }
                    @for choice in &self.choices {
                        a href=(calls.with(&[("sync", Some(&choice.sync)), ("failed", failed)]))
                            aria-current=[(sync == Some(choice.sync.as_str())).then_some("true")] {
                            (choice.sync) " " b { (number(of(choice))) }
                        }
                    }
                }
            }
        }
    }
}

impl CallLine {
    fn show(&self) -> Markup {
        html! {
            tr id={ "call-" (self.number) } {
                td { a .mono href=(Target::Call { number: self.number }.path()) { (self.method) " " (self.path) } }
                td {
                    @match (&self.key, self.row) {
                        (Some(key), Some(row)) => { a href=(Target::Row { number: row }.path()) { (key) } }
                        (Some(key), None) => { (key) }
                        (None, _) => { span .faint { "several" } }
                    }
                }
                td { (parts::answer(self.status)) }
                td .num { (took(self.micros)) @if let Some(told) = &self.told { br; span .faint .small { (told) } } }
                td .fall title={ (self.at.shown()) " UTC" } { (chart::span(self.waited, self.begin, self.length, parts::answer_tone(self.status))) }
            }
        }
    }
}
