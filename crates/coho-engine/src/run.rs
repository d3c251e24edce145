//! Running: each sync is planned and written in the order of its object; removals follow the other way round.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::decide::{Change, Purpose, Reason};
use coho_core::event::{Event, Listener};
use coho_core::key::Key;
use coho_core::memory::Time;
use coho_core::plan::{Status, SyncPlan, SyncSummary};
use coho_core::problem::Problem;
use coho_core::sync::Sync;
use coho_core::verdict::{Fate, Outcome};
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::run::{Ending, Run, RunId, Status as Ended, SyncStart};
use coho_ledger::scope::Scope;
use coho_ledger::spool::{Lane, Spool};
use coho_vitally::client::{Breaker, Client};

use crate::context::{Engine, EngineError};
use crate::harmless::Harmless;
use crate::notes;
use crate::plan::{Filter, Job, PlanError, Planned, plan};
use crate::send::references::References;
use crate::send::{Halt, Heartbeat, LEASE, Pace, SendError, Sender, Sent};
use crate::stop::Stop;

/// How long rows by fate and calls are kept, in days. What was delivered is remembered for as long as the rows are there.
pub const KEEP_HISTORY_DAYS: i64 = 30;

/// What is planned or run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which rows.
    pub filter: Filter,
    /// What for.
    pub purpose: Purpose,
}

impl Default for Options {
    fn default() -> Self {
        Self { filter: Filter::default(), purpose: Purpose::Sync }
    }
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run's id.
    pub run: String,
    /// Each sync.
    pub syncs: Vec<SyncSummary>,
}

/// What a plan of one sync came to.
#[derive(Debug)]
pub enum Outlook {
    /// What would be sent.
    Plan(Box<Planned>),
    /// Why it cannot be planned.
    Failed {
        /// The sync.
        sync: String,
        /// All that is wrong.
        problems: Vec<Problem>,
    },
}

/// A sync of a run that is under way.
struct Part<'a> {
    sync: &'a Sync,
    scope: Scope,
    started: Time,
    /// How long it was its turn: while it waits for its removals, others have theirs.
    worked: TimeDelta,
    plan: Option<SyncPlan>,
    spool: Option<Spool>,
    problems: Vec<Problem>,
    sent: Sent,
}

/// What all parts of a run share.
struct Shared<'a> {
    ledger: &'a Ledger,
    lease: &'a Lease,
    run: &'a Run,
    heartbeat: &'a Heartbeat<'a>,
    clients: &'a BTreeMap<String, Client>,
    references: &'a BTreeMap<String, References<'a>>,
    listener: &'a dyn Listener,
    stop: &'a Stop,
    options: &'a Options,
    halt: RefCell<Option<Halt>>,
}

impl Engine<'_> {
    /// Plans syncs. Nothing is sent, and the ledger is only read.
    pub async fn plan(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
    ) -> Result<Vec<Outlook>, EngineError> {
        let listener = &Harmless(listener);
        let ledger = match self.ledger_to_read()? {
            Some(ledger) => ledger,
            None => Ledger::temporary(self.setup.clock.now())?,
        };
        let mut outlooks = Vec::new();
        for sync in syncs {
            let scope = self.scope(&ledger, sync)?;
            let planned =
                self.plan_one("plan", &ledger, sync, scope.as_ref(), options, listener, &|| ()).await;
            outlooks.push(match planned {
                Ok(planned) => {
                    listener.on(&Event::Planned(Box::new(planned.plan.clone())));
                    Outlook::Plan(Box::new(planned))
                }
                Err(EngineError::Plan(PlanError::Problems { sync, problems })) => {
                    Outlook::Failed { sync, problems }
                }
                Err(error) => return Err(error),
            });
        }
        Ok(outlooks)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is another part of the run, and none outlives the call"
    )]
    async fn plan_one(
        &self,
        run: &str,
        ledger: &Ledger,
        sync: &Sync,
        scope: Option<&Scope>,
        options: &Options,
        listener: &dyn Listener,
        beat: &dyn Fn(),
    ) -> Result<Planned, EngineError> {
        let model = self.model(sync)?;
        let connection = self.connection(model)?;
        let progress = |rows: u64| {
            beat();
            listener.on(&Event::Reading { sync: sync.id.clone(), rows });
        };
        let job = Job {
            sync,
            model,
            connection: &connection,
            scope,
            purpose: options.purpose,
            filter: &options.filter,
            now: self.setup.clock.now(),
            facts: self.facts(sync, run),
            folder: &self.setup.temporary,
            progress: &progress,
        };
        Ok(plan(ledger, &job).await?)
    }

    /// Plans and sends. Whatever happens, what was acknowledged is remembered, and the rest is found anew by the next run.
    pub async fn run(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Result<Report, EngineError> {
        let listener = &Harmless(listener);
        let clock = &*self.setup.clock;
        let clients = self.clients(syncs)?;
        let ledger = self.ledger_to_write()?;
        let lease = ledger.acquire(&self.setup.holder, clock.now(), LEASE)?;
        let id = RunId::new((self.setup.run_id)());
        let run = ledger.begin_run(&lease, &id, options.purpose, clock.now())?;
        listener.on(&Event::RunStarted { run: id.as_str().to_owned(), at: clock.now() });
        let heartbeat = Heartbeat::new(&ledger, &lease, clock);
        let references = clients
            .iter()
            .map(|(name, client)| {
                let references = References::new(&ledger, &lease, self.workspace(name), client);
                (name.clone(), references)
            })
            .collect();
        let shared = Shared {
            ledger: &ledger,
            lease: &lease,
            run: &run,
            heartbeat: &heartbeat,
            clients: &clients,
            references: &references,
            listener,
            stop,
            options,
            halt: RefCell::new(None),
        };
        let summaries = match self.parts(&shared, syncs).await {
            Ok(summaries) => summaries,
            Err(error) => {
                drop(references);
                self.give_up(&ledger, lease, &run, &error);
                return Err(error);
            }
        };
        let ending = Ending { status: worst(&summaries), error: None, at: clock.now() };
        ledger.end_run(&lease, &run, &ending)?;
        ledger.prune(&lease, clock.now() - TimeDelta::days(KEEP_HISTORY_DAYS))?;
        drop(references);
        ledger.release(lease, clock.now())?;
        Ok(Report { run: id.as_str().to_owned(), syncs: summaries })
    }

    /// One client for each destination: its syncs share a rate.
    fn clients(&self, syncs: &[&Sync]) -> Result<BTreeMap<String, Client>, EngineError> {
        let destinations: BTreeSet<&str> = syncs.iter().map(|sync| sync.destination.as_str()).collect();
        destinations.into_iter().map(|name| Ok((name.to_owned(), self.client(name)?))).collect()
    }

    /// Leaves the ledger as tidy as it lets itself be left: the error that ends the run is the one to tell.
    fn give_up(&self, ledger: &Ledger, lease: Lease, run: &Run, error: &EngineError) {
        let at = self.setup.clock.now();
        let ending = Ending { status: Ended::Halted, error: Some(error.to_string()), at };
        drop(ledger.end_run(&lease, run, &ending));
        drop(ledger.release(lease, at));
    }

    async fn parts(&self, shared: &Shared<'_>, syncs: &[&Sync]) -> Result<Vec<SyncSummary>, EngineError> {
        let mut parts = Vec::new();
        for sync in syncs {
            let mut part = self.begin(shared, sync)?;
            if !self.ends(shared) {
                self.prepare(shared, &mut part).await?;
            }
            self.send(shared, &mut part, &[Lane::Write]).await?;
            part.worked = self.setup.clock.now() - part.started;
            parts.push(part);
        }
        for part in parts.iter_mut().rev() {
            let began = self.setup.clock.now();
            self.send(shared, part, &[Lane::Remove, Lane::Probe]).await?;
            part.worked += self.setup.clock.now() - began;
        }
        parts.into_iter().map(|part| self.end(shared, part)).collect()
    }

    #[expect(clippy::unused_self, reason = "reads as what it is at its call site")]
    fn ends(&self, shared: &Shared<'_>) -> bool {
        shared.stop.is_asked() || shared.halt.borrow().is_some()
    }

    fn begin<'a>(&self, shared: &Shared<'_>, sync: &'a Sync) -> Result<Part<'a>, EngineError> {
        let started = self.setup.clock.now();
        let workspace = self.workspace(&sync.destination);
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
            problems: Vec::new(),
            sent: Sent::default(),
        })
    }

    /// Plans, and remembers what needs no call.
    async fn prepare(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        // A lease that was lost is found at the next write; a beat in between must not end the reading.
        let beat = || drop(shared.heartbeat.beat());
        let planned = self
            .plan_one(
                shared.run.id().as_str(),
                shared.ledger,
                part.sync,
                Some(&part.scope),
                shared.options,
                shared.listener,
                &beat,
            )
            .await;
        let planned = match planned {
            Err(EngineError::Plan(PlanError::Problems { problems, .. })) => {
                part.problems = problems;
                return Ok(());
            }
            other => other?,
        };
        shared.listener.on(&Event::Planned(Box::new(planned.plan.clone())));
        let now = self.setup.clock.now();
        notes::apply(shared.ledger, shared.lease, shared.run, &part.scope, &planned.spool, now)?;
        let nameless = notes::nameless(&planned.plan.problems, now);
        shared.ledger.record(shared.lease, shared.run, &part.scope, &nameless)?;
        part.plan = Some(planned.plan);
        part.spool = Some(planned.spool);
        Ok(())
    }

    async fn send(
        &self,
        shared: &Shared<'_>,
        part: &mut Part<'_>,
        lanes: &[Lane],
    ) -> Result<(), EngineError> {
        let destination = &part.sync.destination;
        let spec = self.setup.project.destinations.get(destination);
        let (Some(spool), Some(spec), Some(client), Some(references)) =
            (&part.spool, spec, shared.clients.get(destination), shared.references.get(destination))
        else {
            return Ok(());
        };
        let sender = Sender {
            ledger: shared.ledger,
            lease: shared.lease,
            run: shared.run,
            scope: &part.scope,
            client,
            references,
            pace: Pace::of(spec),
            clock: &*self.setup.clock,
            listener: shared.listener,
            stop: shared.stop,
            breaker: RefCell::new(Breaker::default()),
            halt: RefCell::new(shared.halt.borrow().clone()),
            beat: &|| shared.heartbeat.beat(),
        };
        for lane in lanes {
            sender.lane(spool, *lane, &mut part.sent).await.map_err(sending)?;
        }
        shared.halt.replace(sender.halt.into_inner());
        Ok(())
    }

    fn end(&self, shared: &Shared<'_>, part: Part<'_>) -> Result<SyncSummary, EngineError> {
        let now = self.setup.clock.now();
        let status = status(shared, &part);
        let plan = part.plan.unwrap_or_else(|| empty_plan(part.sync));
        let mut counts = plan.counts;
        // What turned out stale is not planned any more.
        counts.writes -= part.sent.stale_writes;
        counts.removals -= part.sent.stale_removals;
        (0..part.sent.stale_writes).for_each(|_| counts.row(Fate::Stale));
        (0..part.sent.stale_removals).for_each(|_| counts.key(Fate::Stale));
        part.sent.outcomes.iter().for_each(|outcome| counts.outcome(*outcome));
        counts.check_run().map_err(|source| EngineError::Law { sync: part.sync.id.to_string(), source })?;
        let waits = waits(&plan.changes);
        let mut problems = plan.problems;
        for (code, count) in part.sent.problems {
            problems.entry(code).and_modify(|known| known.count += count.count).or_insert(count);
        }
        let mut summary = SyncSummary {
            sync: part.sync.id.clone(),
            object: part.sync.object,
            status,
            counts,
            problems,
            guards: plan.guards,
            calls: part.sent.calls,
            millis: u64::try_from(part.worked.num_milliseconds()).unwrap_or_default(),
            notes: part.sent.notes,
        };
        if summary.status == Status::Completed && (waits || summary.has_errors()) {
            summary.status = Status::CompletedWithErrors;
        }
        let ending = Ending { status: ended(&summary.status), error: error(&summary.status), at: now };
        shared.ledger.end_sync(shared.lease, shared.run, &part.scope, &ending, &summary.counts)?;
        shared.listener.on(&Event::Ended(Box::new(summary.clone())));
        Ok(summary)
    }

    /// Makes what waits due now. Returns how many rows.
    pub fn make_due(&self, sync: &Sync, key: Option<&Key>) -> Result<u64, EngineError> {
        let now = self.setup.clock.now();
        let ledger = self.ledger_to_write()?;
        let lease = ledger.acquire(&self.setup.holder, now, LEASE)?;
        let scope = ledger.scope(&lease, &self.workspace(&sync.destination), &sync.id, sync.object)?;
        let due = ledger.retry(&lease, &scope, key, now)?;
        ledger.release(lease, now)?;
        Ok(due)
    }

    /// Forgets what was delivered. Returns how many keys.
    pub fn forget(&self, sync: &Sync, key: Option<&Key>) -> Result<u64, EngineError> {
        let now = self.setup.clock.now();
        let ledger = self.ledger_to_write()?;
        let lease = ledger.acquire(&self.setup.holder, now, LEASE)?;
        let scope = ledger.scope(&lease, &self.workspace(&sync.destination), &sync.id, sync.object)?;
        let forgotten = ledger.forget(&lease, &scope, key, coho_ledger::amend::OpenIntents::Refuse);
        ledger.release(lease, now)?;
        Ok(forgotten?)
    }
}

/// Whether rows wait that Vitally refused earlier: a run that does not come to them has errors all the same. Rows that the
/// mode forbids wait too, and are none.
fn waits(changes: &BTreeMap<(Change, Reason), u64>) -> bool {
    changes.keys().any(|(change, reason)| match (change, reason) {
        (Change::Hold, Reason::Waiting(code)) => !matches!(*code, Code::NOT_FOUND | Code::ALREADY_EXISTS),
        (Change::Hold, Reason::RetriesUsedUp) => true,
        _ => false,
    })
}

fn sending(error: SendError) -> EngineError {
    match error {
        SendError::Ledger(error) => error.into(),
        SendError::Spool(error) => PlanError::from(error).into(),
    }
}

fn status(shared: &Shared<'_>, part: &Part<'_>) -> Status {
    let unattempted = part.plan.is_none() || part.sent.outcomes.contains(&Outcome::NotAttempted);
    if !part.problems.is_empty() {
        return Status::Failed(part.problems.clone());
    }
    match (&*shared.halt.borrow(), unattempted) {
        (Some(halt), true) => return Status::Halted { code: halt.code, message: halt.message.clone() },
        (None, true) => return unfinished(shared, part),
        (_, false) => {}
    }
    if part.plan.as_ref().is_some_and(|plan| !plan.guards.is_empty()) {
        Status::Held
    } else {
        Status::Completed
    }
}

/// Nobody halted the run, and still not all was tried: a person stopped it, or some operations did not reach Vitally.
fn unfinished(shared: &Shared<'_>, part: &Part<'_>) -> Status {
    match &part.sent.unsent {
        Some(unsent) if !shared.stop.is_asked() => {
            Status::Halted { code: unsent.code, message: unsent.message.clone() }
        }
        Some(_) | None => Status::Interrupted,
    }
}

fn empty_plan(sync: &Sync) -> SyncPlan {
    SyncPlan {
        sync: sync.id.clone(),
        object: sync.object,
        mode: sync.mode,
        counts: coho_core::counts::Counts::default(),
        changes: BTreeMap::new(),
        samples: Vec::new(),
        problems: BTreeMap::new(),
        guards: Vec::new(),
        removals: coho_core::plan::RemovalOrigins::default(),
        calls: coho_core::plan::Calls::default(),
    }
}

fn ended(status: &Status) -> Ended {
    match status {
        Status::Completed => Ended::Success,
        Status::CompletedWithErrors | Status::Held => Ended::Warning,
        Status::Failed(_) => Ended::Failed,
        Status::Halted { .. } => Ended::Halted,
        Status::Interrupted => Ended::Interrupted,
    }
}

fn error(status: &Status) -> Option<String> {
    match status {
        Status::Completed | Status::CompletedWithErrors | Status::Held | Status::Interrupted => None,
        Status::Halted { code, message } => Some(format!("{message} [{code}]")),
        Status::Failed(problems) => {
            Some(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    }
}

fn worst(summaries: &[SyncSummary]) -> Ended {
    let rank = |status: &Ended| match status {
        Ended::Running | Ended::Success => 0,
        Ended::Warning => 1,
        Ended::Interrupted => 2,
        Ended::Failed => 3,
        Ended::Halted => 4,
    };
    let all = summaries.iter().map(|summary| ended(&summary.status));
    all.max_by_key(rank).unwrap_or(Ended::Success)
}
