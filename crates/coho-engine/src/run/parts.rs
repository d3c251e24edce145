//! The parts of a run: each sync begins, is planned, and has its turn in each phase.
//!
//! What is fresh goes first, sync after sync, so that what others refer to is there. Then come some of the retries, the
//! removals the other way round, what only a changed mapping causes, and the rest of the retries. A record that is let go is
//! removed after what takes its place was written: a user that moves from one account to another must not go with the old one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::decide::{Change, Completeness};
use coho_core::event::Event;
use coho_core::object::Object;
use coho_core::plan::{SyncPlan, SyncSummary};
use coho_core::started::Stage;
use coho_core::sync::{Api, Sync};
use coho_core::time::Time;
use coho_core::verdict::Call;
use coho_ledger::run::SyncStart;
use coho_plan::failure::PlanError;
use coho_plan::job::Waiting;
use coho_plan::phase::Phase;
use coho_plan::planned::Planned;
use coho_plan::table::{Table, TableError};
use coho_report::json::Happened;
use coho_vitally::client::{Breaker, Client};

use super::stages::{Stages, full_why};
use super::{Part, Shared};
use crate::context::Engine;
use crate::failure::EngineError;
use crate::plan::Planner;
use crate::remember::{To, nameless};
use crate::send::matches::Directory;
use crate::send::sent::Sent;
use crate::send::writer::Writer;
use crate::send::{OpRange, Pace, Sender};

/// How many operations are looked at at once.
const AT_ONCE: usize = 500;

impl Engine<'_> {
    pub(super) async fn parts(
        &self,
        shared: &Shared<'_>,
        syncs: &[&Sync],
    ) -> Result<Vec<SyncSummary>, EngineError> {
        let mut parts = Vec::new();
        if let Some(since) = shared.ledger.interrupted_before(shared.run)? {
            shared.ledger.unlink(shared.lease, since, self.setup.clock.now())?;
        }
        for sync in syncs {
            let mut part = self.begin(shared, sync)?;
            if !ends(shared) {
                self.prepare(shared, &mut part).await?;
                self.stages(shared, &part).end(None)?;
            }
            part.worked = self.setup.clock.now() - part.started;
            self.turn(shared, &mut part, Phase::Fresh, OpRange::WHOLE).await?;
            parts.push(part);
        }
        for part in &mut parts {
            let some = OpRange {
                after: 0,
                most: retries_before_others(part.sync, part.planned.as_ref().map(|planned| &planned.plan)),
            };
            part.retried = self.turn(shared, part, Phase::Retry, some).await?;
        }
        for part in parts.iter_mut().rev() {
            self.turn(shared, part, Phase::Remove, OpRange::WHOLE).await?;
            self.unlink(shared, part)?;
            self.turn(shared, part, Phase::Probe, OpRange::WHOLE).await?;
        }
        for part in &mut parts {
            self.turn(shared, part, Phase::Backfill, OpRange::WHOLE).await?;
        }
        for part in &mut parts {
            let rest = OpRange { after: part.retried, ..OpRange::WHOLE };
            self.turn(shared, part, Phase::Retry, rest).await?;
        }
        let mut ended = Vec::new();
        for mut part in parts {
            Box::pin(self.publish(shared, &mut part)).await?;
            ended.push(self.end(shared, part)?);
        }
        Ok(ended)
    }

    /// Forgets the links of users to what a sync removed.
    fn unlink(&self, shared: &Shared<'_>, part: &Part<'_>) -> Result<(), EngineError> {
        let has_users = matches!(part.sync.object, Object::Account | Object::Organization);
        let removes = part.planned.as_ref().is_some_and(|planned| planned.plan.counts.removals > 0);
        if has_users && removes {
            shared.ledger.unlink(shared.lease, part.started, self.setup.clock.now())?;
        }
        Ok(())
    }

    /// A sync's turn in one phase. Gives how far it came.
    async fn turn(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        phase: Phase,
        range: OpRange,
    ) -> Result<i64, EngineError> {
        part.turn = self.setup.clock.now();
        let end = self.send(shared, part, phase, range).await?;
        part.worked += self.setup.clock.now() - part.turn;
        Ok(end)
    }

    pub(super) fn stages<'a>(&'a self, shared: &'a Shared<'a>, part: &'a Part<'_>) -> Stages<'a> {
        Stages { shared, scope: &part.scope, clock: &*self.setup.clock }
    }

    /// A sync's client, which sends nothing once the run is to stop, or the sync's time is up.
    fn client_of(&self, shared: &Shared<'_>, part: &Part<'_>) -> Option<Client> {
        let client = shared.clients.get(&part.sync.destination)?;
        Some(match part.left(self.setup.clock.now()) {
            Some(left) => client.until(shared.stop.until().within(left.to_std().unwrap_or_default())),
            None => client.clone(),
        })
    }

    fn begin<'a>(&self, shared: &Shared<'_>, sync: &'a Sync) -> Result<Part<'a>, EngineError> {
        let started = self.setup.clock.now();
        let workspace = self.workspace(&sync.destination);
        for earlier in &sync.renamed_from {
            shared.ledger.rename_scope(shared.lease, &workspace, earlier, &sync.id)?;
        }
        let scope = shared.ledger.scope(shared.lease, &workspace, &sync.id, sync.object)?;
        let start = SyncStart {
            model: sync.model.clone(),
            destination: sync.destination.clone(),
            primary_key: self.model(sync)?.key.clone(),
            at: started,
        };
        let told = self.notices(shared.run.id().as_str(), sync, &Happened::Started, started);
        shared.ledger.begin_sync_telling(shared.lease, shared.run, &scope, &start, &told)?;
        shared.teller.posted(&told);
        let run = shared.run.id().as_str();
        shared.teller.event(self.event_of(run, sync, &Happened::Started, None, started));
        Ok(Part {
            sync,
            scope,
            started,
            worked: TimeDelta::zero(),
            turn: started,
            planned: None,
            problems: Vec::new(),
            sent: Sent::default(),
            retried: 0,
            directory: Directory::default(),
        })
    }

    /// Plans, and remembers what needs no call. A plan that was interrupted leaves nothing.
    async fn prepare(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let clock = &*self.setup.clock;
        let stages = Stages { shared, scope: &part.scope, clock };
        stages.begin(Stage::Read, None)?;
        match self.dbt_gate(part.sync).await {
            Err(EngineError::Plan(PlanError::Problems { problems, .. })) => {
                part.problems = problems;
                return Ok(());
            }
            note => part.sent.notes.extend(note?),
        }
        let other_encoding = shared.ledger.has_other_encoding(&part.scope)?;
        let making = Planner {
            engine: self,
            run: shared.run.id().as_str(),
            ledger: shared.ledger,
            options: shared.options,
            listener: shared.listener,
            stop: shared.stop,
            // A lease that was lost is found at the next write.
            beat: &|| drop(shared.heartbeat.beat()),
            began: &|stage, rows| drop(stages.begin(stage, Some(rows))),
        };
        let planned = match making.plan(part.sync, Some(&part.scope), &[]).await {
            Err(EngineError::Plan(PlanError::Problems { problems, .. })) => {
                part.problems = problems;
                return Ok(());
            }
            Err(EngineError::Plan(PlanError::Interrupted)) => return Ok(()),
            other => other?,
        };
        shared.listener.on(&Event::Planned(Box::new(planned.plan.clone())));
        match self.remember(shared, part, &planned) {
            Err(EngineError::Plan(PlanError::Interrupted)) => return Ok(()),
            other => other?,
        }
        if let Some(why) = full_why(shared.options.run_kind, &planned.plan, other_encoding) {
            shared.ledger.mark_full(shared.lease, shared.run, &part.scope, why)?;
        }
        part.planned = Some(planned);
        self.find_references(shared, part).await?;
        self.find_users(shared, part).await
    }

    /// Remembers what a plan says without sending, and what it leaves behind for the next one: that the first run is over, and
    /// the ids of what was adopted.
    fn remember(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        planned: &Planned,
    ) -> Result<(), EngineError> {
        let now = self.setup.clock.now();
        let (ledger, lease, run, scope) = (shared.ledger, shared.lease, shared.run, &part.scope);
        let to = To { ledger, lease, run, scope, now, goes_on: &|| goes_on(shared) };
        to.remember(&planned.table)?;
        let filter = &shared.options.filter;
        let is_whole = filter.completeness() == Completeness::Complete && filter.waiting == Waiting::Too;
        if is_whole {
            to.lift(&planned.table)?;
            ledger.record_nameless(lease, run, scope, &nameless(&planned.plan.problems, now))?;
        }
        remember_ids(shared, part, &planned.table, now)?;
        // Where a person has to say first which events these are, the first run is still to come.
        let undecided = planned.plan.guards.iter().any(|guard| guard.code == Code::NEW_EVENT_IDS);
        if is_whole && !undecided {
            ledger.mark_first_run(lease, scope, now)?;
            self.mark(part.sync);
        }
        part.sent.notes.extend(planned.how.clone());
        if let Some(learned) = &planned.learned {
            ledger.learn_buckets(lease, scope, learned, now)?;
        }
        if !planned.types.is_empty() {
            ledger.remember_types(lease, &part.sync.model, &planned.types, now)?;
        }
        part.sent.calls += planned.calls.len() as u64;
        note_calls(shared, part, &planned.calls)
    }

    /// Finds the users whose e-mail addresses a sync's operations search, many at once.
    async fn find_users(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let (Some(planned), Some(client)) = (&part.planned, self.client_of(shared, part)) else {
            return Ok(());
        };
        if part.sync.matching.email().is_none() || ends(shared) {
            return Ok(());
        }
        let Some(wanted) = searched(shared, &planned.table)? else { return Ok(()) };
        let (directory, calls) = Directory::list(&client, wanted, &|| goes_on(shared)).await;
        part.directory = directory;
        part.sent.calls += calls.len() as u64;
        note_calls(shared, part, &calls)
    }

    /// Finds the ids of the records that a sync's operations refer to, many at once.
    async fn find_references(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let (Some(planned), Some(client), Some(references)) =
            (&part.planned, self.client_of(shared, part), shared.references.get(&part.sync.destination))
        else {
            return Ok(());
        };
        if part.sync.api == Api::Analytics || ends(shared) {
            return Ok(());
        }
        for object in Object::RECORDS {
            let ids = planned.table.references(object)?;
            let now = self.setup.clock.now();
            let calls = references.list(&client, object, &ids, now, &|| goes_on(shared)).await?;
            part.sent.calls += calls.len() as u64;
            note_calls(shared, part, &calls)?;
        }
        Ok(())
    }

    async fn send(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        phase: Phase,
        range: OpRange,
    ) -> Result<i64, EngineError> {
        let destination = &part.sync.destination;
        let spec = self.setup.project.destinations.get(destination);
        let (Some(planned), Some(spec), Some(client), Some(references)) =
            (&part.planned, spec, self.client_of(shared, part), shared.references.get(destination))
        else {
            return Ok(range.after);
        };
        if range.most == 0 || planned.table.operations(phase, range.after, 1)?.is_empty() {
            return Ok(range.after);
        }
        let stages = self.stages(shared, part);
        stages.send(phase)?;
        let of = planned.known.max(planned.plan.counts.planned());
        let allowed = part.sync.guards.max_rejected.map(|limit| limit.allows(of));
        let sender = Sender {
            writer: Arc::new(self.writer(shared, part, &planned.table, &client)),
            ledger: shared.ledger,
            sync: part.sync,
            scope: &part.scope,
            table: &planned.table,
            client: &client,
            references,
            directory: &part.directory,
            pace: Pace::of(spec),
            clock: &*self.setup.clock,
            listener: shared.listener,
            stop: shared.stop,
            breaker: Mutex::new(Breaker::default()),
            halt: &shared.halt,
            deadline: part.left(self.setup.clock.now()).map(|left| self.setup.clock.now() + left),
            max_rejected: allowed,
            heartbeat: shared.heartbeat,
        };
        let before = part.sent.all();
        let end = sender.phase(phase, range, &mut part.sent).await?;
        let sent = part.sent.all() - before;
        self.stages(shared, part).end(Some(sent))?;
        Ok(end)
    }

    fn writer(&self, shared: &Shared<'_>, part: &Part<'_>, table: &Arc<Table>, client: &Client) -> Writer {
        Writer {
            ledger: Arc::clone(shared.ledger),
            lease: Arc::clone(shared.lease),
            run: shared.run.clone(),
            scope: part.scope.clone(),
            table: Arc::clone(table),
            client: client.clone(),
            clock: Arc::clone(&self.setup.clock),
            destination: part.sync.destination.clone(),
            removal: part.sync.removal,
        }
    }
}

/// Whether nothing new is begun.
pub(super) fn ends(shared: &Shared<'_>) -> bool {
    shared.stop.is_asked() || shared.halt.is_halted()
}

/// Calls that no single row made.
fn note_calls(shared: &Shared<'_>, part: &Part<'_>, calls: &[Call]) -> Result<(), EngineError> {
    let calls: Vec<_> = calls.iter().map(|call| (call.clone(), Vec::new())).collect();
    Ok(shared.ledger.settle_batch(shared.lease, shared.run, &part.scope, &[], &calls)?)
}

/// Remembers Vitally's ids of what was adopted.
fn remember_ids(shared: &Shared<'_>, part: &Part<'_>, table: &Table, now: Time) -> Result<(), EngineError> {
    let mut after = 0;
    loop {
        let named = table.named(after, AT_ONCE)?;
        let Some((last, _)) = named.last() else { return Ok(()) };
        if !goes_on(shared) {
            return Err(PlanError::Interrupted.into());
        }
        after = *last;
        for object in Object::RECORDS {
            let of_object = named.iter().map(|(_, named)| named).filter(|(other, ..)| *other == object);
            let pairs: Vec<_> =
                of_object.map(|(_, external_id, id)| (external_id.clone(), id.clone())).collect();
            shared.ledger.put_references(shared.lease, part.scope.workspace(), object, &pairs, now)?;
        }
    }
}

impl Part<'_> {
    /// How much of its time a sync has left, where that is bounded. What other syncs take in between is not its own time.
    fn left(&self, now: Time) -> Option<TimeDelta> {
        let seconds = i64::try_from(self.sync.run_seconds?).ok()?;
        Some(TimeDelta::seconds(seconds) - self.worked - (now - self.turn))
    }
}

/// Whether a list is read on: nobody asked to stop. The lease is renewed on the way; one that was lost is found at the next
/// write.
pub(super) fn goes_on(shared: &Shared<'_>) -> bool {
    drop(shared.heartbeat.beat());
    !shared.stop.is_asked()
}

/// The e-mail addresses that the writes of a plan search, in lower case; `None` where somebody asked to stop.
fn searched(shared: &Shared<'_>, table: &Table) -> Result<Option<HashSet<String>>, TableError> {
    let mut wanted = HashSet::new();
    for phase in Phase::ALL.into_iter().filter(|phase| phase.writes()) {
        let mut after = 0;
        loop {
            let operations = table.operations(phase, after, AT_ONCE)?;
            let Some((last, _)) = operations.last() else { break };
            if !goes_on(shared) {
                return Ok(None);
            }
            after = *last;
            let unknown = operations.into_iter().filter(|(_, operation)| operation.known.id().is_none());
            wanted.extend(
                unknown.filter_map(|(_, operation)| operation.email).map(|email| email.to_lowercase()),
            );
        }
    }
    Ok(Some(wanted))
}

/// How many retries have their turn before what else is to be sent. Where the time of a run is bounded, they may not use it up:
/// at most a fifth of all, unless there is nothing else. Else all, since a removal may wait for one of them.
fn retries_before_others(sync: &Sync, plan: Option<&SyncPlan>) -> usize {
    let Some(plan) = plan else { return 0 };
    let count = |wanted: fn(Change) -> bool| -> u64 {
        let found = plan.changes.iter().filter(|((change, _), _)| wanted(*change));
        found.map(|(_, count)| count).sum()
    };
    let retries = count(|change| change == Change::Retry);
    let others = plan.counts.planned().saturating_sub(retries);
    let most = if others == 0 || sync.run_seconds.is_none() { retries } else { others / 4 };
    usize::try_from(most).unwrap_or(usize::MAX)
}
