//! Sending: intend, exchange, settle, in a window of operations that slides.
//!
//! `flow` sends operations one by one, `batch` many in a call; [`writer`] makes intents and conclusions durable.
//! [`references`] finds the ids of what operations refer to, [`matches`] the users that e-mail addresses belong to,
//! [`crate::conclude`] says what a verdict means.

pub(crate) mod halt;
mod outcome;
pub(crate) mod sent;
pub(crate) mod heartbeat;
pub(crate) mod references;
pub(crate) mod matches;
pub(crate) mod writer;
mod flow;
mod batch;
mod beside;

use std::sync::{Arc, Mutex, PoisonError};

use coho_core::at_once::AtOnce;
use coho_core::code::Code;
use coho_core::event::Listener;
use coho_core::operation::Operation;
use coho_core::sync::{Api, Sync};
use coho_core::time::Time;
use coho_core::verdict::{Call, Outcome, Verdict};
use coho_ledger::Ledger;
use coho_ledger::scope::SyncScope;
use coho_plan::phase::Phase;
use coho_plan::stop::Stop;
use coho_plan::table::Table;
use coho_vitally::client::{Breaker, Client, Health};

use self::beside::beside;
use self::halt::{Halt, Halted};
use self::heartbeat::Heartbeat;
use self::matches::Directory;
use self::references::{References, Resolution};
use self::sent::{Sent, Stopped};
use self::writer::{Due, Writer, Written};
use crate::clock::Clock;
use crate::failure::EngineError;

/// The most intents that are open, or more if over half as many calls can be under way at once: operations whose outcome may be
/// unknown after a crash. A slow destination has fewer.
pub const WINDOW: usize = 256;

/// The same of calls of the Analytics API, each of which has many messages.
pub const PARCELS: usize = 16;

/// The most conclusions that are made durable at once.
const SETTLED_AT_ONCE: usize = 64;

/// What sending needs.
pub(crate) struct Sender<'a> {
    pub(crate) writer: Arc<Writer>,
    pub(crate) ledger: &'a Ledger,
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
    /// How many operations may be under way at the same time.
    at_once: AtOnce,
    /// Conclusions that are made durable at once.
    settled_at_once: usize,
    /// How many intents are open beside those of operations that are under way.
    ahead: usize,
    /// How many parcels are.
    parcels_ahead: usize,
}

impl Pace {
    /// Where Vitally's rate is the limit, each acknowledgement is made durable at once; no pace needs more than ten
    /// transactions a second. While a disk is waited for, no more leave than are sent in a second.
    pub(crate) fn of(destination: &coho_project::DestinationSpec) -> Self {
        let per_minute = destination.rate.per_minute as usize;
        let in_a_second = |per_minute: usize, most| per_minute.div_ceil(60).clamp(1, most);
        Self {
            at_once: destination.concurrency,
            settled_at_once: (per_minute / 600).clamp(1, SETTLED_AT_ONCE),
            ahead: in_a_second(per_minute, WINDOW),
            parcels_ahead: in_a_second(destination.analytics_rate.per_minute as usize, PARCELS),
        }
    }

    /// How many intents may be open while so many operations may be under way.
    fn window(self, at_once: usize) -> usize {
        open(at_once, self.ahead, WINDOW)
    }

    /// How many parcels may be open while so many may be under way.
    fn parcels(self, at_once: usize) -> usize {
        open(at_once, self.parcels_ahead, PARCELS)
    }
}

/// At most so many, or half as many more than what is under way.
fn open(at_once: usize, ahead: usize, most: usize) -> usize {
    (at_once + ahead).min(most.max(at_once + most / 2))
}

/// An operation with what Vitally made of it.
struct Delivered {
    due: Due,
    /// A look at an earlier write, with what it found.
    looked: Option<(Operation, Verdict)>,
    verdict: Verdict,
    calls: Vec<Call>,
}

impl Delivered {
    /// An operation that nothing was done about.
    fn unsent(due: Due) -> Self {
        let verdict = Verdict::Unsent { why: "the run ended before".to_owned() };
        Self { due, looked: None, verdict, calls: Vec::new() }
    }
}

/// What came of carrying out an operation.
struct Attempt {
    verdict: Verdict,
    calls: Vec<Call>,
    /// Whether what it refers to, and whom its address finds, was found out.
    is_resolved: bool,
}

impl Attempt {
    /// Whether the verdict is about what the operation refers to, so that an earlier write of its record is as unclear as before.
    fn says_nothing_of_its_record(&self) -> bool {
        match &self.verdict {
            Verdict::Deferred { .. } => true,
            Verdict::Ambiguous | Verdict::Rejected { .. } => !self.is_resolved,
            Verdict::Applied { .. }
            | Verdict::Accepted
            | Verdict::Gone
            | Verdict::Missing
            | Verdict::Exists
            | Verdict::Unsent { .. }
            | Verdict::Unsure { .. }
            | Verdict::Halt { .. } => false,
        }
    }
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
        if phase == Phase::Remove && !self.ends() {
            self.writer.leave_users(sent)?;
        }
        let left = match self.sync.api {
            Api::Rest => self.flow(phase, range, sent).await?,
            Api::Analytics => self.batches(phase, range, sent).await?,
        };
        self.leave(phase, left, sent)
    }

    /// What the run does not come to any more is counted, and that is all: the next run finds it anew. Gives where the next
    /// stretch begins.
    fn leave(&self, phase: Phase, left: OpRange, sent: &mut Sent) -> Result<i64, EngineError> {
        let (number, last) = self.table.left(phase, left.after, left.most)?;
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

    /// Speaks of what was written.
    fn tell(&self, written: Written, sent: &mut Sent) {
        sent.add(written.sent);
        for event in &written.events {
            self.listener.on(event);
        }
    }

    /// Looks whether more records were refused than may be.
    fn look_at_refusals(&self, count: u64, sent: &mut Sent) {
        if self.max_rejected.is_some_and(|most| count > most) {
            self.too_many(count, sent);
        }
    }

    /// Stops the sync: more of its records were refused than may be.
    fn too_many(&self, count: u64, sent: &mut Sent) {
        let most = self.max_rejected.unwrap_or_default();
        let are = if most == 1 { "is" } else { "are" };
        let message = format!("Vitally refused {count} records; {most} {are} allowed");
        let halt = Halt { code: Code::MAX_REJECTED, message, at: self.sync.destination.clone() };
        sent.stopped.get_or_insert(Stopped::TooManyRejected(halt));
    }

    async fn deliver(&self, due: Due, stopped: bool) -> Result<Delivered, EngineError> {
        if self.ends() || stopped {
            return Ok(Delivered::unsent(due));
        }
        let attempt = self.attempt(&due.operation).await?;
        match due.look().filter(|_| attempt.says_nothing_of_its_record()) {
            Some(look) => self.look(due, look, attempt).await,
            None => Ok(Delivered { due, looked: None, verdict: attempt.verdict, calls: attempt.calls }),
        }
    }

    async fn attempt(&self, operation: &Arc<Operation>) -> Result<Attempt, EngineError> {
        let now = self.clock.now();
        let mut resolution = self.references.resolve(self.client, operation, now).await?;
        if resolution.resolved.is_ok() {
            resolution = self.match_email(operation, resolution).await?;
        }
        let first = self.exchange(operation, resolution).await;
        let refused = matches!(first.verdict, Verdict::Rejected { code: Code::REFUSED, .. });
        if !refused || !self.references.doubt(operation)? {
            return Ok(first);
        }
        let again = self.references.ask_again(self.client, operation, now).await?;
        let again = self.exchange(operation, again).await;
        Ok(Attempt { calls: [first.calls, again.calls].concat(), ..again })
    }

    /// Looks what became of an earlier write whose row has to wait for something else: nobody knows for how long.
    async fn look(&self, due: Due, look: Operation, attempt: Attempt) -> Result<Delivered, EngineError> {
        let resolution = self.references.resolve(self.client, &look, self.clock.now()).await?;
        let look = Arc::new(look);
        let found = self.exchange(&look, resolution).await;
        let look = Arc::unwrap_or_clone(look);
        let calls = [attempt.calls, found.calls].concat();
        Ok(match found.verdict {
            verdict @ (Verdict::Applied { .. } | Verdict::Missing | Verdict::Gone) => {
                Delivered { due, looked: Some((look, verdict)), verdict: attempt.verdict, calls }
            }
            verdict @ (Verdict::Accepted
            | Verdict::Exists
            | Verdict::Ambiguous
            | Verdict::Rejected { .. }
            | Verdict::Deferred { .. }
            | Verdict::Unsent { .. }
            | Verdict::Unsure { .. }
            | Verdict::Halt { .. }) => Delivered { due, looked: None, verdict, calls },
        })
    }

    /// The exchange goes on beside us, where the connection is that it uses: no thread has to wake another one at each of its
    /// steps, and whoever decides what is sent next is free meanwhile.
    async fn exchange(&self, operation: &Arc<Operation>, resolution: Resolution) -> Attempt {
        let (mut calls, is_resolved) = (resolution.calls, resolution.resolved.is_ok());
        let verdict = match resolution.resolved {
            Err(verdict) => verdict,
            Ok(resolved) => {
                let (client, operation) = (self.client.clone(), Arc::clone(operation));
                let delivery = beside(async move { client.deliver(&operation, &resolved).await }).await;
                calls.extend(delivery.calls);
                self.watch(delivery.health);
                delivery.verdict
            }
        };
        self.react(&verdict);
        Attempt { verdict, calls, is_resolved }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_batch_a_minute_and_a_hundred_a_second_have_as_many_parcels_open_as_they_need() {
        let pace =
            |parcels_ahead| Pace { at_once: AtOnce::Auto, settled_at_once: 1, ahead: 1, parcels_ahead };
        assert_eq!([1, 5, PARCELS].map(|ahead| pace(ahead).parcels(1)), [2, 6, PARCELS]);
        assert_eq!([1, 5, PARCELS].map(|ahead| pace(ahead).parcels(50)), [51, 55, 50 + PARCELS / 2]);
    }

    proptest! {
        #[test]
        fn more_is_open_than_is_under_way_so_that_whatever_returns_has_a_successor(
            at_once in 1_usize..2_000, ahead in 1_usize..WINDOW, most in 2_usize..=WINDOW,
        ) {
            let open = open(at_once, ahead, most);
            prop_assert!(open > at_once && open <= most.max(at_once + most / 2), "{}", open);
        }
    }
}
