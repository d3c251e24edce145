//! The limiter: how many calls are under way, and when the next may leave. Calls wait here, nowhere else.
//!
//! [`pace`] decides, this waits. A wait can be dropped at any moment: whoever waits holds a place in the line and nothing else,
//! and gives it back.

mod ceiling;
pub(crate) mod headers;
pub(crate) mod pace;
pub(crate) mod price;
mod probe;
mod server;
mod shared;
mod width;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use coho_core::at_once::AtOnce;
use coho_core::call::{Wait, WaitWhy};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::settings::{Jitter, OtherUse};
use crate::request::Cost;
use headers::RateHeaders;
use pace::{Admit, LimiterState, Pace, Ticket, Told};
use price::Price;

/// How many calls look at the same time whether they may leave: each answer wakes them. Some, so that two of a kind that are to
/// leave together are among them.
const FRONT: usize = 8;

/// Lets calls leave at the right pace.
#[derive(Debug)]
pub(crate) struct Limiter {
    pace: Mutex<Pace>,
    /// Told when a call is under way no more.
    back: Notify,
    /// The few that look whether they may leave; all others stand in line behind them.
    front: Semaphore,
    jitter: Jitter,
    most_refusals: u32,
    others: Option<OtherUse>,
}

/// A call under way. Dropped without [`Pass::settle`], it was never answered.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    limiter: &'a Limiter,
    ticket: Option<Ticket>,
    /// How long the call waited for it.
    waited: Wait,
}

/// What a limiter is made with.
#[derive(Debug)]
pub(crate) struct Share {
    /// Units a minute.
    pub(crate) rate: u32,
    /// How many calls may be under way at once.
    pub(crate) at_once: AtOnce,
    /// What calls are known to cost.
    pub(crate) price: Price,
    pub(crate) jitter: Jitter,
    /// How many waits in a row may end in another refusal.
    pub(crate) most_refusals: u32,
    /// What other processes use of the rate.
    pub(crate) others: Option<OtherUse>,
}

/// Whether a call that was refused for the rate is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It is, through the limiter.
    Yes,
    /// It was refused too often in a row.
    No,
}

impl Limiter {
    pub(crate) fn new(share: Share) -> Self {
        Self {
            pace: Mutex::new(Pace::new(share.rate, share.at_once, share.price, Instant::now())),
            back: Notify::new(),
            front: Semaphore::new(FRONT),
            jitter: share.jitter,
            most_refusals: share.most_refusals,
            others: share.others,
        }
    }

    /// Waits until a call may leave.
    pub(crate) async fn enter(&self, cost: Cost) -> Pass<'_> {
        let (_place, mut waited) = self.place().await;
        loop {
            // Listens before it looks: an answer in between is not missed.
            let mut back = std::pin::pin!(self.back.notified());
            back.as_mut().enable();
            let since = Instant::now();
            let (admit, why) = self.admit(cost, since);
            match admit {
                Admit::Pass(ticket) => return Pass { limiter: self, ticket: Some(ticket), waited },
                Admit::Wait(until) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        () = back => {}
                    }
                }
                Admit::Answer => back.await,
            }
            waited = waited.then(Wait::new(since.elapsed(), why));
        }
    }

    /// A place in front, and how long it took to get one.
    async fn place(&self) -> (Option<SemaphorePermit<'_>>, Wait) {
        if let Ok(place) = self.front.try_acquire() {
            return (Some(place), Wait::NONE);
        }
        let since = Instant::now();
        // The semaphore is never closed; were it, all would stand in front.
        let place = self.front.acquire().await.ok();
        (place, Wait::new(since.elapsed(), WaitWhy::Pace))
    }

    /// Whether a call may leave, and if not, why.
    fn admit(&self, cost: Cost, now: Instant) -> (Admit, WaitWhy) {
        self.share(now);
        let mut pace = self.pace();
        let why = if pace.is_refused(now) { WaitWhy::Refused } else { WaitWhy::Pace };
        (pace.admit(cost, now), why)
    }

    /// Tells the other processes what is used here, now and then, and hears what they use.
    fn share(&self, now: Instant) {
        let Some(others) = &self.others else { return };
        let due = self.pace().due(now);
        if let Some(use_of_others) = due.and_then(|used| others.turn(used)) {
            self.pace().share(&use_of_others);
        }
    }

    /// What is known now.
    pub(crate) fn state(&self) -> LimiterState {
        self.pace().state(Instant::now())
    }

    /// How many calls may be under way at once.
    pub(crate) fn at_once(&self) -> usize {
        self.pace().at_once()
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// How long the call waited for it.
    pub(crate) fn waited(&self) -> Wait {
        self.waited
    }

    /// The call was answered; after a 429, whether it may be sent again.
    pub(crate) fn settle(mut self, told: Told, headers: RateHeaders) -> Again {
        let Some(ticket) = self.ticket.take() else { return Again::Yes };
        let mut pace = self.limiter.pace();
        pace.settle(ticket, told, headers, Instant::now(), self.limiter.jitter.next());
        let again = if pace.refusals() > self.limiter.most_refusals { Again::No } else { Again::Yes };
        drop(pace);
        self.limiter.back.notify_waiters();
        again
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.limiter.pace().leave(ticket, Instant::now());
            self.limiter.back.notify_waiters();
        }
    }
}
