//! Runs that were asked for: what is due by the schedules of a project, which runs are open, and what a run takes of them.

use std::collections::BTreeSet;

use coho_core::decide::RunKind;
use coho_core::sync::Sync;
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::request::{RunRequest, ScopeName};
use coho_ledger::run::Run;
use coho_project::{ScheduleSpec, StartTrigger};
use coho_schedule::{Asked, AskedBy, COUNTED, Spread, Timed, due, wakes};

use crate::context::{Engine, EngineError};
use crate::lost::OnLost;
use crate::plan::{Begins, Options, Waiting};

/// What a scheduler is to do.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Agenda {
    /// The runs that are open, in the order in which they were asked for.
    pub open: Vec<RunRequest>,
    /// When the next time of a schedule comes, if there is one.
    pub wakes: Option<Time>,
}

impl Engine<'_> {
    /// The name under which a sync stands in the ledger.
    pub fn scope_name(&self, sync: &Sync) -> ScopeName {
        ScopeName { workspace: self.workspace(&sync.destination), sync: sync.id.clone() }
    }

    /// The ledger for whoever asks for runs. It is made where there is none, but not where it is lost.
    pub fn ledger_to_ask(&self) -> Result<Ledger, EngineError> {
        self.ledger_to_write(&self.select(&[])?, OnLost::Refuse)
    }

    /// Takes the times of the schedules that have come, and says which runs are open. It may be called at any time, by any number of
    /// processes: each time is taken once.
    pub fn agenda(&self, ledger: &Ledger) -> Result<Agenda, EngineError> {
        let now = self.setup.clock.now();
        let mut agenda = Agenda::default();
        for sync in &self.setup.project.syncs {
            let Some(spec) = self.setup.project.schedules.get(&sync.id) else { continue };
            let next = self.look(ledger, sync, spec, now)?;
            agenda.wakes = [agenda.wakes, next].into_iter().flatten().min();
        }
        let workspaces: BTreeSet<_> =
            self.setup.project.syncs.iter().map(|sync| self.workspace(&sync.destination)).collect();
        for workspace in workspaces {
            agenda.open.extend(ledger.open_requests(&workspace)?);
        }
        agenda.open.retain(|request| self.setup.project.sync(&request.sync).is_some());
        agenda.open.sort_by_key(|request| request.id);
        Ok(agenda)
    }

    /// Looks at one schedule, and says when it is to be looked at next.
    fn look(
        &self,
        ledger: &Ledger,
        sync: &Sync,
        spec: &ScheduleSpec,
        now: Time,
    ) -> Result<Option<Time>, EngineError> {
        let name = self.scope_name(sync);
        let taken = ledger.taken(&name, &spec.words(), now)?;
        match &spec.trigger {
            StartTrigger::Timed(timed) => take_time(ledger, &name, (timed, self.spread()), taken, now),
            StartTrigger::After { syncs, stop_on } => {
                let followed: Vec<_> = syncs
                    .iter()
                    .filter_map(|id| self.setup.project.sync(id).map(|sync| self.scope_name(sync)))
                    .collect();
                ledger.ask_to_follow(&name, &followed, *stop_on, now)?;
                Ok(None)
            }
        }
    }

    /// Asks for a run of a sync. While one waits, it is that one.
    pub fn ask(&self, ledger: &Ledger, sync: &Sync, cause: AskedBy) -> Result<i64, EngineError> {
        Ok(ledger.ask(&self.scope_name(sync), cause, self.setup.clock.now())?)
    }

    /// When a sync's schedule was first due since its last successful run began, or will be: without a run that goes well, it is late
    /// from then on. `None` where it has no schedule, or no server has seen that yet.
    pub fn expected(&self, ledger: &Ledger, sync: &Sync) -> Result<Option<Time>, EngineError> {
        let Some(spec) = self.setup.project.schedules.get(&sync.id) else { return Ok(None) };
        let name = self.scope_name(sync);
        let Some(taken) = ledger.began_to_schedule(&name)? else { return Ok(None) };
        let good = ledger.past(&sync.destination, &sync.id, 0)?.last_good_began;
        let asked = ledger.scheduled_since(&name, good)?;
        Ok(match (&spec.trigger, asked) {
            (StartTrigger::Timed(timed), Some((asked, at))) => {
                Some(first_time(timed, &asked, good).unwrap_or(at))
            }
            (StartTrigger::Timed(timed), None) => timed.next(good.map_or(taken, |good| good.max(taken))),
            (StartTrigger::After { .. }, asked) => asked.map(|(_, at)| at),
        })
    }

    /// At which second of its minute a schedule is due: the same for all syncs of a project, so that those of one minute are one run.
    fn spread(&self) -> Spread {
        Spread::of(&self.setup.project.name)
    }

    /// When a sync's schedule is due next, on the clock of its spread; it may be past. `None` where it goes by no time, or no
    /// server has seen it yet.
    pub fn next_time(&self, ledger: &Ledger, sync: &Sync) -> Result<Option<Time>, EngineError> {
        let spec = self.setup.project.schedules.get(&sync.id);
        let Some(StartTrigger::Timed(timed)) = spec.map(|spec| &spec.trigger) else { return Ok(None) };
        let taken = ledger.began_to_schedule(&self.scope_name(sync))?;
        Ok(taken.and_then(|taken| wakes(timed, self.spread(), taken)))
    }

    /// The syncs that a run begins with.
    pub(crate) fn still_asked<'s>(
        &self,
        ledger: &Ledger,
        syncs: &[&'s Sync],
        begins: Begins,
    ) -> Result<Vec<&'s Sync>, EngineError> {
        let mut wanted = syncs.to_vec();
        if begins == Begins::IfAsked {
            let mut open = Vec::new();
            for sync in syncs {
                let name = self.scope_name(sync);
                open.push(
                    ledger.open_requests(&name.workspace)?.iter().any(|request| request.sync == sync.id),
                );
            }
            let mut open = open.into_iter();
            wanted.retain(|_| open.next().unwrap_or(false));
        }
        Ok(wanted)
    }

    /// A run of all rows carries out what was asked for before it began, whoever started it.
    pub(crate) fn take_requests(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        run: &Run,
        syncs: &[&Sync],
        options: &Options,
    ) -> Result<(), EngineError> {
        let filter = &options.filter;
        let whole = filter.limit.is_none() && filter.key.is_none() && filter.waiting == Waiting::Too;
        if options.run_kind == RunKind::Sync && whole {
            let names: Vec<_> = syncs.iter().map(|sync| self.scope_name(sync)).collect();
            ledger.take_requests(lease, run, &names)?;
        }
        Ok(())
    }
}

/// The first of the times for which a run was asked: the newest one, and those that it makes up for.
fn first_time(timed: &Timed, asked: &Asked, since: Option<Time>) -> Option<Time> {
    let newest = asked.tick?;
    let from = newest - chrono::TimeDelta::days(COUNTED);
    let from = since.map_or(from, |since| since.max(from));
    let ticks: Vec<_> = timed.ticks(from).take_while(|tick| *tick <= newest).collect();
    let missed = usize::try_from(asked.missed).unwrap_or(usize::MAX);
    let first = ticks.len().saturating_sub(1).saturating_sub(missed);
    ticks.get(first).copied()
}

/// Takes the times that have come.
fn take_time(
    ledger: &Ledger,
    name: &ScopeName,
    (timed, spread): (&Timed, Spread),
    taken: Time,
    now: Time,
) -> Result<Option<Time>, EngineError> {
    let mut newest = taken;
    if let Some(due) = due(timed, spread, taken, now) {
        ledger.ask_for_tick(name, &Asked::for_tick(due), taken, now)?;
        newest = due.tick;
    }
    Ok(wakes(timed, spread, newest))
}
