//! Batches: operations that go through the Analytics API, many in a call.
//!
//! The order of the stages is the same as for single calls, and so is the flow: parcels of at most a hundred messages slide
//! through, of which as many are open as may be under way, and as are sent in a second besides. While one group is written, further
//! parcels are prepared, and others are under way. Two parcels with one record are never under way together: nobody knows which would
//! arrive first.

use std::collections::{HashSet, VecDeque};
use std::future::pending;

use coho_core::key::Key;
use coho_core::target::ExternalId;
use coho_core::verdict::Call;
use coho_plan::phase::Phase;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::task::{JoinHandle, spawn_blocking};

use super::flow::{Writing, finished, joined, written};
use super::outcome::is_rejected;
use super::sent::Sent;
use super::writer::parcel::{Ahead, Parcel, Returned, Sending};
use super::writer::{Group, Next, Written};
use super::{Delivered, OpRange, PARCELS, Sender};
use crate::failure::EngineError;

/// A parcel that is being prepared, with where the next one begins.
type Preparing = JoinHandle<Result<(Ahead, Option<Parcel>), EngineError>>;

/// Where the parcels of a phase are.
struct Parcels {
    /// Where the next one begins; absent while it is being prepared, and where there is none any more.
    ahead: Option<Ahead>,
    ready: VecDeque<Parcel>,
    /// Those that may be sent.
    waiting: VecDeque<Sending>,
    /// The records of those that are under way.
    records: HashSet<ExternalId>,
    /// Those that came back, and are not written yet.
    returned: Vec<Returned>,
    /// How many are open.
    open: usize,
    /// What was not begun.
    left: OpRange,
    /// How many records Vitally refused so far.
    rejected: u64,
}

/// What happens next.
enum Happened {
    Written(Result<Written, EngineError>),
    Prepared(Result<(Ahead, Option<Parcel>), EngineError>),
    Returned(Returned),
}

impl Sender<'_> {
    /// Carries out the operations of a stretch. Gives what is left of it.
    pub(super) async fn batches(
        &self,
        phase: Phase,
        range: OpRange,
        sent: &mut Sent,
    ) -> Result<OpRange, EngineError> {
        let OpRange { after, most } = range;
        let mut parcels = Parcels {
            ahead: (most > 0).then(|| Ahead::new(Next { phase, after, most })),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            records: HashSet::new(),
            returned: Vec::new(),
            open: 0,
            left: range,
            rejected: sent.rejected(),
        };
        let mut writing = None;
        let carried_out = self.carry_parcels(&mut parcels, &mut writing, sent).await;
        // Where something else failed, what is being written is still told.
        if let (Err(_), Some(writing)) = (&carried_out, &mut writing)
            && let Ok(written) = joined(writing).await
        {
            self.take(written, &mut parcels, sent);
        }
        carried_out.map(|()| parcels.left)
    }

    async fn carry_parcels(
        &self,
        parcels: &mut Parcels,
        writing: &mut Option<Writing>,
        sent: &mut Sent,
    ) -> Result<(), EngineError> {
        let mut under_way = FuturesUnordered::new();
        let mut preparing = None;
        self.look_at_the_clock(sent);
        loop {
            let at_once = self.client.at_once(self.sync.api).max(1);
            while under_way.len() < at_once {
                let Some(sending) = parcels.due() else { break };
                under_way.push(self.parcel(sending, sent.stopped.is_some()));
            }
            let begins = !self.ends() && sent.stopped.is_none();
            if preparing.is_none() && begins {
                preparing = parcels.further().map(|ahead| self.prepare(ahead));
            }
            if writing.is_none() {
                self.heartbeat.beat()?;
                *writing =
                    parcels.gathered(self.pace.parcels(at_once), begins).map(|group| self.write(group));
            }
            if under_way.is_empty() && writing.is_none() && preparing.is_none() {
                return Ok(());
            }
            let happened = tokio::select! {
                biased;
                written = written(writing) => Happened::Written(written),
                Some(returned) = under_way.next() => Happened::Returned(returned),
                prepared = prepared(&mut preparing) => Happened::Prepared(prepared),
            };
            match happened {
                Happened::Written(written) => self.take(written?, parcels, sent),
                Happened::Returned(returned) => self.note_parcel(returned, parcels, sent),
                Happened::Prepared(prepared) => parcels.prepared(prepared?),
            }
        }
    }

    /// Begins to prepare a parcel, on a thread on which that may block.
    fn prepare(&self, mut ahead: Ahead) -> Preparing {
        let writer = self.writer.clone();
        spawn_blocking(move || {
            let parcel = writer.prepare(&mut ahead)?;
            Ok((ahead, parcel))
        })
    }

    /// Sends a parcel in as few calls as it takes.
    async fn parcel(&self, sending: Sending, stopped: bool) -> Returned {
        let Sending { id, due, messages } = sending;
        if due.is_empty() || self.ends() || stopped {
            let done = due.into_iter().map(Delivered::unsent).collect();
            return Returned { id, done, calls: Vec::new() };
        }
        let delivery = self.client.deliver_messages(messages).await;
        self.watch(delivery.health);
        let of = |at: &usize| due.get(*at).map(|due| due.operation.key.clone());
        let calls = delivery.calls.into_iter();
        let calls: Vec<(Call, Vec<Key>)> =
            calls.map(|call| (call.call, call.operations.iter().filter_map(of).collect())).collect();
        let mut done = Vec::with_capacity(due.len());
        for (due, verdict) in due.into_iter().zip(delivery.verdicts) {
            self.react(&verdict);
            done.push(Delivered { due, looked: None, verdict, calls: Vec::new() });
        }
        Returned { id, done, calls }
    }

    /// Notes a parcel that came back. What was refused counts at once, though it is written later.
    fn note_parcel(&self, returned: Returned, parcels: &mut Parcels, sent: &mut Sent) {
        for done in &returned.done {
            parcels.records.remove(&done.due.operation.target);
            parcels.rejected += u64::from(is_rejected(&done.verdict));
        }
        parcels.returned.push(returned);
        self.look_at_refusals(parcels.rejected, sent);
        self.look_at_the_clock(sent);
    }

    /// Takes what was written, and only now speaks of it.
    fn take(&self, mut written: Written, parcels: &mut Parcels, sent: &mut Sent) {
        parcels.waiting.extend(written.parcels.drain(..));
        self.tell(written, sent);
    }
}

impl Parcels {
    /// The next parcel, unless it has a record of one that is under way.
    fn due(&mut self) -> Option<Sending> {
        let waits =
            |sending: &Sending| sending.due.iter().any(|due| self.records.contains(&due.operation.target));
        if self.waiting.front().is_none_or(waits) {
            return None;
        }
        let sending = self.waiting.pop_front()?;
        self.records.extend(sending.due.iter().map(|due| due.operation.target.clone()));
        Some(sending)
    }

    /// Where a further parcel begins, if one is wanted.
    fn further(&mut self) -> Option<Ahead> {
        if self.ready.len() < PARCELS { self.ahead.take() } else { None }
    }

    fn prepared(&mut self, (ahead, parcel): (Ahead, Option<Parcel>)) {
        if let Some(parcel) = parcel {
            self.ready.push_back(parcel);
            self.ahead = Some(ahead);
        }
    }

    /// What is written next: all that came back, and the intents of as many parcels as may be open.
    fn gathered(&mut self, most: usize, begins: bool) -> Option<Group> {
        let mut group = Group { returned: std::mem::take(&mut self.returned), ..Group::default() };
        self.open -= group.returned.len();
        while begins
            && self.open < most
            && let Some(parcel) = self.ready.pop_front()
        {
            self.open += 1;
            self.left = OpRange { after: parcel.last, most: self.left.most.saturating_sub(parcel.read) };
            group.parcels.push(parcel);
        }
        (!group.returned.is_empty() || !group.parcels.is_empty()).then_some(group)
    }
}

/// What a parcel that is being prepared comes to; nothing ever, where none is.
async fn prepared(preparing: &mut Option<Preparing>) -> Result<(Ahead, Option<Parcel>), EngineError> {
    let Some(under_way) = preparing else { return pending().await };
    let prepared = finished(under_way).await;
    *preparing = None;
    prepared
}
