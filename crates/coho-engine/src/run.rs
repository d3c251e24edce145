//! Running: [`parts`] says in which order each sync is planned and sent, [`ending`] what its end means.

mod parts;
mod ending;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use coho_core::decide::Purpose;
use coho_core::event::{Event, Listener};
use coho_core::key::Key;
use coho_core::memory::Time;
use coho_core::object::Object;
use coho_core::plan::{SyncPlan, SyncSummary};
use coho_core::problem::Problem;
use coho_core::sync::{Sync, SyncId};
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::run::{Ending, Run, RunId, Status as Ended};
use coho_ledger::scope::Scope;
use coho_ledger::spool::Spool;
use coho_vitally::client::{Client, Patience};

use self::ending::ended;
use crate::context::{Engine, EngineError};
use crate::harmless::Harmless;
use crate::lost::OnLost;
use crate::permit::Permit;
use crate::plan::adopt::Held;
use crate::plan::beginning;
use crate::plan::{Filter, Job, PlanError, Planned, plan};
use crate::send::matches::Directory;
use crate::send::references::References;
use crate::send::{Halt, Heartbeat, LEASE, Sent};
use crate::stop::{Deadline, Stop};

/// How long rows by fate and calls are kept, in days. What was delivered is remembered for as long as the rows are there.
pub const KEEP_HISTORY_DAYS: i64 = 30;

/// What templates read as the run's id in a plan.
const PLAN: &str = "plan";

/// What is planned or run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which rows.
    pub filter: Filter,
    /// What for.
    pub purpose: Purpose,
    /// What may be sent, where a person agreed to a plan.
    pub permit: Option<Permit>,
    /// What is done where the ledger is gone.
    pub on_lost: OnLost,
}

impl Default for Options {
    fn default() -> Self {
        Self { filter: Filter::default(), purpose: Purpose::Sync, permit: None, on_lost: OnLost::Refuse }
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
    /// Records that were delivered before.
    known: u64,
    /// Operations that the permit has, and that are not due.
    missed: u64,
    problems: Vec<Problem>,
    sent: Sent,
    /// How far the retries are.
    retried: i64,
    /// The users that were found by listing.
    directory: Directory,
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
    deadline: &'a Deadline,
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
        let ledger = self.ledger_to_read()?;
        self.look_for_memory(ledger.as_ref(), syncs, options.on_lost)?;
        let ledger = match ledger {
            Some(ledger) => ledger,
            None => Ledger::temporary(self.setup.clock.now())?,
        };
        let mut outlooks = Vec::new();
        for sync in syncs {
            let scope = self.scope(&ledger, sync)?;
            let planned =
                self.plan_one(PLAN, &ledger, sync, scope.as_ref(), options, listener, &|| true).await;
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
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Planned, EngineError> {
        let model = self.model(sync)?;
        let connection = self.connection(model)?;
        let begun = scope.map(|scope| ledger.began(scope)).transpose()?;
        let first_run = beginning::first_run(sync, begun, options.purpose);
        let purpose = beginning::purpose(options.purpose, first_run);
        let held = self.held(ledger, sync, purpose, goes_on).await?;
        let progress = |rows: u64| {
            goes_on();
            listener.on(&Event::Reading { sync: sync.id.clone(), rows });
        };
        let now = self.setup.clock.now();
        // Under a permit templates read the time and the run of the plan that was agreed to.
        let moment = options.permit.as_ref().and_then(|permit| permit.moment(&sync.id));
        let (run, moment) = moment.map_or((run, now), |moment| (PLAN, moment));
        let job = Job {
            sync,
            model,
            connection: &connection,
            scope,
            purpose,
            first_run,
            held: held.as_ref(),
            permit: options.permit.as_ref(),
            workspace: self.workspace(&sync.destination),
            tariff: self.tariff(ledger, &sync.destination)?,
            filter: &options.filter,
            now,
            facts: self.facts(sync, run, moment),
            moment,
            folder: &self.setup.temporary,
            progress: &progress,
        };
        let mut planned = plan(ledger, &job).await?;
        planned.calls = held.map(|held| held.calls).unwrap_or_default();
        // A run lists what Vitally holds too.
        let listing = planned.calls.len() as u64;
        if first_run.is_some() {
            planned.plan.notes.extend(self.known_by_another_id(ledger, sync)?);
        }
        planned.plan.calls.least += listing;
        planned.plan.calls.most += listing;
        Ok(planned)
    }

    /// A hint where a sync begins, and the ledger remembers one of the same object that the project has no more.
    fn known_by_another_id(&self, ledger: &Ledger, sync: &Sync) -> Result<Option<String>, EngineError> {
        let ours = |id: &SyncId| {
            self.setup.project.syncs.iter().any(|sync| sync.id == *id || sync.renamed_from.contains(id))
        };
        let remembered = ledger.remembered(&self.workspace(&sync.destination))?;
        let other = remembered.into_iter().find(|(id, object)| *object == sync.object && !ours(id));
        Ok(other.map(|(id, _)| {
            format!(
                "the ledger remembers a sync `{id}`, which the project does not have: if this is it under another name, \
                 write `renamed_from: {id}`"
            )
        }))
    }

    /// What Vitally holds, where rows are to be adopted.
    async fn held(
        &self,
        ledger: &Ledger,
        sync: &Sync,
        purpose: Purpose,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Option<Held>, EngineError> {
        if purpose != Purpose::Adopt {
            return Ok(None);
        }
        if sync.object == Object::Event {
            return Err(EngineError::NoAdoption { sync: sync.id.clone() });
        }
        let client = self.client(ledger, &sync.destination)?;
        match Held::list(&client, sync, goes_on).await {
            Ok(held) => Ok(Some(held)),
            Err(_) if !goes_on() => Err(EngineError::Interrupted),
            Err(verdict) => {
                let destination = sync.destination.clone();
                Err(EngineError::Unanswered { destination, verdict: Box::new(verdict) })
            }
        }
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
        self.look_for_memory(self.ledger_to_read()?.as_ref(), syncs, options.on_lost)?;
        let ledger = self.ledger_to_write()?;
        let deadline = Deadline::default();
        let clients = self.clients(&ledger, syncs, &self.patience(stop, &deadline))?;
        let lease = ledger.acquire(&self.setup.holder, clock.now(), LEASE)?;
        if let Err(error) = self.recognise_all(&ledger, &lease, &clients).await {
            drop(ledger.release(lease, clock.now()));
            return Err(error);
        }
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
            deadline: &deadline,
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
        self.lay_anchors(&ledger, &lease, clients.keys())?;
        self.keep_prices(&ledger, &lease, &clients, summaries.iter().map(|sync| sync.calls).sum())?;
        ledger.prune(&lease, clock.now() - TimeDelta::days(KEEP_HISTORY_DAYS))?;
        drop(references);
        ledger.release(lease, clock.now())?;
        Ok(Report { run: id.as_str().to_owned(), syncs: summaries })
    }

    /// One client for each destination: its syncs share a rate.
    fn clients(
        &self,
        ledger: &Ledger,
        syncs: &[&Sync],
        patience: &Patience,
    ) -> Result<BTreeMap<String, Client>, EngineError> {
        let destinations: BTreeSet<&str> = syncs.iter().map(|sync| sync.destination.as_str()).collect();
        destinations
            .into_iter()
            .map(|name| Ok((name.to_owned(), self.client(ledger, name)?.with_patience(patience.clone()))))
            .collect()
    }

    /// Calls wait until somebody stops the run, or the time of the sync is over whose turn it is.
    fn patience(&self, stop: &Stop, deadline: &Deadline) -> Patience {
        let (clock, stop, deadline) = (Arc::clone(&self.setup.clock), stop.clone(), deadline.clone());
        Patience::until(move || stop.is_asked() || deadline.is_over(clock.now()))
    }

    async fn recognise_all(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        clients: &BTreeMap<String, Client>,
    ) -> Result<(), EngineError> {
        for (destination, client) in clients {
            if let Some(anchor) = self.recognise(ledger, destination, client).await? {
                ledger.lay_anchor(lease, &self.workspace(destination), &anchor)?;
            }
        }
        Ok(())
    }

    /// Leaves the ledger as tidy as it lets itself be left: the error that ends the run is the one to tell.
    fn give_up(&self, ledger: &Ledger, lease: Lease, run: &Run, error: &EngineError) {
        let at = self.setup.clock.now();
        let ending = Ending { status: Ended::Halted, error: Some(error.to_string()), at };
        drop(ledger.end_run(&lease, run, &ending));
        drop(ledger.release(lease, at));
    }

    /// Makes what waits due now. Returns how many rows.
    pub fn make_due(&self, sync: &Sync, key: Option<&Key>) -> Result<u64, EngineError> {
        let now = self.setup.clock.now();
        self.amend(sync, |ledger, lease, scope| Ok(ledger.retry(lease, scope, key, now)?))
    }

    /// Forgets what was delivered. Returns how many keys.
    pub fn forget(&self, sync: &Sync, key: Option<&Key>) -> Result<u64, EngineError> {
        let refuse = coho_ledger::amend::OpenIntents::Refuse;
        let forgotten =
            self.amend(sync, |ledger, lease, scope| Ok(ledger.forget(lease, scope, key, refuse)?))?;
        if key.is_none() {
            self.unmark(sync);
        }
        Ok(forgotten)
    }

    /// Changes what is remembered of a sync, where anything is. That a memory is gone must not be hidden by a new one.
    fn amend(
        &self,
        sync: &Sync,
        change: impl FnOnce(&Ledger, &Lease, &Scope) -> Result<u64, EngineError>,
    ) -> Result<u64, EngineError> {
        self.look_for_memory(self.ledger_to_read()?.as_ref(), &[sync], OnLost::Refuse)?;
        let ledger = self.ledger_to_write()?;
        let lease = ledger.acquire(&self.setup.holder, self.setup.clock.now(), LEASE)?;
        let changed = match self.scope(&ledger, sync)? {
            Some(scope) => change(&ledger, &lease, &scope),
            None => Ok(0),
        };
        ledger.release(lease, self.setup.clock.now())?;
        changed
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
