//! What every page of a run begins with: which run it is, how it stands, and the ways between its pages.

use coho_ledger::run::RunRecord;
use coho_report::words::time;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::markup::parts;
use crate::moment::{Moment, millis};
use crate::target::Target;

/// What every page of a run begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) run: String,
    pub(crate) run_kind: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) started: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Moment>,
    /// How long it took, or has taken so far.
    pub(crate) millis: u64,
}

/// What every page of a run begins with.
pub(super) fn head(context: &Context<'_>, record: &RunRecord) -> Head {
    Head {
        run: record.id.as_str().to_owned(),
        run_kind: record.run_kind.clone(),
        status: record.status.as_str().to_owned(),
        error: record.error.clone(),
        started: record.started.into(),
        ended: record.ended.map(Moment::from),
        millis: millis(record.started, record.ended.unwrap_or(context.now)),
    }
}

impl Head {
    /// The heading, and the ways between the pages of a run.
    pub(crate) fn show(&self, here: &str) -> Markup {
        let run = &self.run;
        let ways = [
            ("Overview", Target::Run { run: run.clone() }),
            ("Rows", Target::Rows { run: run.clone() }),
            ("Calls", Target::Calls { run: run.clone() }),
        ];
        html! {
            p .crumbs { a href="/runs" { "Runs" } }
            h1 { "Run of " (parts::moment(&self.started)) " " (parts::state(&self.status)) }
            dl .facts {
                div { dt { "Run" } dd .mono { (self.run) } }
                div { dt { "For" } dd { (self.run_kind) } }
                div { dt { "Took" } dd #took { (time(self.millis)) @if self.ended.is_none() { " so far" } } }
                @if let Some(ended) = &self.ended { div { dt { "Ended" } dd { (parts::moment(ended)) } } }
            }
            @if let Some(error) = &self.error { p .alert role="alert" { (error) } }
            nav .tabs aria-label="This run" {
                @for (name, target) in &ways {
                    a href=(target.path()) aria-current=[(*name == here).then_some("page")] { (name) }
                }
            }
        }
    }
}
