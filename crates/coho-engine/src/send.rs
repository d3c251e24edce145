//! Sending: intend, exchange, settle, one window of operations after the other.
//!
//! `intend` makes the intents durable, [`references`] finds the ids of what operations refer to, [`matches`] the users that
//! e-mail addresses belong to, `batch` sends through the Analytics API, [`crate::conclude`] says what a verdict means.

pub(crate) mod halt;
mod outcome;
pub(crate) mod sent;
pub(crate) mod heartbeat;
pub(crate) mod references;
pub(crate) mod matches;
mod intend;
mod batch;

use std::sync::{Mutex, PoisonError};

use coho_core::code::Code;
use coho_core::event::{Event, Listener};
use coho_core::key::Key;
use coho_core::operation::Operation;
use coho_core::plan::count_problem;
use coho_core::row_state::Origin;
use coho_core::sync::{Api, Sync};
use coho_core::target::VitallyId;
use coho_core::time::Time;
use coho_core::verdict::{Call, Outcome, Verdict};
use coho_ledger::identity::Elsewhere;
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::SyncScope;
use coho_ledger::settle::Settlement;
use coho_ledger::{Ledger, LedgerError};
use coho_plan::batches::BATCHED;
use coho_plan::phase::Phase;
use coho_plan::stop::Stop;
use coho_plan::table::Table;
use coho_vitally::client::{Breaker, Client, Health};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use self::halt::{Halt, Halted};
use self::heartbeat::Heartbeat;
use self::intend::Due;
use self::matches::Directory;
use self::outcome::{is_rejected, problem, said, status, unsent};
use self::references::{References, Resolution};
use self::sent::{Sent, Stopped};
use crate::clock::Clock;
use crate::conclude::{Circumstances, conclude};
use crate::failure::EngineError;

/// The most operations whose outcome may be unknown after a crash.
pub const WINDOW: usize = 256;

/// The most conclusions that are made durable at once.
const SETTLED_AT_ONCE: usize = 64;

/// What a window needs.
pub(crate) struct Sender<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) lease: &'a Lease,
    pub(crate) run: &'a Run,
    pub(crate) sync: &'a Sync,
    pub(crate) scope: &'a SyncScope,
    pub(crate) table: &'a Table,
    pub(crate) client: &'a Client,
    pub(crate) references: &'a References<'a>,
    pub(crate) directory: &'a Directory,
    pub(crate) pace: Pace,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) listener: &'a dyn Listener,
    pub(crate) stop: &'a Stop,
    pub(crate) breaker: Mutex<Breaker>,
    pub(crate) halt: &'a Halted,
    /// When the sync's time is over.
    pub(crate) deadline: Option<Time>,
    /// The most records that Vitally may refuse; `None` for any number.
    pub(crate) max_rejected: Option<u64>,
    pub(crate) heartbeat: &'a Heartbeat<'a>,
}

/// How fast a destination takes operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Operations that are under way at the same time.
    concurrency: usize,
    /// Conclusions that are made durable at once.
    settled_at_once: usize,
}

impl Pace {
    /// Where Vitally's rate is the limit, each acknowledgement is made durable at once; no pace needs more than ten
    /// transactions a second.
    pub(crate) fn of(destination: &coho_project::DestinationSpec) -> Self {
        let in_a_tenth_of_a_second = destination.rate.per_minute as usize / 600;
        Self {
            concurrency: destination.concurrency as usize,
            settled_at_once: in_a_tenth_of_a_second.clamp(1, SETTLED_AT_ONCE),
        }
    }
}

/// An operation with what Vitally made of it.
struct Delivered {
    due: Due,
    verdict: Verdict,
    calls: Vec<Call>,
}

impl Sender<'_> {
    /// Carries out all operations of a phase.
    ///
    /// `range` says from where on, and how many at most. Gives where the next stretch begins.
    pub(crate) async fn phase(
        &self,
        phase: Phase,
        range: OpRange,
        sent: &mut Sent,
    ) -> Result<i64, EngineError> {
        let OpRange { mut after, mut most } = range;
        if phase == Phase::Remove && !self.ends() {
            self.leave_users(sent)?;
        }
        let window_size = match self.sync.api {
            Api::Rest => WINDOW,
            Api::Analytics => BATCHED,
        };
        while most > 0 {
            self.look_at_the_clock(sent);
            if self.ends() || sent.stopped.is_some() {
                return self.leave(phase, after, most, sent);
            }
            let mut window = self.table.operations(phase, after, window_size.min(most))?;
            if self.sync.api == Api::Analytics {
                batch::cut(&mut window);
            }
            let Some((last, _)) = window.last() else { return Ok(after) };
            after = *last;
            most -= window.len();
            self.heartbeat.beat()?;
            let operations: Vec<_> = window.into_iter().map(|(_, operation)| operation).collect();
            match self.sync.api {
                Api::Rest => self.window(operations, sent).await?,
                Api::Analytics => self.batch(operations, sent).await?,
            }
        }
        Ok(after)
    }

    /// What the run does not come to any more is counted, and that is all: the next run finds it anew. Gives where the next
    /// stretch begins.
    fn leave(&self, phase: Phase, after: i64, most: usize, sent: &mut Sent) -> Result<i64, EngineError> {
        let (number, last) = self.table.left(phase, after, most)?;
        sent.count(Outcome::NotAttempted, number);
        Ok(last)
    }

    fn look_at_the_clock(&self, sent: &mut Sent) {
        let is_late = self.deadline.is_some_and(|deadline| self.clock.now() >= deadline);
        // Waits end by the machine's clock, which may be a little ahead of ours.
        if is_late || (self.client.is_over() && !self.stop.is_asked()) {
            sent.stopped.get_or_insert(Stopped::TimeUp);
        }
    }

    /// Whether nothing new is begun.
    fn ends(&self) -> bool {
        self.stop.is_asked() || self.halt.is_halted()
    }

    async fn window(&self, operations: Vec<Operation>, sent: &mut Sent) -> Result<(), EngineError> {
        let due = self.intend(operations, sent)?;
        let mut waiting = due.into_iter();
        let mut under_way = FuturesUnordered::new();
        for due in waiting.by_ref().take(self.pace.concurrency) {
            under_way.push(self.deliver(due, false));
        }
        let mut done = Vec::new();
        while let Some(delivered) = under_way.next().await {
            done.push(delivered?);
            // Where nothing is settled until the window ends, what was refused must be counted on the way.
            let many = sent.rejected() + done.iter().filter(|done| is_rejected(&done.verdict)).count() as u64;
            if self.max_rejected.is_some_and(|most| many > most) {
                self.too_many(many, sent);
            }
            self.look_at_the_clock(sent);
            if let Some(due) = waiting.next() {
                under_way.push(self.deliver(due, sent.stopped.is_some()));
            }
            if done.len() >= self.pace.settled_at_once || under_way.is_empty() {
                self.settle(std::mem::take(&mut done), sent)?;
            }
        }
        Ok(())
    }

    /// Stops the sync: more of its records were refused than may be.
    fn too_many(&self, count: u64, sent: &mut Sent) {
        let most = self.max_rejected.unwrap_or_default();
        let are = if most == 1 { "is" } else { "are" };
        let message = format!("Vitally refused {count} records, {most} {are} allowed");
        let halt = Halt { code: Code::MAX_REJECTED, message, at: self.sync.destination.clone() };
        sent.stopped.get_or_insert(Stopped::TooManyRejected(halt));
    }

    async fn deliver(&self, due: Due, stopped: bool) -> Result<Delivered, EngineError> {
        if self.ends() || stopped {
            let verdict = Verdict::Unsent { why: "the run ended before".to_owned() };
            return Ok(Delivered { due, verdict, calls: Vec::new() });
        }
        let now = self.clock.now();
        let mut resolution = self.references.resolve(self.client, &due.operation, now).await?;
        if resolution.resolved.is_ok() {
            resolution = self.match_email(&due.operation, resolution).await?;
        }
        let mut delivered = self.exchange(due, resolution).await;
        let refused = matches!(delivered.verdict, Verdict::Rejected { code: Code::REFUSED, .. });
        if refused && self.references.doubt(&delivered.due.operation)? {
            let again = self.references.ask_again(self.client, &delivered.due.operation, now).await?;
            let earlier = std::mem::take(&mut delivered.calls);
            delivered = self.exchange(delivered.due, again).await;
            delivered.calls.splice(0..0, earlier);
        }
        Ok(delivered)
    }

    async fn exchange(&self, due: Due, resolution: Resolution) -> Delivered {
        let mut calls = resolution.calls;
        let verdict = match resolution.resolved {
            Err(verdict) => verdict,
            Ok(resolved) => {
                let delivery = self.client.deliver(&due.operation, &resolved).await;
                calls.extend(delivery.calls);
                self.watch(delivery.health);
                delivery.verdict
            }
        };
        self.react(&verdict);
        Delivered { due, verdict, calls }
    }

    /// A halt halts, and so do many refusals in a row for one reason.
    fn react(&self, verdict: &Verdict) {
        let many = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).observe(verdict);
        if let Verdict::Halt { code, message } = many.as_ref().unwrap_or(verdict) {
            self.halt.halt(Halt { code: *code, message: message.clone(), at: self.sync.destination.clone() });
        }
    }

    fn watch(&self, health: Health) {
        let halt = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).note(health);
        if let Some(Verdict::Halt { code, message }) = halt {
            self.halt.halt(Halt { code, message, at: self.sync.destination.clone() });
        }
    }

    /// Makes conclusions durable, and only then speaks of them.
    fn settle(&self, done: Vec<Delivered>, sent: &mut Sent) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut settlements = Vec::with_capacity(done.len());
        let mut events = Vec::new();
        for Delivered { due, verdict, calls } in done {
            let circumstances = self.circumstances(&due, &verdict, now)?;
            let mut conclusion = conclude(&due.operation, &verdict, circumstances);
            conclusion.message = said(&due.operation, conclusion.message, self.client.private());
            sent.count(conclusion.outcome, 1);
            sent.calls += calls.len() as u64;
            sent.note(&verdict);
            sent.unsent = sent.unsent.take().or_else(|| unsent(&verdict, &calls, &self.sync.destination));
            let key = &due.operation.key;
            if let Some(problem) = problem(conclusion.outcome, conclusion.code, &conclusion.message) {
                count_problem(&mut sent.problems, Some(key), &problem);
            }
            events.extend(self.called(key, &calls));
            events.push(self.settled(&due.operation, conclusion.outcome, conclusion.code));
            let (end, code) = (conclusion.outcome.status(), conclusion.code);
            let status = status(&due.operation, end, code, conclusion.message, now, self.client.private());
            settlements.push(Settlement { key: key.clone(), row_state: conclusion.row_state, status, calls });
        }
        self.ledger.settle(self.lease, self.run, self.scope, &settlements)?;
        for event in &events {
            self.listener.on(event);
        }
        if self.max_rejected.is_some_and(|most| sent.rejected() > most) {
            self.too_many(sent.rejected(), sent);
        }
        Ok(())
    }

    /// What is known beside the verdict. Other syncs matter only where the record is said to be created.
    fn circumstances<'d>(
        &self,
        due: &'d Due,
        verdict: &Verdict,
        now: Time,
    ) -> Result<Circumstances<'d>, LedgerError> {
        let (object, target) = (due.operation.object, &due.operation.target);
        let elsewhere = match created(verdict) {
            Some(id) => self.ledger.held_elsewhere(self.scope, object, target, Some(id))?,
            None => Elsewhere::Never,
        };
        let removal = self.sync.removal;
        Ok(Circumstances { before: due.before.as_ref(), since: due.since(), now, removal, elsewhere })
    }

    fn called(&self, key: &Key, calls: &[Call]) -> Vec<Event> {
        let event = |call: &Call| Event::Called {
            sync: self.scope.sync().clone(),
            key: key.clone(),
            call: Box::new(call.clone()),
        };
        calls.iter().map(event).collect()
    }

    fn settled(&self, operation: &Operation, outcome: Outcome, code: Option<Code>) -> Event {
        Event::Settled {
            sync: self.scope.sync().clone(),
            key: operation.key.clone(),
            target: operation.target.clone(),
            outcome,
            code,
        }
    }
}

/// From which operation of a phase on, and how many at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpRange {
    pub(crate) after: i64,
    pub(crate) most: usize,
}

impl OpRange {
    /// The whole phase.
    pub(crate) const WHOLE: Self = Self { after: 0, most: usize::MAX };
}

/// The id of a record that an exchange calls created.
fn created(verdict: &Verdict) -> Option<&VitallyId> {
    if let Verdict::Applied { id, origin: Origin::Created, .. } = verdict { id.as_ref() } else { None }
}
