//! The writer: one hand writes to the ledger while operations are sent, on a thread on which that may block.
//!
//! What has gathered is one transaction: verdicts are concluded and settled, and the intents of what is sent next are opened.
//! Only what was committed is told, and only an operation whose intent was committed is sent (law 2). What goes in batches is made
//! into [`parcel`]s before.

pub(super) mod parcel;
mod stale;

use std::sync::Arc;

use coho_core::digest::Digest;
use coho_core::event::Event;
use coho_core::key::Key;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::plan::count_problem;
use coho_core::row_state::{Origin, Pending, RowState, Verb};
use coho_core::sync::Removal;
use coho_core::target::VitallyId;
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::{Call, Verdict};
use coho_ledger::batch::BatchId;
use coho_ledger::identity::{Elsewhere, KnownRecord};
use coho_ledger::intent::{Intent, Opened};
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::SyncScope;
use coho_ledger::settle::{Advance, Settlement};
use coho_ledger::{Ledger, LedgerError};
use coho_plan::phase::Phase;
use coho_plan::table::Table;
use coho_vitally::client::Client;

use self::parcel::{Parcel, Returned, Sending};
use self::stale::Stale;
use super::Delivered;
use super::outcome::{problem, said, status, unsent};
use super::sent::Sent;
use crate::clock::Clock;
use crate::conclude::{Circumstances, conclude, looked_at};
use crate::failure::EngineError;

/// What sending writes, and with what right.
pub(crate) struct Writer {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) run: Run,
    pub(crate) scope: SyncScope,
    pub(crate) table: Arc<Table>,
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
    /// The name of the destination, as messages tell it.
    pub(crate) destination: String,
    /// What the sync does with a record whose row left.
    pub(crate) removal: Removal,
}

/// An operation with the memory that it was made from.
pub(super) struct Due {
    /// Shared with the exchange that carries it out.
    pub(super) operation: Arc<Operation>,
    pub(super) before: Option<RowState>,
    /// When the intent was made.
    pub(super) at: Time,
    /// The digest of the intent, where the row's memory has it; `None` where a batch does.
    pub(super) intent: Option<Digest>,
}

impl Due {
    /// When the first intent of this write was made that nothing is known of: that of an earlier run, or this one.
    pub(super) fn since(&self) -> Time {
        match self.before.as_ref().map(|row_state| &row_state.pending) {
            Some(Pending::Open { since, .. }) => *since,
            Some(Pending::None | Pending::Waiting { .. }) | None => self.at,
        }
    }

    /// The look at what became of the intent that an earlier run left open; `None` where there is none.
    pub(super) fn look(&self) -> Option<Operation> {
        let row_state = self.before.as_ref()?;
        let Pending::Open { verb, would_send, .. } = &row_state.pending else { return None };
        let would_send = match verb {
            Verb::Write => would_send.clone(),
            // What the record holds if it is still there.
            Verb::Remove => row_state.delivery.sent().cloned().unwrap_or_default(),
        };
        let sent_to = would_send.get(&FieldPath::new("email")).and_then(Value::as_text).map(str::to_owned);
        Some(Operation {
            target: row_state.target.clone(),
            email: self.operation.email.clone().map(|now| sent_to.unwrap_or(now)),
            action: Action::Probe { verb: *verb, would_send },
            known: Known::of(Some(row_state)),
            seen: row_state.seen,
            ..(*self.operation).clone()
        })
    }
}

/// What has gathered to be written.
#[derive(Default)]
pub(super) struct Group {
    /// Operations with what Vitally made of them.
    pub(super) done: Vec<Delivered>,
    /// The same of whole parcels.
    pub(super) returned: Vec<Returned>,
    /// Which operations are sent next.
    pub(super) next: Option<Next>,
    /// Which parcels are.
    pub(super) parcels: Vec<Parcel>,
}

/// The next operations of a phase, at most so many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) phase: Phase,
    /// The number of the last one so far.
    pub(super) after: i64,
    pub(super) most: usize,
}

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    /// What the settled operations came to.
    pub(super) sent: Sent,
    /// What happened, to be told now.
    pub(super) events: Vec<Event>,
    /// The operations that may be sent now.
    pub(super) due: Vec<Due>,
    /// The parcels that may be.
    pub(super) parcels: Vec<Sending>,
    /// The number of the last operation that was read; `None` where there was none any more.
    pub(super) last: Option<i64>,
    /// How many were read.
    pub(super) read: usize,
}

impl Next {
    /// What follows what was read.
    pub(super) fn behind(self, written: &Written) -> Self {
        let after = written.last.unwrap_or(self.after);
        Self { after, most: self.most.saturating_sub(written.read), ..self }
    }
}

/// What verdicts mean, in one group.
#[derive(Default)]
struct Concluded {
    /// What is told, and what is written, of each operation.
    settled: Vec<Event>,
    settlements: Vec<Settlement>,
    /// Calls that were made for several of them.
    calls: Vec<(Call, Vec<Key>)>,
    /// Batches that all came back.
    closes: Vec<BatchId>,
}

impl Writer {
    /// Writes a group. It blocks.
    pub(super) fn write(&self, group: Group) -> Result<Written, EngineError> {
        let Group { done, returned, next, mut parcels } = group;
        let (now, mut written) = (self.clock.now(), Written::default());
        let concluded = self.conclude_all(done, returned, now, &mut written.sent)?;
        let mut stale = Vec::new();
        let next = self.still_ours(self.read(next, &mut written)?, &mut stale)?;
        let intents: Vec<_> = next.iter().map(|operation| Intent::of(operation, now)).collect();
        let batches: Vec<_> = parcels.iter_mut().map(Parcel::intents).collect();
        let step = Advance {
            settlements: &concluded.settlements,
            calls: &concluded.calls,
            intents: &intents,
            closes: &concluded.closes,
            batches: &batches,
        };
        let advanced = self.ledger.advance(&self.lease, &self.run, &self.scope, step)?;
        for ((operation, intent), opened) in next.into_iter().zip(&intents).zip(advanced.opened) {
            let intent = Some(intent.operation);
            match opened {
                Opened::Durable { before } => {
                    written.due.push(Due { operation: Arc::new(operation), before, at: now, intent });
                }
                Opened::Stale => stale.push((operation, Stale::Changed)),
            }
        }
        let opened = parcels.into_iter().zip(advanced.batches);
        written.parcels = opened.map(|(parcel, opened)| parcel.opened(opened, &mut stale)).collect();
        self.pass_over(stale, &mut written.sent)?;
        written.sent.calls += concluded.calls.len() as u64;
        written.events = self.events(concluded);
        Ok(written)
    }

    fn read(&self, next: Option<Next>, written: &mut Written) -> Result<Vec<Operation>, EngineError> {
        let Some(Next { phase, after, most }) = next else { return Ok(Vec::new()) };
        let operations = self.table.operations(phase, after, most)?;
        written.last = operations.last().map(|(number, _)| *number);
        written.read = operations.len();
        Ok(operations.into_iter().map(|(_, operation)| operation).collect())
    }

    /// What the verdicts of a group mean.
    fn conclude_all(
        &self,
        done: Vec<Delivered>,
        returned: Vec<Returned>,
        now: Time,
        sent: &mut Sent,
    ) -> Result<Concluded, EngineError> {
        let mut concluded = Concluded::default();
        let all = done.iter().chain(returned.iter().flat_map(|returned| &returned.done));
        let mut elsewhere = self.elsewhere(all.map(|one| (&*one.due.operation, &one.verdict)))?.into_iter();
        let mut elsewhere = move || elsewhere.next().unwrap_or(Elsewhere::Never);
        for one in done {
            let (event, settlement) = self.conclude(one, elsewhere(), None, now, sent)?;
            concluded.settled.push(event);
            concluded.settlements.push(settlement);
        }
        for Returned { id, done, calls, .. } in returned {
            for one in done {
                let last = calls.last().map(|(call, _)| call);
                let (event, settlement) = self.conclude(one, elsewhere(), last, now, sent)?;
                concluded.settled.push(event);
                concluded.settlements.push(settlement);
            }
            concluded.closes.extend(id);
            concluded.calls.extend(calls);
        }
        Ok(concluded)
    }

    /// What a verdict means: what is told of it, and what is written.
    fn conclude(
        &self,
        done: Delivered,
        elsewhere: Elsewhere,
        shared: Option<&Call>,
        now: Time,
        sent: &mut Sent,
    ) -> Result<(Event, Settlement), EngineError> {
        let Delivered { mut due, looked, verdict, calls } = done;
        if let Some((look, found)) = looked {
            let elsewhere = self.elsewhere(std::iter::once((&look, &found)))?;
            let elsewhere = elsewhere.first().copied().unwrap_or(Elsewhere::Never);
            due.before = looked_at(&look, &found, self.circumstances(&due, elsewhere, now));
        }
        let mut conclusion = conclude(&due.operation, &verdict, self.circumstances(&due, elsewhere, now));
        conclusion.message = said(&due.operation, conclusion.message, self.client.private());
        sent.count(conclusion.outcome, 1);
        sent.calls += calls.len() as u64;
        sent.note(&verdict);
        let last = calls.last().or(shared);
        sent.unsent = sent.unsent.take().or_else(|| unsent(&verdict, last, &self.destination));
        let arrived = due.intent.filter(|_| arrived_whole(&verdict));
        let operation = Arc::unwrap_or_clone(due.operation);
        let (key, target) = (operation.key.clone(), operation.target.clone());
        if let Some(problem) = problem(conclusion.outcome, conclusion.code, &conclusion.message) {
            count_problem(&mut sent.problems, Some(&key), &problem);
        }
        let event = Event::Settled {
            sync: self.scope.sync().clone(),
            key: key.clone(),
            target,
            outcome: conclusion.outcome,
            code: conclusion.code,
        };
        let (end, code) = (conclusion.outcome.status(), conclusion.code);
        let status = status(operation, end, code, conclusion.message, now, self.client.private());
        Ok((event, Settlement { key, row_state: conclusion.row_state, arrived, status, calls }))
    }

    /// What is known beside the verdict.
    fn circumstances<'d>(&self, due: &'d Due, elsewhere: Elsewhere, now: Time) -> Circumstances<'d> {
        let removal = self.removal;
        Circumstances { before: due.before.as_ref(), since: due.since(), now, removal, elsewhere }
    }

    /// What other syncs have to do with the records of these operations. They matter only where a record is said to be created.
    fn elsewhere<'d>(
        &self,
        all: impl Iterator<Item = (&'d Operation, &'d Verdict)>,
    ) -> Result<Vec<Elsewhere>, LedgerError> {
        let held: Vec<_> = all
            .map(|(operation, verdict)| {
                created(verdict).map(|id| KnownRecord { target: &operation.target, id: Some(id) })
            })
            .collect();
        let asked: Vec<_> = held.iter().flatten().copied().collect();
        let mut told = self.ledger.held_elsewhere(&self.scope, self.scope.object(), &asked)?.into_iter();
        let of = |held: Option<KnownRecord<'_>>| held.and_then(|_| told.next()).unwrap_or(Elsewhere::Never);
        Ok(held.into_iter().map(of).collect())
    }

    /// What is told, call by call before what became of the operation.
    fn events(&self, concluded: Concluded) -> Vec<Event> {
        let Concluded { settled, settlements, calls, .. } = concluded;
        let called = |key: Key, call: Call| Event::Called {
            sync: self.scope.sync().clone(),
            key,
            call: Box::new(call),
        };
        let mut events = Vec::new();
        for (call, keys) in calls {
            events.push(called(keys.into_iter().next().unwrap_or_else(|| Key::new("")), call));
        }
        for (settlement, event) in settlements.into_iter().zip(settled) {
            let Settlement { key, calls, .. } = settlement;
            events.extend(calls.into_iter().map(|call| called(key.clone(), call)));
            events.push(event);
        }
        events
    }
}

/// Whether all that an operation was to send arrived.
fn arrived_whole(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Applied { lost, .. } if lost.is_empty())
}

/// The id of a record that an exchange calls created.
fn created(verdict: &Verdict) -> Option<&VitallyId> {
    if let Verdict::Applied { id, origin: Origin::Created, .. } = verdict { id.as_ref() } else { None }
}
