//! What a plan says of one sync: its sum, its changes by reason, what guards hold, which rows cannot be sent, what it costs.

use coho_core::counts::Counts;
use coho_core::decide::Change;
use coho_core::plan::SyncPlan;
use coho_core::sync::{Api, FirstRun};
use coho_report::words::{CHANGES, STATUSES, change, counted, number};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::listed::is_listed;
use crate::markup::parts;
use crate::target::Target;

/// A sync's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SyncPart {
    pub(super) sync: String,
    object: String,
    mode: String,
    api: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_run: Option<String>,
    read: u64,
    /// Keys that the source does not give any more.
    absent: u64,
    /// Operations that write.
    writes: u64,
    /// Operations that remove, or look after what is gone.
    pub(super) removals: u64,
    /// Records that would be removed.
    pub(super) removes: u64,
    /// Rows and keys that are not sent, by where they end.
    ended: Vec<Ended>,
    /// Whether both sides of the sum are the same.
    holds: bool,
    changes: Vec<Changed>,
    guards: Vec<Guard>,
    problems: Vec<RowProblem>,
    notes: Vec<String>,
    /// Calls, and the least time that they take.
    cost: String,
}

/// How many rows and keys end so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) status: String,
    pub(super) rows: u64,
    /// Whether they are listed, rather than only counted.
    pub(super) listed: bool,
}

/// How many rows and keys are changed so, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Changed {
    change: String,
    reason: String,
    count: u64,
    /// Of removals: how many records this sync created.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<u64>,
}

/// A guard that holds something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Guard {
    code: String,
    message: String,
    help: String,
    held: u64,
}

/// What is wrong with rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RowProblem {
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    count: u64,
    /// The first row that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl SyncPart {
    pub(super) fn of(plan: &SyncPlan) -> Self {
        Self {
            sync: plan.sync.as_str().to_owned(),
            object: plan.object.name().to_owned(),
            mode: plan.mode.name().to_owned(),
            api: plan.api.name().to_owned(),
            first_run: first_run(plan.first_run),
            read: plan.counts.read,
            absent: plan.counts.absent,
            writes: plan.counts.writes,
            removals: plan.counts.removals,
            removes: plan.removals.created + plan.removals.found,
            ended: ended(&plan.counts),
            holds: plan.counts.check_plan().is_ok(),
            changes: changes(plan),
            guards: plan.guards.iter().map(Guard::of).collect(),
            problems: problems(plan),
            notes: plan.notes.clone(),
            cost: coho_report::text::plan_cost(plan.calls, plan.time),
        }
    }

    pub(super) fn show(&self) -> Markup {
        html! {
            section aria-labelledby={ "sync-" (self.sync) } {
                h2 id={ "sync-" (self.sync) } {
                    (self.sync) " → " (self.object) " "
                    span .faint .small {
                        (self.mode) @if self.api != Api::Rest.name() { ", " (self.api) }
                        @if let Some(first_run) = &self.first_run { "; first run: " (first_run) }
                    }
                }
                (self.sum())
                (self.table())
                @for guard in &self.guards { (guard.show()) }
                @for problem in &self.problems { (problem.show()) }
                @for note in &self.notes { p .note { "Note: " (note) } }
                p .faint { @if self.writes + self.removals > 0 { (self.cost) } @else { "Nothing to send." } }
            }
        }
    }

    /// Law 1 of a plan: what was read and what is gone is what would be done, and what would not.
    fn sum(&self) -> Markup {
        let mut terms = vec![
            html! { b { (number(self.writes)) } " to write" },
            html! { b { (number(self.removals)) } " to remove or look after" },
        ];
        let zero = [self.writes == 0 && self.removals + self.ended.len() as u64 > 0, self.removals == 0];
        terms.extend(self.ended.iter().map(|ended| ended.show(&self.sync)));
        let hidden = |at: usize| zero.get(at).copied().unwrap_or_default();
        let terms: Vec<_> = terms.iter().enumerate().filter(|(at, _)| !hidden(*at)).collect();
        html! {
            p .sum {
                span { b { (number(self.read)) } @if self.read == 1 { " row read" } @else { " rows read" } }
                @if self.absent > 0 { span .op { "+" } span { (counted(self.absent, "key")) " gone" } }
                span .op { @if self.holds { "=" } @else { "≠" } }
                @for (at, (_, term)) in terms.iter().enumerate() {
                    @if at > 0 { span .op { "+" } }
                    span { (term) }
                }
            }
            @if !self.holds { p .alert { "The two sides differ. This is a bug in Coho: please report it." } }
        }
    }

    fn table(&self) -> Markup {
        html! {
            @if self.changes.iter().any(|changed| changed.change != change(Change::Unchanged)) {
                div .wide { table .narrow {
                    thead { tr { th { "Change" } th .num { "Rows" } th { "Why" } } }
                    tbody { @for changed in &self.changes {
                        tr {
                            td { (changed.name(&self.sync)) }
                            td .num { (number(changed.count)) }
                            td .faint {
                                (changed.reason.replace('-', " "))
                                @if let Some(created) = changed.created {
                                    ": " (number(created)) " created by Coho, "
                                    (number(changed.count.saturating_sub(created))) " found"
                                }
                            }
                        }
                    } }
                } }
            }
        }
    }
}

fn first_run(first_run: Option<FirstRun>) -> Option<String> {
    match first_run? {
        FirstRun::Send => None,
        other @ (FirstRun::Baseline | FirstRun::Adopt) => Some(other.name().to_owned()),
        FirstRun::Since(moment) => Some(format!("since {}", moment.format("%Y-%m-%dT%H:%M:%SZ"))),
    }
}

fn ended(counts: &Counts) -> Vec<Ended> {
    let ended =
        STATUSES.into_iter().map(|status| (status, counts.status(status))).filter(|(_, rows)| *rows > 0);
    ended
        .map(|(status, rows)| Ended { status: status.as_str().to_owned(), rows, listed: is_listed(status) })
        .collect()
}

fn changes(plan: &SyncPlan) -> Vec<Changed> {
    let mut all = Vec::new();
    for kind in CHANGES {
        for ((_, reason), count) in plan.changes.iter().filter(|((other, _), _)| *other == kind) {
            let removes = kind == Change::Remove;
            all.push(Changed {
                change: change(kind).to_owned(),
                reason: reason.as_str().to_owned(),
                count: *count,
                created: removes.then_some(plan.removals.created),
            });
        }
    }
    all
}

fn problems(plan: &SyncPlan) -> Vec<RowProblem> {
    let problem =
        |(kind, found): (&coho_core::plan::ProblemKind, &coho_core::plan::ProblemCount)| RowProblem {
            code: kind.code.to_string(),
            field: kind.field.as_ref().map(ToString::to_string),
            count: found.count,
            key: found.key.as_ref().map(ToString::to_string),
            message: found.first.message.clone(),
            help: found.first.help.clone(),
        };
    plan.problems.iter().map(problem).collect()
}

impl Ended {
    fn show(&self, sync: &str) -> Markup {
        let words = self.status.replace('-', " ");
        html! {
            @if self.listed {
                a class={ "count " (parts::tone(&self.status)) }
                    href=(Target::Plan.with(&[("sync", Some(sync)), ("kind", Some(&self.status))])) {
                    b { (number(self.rows)) } " " (words)
                }
            } @else { b { (number(self.rows)) } " " (words) }
        }
    }
}

impl Changed {
    /// The change; what would be done is a link to its operations.
    fn name(&self, sync: &str) -> Markup {
        let planned = ["add", "update", "retry", "resolve", "remove", "look"];
        html! {
            @if planned.contains(&self.change.as_str()) {
                a href=(Target::Plan.with(&[("sync", Some(sync)), ("kind", Some(&self.change))])) { (self.change) }
            } @else { (self.change) }
        }
    }
}

impl Guard {
    fn of(guard: &coho_core::plan::GuardHit) -> Self {
        Self {
            code: guard.code.to_string(),
            message: guard.message.clone(),
            help: guard.help.clone(),
            held: guard.held,
        }
    }

    fn show(&self) -> Markup {
        html! {
            div .cause.warn {
                span .rows { (counted(self.held, "operation")) " held" }
                div {
                    p .what { (self.message) " " code { (self.code) } }
                    p .remedy { (self.help) }
                }
            }
        }
    }
}

impl RowProblem {
    fn show(&self) -> Markup {
        html! {
            div .cause.bad {
                span .rows { (counted(self.count, "row")) }
                div {
                    p .what { (self.message) " " code { (self.code) } }
                    @if let Some(help) = &self.help { p .remedy { (help) } }
                    p .faint .small {
                        @if let Some(field) = &self.field { (field) ", " }
                        "first seen in "
                        @match &self.key { Some(key) => { span .mono { (key) } } None => { "a row without a key" } }
                    }
                }
            }
        }
    }
}
