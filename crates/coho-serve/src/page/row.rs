//! One row: what is remembered of it, and its story over all runs with each call.

use coho_core::json::{Json, to_serde};
use coho_core::path::FieldPath;
use coho_core::private::{HIDDEN, Private};
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Why};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_ledger::look::row::RowName;
use coho_ledger::scope::SyncScope;
use coho_ledger::{Ledger, LedgerError};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::call::Exchange;
use super::forgotten::{self, ForgottenPart};
use super::rows::state::RowView;
use super::{Context, act, elsewhere};
use crate::markup::{json, parts};
use crate::moment::Moment;
use crate::shown::{Formed, Hand};
use crate::target::{self, PageAction, Target};

/// So many of its statuses are shown.
const MOST: usize = 50;

/// So many times that it was forgotten are shown.
const FORGOTTEN: usize = 20;

/// So many calls of each are shown.
const CALLS: usize = 30;

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RowPage {
    sync: String,
    object: String,
    workspace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered: Option<Remembered>,
    /// When somebody had it forgotten, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    forgotten: Vec<ForgottenPart>,
    /// The newest first.
    story: Vec<Chapter>,
}

/// What became of it in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Chapter {
    row: RowView,
    calls: Vec<Exchange>,
}

/// What is remembered of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Remembered {
    target: String,
    /// What Vitally is known to hold.
    delivery: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vitally_id: Option<String>,
    /// Where Vitally shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
    /// Whether this sync created the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// What waits, and when it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    /// The values that were acknowledged last.
    sent: Vec<Field>,
    changed: Moment,
}

/// A field with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Field {
    field: String,
    value: Json,
}

impl Field {
    fn of(path: &FieldPath, value: &Value, private: Option<&Private>) -> Self {
        let shown = private.map_or_else(|| Value::text(HIDDEN), |private| private.shown(path, value));
        Self { field: path.to_string(), value: to_serde(&shown) }
    }
}

/// The row that a status with this number is of.
pub(crate) fn make(
    context: &Context<'_>,
    ledger: &Ledger,
    number: i64,
) -> Result<Option<RowPage>, LedgerError> {
    let Some(RowName { scope, key }) = ledger.row_of_status(number)? else { return Ok(None) };
    let (rows, row_state) = match &key {
        Some(key) => (ledger.story(&scope, key, MOST)?, ledger.dated_memory(&scope, key)?),
        None => (ledger.status(number)?.into_iter().collect(), None),
    };
    let mut story = Vec::new();
    for row in &rows {
        let calls = match &key {
            Some(key) => ledger.requests_of_row(&scope, &row.record.run, key, CALLS)?,
            None => Vec::new(),
        };
        story.push(Chapter { row: RowView::of(row), calls: calls.iter().map(Exchange::of).collect() });
    }
    let forgotten = match &key {
        Some(key) => ledger.forgotten(&scope, Some(key), FORGOTTEN)?,
        None => Vec::new(),
    };
    Ok(Some(RowPage {
        forgotten: forgotten.iter().map(ForgottenPart::of).collect(),
        sync: scope.sync().as_str().to_owned(),
        object: scope.object().name().to_owned(),
        workspace: scope.workspace().to_owned(),
        key: key.map(|key| key.to_string()),
        remembered: row_state
            .map(|(row_state, at)| remembered(&scope, &row_state, at, private(context).as_ref())),
        story,
    }))
}

/// What is hidden of records, as the project's files say now; `None` where they cannot be read, so that nobody knows.
fn private(context: &Context<'_>) -> Option<Private> {
    let project = (context.site.open)().ok()?.project;
    Some(coho_mapping::private::of(&project.models, &project.syncs))
}

fn remembered(scope: &SyncScope, row_state: &RowState, at: Time, private: Option<&Private>) -> Remembered {
    let id = row_state.delivery.id().map(|id| id.as_str().to_owned());
    let sent = row_state.delivery.sent();
    let fields = sent.iter().flat_map(|sent| sent.iter());
    Remembered {
        target: row_state.target.as_str().to_owned(),
        delivery: delivery(&row_state.delivery).to_owned(),
        href: id.as_deref().and_then(|id| elsewhere::record(scope.workspace(), scope.object(), id)),
        vitally_id: id,
        origin: row_state.delivery.origin().map(|origin| match origin {
            Origin::Created => "created by this sync".to_owned(),
            Origin::Found => "existed before".to_owned(),
        }),
        pending: pending(&row_state.pending),
        sent: fields.map(|(path, value)| Field::of(path, value, private)).collect(),
        changed: at.into(),
    }
}

fn delivery(delivery: &DeliveryState) -> &'static str {
    match delivery {
        DeliveryState::Never => "never acknowledged",
        DeliveryState::Assumed { .. } => "assumed, not sent by this sync",
        DeliveryState::Delivered { .. } => "delivered",
        DeliveryState::Released { .. } => "released: its row left, and the record stays",
        DeliveryState::Removed { .. } => "removed",
    }
}

/// What waits, and when it is tried again.
fn pending(pending: &Pending) -> Option<String> {
    match pending {
        Pending::None => None,
        Pending::Open { since, .. } => Some(format!(
            "A write at {} UTC may have arrived: the next run checks this first.",
            Moment::from(*since).shown()
        )),
        Pending::Waiting { why, code, tries, due, .. } => {
            let why = match why {
                Why::Rejected => "Vitally refused it",
                Why::Deferred => "something that it needs does not exist yet",
                Why::Skipped => "the sync’s mode does not allow it for now",
            };
            let due = match due {
                Due::At(at) => format!("in the first run after {} UTC", Moment::from(*at).shown()),
                Due::Always => "in every run".to_owned(),
                Due::OnChange => {
                    "when its row or the mapping changes, or somebody runs `coho retry`".to_owned()
                }
            };
            let times = coho_report::words::counted(u64::from(*tries), "time");
            Some(format!("Tried {times}; {why} ({code}). Next try: {due}."))
        }
    }
}

impl Formed for RowPage {
    fn title(&self) -> String {
        format!("A row of {}", self.sync)
    }

    fn main(&self, hand: &Hand) -> Markup {
        html! {
            p .crumbs { a href="/" { "Home" } " / " (self.sync) " → " (self.object) " in " (self.workspace) }
            h1 { @match &self.key { Some(key) => { span .mono { (key) } } None => { "A row without a key" } } }
            @if let (Some(_), Some(chapter)) = (&self.key, self.story.first()) {
                (act::ways(hand, ("row", &chapter.row.number.to_string()), &[PageAction::Retry, PageAction::Forget]))
            }
            @if let Some(remembered) = &self.remembered { (remembered.show()) }
            (forgotten::list(&self.forgotten))
            section aria-labelledby="story" {
                h2 #story { "Story" }
                ol .story { @for (at, chapter) in self.story.iter().enumerate() { (chapter.show(at == 0)) } }
            }
        }
    }
}

impl Chapter {
    fn show(&self, newest: bool) -> Markup {
        let run = target::run(&self.row.run).path();
        html! {
            li id={ "row-status-" (self.row.number) } {
                header {
                    (parts::status(&self.row.status)) " "
                    @if let Some(did) = &self.row.did { (did) " · " }
                    (self.row.reason.replace('-', " "))
                    @if let Some(code) = &self.row.code { " · " code { (code) } }
                    span .spring {}
                    a href=(run) { (parts::moment_with_utc(&self.row.at)) }
                }
                @if let Some(message) = &self.row.message { p .what { (message) } }
                (parts::differences(&self.row.changes))
                @for (at, call) in self.calls.iter().enumerate() {
                    details .call id={ "call-" (call.number) } open[newest && at + 1 == self.calls.len()] {
                        summary { (call.line()) }
                        (call.sides())
                        p .small { a href=(Target::Call { number: call.number }.path()) { "This call on a page of its own" } }
                    }
                }
            }
        }
    }
}

impl Remembered {
    fn show(&self) -> Markup {
        html! {
            section aria-labelledby="memory" {
                h2 #row_state { "Remembered" }
                dl .facts {
                    div { dt { "Record" } dd .mono { (self.target) } }
                    div { dt { "In Vitally" } dd { (self.delivery) } }
                    @if let Some(id) = &self.vitally_id { div { dt { "Vitally’s id" } dd .mono {
                        @match &self.href { Some(href) => { a href=(href) rel="noopener noreferrer" { (id) } } None => { (id) } }
                    } } }
                    @if let Some(origin) = &self.origin { div { dt { "Origin" } dd { (origin) } } }
                    div { dt { "Changed" } dd { (parts::moment_with_utc(&self.changed)) } }
                }
                @if let Some(pending) = &self.pending { p .alert.warn { (pending) } }
                @if !self.sent.is_empty() {
                    // Of a row that waits, the story is what is looked for.
                    details open[self.pending.is_none()] {
                        summary { "What Vitally acknowledged" }
                        div .wide { table .diff { tbody { @for field in &self.sent {
                            tr { th scope="row" .mono { (field.field) } td { (json::inline(&field.value)) } }
                        } } } }
                    }
                }
            }
        }
    }
}
