//! Running: [`parts`] says in which order each sync is planned and sent, [`ending`] what its end means.

mod stages;
mod parts;
mod publish;
mod ending;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use coho_core::decide::{Completeness, RunKind};
use coho_core::event::{Event, Listener};
use coho_core::key::Key;
use coho_core::plan::SyncSummary;
use coho_core::problem::Problem;
use coho_core::started::Started;
use coho_core::sync::Sync;
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::amend::Retried;
use coho_ledger::lease::Lease;
use coho_ledger::run::{Run, RunEnding, RunId, RunStatus};
use coho_ledger::scope::SyncScope;
use coho_plan::failure::PlanError;
use coho_plan::job::Waiting;
use coho_plan::planned::Planned;
use coho_plan::stop::Stop;
use coho_vitally::client::Client;
use futures_util::future::join;

use self::ending::ended;
use crate::alerts::BOUND;
use crate::context::Engine;
use crate::failure::EngineError;
use crate::isolated::Isolated;
use crate::lost::OnLost;
use crate::owner::OnForeign;
pub use crate::plan::{Begins, Options, Outlook};
use crate::reports::Teller;
use crate::send::halt::Halted;
use crate::send::heartbeat::Heartbeat;
use crate::send::matches::Directory;
use crate::send::references::References;
use crate::send::sent::Sent;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run's id; empty where nothing was asked for any more, and no run began.
    pub run: String,
    /// Each sync.
    pub syncs: Vec<SyncSummary>,
}

/// A sync of a run that is under way.
struct Part<'a> {
    sync: &'a Sync,
    scope: SyncScope,
    started: Time,
    /// How long it was its turn: while it waits for its removals, others have theirs.
    worked: TimeDelta,
    /// When its present turn began.
    turn: Time,
    /// Absent where it could not be planned, or nobody came to it.
    planned: Option<Planned>,
    problems: Vec<Problem>,
    sent: Sent,
    /// How far the retries are.
    retried: i64,
    /// The users that were found by listing.
    directory: Directory,
}

/// What all parts of a run share.
struct Shared<'a> {
    ledger: &'a Arc<Ledger>,
    lease: &'a Arc<Lease>,
    run: &'a Run,
    heartbeat: &'a Heartbeat<'a>,
    clients: &'a BTreeMap<String, Client>,
    references: &'a BTreeMap<String, References<'a>>,
    listener: &'a dyn Listener,
    teller: &'a Teller,
    stop: &'a Stop,
    options: &'a Options,
    halt: Halted,
}

/// Who hears of a run: people, and whoever sends what programs are told.
struct Told<'a> {
    listener: &'a Isolated<'a>,
    teller: &'a Teller,
}

impl Engine<'_> {
    /// Plans and sends. Whatever happens, what was acknowledged is remembered, and the rest is found anew by the next run.
    pub async fn run(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Result<Report, EngineError> {
        let began = self.setup.clock.now();
        let report = self.run_told(syncs, options, listener, stop).await;
        self.write_results(began, options.run_kind, &report);
        report
    }

    async fn run_told(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Result<Report, EngineError> {
        let listener = &Isolated(listener);
        self.temporary()?;
        let ledger = Arc::new(self.ledger_to_write(syncs, options.on_lost)?);
        let (teller, told) = Teller::new();
        let run = async {
            // The one who sends ends with the teller.
            let teller = teller;
            self.run_on(&ledger, syncs, options, &Told { listener, teller: &teller }, stop).await
        };
        let (report, ()) = join(run, self.send_beside(&ledger, told)).await;
        // Whoever asked the run to end does not wait for messages: the next run sends them.
        if !stop.is_asked() {
            self.tell(&ledger, syncs, &report).await;
        }
        self.finish(&ledger);
        report
    }

    async fn run_on(
        &self,
        ledger: &Arc<Ledger>,
        syncs: &[&Sync],
        options: &Options,
        told: &Told<'_>,
        stop: &Stop,
    ) -> Result<Report, EngineError> {
        let clock = &*self.setup.clock;
        let clients = self.clients(ledger, syncs, stop)?;
        let leased = self.hold(ledger, options.on_foreign)?;
        if let Err(error) = self.recognise_all(ledger, leased.lease(), &clients).await {
            return Err(if stop.is_asked() { PlanError::Interrupted.into() } else { error });
        }
        let wanted = self.still_asked(ledger, syncs, options.begins)?;
        let syncs = wanted.as_slice();
        if syncs.is_empty() {
            leased.release()?;
            return Ok(Report { run: String::new(), syncs: Vec::new() });
        }
        let id = RunId::new((self.setup.run_id)());
        let (died, now) = (self.notices_of_dead(ledger)?, clock.now());
        let run =
            ledger.begin_run_telling(leased.lease(), &id, options.run_kind, &options.started, now, &died)?;
        self.take_requests(ledger, leased.lease(), &run, syncs, options)?;
        told.listener.on(&Event::RunStarted { run: id.as_str().to_owned(), at: clock.now() });
        let summaries = {
            let heartbeat = Heartbeat::new(ledger, leased.lease(), clock);
            let shared = Shared {
                ledger,
                lease: leased.lease(),
                run: &run,
                heartbeat: &heartbeat,
                clients: &clients,
                references: &self.references(ledger, leased.lease(), clients.keys()),
                listener: told.listener,
                teller: told.teller,
                stop,
                options,
                halt: Halted::default(),
            };
            self.parts(&shared, syncs).await
        };
        let summaries = match summaries {
            Ok(summaries) => summaries,
            Err(error) => {
                self.give_up(ledger, leased.lease(), &run, told.teller, &error);
                return Err(error);
            }
        };
        self.end_run(ledger, leased.lease(), &run, options, &summaries)?;
        let calls = summaries.iter().map(|sync| sync.calls).sum();
        self.keep_what_was_learned(ledger, leased.lease(), &clients, calls)?;
        leased.release()?;
        Ok(Report { run: id.as_str().to_owned(), syncs: summaries })
    }

    /// After the last sync: what the run learned of its workspaces is kept, and old history goes.
    fn keep_what_was_learned(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        clients: &BTreeMap<String, Client>,
        calls: u64,
    ) -> Result<(), EngineError> {
        self.keep_fingerprints(ledger, lease, clients.keys())?;
        self.keep_prices(ledger, lease, clients, calls)?;
        ledger.retain(lease, &self.retention(), self.setup.clock.now())?;
        self.prune_messages(ledger)
    }

    /// Ends a run, and writes in the same transaction what is told of it.
    fn end_run(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        run: &Run,
        options: &Options,
        summaries: &[SyncSummary],
    ) -> Result<(), EngineError> {
        let filter = &options.filter;
        let is_whole = filter.completeness() == Completeness::Complete
            && filter.waiting == Waiting::Too
            && options.run_kind != RunKind::Baseline;
        let findings = self.found(ledger, run.id().as_str(), is_whole, summaries)?;
        let ending = RunEnding { status: worst(summaries), error: None, at: self.setup.clock.now() };
        let decide = |remembered, next| self.telling(remembered, &findings, next);
        Ok(ledger.end_run_telling(lease, run, &ending, decide)?)
    }

    /// Writes what is told of a run that did not come to its end, and sends what waits. Whatever fails here, the report, or the
    /// error that ended the run, is the one to tell.
    async fn tell(&self, ledger: &Ledger, syncs: &[&Sync], report: &Result<Report, EngineError>) {
        let now = self.setup.clock.now();
        let told = match report {
            Ok(_) => Ok(()),
            Err(error) => {
                let findings = self.found_before(syncs, error);
                ledger.tell(now, |remembered, next| self.telling(remembered, &findings, next))
            }
        };
        if let Err(error) = told {
            tracing::warn!("cannot record alerts: {error}");
        }
        if let Err(error) = self.deliver(ledger, BOUND).await {
            tracing::warn!("cannot send alerts: {error}");
        }
    }

    /// What is known of the records that others refer to, for each destination.
    fn references<'a>(
        &self,
        ledger: &'a Ledger,
        lease: &'a Lease,
        destinations: impl Iterator<Item = &'a String>,
    ) -> BTreeMap<String, References<'a>> {
        let of = |name: &String| (name.clone(), References::new(ledger, lease, self.workspace(name)));
        destinations.map(of).collect()
    }

    /// One client for each destination: its syncs share a rate.
    fn clients(
        &self,
        ledger: &Ledger,
        syncs: &[&Sync],
        stop: &Stop,
    ) -> Result<BTreeMap<String, Client>, EngineError> {
        let destinations: BTreeSet<&str> = syncs.iter().map(|sync| sync.destination.as_str()).collect();
        let client = |name: &str| Ok((name.to_owned(), self.client(ledger, name)?.until(stop.until())));
        destinations.into_iter().map(client).collect()
    }

    async fn recognise_all(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        clients: &BTreeMap<String, Client>,
    ) -> Result<(), EngineError> {
        for (destination, client) in clients {
            if let Some(fingerprint) = self.recognise(ledger, destination, client).await? {
                ledger.keep_fingerprint(lease, &self.workspace(destination), &fingerprint)?;
            }
        }
        Ok(())
    }

    /// Leaves the ledger as tidy as it lets itself be left: the error that ends the run is the one to tell.
    fn give_up(&self, ledger: &Ledger, lease: &Lease, run: &Run, teller: &Teller, error: &EngineError) {
        let at = self.setup.clock.now();
        let ending = RunEnding { status: RunStatus::Halted, error: Some(error.to_string()), at };
        drop(ledger.end_run(lease, run, &ending));
        if let Err(error) = self.tell_broken(ledger, run, teller, error) {
            tracing::warn!("cannot notify other programs of the end of the run: {error}");
        }
    }

    /// Makes what waits due now. Returns how many rows.
    pub fn make_due(&self, sync: &Sync, retried: &Retried) -> Result<u64, EngineError> {
        let now = self.setup.clock.now();
        self.amend(sync, |ledger, lease, scope| Ok(ledger.retry(lease, scope, retried, now)?))
    }

    /// Forgets what was delivered, and writes down who asked. Returns how many keys.
    pub fn forget(&self, sync: &Sync, key: Option<&Key>, asked: &Started) -> Result<u64, EngineError> {
        let now = self.setup.clock.now();
        let forgotten =
            self.amend(sync, |ledger, lease, scope| Ok(ledger.forget(lease, scope, key, asked, now)?))?;
        if key.is_none() {
            self.unmark(sync);
        }
        Ok(forgotten)
    }

    /// Changes what is remembered of a sync, where anything is. That a memory is gone must not be hidden by a new one.
    fn amend(
        &self,
        sync: &Sync,
        change: impl FnOnce(&Ledger, &Lease, &SyncScope) -> Result<u64, EngineError>,
    ) -> Result<u64, EngineError> {
        let ledger = self.ledger_to_write(&[sync], OnLost::Refuse)?;
        let leased = self.hold(&ledger, OnForeign::Refuse)?;
        let changed = match self.scope(&ledger, sync)? {
            Some(scope) => change(&ledger, leased.lease(), &scope)?,
            None => 0,
        };
        leased.release()?;
        self.finish(&ledger);
        Ok(changed)
    }
}

fn worst(summaries: &[SyncSummary]) -> RunStatus {
    let rank = |status: &RunStatus| match status {
        RunStatus::Running | RunStatus::Success => 0,
        RunStatus::Warning => 1,
        RunStatus::Interrupted => 2,
        RunStatus::Failed => 3,
        RunStatus::Halted => 4,
    };
    let all = summaries.iter().map(|summary| ended(&summary.status));
    all.max_by_key(rank).unwrap_or(RunStatus::Success)
}
