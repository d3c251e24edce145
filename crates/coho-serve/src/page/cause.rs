//! Failures by their cause: how many rows, since when, which, and what to do about it. The ledger groups them, as it does for
//! `coho runs RUN --failures`.

use coho_core::code::Code;
use coho_core::sync::SyncId;
use coho_core::verdict::RowStatus;
use coho_ledger::look::FailureGroup;
use coho_report::words::counted;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts;
use crate::moment::Moment;
use crate::shown::Hand;
use crate::target::{PageAction, Target};

/// Rows of one sync that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) sync: String,
    /// Its number in the ledger.
    number: u64,
    /// How many of its rows are tried again when somebody asks for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    waiting: u64,
    /// Where most of them ended.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What their messages have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    pub(crate) rows: u64,
    /// When a row failed of it for the first time.
    first: Moment,
    /// Whether it had been healed before.
    came_back: bool,
    /// A few of the rows.
    keys: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// Where the rows are.
    href: String,
}

impl Cause {
    /// A cause whose rows are listed on this page, which has these filters already.
    pub(crate) fn of(
        sync: &SyncId,
        group: &FailureGroup,
        rows: &Target,
        filters: &[(&str, Option<&str>)],
    ) -> Self {
        let most = group.statuses.iter().max_by_key(|(_, rows)| **rows);
        let id = group.id.to_string();
        let mut filters = filters.to_vec();
        filters.extend([("sync", Some(sync.as_str())), ("cause", Some(id.as_str()))]);
        Self {
            sync: sync.as_str().to_owned(),
            number: group.id,
            waiting: if group.healed.is_none() { waiting(group) } else { 0 },
            status: most.map(|(status, _)| status.as_str().to_owned()).unwrap_or_default(),
            code: group.cause.code.map(|code| code.to_string()),
            message: Some(group.cause.message.clone()).filter(|message| !message.is_empty()),
            rows: group.count,
            first: group.first.into(),
            came_back: group.came_back,
            keys: group.examples.iter().map(ToString::to_string).collect(),
            remedy: group.cause.code.and_then(Code::entry).map(|entry| entry.remedy.to_owned()),
            href: rows.with(&filters),
        }
    }

    fn show(&self, hand: &Hand) -> Markup {
        html! {
            li class={ "cause " (parts::tone(&self.status)) } {
                a .rows href=(self.href) { (counted(self.rows, "row")) }
                div {
                    p .what { @match &self.message { Some(message) => { (message) } None => { "no message" } } }
                    p .faint {
                        (parts::status(&self.status)) " "
                        @if let Some(code) = &self.code { code { (code) } " · " }
                        (self.sync) " · first seen " (parts::moment(&self.first))
                        @if self.came_back { " · " strong { "came back" } }
                    }
                    @if !self.keys.is_empty() { p .faint { "such as " span .mono { (self.keys.join(", ")) } } }
                    @if let Some(remedy) = &self.remedy { p .remedy { (remedy) } }
                    @if hand.acts && self.waiting > 0 {
                        p { a .more href=(Target::Act { action: PageAction::Retry }.with(&[("cause", Some(&self.number.to_string()))])) {
                            "Retry these" span .visually-hidden { ": " (self.title()) }
                        } }
                    }
                }
            }
        }
    }
}

impl Cause {
    /// What tells it from others, for who hears the page.
    fn title(&self) -> &str {
        self.message.as_deref().or(self.code.as_deref()).unwrap_or(&self.sync)
    }
}

/// How many rows of a group wait for another attempt. What is invalid or held is evaluated in each run anyway.
fn waiting(group: &FailureGroup) -> u64 {
    let waits =
        |status: &RowStatus| matches!(status, RowStatus::Rejected | RowStatus::Skipped | RowStatus::Deferred);
    group.statuses.iter().filter(|(status, _)| waits(status)).map(|(_, rows)| rows).sum()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Causes, those of most rows first.
pub(crate) fn list(causes: &[Cause], hand: &Hand) -> Markup {
    html! { ol .causes { @for cause in causes { (cause.show(hand)) } } }
}
