//! Small parts: moments, states, counts, empty places.

use coho_core::fields::Difference;
use coho_core::json::{Json, to_serde};
use coho_core::verdict::RowStatus;
use coho_report::words::number;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// A moment. The script shows it in the reader's zone, with UTC beside it.
pub(crate) fn moment(moment: &Moment) -> Markup {
    html! { time datetime=(moment.iso()) title={ (moment.shown()) " UTC" } { (moment.shown()) " UTC" } }
}

/// The same where there is room for UTC beside it.
pub(crate) fn moment_with_utc(moment: &Moment) -> Markup {
    html! { time datetime=(moment.iso()) title={ (moment.shown()) " UTC" } data-utc { (moment.shown()) " UTC" } }
}

/// How something stands, in a word and a colour that says the same.
pub(crate) fn state(status: &str) -> Markup {
    html! { span class={ "state " (tone_of_status(status)) } { (status.replace('-', " ")) } }
}

/// Where a row ended.
pub(crate) fn status(status: &str) -> Markup {
    html! { span class={ "state " (tone(status)) } { (status.replace('-', " ")) } }
}

fn tone_of_status(status: &str) -> &'static str {
    match status {
        "success" | "completed" => "good",
        "running" => "going",
        "failed" | "halted" => "bad",
        _ => "warn",
    }
}

/// What a status says by its colour.
pub(crate) fn tone(status: &str) -> &'static str {
    match RowStatus::parse(status) {
        Some(RowStatus::Delivered | RowStatus::Accepted) => "good",
        Some(RowStatus::Rejected | RowStatus::Invalid) => "bad",
        Some(
            RowStatus::Deferred
            | RowStatus::Held
            | RowStatus::Skipped
            | RowStatus::Stale
            | RowStatus::NotAttempted,
        ) => "warn",
        Some(
            RowStatus::Removed
            | RowStatus::Unchanged
            | RowStatus::Touched
            | RowStatus::Learned
            | RowStatus::Released
            | RowStatus::Kept
            | RowStatus::Forgotten,
        )
        | None => "plain",
    }
}

/// A place where nothing is, and what to do about it.
pub(crate) fn empty(text: &str) -> Markup {
    html! { p .empty { (text) } }
}

/// A number in a cell; nothing stands fainter than something.
pub(crate) fn cell(count: u64) -> Markup {
    html! { td .num .nil[count == 0] { (number(count)) } }
}

/// The status of an answer, in a colour that says the same.
pub(crate) fn answer(status: Option<u16>) -> Markup {
    html! {
        @match status {
            Some(status) => { span class={ "state " (answer_tone(Some(status))) } { (status) } }
            None => { span .state.bad { "no answer" } }
        }
    }
}

/// What a status says by its colour.
pub(crate) fn answer_tone(status: Option<u16>) -> &'static str {
    match status {
        Some(200..=299) => "good",
        Some(404 | 429) => "warn",
        Some(_) | None => "bad",
    }
}

/// A field's values before and after.
pub(crate) fn differences(differences: &[Change]) -> Markup {
    html! {
        @if !differences.is_empty() {
            div .wide { table .diff {
                thead { tr { th { "Field" } th { "Before" } th { "After" } } }
                tbody { @for change in differences {
                    tr {
                        th scope="row" .mono { (change.field) }
                        td .before { @match &change.before {
                            Some(before) => { (super::json::inline(before)) }
                            None => { span .faint { "never sent" } }
                        } }
                        td .after { (super::json::inline(&change.after)) }
                    }
                } }
            } }
        }
    }
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) field: String,
    /// What was acknowledged last; absent where it was never sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Json>,
    pub(crate) after: Json,
}

impl Change {
    /// The fields that differ, as the ledger has them.
    pub(crate) fn all(differences: &[Difference]) -> Vec<Self> {
        let change = |difference: &Difference| Self {
            field: difference.path.to_string(),
            before: difference.before.as_ref().map(to_serde),
            after: to_serde(&difference.after),
        };
        differences.iter().map(change).collect()
    }
}
