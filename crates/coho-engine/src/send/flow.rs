//! The flow: operations of the REST API, each in calls of its own, as a window that slides.
//!
//! At most [`WINDOW`](super::WINDOW) intents are open, or a few more than calls may be under way, and of a slow destination no more than it
//! takes in a second. While one group is written, what comes back gathers for the next one, and further operations leave; nothing waits
//! for the disk but what must (law 2). Two operations on one record are never under way together: nobody knows which would arrive first.

use std::collections::{HashSet, VecDeque};
use std::future::pending;

use coho_core::target::ExternalId;
use coho_plan::failure::PlanError;
use coho_plan::phase::Phase;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::task::{JoinHandle, spawn_blocking};

use super::outcome::is_rejected;
use super::sent::Sent;
use super::writer::{Due, Group, Next, Written};
use super::{Delivered, OpRange, Pace, Sender};
use crate::failure::EngineError;

/// A group that is being written.
pub(super) type Writing = JoinHandle<Result<Written, EngineError>>;

/// Where the operations of a phase are.
struct Flow {
    next: Next,
    /// Whether all of them were read.
    is_over: bool,
    /// Those that may be sent.
    waiting: VecDeque<Due>,
    /// The records of those that are under way.
    records: HashSet<ExternalId>,
    /// Those that came back, and are not written yet.
    done: Vec<Delivered>,
    /// How many intents are open.
    open: usize,
    /// What the group that is being written settles, and how many operations it was to read.
    settling: usize,
    asked: usize,
    /// How many came back in all.
    returned: usize,
    /// How many records Vitally refused so far.
    rejected: u64,
}

/// What happens next.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is read at once")]
enum Happened {
    Written(Result<Written, EngineError>),
    Delivered(Result<Delivered, EngineError>),
}

impl Sender<'_> {
    /// Carries out the operations of a stretch. Gives what is left of it.
    pub(super) async fn flow(
        &self,
        phase: Phase,
        range: OpRange,
        sent: &mut Sent,
    ) -> Result<OpRange, EngineError> {
        let OpRange { after, most } = range;
        let mut flow = Flow::new(Next { phase, after, most }, sent.rejected());
        let mut writing = None;
        let flowed = self.carry_out(&mut flow, &mut writing, sent).await;
        // Where something else failed, what is being written is still told.
        if let (Err(_), Some(writing)) = (&flowed, &mut writing)
            && let Ok(written) = joined(writing).await
        {
            self.absorb(written, &mut flow, sent);
        }
        flowed.map(|()| OpRange { after: flow.next.after, most: flow.next.most })
    }

    async fn carry_out(
        &self,
        flow: &mut Flow,
        writing: &mut Option<Writing>,
        sent: &mut Sent,
    ) -> Result<(), EngineError> {
        let mut under_way = FuturesUnordered::new();
        self.look_at_the_clock(sent);
        loop {
            let at_once = self.at_once(flow);
            while under_way.len() < at_once {
                let Some(due) = flow.due() else { break };
                under_way.push(self.deliver(due, sent.stopped.is_some()));
            }
            if writing.is_none() {
                self.heartbeat.beat()?;
                let begins = !self.ends() && sent.stopped.is_none();
                *writing = flow.gathered(self.pace, at_once, begins).map(|group| self.write(group));
            }
            if under_way.is_empty() && writing.is_none() {
                return Ok(());
            }
            let happened = tokio::select! {
                biased;
                written = written(writing) => Happened::Written(written),
                Some(delivered) = under_way.next() => Happened::Delivered(delivered),
            };
            match happened {
                Happened::Written(written) => self.absorb(written?, flow, sent),
                Happened::Delivered(delivered) => self.note(delivered?, flow, sent),
            }
        }
    }

    /// How many operations may be under way. Plans count on it that no more than in the beginning are until some came back: what
    /// one finds out of the workspace, the others need not ask.
    fn at_once(&self, flow: &Flow) -> usize {
        let first = self.pace.at_once.first() as usize;
        let now = self.client.at_once(self.sync.api);
        if flow.returned < 2 * first { now.min(first) } else { now }
    }

    /// Begins to write a group, on a thread on which that may block.
    pub(super) fn write(&self, group: Group) -> Writing {
        let writer = self.writer.clone();
        spawn_blocking(move || writer.write(group))
    }

    /// Notes an operation that came back. What was refused counts at once, though it is written later.
    fn note(&self, delivered: Delivered, flow: &mut Flow, sent: &mut Sent) {
        flow.came_back(delivered);
        self.look_at_refusals(flow.rejected, sent);
        self.look_at_the_clock(sent);
    }

    /// Takes what was written, and only now speaks of it.
    fn absorb(&self, mut written: Written, flow: &mut Flow, sent: &mut Sent) {
        flow.absorb(&mut written);
        self.tell(written, sent);
    }
}

impl Flow {
    fn new(next: Next, rejected: u64) -> Self {
        Self {
            next,
            is_over: next.most == 0,
            waiting: VecDeque::new(),
            records: HashSet::new(),
            done: Vec::new(),
            open: 0,
            settling: 0,
            asked: 0,
            returned: 0,
            rejected,
        }
    }

    /// The next operation whose record is in none that is under way.
    fn due(&mut self) -> Option<Due> {
        let place = self.waiting.iter().position(|due| !self.records.contains(&due.operation.target))?;
        let due = self.waiting.remove(place)?;
        self.records.insert(due.operation.target.clone());
        Some(due)
    }

    /// Takes an operation that came back.
    fn came_back(&mut self, delivered: Delivered) {
        self.returned += 1;
        self.records.remove(&delivered.due.operation.target);
        self.rejected += u64::from(is_rejected(&delivered.verdict));
        self.done.push(delivered);
    }

    /// What is written next. A fast destination's verdicts wait for each other, as long as there is something to send.
    fn gathered(&mut self, pace: Pace, at_once: usize, begins: bool) -> Option<Group> {
        if self.done.len() < pace.settled_at_once && !self.waiting.is_empty() {
            return None;
        }
        let room = pace.window(at_once).saturating_sub(self.open.saturating_sub(self.done.len()));
        self.asked = if begins && !self.is_over { room.min(self.next.most) } else { 0 };
        if self.done.is_empty() && self.asked == 0 {
            return None;
        }
        self.settling = self.done.len();
        let next = (self.asked > 0).then_some(Next { most: self.asked, ..self.next });
        Some(Group { done: std::mem::take(&mut self.done), next, ..Group::default() })
    }

    fn absorb(&mut self, written: &mut Written) {
        self.open = (self.open + written.due.len()).saturating_sub(self.settling);
        self.is_over |= written.read < self.asked;
        self.next = self.next.behind(written);
        self.is_over |= self.next.most == 0;
        self.waiting.extend(written.due.drain(..));
    }
}

/// What a group that is being written comes to; nothing ever, where none is.
pub(super) async fn written(writing: &mut Option<Writing>) -> Result<Written, EngineError> {
    let Some(under_way) = writing else { return pending().await };
    let written = joined(under_way).await;
    *writing = None;
    written
}

/// What a group that is being written comes to.
pub(super) async fn joined(writing: &mut Writing) -> Result<Written, EngineError> {
    finished(writing).await
}

/// What comes of work on another thread. A panic there is the run's.
pub(super) async fn finished<T>(work: &mut JoinHandle<Result<T, EngineError>>) -> Result<T, EngineError> {
    match work.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime ends, and the run with it.
        Err(Err(_)) => Err(PlanError::Interrupted.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use coho_core::decide::{Change, Reason};
    use coho_core::key::Key;
    use coho_core::object::Object;
    use coho_core::operation::{Action, Known, Operation};
    use coho_core::time::Time;
    use coho_core::verdict::Verdict;

    use super::*;

    /// The removal of a record, for the row of this key.
    fn removal(key: &str, target: &str) -> Due {
        let operation = Operation {
            key: Key::new(key),
            object: Object::Account,
            target: ExternalId::parse(target).unwrap(),
            email: None,
            action: Action::Remove,
            known: Known::New,
            change: Change::Remove,
            reason: Reason::RemovedFromModel,
            seen: None,
            version: 1,
        };
        Due { operation: Arc::new(operation), before: None, at: Time::UNIX_EPOCH, intent: None }
    }

    #[test]
    fn operations_on_one_record_are_never_under_way_together() {
        let mut flow = Flow::new(Next { phase: Phase::Remove, after: 0, most: 9 }, 0);
        flow.waiting
            .extend([("1", "acme"), ("2", "acme"), ("3", "birch")].map(|(key, target)| removal(key, target)));
        let first = flow.due().unwrap();
        let other = flow.due().unwrap();
        assert_eq!((first.operation.key.row(), other.operation.key.row()), ("1", "3"));
        assert!(flow.due().is_none());
        let delivered = Delivered { due: first, looked: None, verdict: Verdict::Gone, calls: Vec::new() };
        flow.came_back(delivered);
        assert_eq!(flow.due().unwrap().operation.key.row(), "2");
        assert!(flow.due().is_none());
    }
}
