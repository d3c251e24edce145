//! The parts of a run: each sync begins, is planned, and has its turn in each lane.
//!
//! What is fresh goes first, sync after sync, so that what others refer to is there. Then come some of the retries, the
//! removals the other way round, what only a changed mapping causes, and the rest of the retries. A record that is let go is
//! removed after what takes its place was written: a user that moves from one account to another must not go with the old one.

use std::cell::RefCell;
use std::collections::HashSet;

use chrono::TimeDelta;
use coho_core::decide::{Change, Completeness};
use coho_core::event::Event;
use coho_core::memory::Time;
use coho_core::object::Object;
use coho_core::plan::{SyncPlan, SyncSummary};
use coho_core::sync::{Api, Sync};
use coho_core::verdict::Call;
use coho_ledger::run::SyncStart;
use coho_ledger::spool::{Lane, Spool, SpoolError};
use coho_vitally::client::Breaker;

use super::{Part, Shared};
use crate::context::{Engine, EngineError};
use crate::notes;
use crate::plan::{PlanError, Planned};
use crate::send::matches::Directory;
use crate::send::{Pace, SendError, Sender, Sent, Stretch};

/// How many operations are looked at at once.
const AT_ONCE: usize = 500;

impl Engine<'_> {
    pub(super) async fn parts(
        &self,
        shared: &Shared<'_>,
        syncs: &[&Sync],
    ) -> Result<Vec<SyncSummary>, EngineError> {
        let mut parts = Vec::new();
        for sync in syncs {
            let mut part = self.begin(shared, sync)?;
            shared.deadline.set(self.deadline(&part));
            if !self.ends(shared) {
                self.prepare(shared, &mut part).await?;
            }
            part.worked = self.setup.clock.now() - part.started;
            shared.deadline.set(None);
            self.turn(shared, &mut part, Lane::Fresh, Stretch::WHOLE).await?;
            parts.push(part);
        }
        for part in &mut parts {
            let some = Stretch { after: 0, most: retries_before_others(part.sync, part.plan.as_ref()) };
            part.retried = self.turn(shared, part, Lane::Retry, some).await?;
        }
        for part in parts.iter_mut().rev() {
            self.turn(shared, part, Lane::Remove, Stretch::WHOLE).await?;
            self.turn(shared, part, Lane::Probe, Stretch::WHOLE).await?;
        }
        for part in &mut parts {
            self.turn(shared, part, Lane::Backfill, Stretch::WHOLE).await?;
        }
        for part in &mut parts {
            let rest = Stretch { after: part.retried, ..Stretch::WHOLE };
            self.turn(shared, part, Lane::Retry, rest).await?;
        }
        parts.into_iter().map(|part| self.end(shared, part)).collect()
    }

    /// A sync's turn in one lane. Gives how far it came.
    async fn turn(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        lane: Lane,
        stretch: Stretch,
    ) -> Result<i64, EngineError> {
        let began = self.setup.clock.now();
        let end = self.send(shared, part, lane, stretch).await?;
        part.worked += self.setup.clock.now() - began;
        Ok(end)
    }

    #[expect(clippy::unused_self, reason = "reads as what it is at its call site")]
    fn ends(&self, shared: &Shared<'_>) -> bool {
        shared.stop.is_asked() || shared.halt.borrow().is_some()
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
        shared.ledger.begin_sync(shared.lease, shared.run, &scope, &start)?;
        Ok(Part {
            sync,
            scope,
            started,
            worked: TimeDelta::zero(),
            plan: None,
            spool: None,
            known: 0,
            missed: 0,
            problems: Vec::new(),
            sent: Sent::default(),
            retried: 0,
            directory: Directory::default(),
        })
    }

    /// Plans, and remembers what needs no call.
    async fn prepare(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let planned = self
            .plan_one(
                shared.run.id().as_str(),
                shared.ledger,
                part.sync,
                Some(&part.scope),
                shared.options,
                shared.listener,
                &|| goes_on(shared),
            )
            .await;
        let planned = match planned {
            Err(EngineError::Plan(PlanError::Problems { problems, .. })) => {
                part.problems = problems;
                return Ok(());
            }
            Err(EngineError::Interrupted) => return Ok(()),
            other => other?,
        };
        shared.listener.on(&Event::Planned(Box::new(planned.plan.clone())));
        let now = self.setup.clock.now();
        notes::apply(shared.ledger, shared.lease, shared.run, &part.scope, &planned.spool, now)?;
        self.remember_beginning(shared, part, &planned)?;
        let nameless = notes::nameless(&planned.plan.problems, now);
        shared.ledger.record(shared.lease, shared.run, &part.scope, &nameless)?;
        (part.known, part.missed) = (planned.known, planned.missed);
        part.plan = Some(planned.plan);
        part.spool = Some(planned.spool);
        self.find_references(shared, part).await?;
        self.find_users(shared, part).await
    }

    /// Finds the users whose e-mail addresses a sync's operations search, many at once.
    async fn find_users(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let (Some(spool), Some(client)) = (&part.spool, shared.clients.get(&part.sync.destination)) else {
            return Ok(());
        };
        if part.sync.matching.email().is_none() || self.ends(shared) {
            return Ok(());
        }
        let wanted = searched(spool).map_err(PlanError::from)?;
        let (directory, calls) = Directory::list(client, wanted, &|| goes_on(shared)).await;
        part.directory = directory;
        part.sent.calls += calls.len() as u64;
        self.note_calls(shared, part, &calls)
    }

    /// What a whole plan leaves behind for the next one: that the first run is over, and the ids of what was adopted.
    fn remember_beginning(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        planned: &Planned,
    ) -> Result<(), EngineError> {
        let (ledger, lease, now) = (shared.ledger, shared.lease, self.setup.clock.now());
        if shared.options.filter.completeness() == Completeness::Complete {
            ledger.mark_begun(lease, &part.scope, now)?;
            self.mark(part.sync);
        }
        for object in Object::RECORDS {
            let of_object = planned.ids.iter().filter(|(other, ..)| *other == object);
            let pairs: Vec<_> =
                of_object.map(|(_, external_id, id)| (external_id.clone(), id.clone())).collect();
            ledger.put_references(lease, part.scope.workspace(), object, &pairs, now)?;
        }
        part.sent.calls += planned.calls.len() as u64;
        self.note_calls(shared, part, &planned.calls)
    }

    /// Calls that no single row made.
    #[expect(clippy::unused_self, reason = "reads as what it is at its call site")]
    fn note_calls(&self, shared: &Shared<'_>, part: &Part<'_>, calls: &[Call]) -> Result<(), EngineError> {
        let calls: Vec<_> = calls.iter().map(|call| (call.clone(), Vec::new())).collect();
        Ok(shared.ledger.settle_batch(shared.lease, shared.run, &part.scope, &[], &calls)?)
    }

    /// Finds the ids of the records that a sync's operations refer to, many at once.
    async fn find_references(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let (Some(spool), Some(references)) = (&part.spool, shared.references.get(&part.sync.destination))
        else {
            return Ok(());
        };
        if part.sync.api == Api::Analytics || self.ends(shared) {
            return Ok(());
        }
        let wanted = spool.references().map_err(PlanError::from)?;
        for object in Object::RECORDS {
            let of_object = wanted.iter().filter(|(other, _)| *other == object);
            let ids: Vec<_> = of_object.map(|(_, id)| id.clone()).collect();
            let calls = references.list(object, &ids, self.setup.clock.now(), &|| goes_on(shared)).await?;
            part.sent.calls += calls.len() as u64;
            self.note_calls(shared, part, &calls)?;
        }
        Ok(())
    }

    /// When a sync's time is over. What other syncs take in between is not its own time.
    fn deadline(&self, part: &Part<'_>) -> Option<Time> {
        let seconds = i64::try_from(part.sync.run_seconds?).ok()?;
        Some(self.setup.clock.now() + TimeDelta::seconds(seconds) - part.worked)
    }

    async fn send(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        lane: Lane,
        stretch: Stretch,
    ) -> Result<i64, EngineError> {
        let destination = &part.sync.destination;
        let spec = self.setup.project.destinations.get(destination);
        let (Some(spool), Some(spec), Some(client), Some(references)) =
            (&part.spool, spec, shared.clients.get(destination), shared.references.get(destination))
        else {
            return Ok(stretch.after);
        };
        let planned = part.plan.as_ref().map_or(0, |plan| plan.counts.planned());
        let allowed = part.sync.guards.max_rejected.map(|limit| limit.allows(part.known.max(planned)));
        let deadline = self.deadline(part);
        shared.deadline.set(deadline);
        let sender = Sender {
            ledger: shared.ledger,
            lease: shared.lease,
            run: shared.run,
            sync: part.sync,
            scope: &part.scope,
            spool,
            client,
            references,
            directory: &part.directory,
            pace: Pace::of(spec),
            clock: &*self.setup.clock,
            listener: shared.listener,
            stop: shared.stop,
            breaker: RefCell::new(Breaker::default()),
            halt: RefCell::new(shared.halt.borrow().clone()),
            deadline,
            max_rejected: allowed,
            dependents: RefCell::new(None),
            beat: &|| shared.heartbeat.beat(),
        };
        let end = sender.lane(lane, stretch, &mut part.sent).await;
        shared.deadline.set(None);
        let end = end.map_err(sending)?;
        shared.halt.replace(sender.halt.into_inner());
        Ok(end)
    }
}

/// Whether a list is read on: nobody asked to stop. The lease is renewed on the way; one that was lost is found at the next
/// write.
fn goes_on(shared: &Shared<'_>) -> bool {
    drop(shared.heartbeat.beat());
    !shared.stop.is_asked()
}

/// The e-mail addresses that the writes of a plan search, in lower case.
fn searched(spool: &Spool) -> Result<HashSet<String>, SpoolError> {
    let mut wanted = HashSet::new();
    for lane in Lane::WRITES {
        let mut after = 0;
        loop {
            let operations = spool.operations(lane, after, AT_ONCE)?;
            let Some((last, _)) = operations.last() else { break };
            after = *last;
            let unknown = operations.into_iter().filter(|(_, operation)| operation.known.id().is_none());
            wanted.extend(
                unknown.filter_map(|(_, operation)| operation.email).map(|email| email.to_lowercase()),
            );
        }
    }
    Ok(wanted)
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

fn sending(error: SendError) -> EngineError {
    match error {
        SendError::Ledger(error) => error.into(),
        SendError::Spool(error) => PlanError::from(error).into(),
    }
}
