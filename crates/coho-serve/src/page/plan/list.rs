//! A plan's operations, page by page: removals first, then what is written; or those of one kind, and the rows that are not sent.

use coho_core::decide::Change;
use coho_core::verdict::RowStatus;
use coho_engine::plan::{PlanRow, Planned, TableError, Which};
use coho_report::words::{STATUSES, change, counted, number};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::Context;
use super::listed::is_listed;
use crate::markup::parts;
use crate::target::Target;

/// So many operations are shown at once.
const MOST: usize = 50;

/// Changes that are operations.
const PLANNED: [Change; 6] =
    [Change::Remove, Change::Add, Change::Update, Change::Retry, Change::Resolve, Change::Probe];

/// Operations of one sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct List {
    /// The syncs that have something to list, with how much.
    syncs: Vec<Choice>,
    /// The one that is listed.
    sync: String,
    /// What can be listed of it.
    kinds: Vec<Choice>,
    /// What is listed; absent where it is all that would be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    items: Vec<Item>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    name: String,
    count: u64,
}

/// An operation, or a row that is not sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    number: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    change: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    removes: bool,
    /// Of a removal: whether this sync created the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
    least_calls: u64,
    most_calls: u64,
    changes: Vec<parts::Change>,
}

impl List {
    /// What the address asks for; of the first sync that has something, unless it names one.
    pub(super) fn of(context: &Context<'_>, planned: &[Planned]) -> Result<Option<Self>, TableError> {
        let all = |planned: &Planned| kinds(planned).iter().map(|kind| kind.count).sum::<u64>();
        let named = |planned: &&Planned| context.asked.filter("sync") == Some(planned.plan.sync.as_str());
        let Some(of) = planned.iter().find(named).or_else(|| planned.iter().find(|one| all(one) > 0)) else {
            return Ok(None);
        };
        let syncs =
            planned.iter().map(|one| Choice { name: one.plan.sync.as_str().to_owned(), count: all(one) });
        let which = context.asked.filter("kind").and_then(which);
        let mut items = read(of, which, Cursor::parse(context.asked.filter("after")))?;
        let has_more = items.len() > MOST;
        items.truncate(MOST);
        Ok(Some(Self {
            syncs: syncs.filter(|choice| choice.count > 0).collect(),
            sync: of.plan.sync.as_str().to_owned(),
            kinds: kinds(of),
            kind: which.and(context.asked.filter("kind")).map(str::to_owned),
            next: items.last().filter(|_| has_more).map(Cursor::behind),
            items: items.into_iter().map(Item::of).collect(),
        }))
    }

    pub(super) fn show(&self) -> Markup {
        html! {
            section aria-labelledby="operations" {
                h2 #operations { "Operations of " (self.sync) }
                (self.filters())
                @if self.items.is_empty() { (parts::empty("This plan has no such operations.")) }
                ol .rows { @for item in &self.items { (item.show()) } }
                @if let Some(next) = &self.next {
                    p { a .more rel="next" href=(self.address(self.kind.as_deref(), Some(next))) { "More" } }
                }
            }
        }
    }

    fn address(&self, kind: Option<&str>, after: Option<&str>) -> String {
        Target::Plan.with(&[("sync", Some(&self.sync)), ("kind", kind), ("after", after)])
    }

    fn filters(&self) -> Markup {
        html! {
            nav .filters aria-label="Filters" {
                @if self.syncs.len() > 1 {
                    div .filter {
                        span .faint { "sync" }
                        @for choice in &self.syncs {
                            a href=(Target::Plan.with(&[("sync", Some(&choice.name))]))
                                aria-current=[(choice.name == self.sync).then_some("true")] { (choice.show()) }
                        }
                    }
                }
                div .filter {
                    span .faint { "what" }
                    a href=(self.address(None, None)) aria-current=[self.kind.is_none().then_some("true")] {
                        "to do"
                    }
                    @for choice in &self.kinds {
                        a href=(self.address(Some(&choice.name), None))
                            aria-current=[(self.kind.as_ref() == Some(&choice.name)).then_some("true")] { (choice.show()) }
                    }
                }
            }
        }
    }
}

/// What is listed under this name: a change that is an operation, or a status.
fn which(kind: &str) -> Option<Which> {
    let planned = PLANNED.into_iter().find(|planned| change(*planned) == kind).map(Which::Planned);
    planned.or_else(|| RowStatus::parse(kind).filter(|status| is_listed(*status)).map(Which::Ended))
}

/// Where a page begins. What would be done begins with the removals, and goes on with the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cursor {
    Removals(i64),
    Rest(i64),
}

impl Cursor {
    fn parse(text: Option<&str>) -> Self {
        let (place, text) = match text.and_then(|text| text.split_once('-')) {
            Some((_, number)) => (Self::Removals as fn(i64) -> Self, Some(number)),
            None if text.is_some() => (Self::Rest as fn(i64) -> Self, text),
            None => (Self::Removals as fn(i64) -> Self, None),
        };
        place(text.and_then(|text| text.parse().ok()).unwrap_or_default())
    }

    /// Behind this row.
    fn behind(row: &PlanRow) -> String {
        if row.removes { format!("remove-{}", row.seq) } else { row.seq.to_string() }
    }

    fn number(self) -> i64 {
        match self {
            Self::Removals(number) | Self::Rest(number) => number,
        }
    }
}

/// One row more than a page has room for, if there are so many.
fn read(of: &Planned, which: Option<Which>, from: Cursor) -> Result<Vec<PlanRow>, TableError> {
    match (which, from) {
        (Some(which), from) => of.list(which, from.number(), MOST + 1),
        (None, Cursor::Rest(after)) => of.list(Which::PlannedWrites, after, MOST + 1),
        (None, Cursor::Removals(after)) => {
            let mut rows = of.list(Which::Planned(Change::Remove), after, MOST + 1)?;
            rows.extend(of.list(Which::PlannedWrites, 0, MOST + 1 - rows.len())?);
            Ok(rows)
        }
    }
}

/// What can be listed of a sync.
fn kinds(planned: &Planned) -> Vec<Choice> {
    let changes = &planned.plan.changes;
    let of_change = |kind: Change| {
        let count = changes.iter().filter(|((other, _), _)| *other == kind).map(|(_, count)| count).sum();
        Choice { name: change(kind).to_owned(), count }
    };
    let of_status = |status: RowStatus| Choice {
        name: status.as_str().to_owned(),
        count: planned.plan.counts.status(status),
    };
    let all = PLANNED.into_iter().map(of_change);
    let all = all.chain(STATUSES.into_iter().filter(|status| is_listed(*status)).map(of_status));
    all.filter(|choice| choice.count > 0).collect()
}

impl Choice {
    fn show(&self) -> Markup {
        html! { (self.name.replace('-', " ")) " " b { (number(self.count)) } }
    }
}

impl Item {
    fn of(row: PlanRow) -> Self {
        Self {
            number: row.seq,
            key: Some(row.key.to_string()).filter(|key| !key.is_empty()),
            target: row.target.filter(|target| *target != row.key.as_str()),
            change: change(row.change).to_owned(),
            why: row.why,
            message: row.message,
            removes: row.removes,
            created: row.created,
            least_calls: row.calls.least,
            most_calls: row.calls.most,
            changes: parts::Change::all(&row.differences),
        }
    }

    fn show(&self) -> Markup {
        html! {
            li .row id={ "operation-" (self.number) } {
                header {
                    span .key { @match &self.key { Some(key) => { (key) } None => { "a row without a key" } } }
                    @if let Some(target) = &self.target { span .faint .mono { "→ " (target) } }
                    span class={ "state " (self.tone()) } { (self.change) }
                    span .faint {
                        (self.why.replace('-', " "))
                        @match self.created {
                            Some(true) if self.removes => { " · created by Coho" }
                            Some(false) if self.removes => { " · existed before" }
                            Some(_) | None => {}
                        }
                    }
                    span .spring {}
                    @if self.most_calls > 0 { span .faint .small { (self.calls()) } }
                }
                @if let Some(message) = &self.message { p .what { (message) } }
                (parts::differences(&self.changes))
            }
        }
    }

    fn calls(&self) -> String {
        if self.least_calls == self.most_calls {
            return counted(self.least_calls, "call");
        }
        format!("{} to {}", number(self.least_calls), counted(self.most_calls, "call"))
    }

    fn tone(&self) -> &'static str {
        match self.change.as_str() {
            "add" => "good",
            "remove" | "invalid" => "bad",
            "update" | "retry" | "resolve" | "look" | "held" => "warn",
            _ => "plain",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_where_its_address_says() {
        assert_eq!(Cursor::parse(None), Cursor::Removals(0));
        assert_eq!(Cursor::parse(Some("remove-7")), Cursor::Removals(7));
        assert_eq!(Cursor::parse(Some("12")), Cursor::Rest(12));
        assert_eq!(Cursor::parse(Some("-x")), Cursor::Removals(0));
    }
}
