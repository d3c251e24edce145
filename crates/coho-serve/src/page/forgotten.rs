//! What somebody had forgotten on purpose: why rows are new that were delivered before.

use coho_core::started::StartedBy;
use coho_ledger::Forgotten;
use coho_report::words::counted;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts;
use crate::moment::Moment;

/// Something that was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForgottenPart {
    at: Moment,
    /// Whether all rows of the sync were forgotten, and not one.
    whole_sync: bool,
    rows: u64,
    /// `command` or `debugger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
}

impl ForgottenPart {
    /// As the ledger has it.
    pub(crate) fn of(forgotten: &Forgotten) -> Self {
        Self {
            at: forgotten.at.into(),
            whole_sync: forgotten.key.is_none(),
            rows: forgotten.rows,
            by: forgotten.by.map(|by| by.as_str().to_owned()),
            user: forgotten.user.clone(),
            host: forgotten.host.clone(),
        }
    }

    fn show(&self) -> Markup {
        let on_page = self.by.as_deref() == Some(StartedBy::Debugger.as_str());
        html! {
            li {
                @if self.whole_sync { "all rows of the sync (" (counted(self.rows, "row")) ")" } @else { "this row" }
                ", on " (parts::moment(&self.at))
                @if let Some(user) = &self.user { " by " (user) }
                @if let Some(host) = &self.host { " on " (host) }
                @if on_page { ", on a page" }
            }
        }
    }
}

/// All of them, the newest first; nothing where nothing was forgotten.
pub(crate) fn list(forgotten: &[ForgottenPart]) -> Markup {
    html! {
        @if !forgotten.is_empty() {
            section aria-labelledby="forgotten" {
                h2 #forgotten { "Forgotten on purpose" }
                ul .plain { @for one in forgotten { (one.show()) } }
            }
        }
    }
}
