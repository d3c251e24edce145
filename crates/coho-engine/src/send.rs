//! Sending: intend, exchange, settle, one window of operations after the other.
//!
//! `intend` makes the intents durable, [`references`] finds the ids of what operations refer to, [`matches`] the users that e-mail addresses belong to, `batch`
//! sends through the Analytics API, [`crate::conclude`] says what a verdict means.

mod batch;
pub(crate) mod dependents;
mod heartbeat;
mod intend;
pub(crate) mod matches;
pub(crate) mod references;

use std::cell::RefCell;

use coho_core::code::Code;
use coho_core::event::{Event, Listener};
use coho_core::key::Key;
use coho_core::memory::{Origin, Time};
use coho_core::operation::{Action, Operation};
use coho_core::plan::{ProblemCounts, count_problem};
use coho_core::problem::Problem;
use coho_core::sync::{Api, Sync};
use coho_core::target::VitallyId;
use coho_core::verdict::{Call, Fate, Outcome, Verdict};
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::Scope;
use coho_ledger::settle::{OpType, RowFate, Settlement};
use coho_ledger::spool::{Lane, Spool, SpoolError};
use coho_ledger::{Ledger, LedgerError};
use coho_vitally::client::{Breaker, Client, Health};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use self::dependents::Dependents;
pub(crate) use self::heartbeat::{Heartbeat, LEASE};
use self::intend::Due;
use self::matches::Directory;
use self::references::{References, Resolution};
use crate::clock::Clock;
use crate::conclude::{Circumstances, Elsewhere, conclude};
use crate::stop::Stop;

/// The most operations whose outcome may be unknown after a crash.
pub const WINDOW: usize = 256;

/// The same for the Analytics API, which takes a hundred messages at a time: so many messages, and never less than one
/// operation.
pub const BATCHED: usize = 400;

/// The most conclusions that are made durable at once.
const SETTLED_AT_ONCE: usize = 64;

/// What a window needs.
pub(crate) struct Sender<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) lease: &'a Lease,
    pub(crate) run: &'a Run,
    pub(crate) sync: &'a Sync,
    pub(crate) scope: &'a Scope,
    pub(crate) spool: &'a Spool,
    pub(crate) client: &'a Client,
    pub(crate) references: &'a References<'a>,
    pub(crate) directory: &'a Directory,
    pub(crate) pace: Pace,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) listener: &'a dyn Listener,
    pub(crate) stop: &'a Stop,
    pub(crate) breaker: RefCell<Breaker>,
    pub(crate) halt: RefCell<Option<Halt>>,
    /// When the sync's time is over.
    pub(crate) deadline: Option<Time>,
    /// The most records that Vitally may refuse; `None` for any number.
    pub(crate) max_rejected: Option<u64>,
    /// Users that would be deleted with what they are linked to; read when the first such record is removed.
    pub(crate) dependents: RefCell<Option<Dependents>>,
    pub(crate) beat: &'a dyn Fn() -> Result<(), LedgerError>,
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

/// Why a run stops by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Halt {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// What sending came to so far.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) outcomes: Vec<Outcome>,
    /// Writes whose memory was another one by the time they were to be sent.
    pub(crate) stale_writes: u64,
    /// Removals whose memory was another one by then, or whose record another sync came to hold.
    pub(crate) stale_removals: u64,
    pub(crate) problems: ProblemCounts,
    /// How many Vitally refused.
    pub(crate) rejected: u64,
    /// Why the sync alone stopped, while others go on.
    pub(crate) stopped: Option<Stopped>,
    /// Why the first operation that did not reach Vitally did not.
    pub(crate) unsent: Option<Halt>,
    pub(crate) calls: u64,
    pub(crate) notes: Vec<String>,
}

/// Why one sync stops, while others go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Its time is over.
    TimeUp,
    /// Too many of its records were refused.
    TooManyRejected(Halt),
}

/// Sending could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// An operation with what Vitally made of it.
struct Delivered {
    due: Due,
    verdict: Verdict,
    calls: Vec<Call>,
}

impl Sender<'_> {
    /// Carries out all operations of a lane.
    ///
    /// `stretch` says from where on, and how many at most. Gives where the next stretch begins.
    pub(crate) async fn lane(&self, lane: Lane, stretch: Stretch, sent: &mut Sent) -> Result<i64, SendError> {
        let Stretch { mut after, mut most } = stretch;
        let window_size = match self.sync.api {
            Api::Rest => WINDOW,
            Api::Analytics => BATCHED,
        };
        while most > 0 {
            let mut window = self.spool.operations(lane, after, window_size.min(most))?;
            if self.sync.api == Api::Analytics {
                batch::cut(&mut window);
            }
            let Some((last, _)) = window.last() else { return Ok(after) };
            after = *last;
            most -= window.len();
            (self.beat)()?;
            let operations: Vec<_> = window.into_iter().map(|(_, operation)| operation).collect();
            self.look_at_the_clock(sent);
            if self.ends() || sent.stopped.is_some() {
                self.leave(&operations, sent)?;
            } else {
                match self.sync.api {
                    Api::Rest => self.window(operations, sent).await?,
                    Api::Analytics => self.batch(operations, sent).await?,
                }
            }
        }
        Ok(after)
    }

    fn look_at_the_clock(&self, sent: &mut Sent) {
        if self.deadline.is_some_and(|deadline| self.clock.now() >= deadline) {
            sent.stopped.get_or_insert(Stopped::TimeUp);
        }
    }

    /// Whether nothing new is begun.
    fn ends(&self) -> bool {
        self.stop.is_asked() || self.halt.borrow().is_some()
    }

    async fn window(&self, operations: Vec<Operation>, sent: &mut Sent) -> Result<(), SendError> {
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
            let many = sent.rejected + done.iter().filter(|done| is_rejected(&done.verdict)).count() as u64;
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
        let halt = Halt { code: Code::MAX_REJECTED, message };
        sent.stopped.get_or_insert(Stopped::TooManyRejected(halt));
    }

    async fn deliver(&self, due: Due, stopped: bool) -> Result<Delivered, SendError> {
        if self.ends() || stopped {
            let verdict = Verdict::Unsent { why: "the run ended before".to_owned() };
            return Ok(Delivered { due, verdict, calls: Vec::new() });
        }
        let now = self.clock.now();
        let mut resolution = self.references.resolve(&due.operation, now).await?;
        if resolution.resolved.is_ok() {
            resolution = self.match_email(&due.operation, resolution).await?;
        }
        let mut delivered = self.exchange(due, resolution).await;
        let refused = matches!(delivered.verdict, Verdict::Rejected { code: Code::REFUSED, .. });
        if refused && self.references.doubt(&delivered.due.operation)? {
            let again = self.references.ask_again(&delivered.due.operation, now).await?;
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
        self.heed(&verdict);
        Delivered { due, verdict, calls }
    }

    /// A halt halts, and so do many refusals in a row for one reason.
    fn heed(&self, verdict: &Verdict) {
        let many = self.breaker.borrow_mut().judged(verdict);
        if let Verdict::Halt { code, message } = many.as_ref().unwrap_or(verdict) {
            self.halt.borrow_mut().get_or_insert(Halt { code: *code, message: message.clone() });
        }
    }

    fn watch(&self, health: Health) {
        if let Some(Verdict::Halt { code, message }) = self.breaker.borrow_mut().note(health) {
            self.halt.borrow_mut().get_or_insert(Halt { code, message });
        }
    }

    /// Makes conclusions durable, and only then speaks of them.
    fn settle(&self, done: Vec<Delivered>, sent: &mut Sent) -> Result<(), SendError> {
        let now = self.clock.now();
        let mut settlements = Vec::with_capacity(done.len());
        let mut events = Vec::new();
        for Delivered { due, verdict, calls } in done {
            let circumstances = self.circumstances(&due, &verdict, now)?;
            let conclusion = conclude(&due.operation, &verdict, circumstances);
            sent.count(conclusion.outcome);
            sent.calls += calls.len() as u64;
            remember_notes(&verdict, &mut sent.notes);
            sent.unsent = sent.unsent.take().or_else(|| unsent(&verdict, &calls));
            let key = &due.operation.key;
            if let Some(problem) = problem(conclusion.outcome, conclusion.code, &conclusion.message) {
                count_problem(&mut sent.problems, Some(key), &problem);
            }
            events.extend(self.called(key, &calls));
            events.push(self.settled(&due.operation, conclusion.outcome, conclusion.code));
            let fate =
                fate(&due.operation, conclusion.outcome.fate(), conclusion.code, conclusion.message, now);
            settlements.push(Settlement { key: key.clone(), memory: conclusion.memory, fate, calls });
        }
        self.ledger.settle(self.lease, self.run, self.scope, &settlements)?;
        for event in &events {
            self.listener.on(event);
        }
        if self.max_rejected.is_some_and(|most| sent.rejected > most) {
            self.too_many(sent.rejected, sent);
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
        let is_known = match created(verdict) {
            Some(id) => self.ledger.known_elsewhere(self.scope, object, target, id)?,
            None => false,
        };
        let elsewhere = if is_known { Elsewhere::Known } else { Elsewhere::Unknown };
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

    /// Operations that the run does not come to any more.
    fn leave(&self, operations: &[Operation], sent: &mut Sent) -> Result<(), SendError> {
        let now = self.clock.now();
        let fates: Vec<_> = operations
            .iter()
            .map(|operation| {
                let message = "the run ended before".to_owned();
                fate(operation, Fate::NotAttempted, Some(Code::NOT_ATTEMPTED), message, now)
            })
            .collect();
        sent.outcomes.extend(fates.iter().map(|_| Outcome::NotAttempted));
        Ok(self.ledger.record(self.lease, self.run, self.scope, &fates)?)
    }
}

/// From which operation of a lane on, and how many at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) after: i64,
    pub(crate) most: usize,
}

impl Stretch {
    /// The whole lane.
    pub(crate) const WHOLE: Self = Self { after: 0, most: usize::MAX };
}

impl Sent {
    fn count(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
        self.rejected += u64::from(outcome == Outcome::Rejected);
    }
}

/// The id of a record that an exchange calls created.
fn created(verdict: &Verdict) -> Option<&VitallyId> {
    if let Verdict::Applied { id, origin: Origin::Created, .. } = verdict { id.as_ref() } else { None }
}

fn is_rejected(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Rejected { .. } | Verdict::Ambiguous)
}

/// A problem to report, where an outcome is one.
fn problem(outcome: Outcome, code: Option<Code>, message: &str) -> Option<Problem> {
    let code = code?;
    match outcome {
        Outcome::Delivered | Outcome::Accepted | Outcome::Removed | Outcome::NotAttempted => None,
        Outcome::Skipped | Outcome::Rejected | Outcome::Deferred => Some(explained(code, message)),
    }
}

/// A problem with what its code says to do.
fn explained(code: Code, message: &str) -> Problem {
    let problem = Problem::new(code, message);
    match code.entry() {
        Some(entry) => problem.help(entry.help()),
        None => problem,
    }
}

/// Why an operation was tried and not sent; `None` where it was not even tried, or the run ended while it waited for its turn.
fn unsent(verdict: &Verdict, calls: &[Call]) -> Option<Halt> {
    let (Verdict::Unsent { why }, Some(last)) = (verdict, calls.last()) else { return None };
    if last.status == Some(429) {
        return None;
    }
    let code = if last.status.is_some() { Code::SERVER_FAILING } else { Code::UNREACHABLE };
    Some(Halt { code, message: why.clone() })
}

fn remember_notes(verdict: &Verdict, notes: &mut Vec<String>) {
    if let Verdict::Applied { notes: new, .. } = verdict {
        for note in new {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
    }
}

fn fate(operation: &Operation, fate: Fate, code: Option<Code>, message: String, at: Time) -> RowFate {
    let (op_type, changes) = match &operation.action {
        Action::Write { changed, .. } => {
            let added = operation.known == coho_core::operation::Known::New;
            (if added { OpType::Added } else { OpType::Changed }, changed.clone())
        }
        Action::Remove | Action::Probe { .. } => (OpType::Removed, Vec::new()),
    };
    RowFate {
        key: Some(operation.key.clone()),
        op_type: Some(op_type),
        fate,
        reason: operation.reason.to_string(),
        code,
        message: if message.is_empty() { None } else { Some(message) },
        changes,
        at,
    }
}
