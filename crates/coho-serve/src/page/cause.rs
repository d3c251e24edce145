//! Failures by their cause: how many rows, since when, and what to do about it.

use coho_core::code::Code;
use coho_report::words::counted;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts;
use crate::moment::Moment;

/// Rows that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) sync: String,
    pub(crate) fate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// One of their messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    pub(crate) rows: u64,
    pub(crate) since: Moment,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// Where the rows are.
    pub(crate) href: String,
}

/// What helps with a code.
pub(crate) fn remedy(code: Option<&str>) -> Option<String> {
    Code::parse(code?)?.entry().map(|entry| entry.remedy.to_owned())
}

/// Causes, those of most rows first.
pub(crate) fn list(causes: &[Cause]) -> Markup {
    html! {
        ol .causes {
            @for cause in causes {
                li class={ "cause " (parts::tone(&cause.fate)) } {
                    a .rows href=(cause.href) { (counted(cause.rows, "row")) }
                    div {
                        p .what {
                            @if let Some(message) = &cause.message { (message) }
                            @else { "no message" }
                        }
                        p .faint {
                            (parts::fate(&cause.fate)) " "
                            @if let Some(code) = &cause.code { code { (code) } " · " }
                            (cause.sync) " · since " (parts::moment(&cause.since))
                        }
                        @if let Some(remedy) = &cause.remedy { p .remedy { (remedy) } }
                    }
                }
            }
        }
    }
}
