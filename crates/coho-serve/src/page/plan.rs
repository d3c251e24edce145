//! The plan: what a run would send now, computed when somebody asks, removals first, every operation, and what is held.

mod listed;
mod sync;
mod list;

use coho_engine::plan::{Planned, TableError};
use coho_report::words::{counted, number, time};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use self::list::List;
use self::sync::SyncPart;
use super::Context;
use super::told::Told;
use crate::markup::parts;
use crate::moment::{Moment, millis};
use crate::plans::{Going, Made, Outcome, Whole};
use crate::shown::{Formed, Hand};
use crate::target::Target;

/// Where the newest plan can be saved as one that was agreed to.
pub(crate) const PLAN_FILE: &str = "/plan/file";

/// The plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanPage {
    /// The syncs that can be planned; none where the project's files are wrong.
    syncs: Vec<String>,
    /// The one that is being made.
    #[serde(skip_serializing_if = "Option::is_none")]
    under_way: Option<UnderWay>,
    /// The newest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanPart>,
}

/// A plan that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UnderWay {
    of: Vec<String>,
    began: Moment,
    ending: bool,
    /// The sync whose rows are read, and how many there were so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    reading: Option<Reading>,
}

/// Rows that are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    sync: String,
    rows: u64,
}

/// A plan that was made, or could not be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PlanPart {
    number: u64,
    /// The syncs; none where all were planned.
    of: Vec<String>,
    began: Moment,
    millis: u64,
    /// What kept it from being made.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// What is wrong with the project, or with syncs that have no plan.
    problems: Vec<Told>,
    /// A run that was under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
    /// Operations and calls of all syncs, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<String>,
    /// Whether a run can be bound to it: every sync has a plan, and something is to do.
    plan_file: bool,
    syncs: Vec<SyncPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<List>,
}

/// The plan as it stands now.
pub(crate) fn make(context: &Context<'_>) -> Result<PlanPage, TableError> {
    let syncs = match (context.site.open)() {
        Ok(opened) => opened.project.syncs.iter().map(|sync| sync.id.as_str().to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    let made = context.plans.made();
    Ok(PlanPage {
        syncs,
        under_way: context.plans.going().map(|going| UnderWay::of(&going)),
        plan: made.map(|made| part(context, &made)).transpose()?,
    })
}

impl UnderWay {
    fn of(going: &Going) -> Self {
        Self {
            of: going.names.clone(),
            began: going.began.into(),
            ending: going.is_ending(),
            reading: going.reading().map(|(sync, rows)| Reading { sync, rows }),
        }
    }
}

fn part(context: &Context<'_>, made: &Made) -> Result<PlanPart, TableError> {
    let part = PlanPart {
        number: made.number,
        of: made.names.clone(),
        began: made.began.into(),
        millis: millis(made.began, made.ended),
        error: None,
        help: None,
        problems: Vec::new(),
        beside: None,
        total: None,
        plan_file: false,
        syncs: Vec::new(),
        list: None,
    };
    Ok(match &made.outcome {
        Outcome::Refused(refused) => {
            PlanPart { error: Some(refused.message.clone()), help: refused.help.clone(), ..part }
        }
        Outcome::Broken { problems, files } => PlanPart { problems: Told::all(problems, files), ..part },
        Outcome::Plans(whole) => PlanPart {
            problems: Told::all(&whole.problems, &whole.files),
            beside: whole.beside.clone(),
            total: total(&whole.planned),
            plan_file: is_plan_file(whole),
            syncs: whole.planned.iter().map(|planned| SyncPart::of(&planned.plan)).collect(),
            list: List::of(context, &whole.planned)?,
            ..part
        },
    })
}

/// Whether a run can be bound to these plans: as in `coho plan -o`, none may be missing.
pub(crate) fn is_plan_file(whole: &Whole) -> bool {
    whole.problems.is_empty() && whole.planned.iter().any(|planned| planned.plan.counts.planned() > 0)
}

fn total(planned: &[Planned]) -> Option<String> {
    let plans: Vec<_> = planned.iter().map(|planned| planned.plan.clone()).collect();
    let several = plans.iter().filter(|plan| plan.counts.planned() > 0).count() > 1;
    several.then(|| coho_report::text::plan_total(&plans))
}

impl Formed for PlanPage {
    fn title(&self) -> String {
        "Plan".to_owned()
    }

    fn main(&self, hand: &Hand) -> Markup {
        html! {
            h1 { "Plan" }
            @match &self.under_way {
                Some(under_way) => { (under_way.show(hand)) }
                None => { (self.form(hand)) }
            }
            @match &self.plan {
                Some(plan) => { (plan.show()) }
                None if self.under_way.is_none() => {
                    (parts::empty("No plan yet. A plan reads the current rows and shows what a run would send. It sends nothing."))
                }
                None => {}
            }
        }
    }
}

impl PlanPage {
    fn form(&self, hand: &Hand) -> Markup {
        let of = self.plan.as_ref().map(|plan| plan.of.as_slice()).unwrap_or_default();
        html! {
            form .bar method="post" action="/plan" {
                (hand.field())
                label for="sync" { "Of" }
                select #sync name="sync" {
                    option value="" { "all syncs" }
                    @for sync in &self.syncs { option value=(sync) selected[of == [sync.clone()]] { (sync) } }
                }
                button .main { @if self.plan.is_some() { "Plan again" } @else { "Make a plan" } }
            }
        }
    }
}

impl UnderWay {
    fn show(&self, hand: &Hand) -> Markup {
        html! {
            section .now aria-labelledby="now" {
                h2 #now { "Planning" }
                p role="status" {
                    @match (&self.reading, self.ending) {
                        (_, true) => { "Cancelling." }
                        (Some(reading), _) => { b { (reading.sync) } ": " (counted(reading.rows, "row")) " read so far" }
                        (None, _) => { "It begins." }
                    }
                    " " span .faint { "since " (parts::moment(&self.began)) ", " (of(&self.of)) }
                }
                form method="post" action="/plan/cancel" { (hand.field()) button disabled[self.ending] { "Cancel" } }
            }
        }
    }
}

fn of(names: &[String]) -> String {
    if names.is_empty() { "of all syncs".to_owned() } else { format!("of {}", names.join(", ")) }
}

impl PlanPart {
    fn show(&self) -> Markup {
        html! {
            p .faint {
                "As of " (parts::moment(&self.began)) ", " (of(&self.of)) ", made in " (time(self.millis)) ". "
                "A run makes a new plan from the rows at that time."
            }
            @if let Some(beside) = &self.beside {
                p .alert.warn { (beside) ": the results of its writes are not in this plan." }
            }
            @if let Some(error) = &self.error {
                p .alert role="alert" { (error) }
                @if let Some(help) = &self.help { p .remedy { (help) } }
            }
            @for problem in &self.problems { (problem.show("bad")) }
            @if !self.syncs.is_empty() { (self.removals()) }
            @for sync in &self.syncs { (sync.show()) }
            @if let Some(total) = &self.total { p .total { (total) } }
            (self.plan_file())
            @if let Some(list) = &self.list { (list.show()) }
        }
    }

    /// What would be gone comes before all else.
    fn removals(&self) -> Markup {
        let removing: Vec<_> = self.syncs.iter().filter(|sync| sync.removes > 0).collect();
        let all: u64 = removing.iter().map(|sync| sync.removes).sum();
        html! {
            @if all > 0 {
                p .alert {
                    b { (counted(all, "record")) } " would be removed: "
                    @for (at, sync) in removing.iter().enumerate() {
                        @if at > 0 { ", " }
                        a href=(Target::Plan.with(&[("sync", Some(&sync.sync)), ("kind", Some("remove"))])) {
                            (number(sync.removes)) " of " (sync.sync)
                        }
                    }
                }
            } @else { p { span .state.good { "nothing removed" } " No record would be removed." } }
        }
    }

    fn plan_file(&self) -> Markup {
        html! {
            @if self.plan_file {
                p {
                    a .more href=(PLAN_FILE) download { "Save this plan for approval" }
                    " " span .faint {
                        code { "coho run --plan plan.json" } " then sends exactly this. The file has keys and digests, no values."
                    }
                }
            } @else if !self.problems.is_empty() && !self.syncs.is_empty() {
                p .faint { "It cannot be saved, because a sync has no plan." }
            }
        }
    }
}
