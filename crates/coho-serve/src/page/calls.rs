//! The calls of a run, one below the other as time went on.

use coho_core::sync::SyncId;
use coho_ledger::look::requests::{NumberedCall, WantedCalls};
use coho_ledger::run::RunId;
use coho_ledger::{Ledger, LedgerError};
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
    calls: Vec<CallLine>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
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
    /// Where it begins and how long it is in the waterfall, in thousandths of what is shown.
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
        calls: lines(&calls),
        next,
    }))
}

fn lines(calls: &[NumberedCall]) -> Vec<CallLine> {
    let micros = |call: &NumberedCall| call.call.at.timestamp_micros();
    let begin = calls.iter().map(micros).min().unwrap_or_default();
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
            nav .filters aria-label="Filters" { div .filter {
                a href=(calls.with(&[("sync", sync)])) aria-current=[(!self.failed).then_some("true")] { "all" }
                a href=(calls.with(&[("sync", sync), ("failed", Some("yes"))])) aria-current=[self.failed.then_some("true")] {
                    "not answered with 2xx"
                }
            } }
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
                td .fall title={ (self.at.shown()) " UTC" } { (chart::span(self.begin, self.length, parts::answer_tone(self.status))) }
            }
        }
    }
}
