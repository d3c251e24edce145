//! What can be done from pages, each confirmed on a page of its own, which says what will happen; and what came of it.

use coho_core::key::Key;
use coho_ledger::amend::{CauseFilter, Retried};
use coho_ledger::look::NamedCause;
use coho_ledger::look::row::RowName;
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::counted;
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
    /// The number of the row's status, where it is done to one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The cause of failures, where it is done to the rows that wait because of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<MeantCause>,
    /// The syncs that can be chosen.
    syncs: Vec<String>,
}

/// A cause of failures whose rows are retried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MeantCause {
    number: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    message: String,
    /// How many rows wait because of it.
    waiting: u64,
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

/// To what something is to be done: a sync, and one of its rows, those of a cause, or all.
#[derive(Default)]
struct Whom {
    sync: Option<String>,
    row: Option<(i64, Key)>,
    cause: Option<MeantCause>,
}

/// The page that asks. `None` where there is no such row.
pub(crate) fn make(
    context: &Context<'_>,
    ledger: Option<&Ledger>,
    action: PageAction,
) -> Result<Option<ActPage>, LedgerError> {
    let Some(whom) = whom(ledger, |name| context.asked.filter(name))? else { return Ok(None) };
    let syncs = match (context.site.open)() {
        Ok(opened) => opened.project.syncs.iter().map(|sync| sync.id.as_str().to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    let row = whom.row.as_ref().map(|(number, _)| *number);
    let key = whom.row.map(|(_, key)| key.to_string());
    Ok(Some(ActPage { action, sync: whom.sync, row, key, cause: whom.cause, syncs }))
}

/// The page that says what came of an action, as long as that is known.
pub(crate) fn done(context: &Context<'_>, number: i64) -> Option<DonePage> {
    let (action, text) = context.done.of(number)?;
    Some(DonePage { action, done: true, text, help: None })
}

/// What a form asks for. `None` where there is no such row, or where it does not say to which sync it is to be done.
pub(crate) fn wish(
    ledger: Option<&Ledger>,
    action: PageAction,
    fields: &Fields,
) -> Result<Option<Wish>, LedgerError> {
    let Some(whom) = whom(ledger, |name| field(fields, name))? else { return Ok(None) };
    let (key, cause) = (whom.row.map(|(_, key)| key), whom.cause);
    Ok(match (action, whom.sync) {
        (PageAction::Run, sync) => Some(Wish::Run { syncs: sync.into_iter().collect() }),
        (PageAction::Retry, Some(sync)) => Some(Wish::Retry { sync, retried: retried(key, cause.as_ref()) }),
        // The rows of a cause are not forgotten together.
        (PageAction::Forget, Some(sync)) if cause.is_none() => Some(Wish::Forget { sync, key }),
        (PageAction::Retry | PageAction::Forget, _) => None,
    })
}

fn retried(key: Option<Key>, cause: Option<&MeantCause>) -> Retried {
    match (key, cause.and_then(|cause| u64::try_from(cause.number).ok())) {
        (Some(key), _) => Retried::Key(key),
        (None, Some(number)) => Retried::Cause(CauseFilter::Number(number)),
        (None, None) => Retried::All,
    }
}

/// To what the filters of an address, or the fields of a form, say that it is done. `None` where that is not there.
fn whom<'f>(
    ledger: Option<&Ledger>,
    filter: impl Fn(&str) -> Option<&'f str>,
) -> Result<Option<Whom>, LedgerError> {
    let (row, cause) = (filter("row"), filter("cause"));
    let Some(number) = row.or(cause) else {
        return Ok(Some(Whom { sync: filter("sync").map(str::to_owned), ..Whom::default() }));
    };
    let (Some(ledger), Ok(number)) = (ledger, number.parse()) else { return Ok(None) };
    if row.is_none() {
        return Ok(ledger.cause(number)?.map(|found| of_cause(number, found)));
    }
    let found = ledger.row_of_status(number)?;
    Ok(found.and_then(|RowName { scope, key }| {
        let sync = Some(scope.sync().as_str().to_owned());
        Some(Whom { sync, row: Some((number, key?)), cause: None })
    }))
}

fn of_cause(number: i64, found: NamedCause) -> Whom {
    let NamedCause { scope, cause, waiting } = found;
    let code = cause.code.map(|code| code.to_string());
    let cause = Some(MeantCause { number, code, message: cause.message, waiting });
    Whom { sync: Some(scope.sync().as_str().to_owned()), row: None, cause }
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
                p { a href=(Target::Plan.path()) { "What would it send?" } " A plan shows it and sends nothing." }
            }
            form .bar method="post" action=(Target::Act { action: self.action }.path()) {
                (hand.field())
                @if let Some(row) = self.row { input type="hidden" name="row" value=(row); }
                @else if let Some(cause) = &self.cause { input type="hidden" name="cause" value=(cause.number); }
                @else { (self.choice()) }
                button .main { (self.action.button()) }
                a href=(self.back()) { "Cancel" }
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

    fn whom(&self) -> Markup {
        html! {
            @match (&self.key, &self.sync, &self.cause) {
                (Some(key), Some(sync), _) => { "the row " span .mono { (key) } " of " (sync) }
                (None, Some(sync), Some(cause)) => {
                    b { (counted(cause.waiting, "row")) } " of " (sync) " that failed of "
                    @if let Some(code) = &cause.code { code { (code) } ", " }
                    q { (cause.message) }
                }
                _ => { "all rows of the sync" }
            }
        }
    }

    fn says(&self) -> Markup {
        let whom = self.whom();
        html! {
            @match self.action {
                PageAction::Run => { "Reads the rows as they are now and sends to Vitally what changed, as " code { "coho run" } " does." }
                PageAction::Retry => { "Tries " (whom) " again now, if something in it is waiting, and sends nothing else. "
                    "As " code { "coho retry" } " does." }
                PageAction::Forget => { "Forgets the state of " (whom) ". What was delivered stays in Vitally; for the next run "
                    "the rows are new, and it sends them again. You cannot undo this." }
            }
        }
    }
}

impl DonePage {
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
        h1 { "These pages are read-only" }
        (parts::empty("To run, retry or forget, use the command line, or start `coho debug --allow-actions`."))
    }
}

/// What stands where a form does not come from a page of this process.
pub(crate) fn stale() -> Markup {
    html! {
        h1 { "Nothing was changed" }
        p .alert role="alert" { "This page was loaded before the server restarted." }
        p { a href=(Target::Home.path()) { "Load the overview again" } }
    }
}
