//! Rows: those of a run by sync, status and code, page by page, or those of all runs in which a text stands.

pub(crate) mod state;
mod filter;

use coho_core::key::Key;
use coho_core::sync::SyncId;
use coho_core::verdict::RowStatus;
use coho_ledger::look::run::{RowQuery, StatusCount};
use coho_ledger::run::{RunId, RunRecord};
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::counted;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use self::filter::{Choice, Filter};
use self::state::RowView;
use super::head::{Head, head};
use super::{Asked, Context};
use crate::markup::parts;
use crate::moment::Moment;
use crate::shown::Page;
use crate::target::Target;

/// Statuses with which a row waits. A later run that finds it so does not write it down again.
const WAITING: [RowStatus; 6] = [
    RowStatus::Rejected,
    RowStatus::Invalid,
    RowStatus::Deferred,
    RowStatus::Held,
    RowStatus::Skipped,
    RowStatus::Stale,
];

/// So many rows are shown at once.
const MOST: usize = 50;

/// Rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RowsPage {
    /// The run; absent where all are searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Head>,
    filter: Filter,
    choices: Vec<Choice>,
    /// Rows of this run that ended as they had in an earlier one, where they are written down.
    carried: Vec<Carried>,
    /// Rows whose key is the searched text, in any run.
    same_key: Vec<RowView>,
    rows: Vec<RowView>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
    /// How far back was searched, where time was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    back_to: Option<Moment>,
}

/// Rows that a run counted and did not write down again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Carried {
    sync: String,
    status: String,
    rows: u64,
}

/// The rows that the filters choose.
pub(crate) fn make(
    context: &Context<'_>,
    ledger: &Ledger,
    run: Option<&str>,
) -> Result<Option<RowsPage>, LedgerError> {
    let id = run.map(RunId::new);
    let record = match &id {
        Some(id) => ledger.run(id)?,
        None => None,
    };
    if id.is_some() && record.is_none() {
        return Ok(None);
    }
    let filter = Filter::of(context);
    let mut page = RowsPage {
        head: record.as_ref().map(|record| head(context, record)),
        choices: Vec::new(),
        carried: Vec::new(),
        same_key: Vec::new(),
        rows: Vec::new(),
        next: None,
        back_to: None,
        filter,
    };
    if let (Some(id), Some(record)) = (&id, &record) {
        page.choices = ledger.statuses_of_run(id)?.iter().map(Choice::of).collect();
        page.carried = page.carried(record);
    }
    page.fill(context, ledger, id.as_ref())?;
    Ok(Some(page))
}

/// Which rows are wanted.
pub(crate) fn wanted(asked: &Asked) -> RowQuery {
    RowQuery {
        sync: asked.filter("sync").map(SyncId::new),
        status: asked.filter("status").and_then(RowStatus::parse),
        code: asked.filter("code").map(str::to_owned),
        cause: asked.filter("cause").and_then(|number| number.parse().ok()),
        before: asked.filter("before").and_then(|number| number.parse().ok()),
    }
}

impl RowsPage {
    fn fill(
        &mut self,
        context: &Context<'_>,
        ledger: &Ledger,
        run: Option<&RunId>,
    ) -> Result<(), LedgerError> {
        let wanted = wanted(context.asked);
        match (&self.filter.text, run) {
            (Some(text), run) => {
                if run.is_none() && wanted.before.is_none() {
                    let same = ledger.rows_with_key(&Key::new(text.clone()), MOST)?;
                    self.same_key = same.iter().map(RowView::of).collect();
                }
                let found = ledger.search_rows(run, &wanted, text, MOST, context.patience)?;
                self.rows = found.rows.iter().map(RowView::of).collect();
                self.next = found.next;
                self.back_to = found.back_to.map(Moment::from);
            }
            (None, Some(run)) => {
                let found = ledger.rows_of_run(run, &wanted, MOST)?;
                self.rows = found.rows.iter().map(RowView::of).collect();
                self.next = found.next;
            }
            (None, None) if self.filter.standing => {
                let found = ledger.standing_rows(&wanted, MOST)?;
                self.rows = found.rows.iter().map(RowView::of).collect();
                self.next = found.next;
                self.choices = ledger.standing_counts()?.iter().map(Choice::of).collect();
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What the run counted beyond what it wrote down, as far as the filters choose it.
    fn carried(&self, record: &RunRecord) -> Vec<Carried> {
        let mut carried = Vec::new();
        let is_wanted =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        for sync in record.syncs.iter().filter(|sync| is_wanted(&self.filter.sync, sync.sync.as_str())) {
            let Some(counts) = &sync.counts else { continue };
            for status in WAITING.into_iter().filter(|status| is_wanted(&self.filter.status, status.as_str()))
            {
                let written =
                    self.choices.iter().filter(|choice| choice.is(sync.sync.as_str(), status.as_str()));
                let rows = counts.status(status).saturating_sub(written.map(|choice| choice.rows).sum());
                if rows > 0 {
                    let (sync, status) = (sync.sync.as_str().to_owned(), status.as_str().to_owned());
                    carried.push(Carried { sync, status, rows });
                }
            }
        }
        carried
    }

    fn shown_carried(&self) -> Markup {
        html! {
            @for carried in &self.carried {
                p .alert.warn {
                    (counted(carried.rows, "more row")) " of " (carried.sync) " ended " (carried.status)
                    ", as in an earlier run that recorded this: "
                    a href=(standing(&carried.sync, &carried.status)) { "rows that are waiting now" }
                }
            }
        }
    }

    fn target(&self) -> Target {
        match &self.head {
            Some(head) => Target::Rows { run: head.run.clone() },
            None => Target::Search,
        }
    }

    fn exports(&self) -> Markup {
        let path = self.target().path();
        html! {
            p .small .faint {
                "Download as "
                a href=(self.filter.address(path.clone() + ".csv", None)) download { "CSV" } " or "
                a href=(self.filter.address(path + ".ndjson", None)) download { "JSON lines" }
            }
        }
    }

    fn list(&self) -> Markup {
        html! {
            ol .rows { @for row in &self.rows { (row.show(self.head.is_none())) } }
            @if let Some(back_to) = &self.back_to {
                p .empty role="status" { "Searched back to " (parts::moment(back_to)) "." }
            }
            @if let Some(next) = self.next {
                p { a .more rel="next" href=(self.filter.address(self.target().path(), Some(&next.to_string()))) {
                    @if self.back_to.is_some() { "Search further" } @else { "Older rows" }
                } }
            }
        }
    }

    fn nothing(&self) -> &'static str {
        match (&self.filter.text, self.filter.forgotten, &self.head) {
            (None, false, None) if self.filter.standing => "No rows are waiting. No row needs attention.",
            (_, true, _) => "The server no longer has this search. Enter it again.",
            (Some(_), ..) => "No row contains this text in its key, message or values.",
            (None, _, None) => "Enter a key, a value or part of a message.",
            (None, _, Some(_)) => "This run recorded no such rows. Unchanged rows are only counted.",
        }
    }
}

impl Page for RowsPage {
    fn title(&self) -> String {
        match &self.head {
            Some(head) => format!("Rows of the run of {}", head.started.shown()),
            None => "Search".to_owned(),
        }
    }

    fn main(&self) -> Markup {
        html! {
            @match &self.head {
                Some(head) => { (head.show("Rows")) }
                None if self.filter.standing => { h1 { "Waiting rows" } }
                None => { h1 { "Search all runs" } }
            }
            @if !self.filter.standing { (self.filter.search(self.head.as_ref().map(|head| head.run.as_str()))) }
            @if !self.choices.is_empty() { (self.filter.show(&self.target(), &self.choices)) }
            (self.shown_carried())
            @if !self.same_key.is_empty() {
                section aria-labelledby="same" {
                    h2 #same { "With this key" }
                    ol .rows { @for row in &self.same_key { (row.brief()) } }
                }
                h2 { "With this text" }
            }
            @if self.rows.is_empty() && self.next.is_none() {
                (parts::empty(self.nothing()))
            } @else {
                (self.list())
                (self.exports())
            }
        }
    }
}

/// Where the rows are that wait now.
fn standing(sync: &str, status: &str) -> String {
    Target::Search.with(&[("standing", Some("yes")), ("sync", Some(sync)), ("status", Some(status))])
}

impl Choice {
    fn is(&self, sync: &str, status: &str) -> bool {
        self.sync == sync && self.status == status
    }

    fn of(count: &StatusCount) -> Self {
        Self {
            sync: count.sync.as_str().to_owned(),
            status: count.status.as_str().to_owned(),
            code: count.code.clone(),
            rows: count.rows,
        }
    }
}
