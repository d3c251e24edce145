//! What can be done from pages, each confirmed on a page of its own, which says what will happen; and what came of it.

use coho_core::key::Key;
use coho_ledger::look::row::RowName;
use coho_ledger::{Ledger, LedgerError};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::actions::{Refused, Wish};
use crate::fields::{Fields, field};
use crate::markup::parts;
use crate::shown::{Formed, Hand, Page};
use crate::target::{PageAction, Target};

/// A page that asks whether something is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActPage {
    /// `run`, `retry` or `forget`.
    action: PageAction,
    /// The sync that it is done to; absent where that is still to be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<String>,
    /// The number of the row's fate, where it is done to one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The syncs that can be chosen.
    syncs: Vec<String>,
}

/// A page that says what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DonePage {
    action: PageAction,
    done: bool,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// To what something is to be done: a sync, and one of its rows or all.
struct Whom {
    sync: Option<String>,
    row: Option<(i64, Key)>,
}

/// The page that asks. `None` where there is no such row.
pub(crate) fn make(
    context: &Context<'_>,
    ledger: Option<&Ledger>,
    action: PageAction,
) -> Result<Option<ActPage>, LedgerError> {
    let (sync, row) = (context.asked.filter("sync"), context.asked.filter("row"));
    let Some(whom) = whom(ledger, sync, row)? else { return Ok(None) };
    let syncs = match (context.site.open)() {
        Ok(opened) => opened.project.syncs.iter().map(|sync| sync.id.as_str().to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    let row = whom.row.as_ref().map(|(number, _)| *number);
    let key = whom.row.map(|(_, key)| key.to_string());
    Ok(Some(ActPage { action, sync: whom.sync, row, key, syncs }))
}

/// What a form asks for. `None` where there is no such row, or where it does not say to which sync it is to be done.
pub(crate) fn wish(
    ledger: Option<&Ledger>,
    action: PageAction,
    fields: &Fields,
) -> Result<Option<Wish>, LedgerError> {
    let Some(whom) = whom(ledger, field(fields, "sync"), field(fields, "row"))? else { return Ok(None) };
    let key = whom.row.map(|(_, key)| key);
    Ok(match (action, whom.sync) {
        (PageAction::Run, sync) => Some(Wish::Run { syncs: sync.into_iter().collect() }),
        (PageAction::Retry, Some(sync)) => Some(Wish::Retry { sync, key }),
        (PageAction::Forget, Some(sync)) => Some(Wish::Forget { sync, key }),
        (PageAction::Retry | PageAction::Forget, None) => None,
    })
}

fn whom(ledger: Option<&Ledger>, sync: Option<&str>, row: Option<&str>) -> Result<Option<Whom>, LedgerError> {
    let Some(row) = row else { return Ok(Some(Whom { sync: sync.map(str::to_owned), row: None })) };
    let (Some(ledger), Ok(number)) = (ledger, row.parse()) else { return Ok(None) };
    let found = ledger.row_of_status(number)?;
    Ok(found.and_then(|RowName { scope, key }| {
        Some(Whom { sync: Some(scope.sync().as_str().to_owned()), row: Some((number, key?)) })
    }))
}

impl Formed for ActPage {
    fn title(&self) -> String {
        self.action.title().to_owned()
    }

    fn main(&self, hand: &Hand) -> Markup {
        html! {
            h1 { (self.action.title()) }
            p { (self.says()) }
            @if self.action == PageAction::Run {
                p { a href=(Target::Plan.path()) { "What would it send?" } " A plan says it, and sends nothing." }
            }
            form .bar method="post" action=(Target::Act { action: self.action }.path()) {
                (hand.field())
                @if let Some(row) = self.row { input type="hidden" name="row" value=(row); }
                @else { (self.choice()) }
                button .main { (self.action.button()) }
                a href=(self.back()) { "Leave it" }
            }
        }
    }
}

impl ActPage {
    fn choice(&self) -> Markup {
        html! {
            label for="sync" { "Of" }
            select #sync name="sync" {
                @if self.action == PageAction::Run { option value="" { "all syncs" } }
                @for sync in &self.syncs {
                    option value=(sync) selected[self.sync.as_ref() == Some(sync)] { (sync) }
                }
            }
        }
    }

    fn back(&self) -> String {
        match self.row {
            Some(number) => Target::Row { number }.path(),
            None => Target::Home.path(),
        }
    }

    fn says(&self) -> Markup {
        let whom = html! {
            @match (&self.key, &self.sync) {
                (Some(key), Some(sync)) => { "the row " span .mono { (key) } " of " (sync) }
                _ => { "all rows of the sync" }
            }
        };
        html! {
            @match self.action {
                PageAction::Run => { "Reads the rows as they are now and sends to Vitally what changed, as " code { "coho run" } " does." }
                PageAction::Retry => { "Tries " (whom) " again now, where something of it waits, and sends nothing else. "
                    "As " code { "coho retry" } " does." }
                PageAction::Forget => { "Forgets what is remembered of " (whom) ". What was delivered stays in Vitally; to the next run "
                    "the rows are new, and are sent again. This cannot be taken back." }
            }
        }
    }
}

impl DonePage {
    /// What is told of a wish that needs no page of a run.
    pub(crate) fn told(action: PageAction, text: String) -> Self {
        Self { action, done: true, text, help: None }
    }

    /// Why a wish was not carried out.
    pub(crate) fn refused(action: PageAction, refused: Refused) -> Self {
        Self { action, done: false, text: refused.message, help: refused.help }
    }
}

impl Page for DonePage {
    fn title(&self) -> String {
        self.action.title().to_owned()
    }

    fn main(&self) -> Markup {
        html! {
            h1 { (self.action.title()) }
            @if self.done { p role="status" { span .state.good { "done" } " " (self.text) } }
            @else {
                p .alert role="alert" { (self.text) }
                @if let Some(help) = &self.help { p .remedy { (help) } }
            }
            p { a href=(Target::Home.path()) { "Back to the overview" } }
        }
    }
}

/// Ways to what can be done, where pages may do it.
pub(crate) fn ways(hand: &Hand, filter: (&str, &str), actions: &[PageAction]) -> Markup {
    html! {
        @if hand.acts {
            p .bar {
                @for action in actions {
                    a .more href=(Target::Act { action: *action }.with(&[(filter.0, Some(filter.1))])) { (action.button()) }
                }
            }
        }
    }
}

/// What stands where pages only look.
pub(crate) fn only_looks() -> Markup {
    html! {
        h1 { "These pages only look" }
        (parts::empty("Runs, retries and forgetting are commands. `coho debug --allow-actions` lets pages do them too."))
    }
}
