//! How the time of a sync's run went: its stages, and what its calls waited for.

use coho_core::sync::SyncId;
use coho_ledger::look::CallSums;
use coho_ledger::stages::StageRecord;
use coho_report::words::number;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::moment::{Moment, millis, took};

/// How the time of a sync went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stages {
    #[serde(rename = "stages")]
    each: Vec<Stage>,
    /// What calls waited for, and how many were repeated, in words.
    waits: Vec<String>,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stage {
    #[serde(rename = "stage")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    began: Moment,
    /// Absent while it goes on, and where the run died in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

impl Stages {
    /// Those of one sync.
    pub(super) fn of(sync: &SyncId, stages: &[StageRecord], sums: &[CallSums]) -> Self {
        let sums = sums.iter().find(|sums| sums.sync == *sync);
        Self {
            each: stages.iter().filter(|stage| stage.sync == *sync).map(Stage::of).collect(),
            waits: sums.map(|sums| coho_report::text::waits(&sums.waits, sums.repeated)).unwrap_or_default(),
        }
    }

    /// A bar whose parts are as long as the stages took, with a list of them below.
    pub(super) fn show(&self) -> Markup {
        let whole: u64 = self.each.iter().filter_map(|stage| stage.millis).sum();
        html! {
            @if !self.each.is_empty() {
                details .stages {
                    summary { "Stages" @if whole > 0 { ": " (took(whole * 1_000)) } }
                    div .wide { table .narrow {
                        thead { tr { th { "Stage" } th .num { "Rows" } th .num { "Took" } th { "Share" } } }
                        tbody { @for stage in &self.each { (stage.show(whole)) } }
                    } }
                }
            }
            @if !self.waits.is_empty() { p .faint { (self.waits.join(", ")) } }
        }
    }
}

impl Stage {
    fn of(record: &StageRecord) -> Self {
        Self {
            name: record.stage.as_str().to_owned(),
            phase: record.phase.clone(),
            began: record.began.into(),
            millis: record.ended.map(|ended| millis(record.began, ended)),
            rows: record.rows,
        }
    }

    fn show(&self, whole: u64) -> Markup {
        let width = self.millis.unwrap_or_default() * 100 / whole.max(1);
        html! {
            tr {
                th scope="row" { (self.name) @if let Some(phase) = &self.phase { " " (phase) } }
                td .num { @if let Some(rows) = self.rows { (number(rows)) } }
                td .num { @match self.millis { Some(millis) => { (took(millis * 1_000)) } None => { "not ended" } } }
                td { svg .bar viewBox="0 0 100 8" width="100" height="8" aria-hidden="true" {
                    rect width=(width) height="8" {}
                } }
            }
        }
    }
}
