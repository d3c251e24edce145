//! What is to come, where this process runs syncs: the next time of each schedule, and the runs that were asked for.

use coho_engine::context::EngineError;
use coho_ledger::Ledger;
use coho_ledger::request::{RunRequest, State};
use coho_report::words::counted;
use coho_schedule::AskedBy;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts;
use crate::moment::Moment;
use crate::running::house::House;
use crate::target::{self, Target};

/// What is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agenda {
    /// What is wrong with the project's files, where an older project is in force because of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// Each sync that has a schedule.
    schedules: Vec<Scheduled>,
    /// Runs that were requested and have not ended, in the order in which they were asked for.
    queue: Vec<Queued>,
}

/// When a sync runs by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Scheduled {
    sync: String,
    /// The schedule in words.
    schedule: String,
    /// Its next time, where it goes by time.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Moment>,
}

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Queued {
    /// The number by which the trigger API names it.
    number: i64,
    sync: String,
    /// Who asked first.
    cause: String,
    asked: Moment,
    /// How many times of the schedule it makes up for besides.
    missed: u64,
    /// `waiting`, `running`, or `interrupted`: then it is gone on with.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

impl Agenda {
    /// What is to come.
    pub(super) fn of(house: &House, ledger: &Ledger) -> Result<Self, EngineError> {
        let opened = house.opened();
        let engine = house.engine(&opened);
        let (mut schedules, mut queue) = (Vec::new(), Vec::new());
        for sync in &opened.project.syncs {
            let scope = engine.scope_name(sync);
            let open = ledger.open_requests(&scope.workspace)?;
            queue.extend(open.iter().filter(|request| request.sync == sync.id).map(Queued::of));
            let Some(spec) = opened.project.schedules.get(&sync.id) else { continue };
            let next = engine.next_time(ledger, sync)?.map(Moment::from);
            schedules.push(Scheduled { sync: sync.id.to_string(), schedule: spec.words(), next });
        }
        queue.sort_by_key(|queued| queued.number);
        Ok(Self { fault: house.fault(), schedules, queue })
    }

    /// As a part of the overview.
    pub(super) fn show(&self) -> Markup {
        html! {
            @if let Some(fault) = &self.fault {
                section .alert role="alert" aria-labelledby="fault" {
                    h2 #fault { "The project’s new files have mistakes: Coho keeps using the old ones" }
                    pre { (fault) }
                    p { a href=(Target::Project.path()) { "The project’s files" } }
                }
            }
            section aria-labelledby="queue" {
                h2 #queue { "Queue" }
                @if self.queue.is_empty() { (parts::empty("No runs are waiting or under way.")) }
                @else { ol { @for queued in &self.queue { (queued.show()) } } }
            }
            @if !self.schedules.is_empty() {
                section aria-labelledby="schedules" {
                    h2 #schedules { "Next runs" }
                    div .wide { table {
                        thead { tr { th { "Sync" } th { "Runs" } th { "Next" } } }
                        tbody { @for scheduled in &self.schedules {
                            tr id={ "schedule-" (scheduled.sync) } {
                                th scope="row" { (scheduled.sync) }
                                td { (scheduled.schedule) }
                                td { @match &scheduled.next {
                                    Some(next) => { (parts::moment(next)) }
                                    None => { span .faint { "–" } }
                                } }
                            }
                        } }
                    } }
                }
            }
        }
    }
}

impl Queued {
    fn of(request: &RunRequest) -> Self {
        let state = match request.state {
            State::Waiting => "waiting",
            State::Interrupted => "interrupted",
            State::Running | State::Done(_) => "running",
        };
        Self {
            number: request.id,
            sync: request.sync.to_string(),
            cause: request.asked.cause.name().to_owned(),
            asked: request.at.into(),
            missed: request.asked.missed,
            state: state.to_owned(),
            run: request.part.as_ref().map(|part| part.run.as_str().to_owned()),
        }
    }

    fn show(&self) -> Markup {
        html! {
            li id={ "queued-" (self.number) } {
                b { (self.sync) } " "
                @match &self.run {
                    Some(run) => { a href=(target::run(run).path()) { (parts::state(&self.state)) } }
                    None => { (parts::state(&self.state)) }
                }
                " " span .faint { "asked for by " (self.by()) ", " (parts::moment(&self.asked)) }
                @if self.missed > 0 { span .faint { ", makes up for " (counted(self.missed, "more time")) } }
            }
        }
    }

    /// Who asked, in words.
    fn by(&self) -> &'static str {
        match AskedBy::parse(&self.cause) {
            Some(AskedBy::Schedule) => "its schedule",
            Some(AskedBy::Sequence) => "the syncs that it follows",
            Some(AskedBy::Api) => "the API",
            Some(AskedBy::Page) | None => "a page",
        }
    }
}
