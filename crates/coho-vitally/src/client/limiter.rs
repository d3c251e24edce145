//! The limiter: how many calls are under way, and when the next may leave. Calls wait here, nowhere else.
//!
//! [`pace`] decides, this waits. A wait can be dropped at any moment: whoever waits holds a seat and nothing else, and gives it
//! back.

mod ceiling;
pub(crate) mod headers;
pub(crate) mod pace;
pub(crate) mod price;
mod probe;
mod server;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coho_core::call::{Wait, WaitWhy};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::settings::Jitter;
use crate::request::Cost;
use headers::RateHeaders;
use pace::{Admit, LimiterState, Pace, Ticket, Told};
use price::Price;

/// Lets calls leave at the right pace.
#[derive(Debug)]
pub(crate) struct Limiter {
    pace: Mutex<Pace>,
    seats: Arc<Semaphore>,
    /// Told when a call is under way no more.
    back: Notify,
    jitter: Jitter,
    most_refusals: u32,
}

/// A call under way. Dropped without [`Pass::settle`], it was never answered.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    limiter: &'a Limiter,
    ticket: Option<Ticket>,
    /// How long the call waited for it.
    waited: Wait,
    _seat: Option<OwnedSemaphorePermit>,
}

/// What a limiter is made with.
#[derive(Debug)]
pub(crate) struct Share {
    /// Units a minute.
    pub(crate) rate: u32,
    /// How many calls may be under way at once.
    pub(crate) concurrency: usize,
    /// What calls are known to cost.
    pub(crate) price: Price,
    pub(crate) jitter: Jitter,
    /// How many waits in a row may end in another refusal.
    pub(crate) most_refusals: u32,
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
            pace: Mutex::new(Pace::new(share.rate, share.price, Instant::now())),
            seats: Arc::new(Semaphore::new(share.concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            back: Notify::new(),
            jitter: share.jitter,
            most_refusals: share.most_refusals,
        }
    }

    /// Waits until a call may leave.
    pub(crate) async fn enter(&self, cost: Cost) -> Pass<'_> {
        let (seat, mut waited) = self.seat().await;
        loop {
            // Listens before it looks: an answer in between is not missed.
            let mut back = std::pin::pin!(self.back.notified());
            back.as_mut().enable();
            let since = Instant::now();
            let (admit, why) = self.admit(cost, since);
            match admit {
                Admit::Pass(ticket) => {
                    return Pass { limiter: self, ticket: Some(ticket), waited, _seat: seat };
                }
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

    /// A seat, and how long it took to get one.
    async fn seat(&self) -> (Option<OwnedSemaphorePermit>, Wait) {
        if let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() {
            return (Some(seat), Wait::NONE);
        }
        let since = Instant::now();
        // The semaphore is never closed; were it, calls would go without a seat.
        let seat = Arc::clone(&self.seats).acquire_owned().await.ok();
        (seat, Wait::new(since.elapsed(), WaitWhy::Pace))
    }

    /// Whether a call may leave, and if not, why.
    fn admit(&self, cost: Cost, now: Instant) -> (Admit, WaitWhy) {
        let mut pace = self.pace();
        let why = if pace.is_refused(now) { WaitWhy::Refused } else { WaitWhy::Pace };
        (pace.admit(cost, now), why)
    }

    /// What is known now.
    pub(crate) fn state(&self) -> LimiterState {
        self.pace().state(Instant::now())
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
