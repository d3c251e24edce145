//! A row in a run: where it ended, why, and what was to be sent.

use coho_ledger::look::run::NumberedRow;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts::{self, Change};
use crate::moment::Moment;
use crate::target::{self, Target};

/// Where a row ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RowView {
    pub(crate) number: i64,
    pub(crate) sync: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) did: Option<String>,
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    pub(crate) at: Moment,
    pub(crate) run: String,
    pub(crate) changes: Vec<Change>,
}

impl RowView {
    /// A row of the ledger.
    pub(crate) fn of(row: &NumberedRow) -> Self {
        let status = &row.record.status;
        Self {
            number: row.number,
            sync: row.sync.as_str().to_owned(),
            key: status.key.as_ref().map(ToString::to_string),
            status: status.status.as_str().to_owned(),
            did: status.op_type.map(|did| did.as_str().to_owned()),
            reason: status.reason.clone(),
            code: status.code.map(|code| code.to_string()),
            message: status.message.clone(),
            at: status.at.into(),
            run: row.record.run.as_str().to_owned(),
            changes: Change::all(&status.changes),
        }
    }

    /// The row with what was to be sent; where rows of several runs stand together, with its run.
    pub(crate) fn show(&self, of_several: bool) -> Markup {
        html! {
            li .row id={ "row-" (self.number) } {
                (self.head(of_several))
                @if let Some(message) = &self.message { p .what { (message) } }
                (parts::differences(&self.changes))
            }
        }
    }

    /// The row without what was to be sent.
    pub(crate) fn brief(&self) -> Markup {
        html! { li .row { (self.head(true)) } }
    }

    fn head(&self, of_several: bool) -> Markup {
        html! {
            header {
                a .key href=(Target::Row { number: self.number }.path()) {
                    @match &self.key { Some(key) => { (key) } None => { "a row without a key" } }
                }
                (parts::status(&self.status))
                span .faint {
                    (self.sync)
                    @if let Some(did) = &self.did { " · " (did) }
                    " · " (self.reason.replace('-', " "))
                    @if let Some(code) = &self.code { " · " code { (code) } }
                }
                span .spring {}
                span .faint .small {
                    @if of_several { a href=(target::run(&self.run).path()) { (parts::moment(&self.at)) } }
                    @else { (parts::moment(&self.at)) }
                }
            }
        }
    }
}
