//! What a run that is under way does now: how far it is, how fast, and its last calls.

use coho_ledger::look::requests::NumberedCall;
use coho_ledger::run::{RunId, RunRecord, RunStatus};
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::{counted, number};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::markup::parts;
use crate::moment::{Moment, millis, took};
use crate::target::Target;

/// So many calls are shown.
const CALLS: usize = 8;

/// What a run does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Now {
    /// The sync that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<String>,
    /// Rows whose end is written down.
    settled: u64,
    /// The same in a minute, over the whole run.
    per_minute: u64,
    /// The newest first.
    last_calls: Vec<LastCall>,
}

/// A call, briefly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LastCall {
    number: i64,
    at: Moment,
    method: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    micros: u64,
}

impl Now {
    /// What a run does, where it is under way.
    pub(super) fn of(
        context: &Context<'_>,
        ledger: &Ledger,
        record: &RunRecord,
        settled: u64,
    ) -> Result<Option<Self>, LedgerError> {
        if record.status != RunStatus::Running {
            return Ok(None);
        }
        let calls = ledger.last_requests(&RunId::new(record.id.as_str()), CALLS)?;
        let under_way = record.syncs.iter().rev().find(|sync| sync.status == RunStatus::Running);
        Ok(Some(Self {
            sync: under_way.map(|sync| sync.sync.as_str().to_owned()),
            settled,
            per_minute: settled * 60_000 / millis(record.started, context.now).max(1),
            last_calls: calls.iter().map(LastCall::of).collect(),
        }))
    }

    /// As a part of the run's page.
    pub(super) fn show(&self) -> Markup {
        html! {
            section .now aria-labelledby="now" {
                h2 #now { "Now" }
                p {
                    @match &self.sync { Some(sync) => { b { (sync) } " is under way: " } None => {} }
                    (counted(self.settled, "row")) " settled, " (number(self.per_minute)) " a minute"
                }
                @if self.last_calls.is_empty() { (parts::empty("No calls yet: Coho reads and compares rows first.")) }
                @else { ol .last {
                    @for call in &self.last_calls {
                        li id={ "last-" (call.number) } {
                            a .mono href=(Target::Call { number: call.number }.path()) { (call.method) " " (call.path) } " "
                            (parts::answer(call.status)) " " span .faint { (took(call.micros)) }
                        }
                    }
                } }
            }
        }
    }
}

impl LastCall {
    fn of(call: &NumberedCall) -> Self {
        Self {
            number: call.number,
            at: call.call.at.into(),
            method: call.call.method.to_owned(),
            path: call.call.path.clone(),
            status: call.call.status,
            micros: call.call.micros,
        }
    }
}
