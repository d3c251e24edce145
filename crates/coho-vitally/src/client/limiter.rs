//! The limiter: how many calls are under way, and when the next may leave. Calls wait here, nowhere else.
//!
//! [`pace`] decides, this waits. The first calls go one by one, so that what each costs can be told.

pub(crate) mod headers;
pub(crate) mod price;
pub(crate) mod pace;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::settings::Jitter;
use crate::request::Cost;
use headers::RateHeaders;
use pace::{Admit, LimiterState, Pace, Ticket, Told};
use price::Price;

/// How many answers are awaited one by one.
const FIRST: u32 = 4;

/// Lets calls leave at the right pace.
#[derive(Debug)]
pub(crate) struct Limiter {
    pace: Mutex<Pace>,
    seats: Arc<Semaphore>,
    /// Seats that open once the first calls were answered, and how many answers that still takes.
    closed: Mutex<Closed>,
    jitter: Jitter,
    most_refusals: u32,
}

#[derive(Debug)]
struct Closed {
    seats: usize,
    answers: u32,
}

/// A call under way. Dropped without [`Pass::settle`], it was never answered.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    limiter: &'a Limiter,
    ticket: Option<Ticket>,
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
            seats: Arc::new(Semaphore::new(1)),
            closed: Mutex::new(Closed { seats: share.concurrency.max(1) - 1, answers: FIRST }),
            jitter: share.jitter,
            most_refusals: share.most_refusals,
        }
    }

    /// Waits until a call may leave.
    pub(crate) async fn enter(&self, cost: Cost) -> Pass<'_> {
        // The semaphore is never closed; were it, calls would go without a seat.
        let seat = Arc::clone(&self.seats).acquire_owned().await.ok();
        loop {
            let admit = self.pace().admit(cost, Instant::now());
            match admit {
                Admit::Pass(ticket) => return Pass { limiter: self, ticket: Some(ticket), _seat: seat },
                Admit::Wait(until) => tokio::time::sleep_until(until).await,
            }
        }
    }

    /// What is known now.
    pub(crate) fn state(&self) -> LimiterState {
        self.pace().state(Instant::now())
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_seats(&self) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.answers = closed.answers.saturating_sub(1);
        if closed.answers == 0 {
            self.seats.add_permits(std::mem::take(&mut closed.seats));
        }
    }
}

impl Pass<'_> {
    /// The call was answered; after a 429, whether it may be sent again.
    pub(crate) fn settle(mut self, told: Told, headers: RateHeaders) -> Again {
        let Some(ticket) = self.ticket.take() else { return Again::Yes };
        let mut pace = self.limiter.pace();
        pace.settle(ticket, told, headers, Instant::now(), self.limiter.jitter.next());
        let again = if pace.refusals() > self.limiter.most_refusals { Again::No } else { Again::Yes };
        drop(pace);
        self.limiter.open_seats();
        again
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.ticket.take().is_some() {
            self.limiter.pace().leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limiter(rate: u32, concurrency: usize) -> Limiter {
        let (price, jitter) = (Price::default(), Jitter::new(|| 0.0));
        Limiter::new(Share { rate, concurrency, price, jitter, most_refusals: 10 })
    }

    fn passed() -> RateHeaders {
        RateHeaders::default()
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_has_as_many_calls_as_the_rate_allows() {
        let limiter = limiter(60, 5);
        let start = Instant::now();
        for _ in 0..62 {
            limiter.enter(Cost::Read).await.settle(Told::Passed, passed());
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(60) && took < Duration::from_secs(61), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_back_every_call() {
        let limiter = limiter(6_000, 5);
        let reset = RateHeaders { reset: Some(Duration::from_secs(30)), ..RateHeaders::default() };
        assert_eq!(limiter.enter(Cost::Write).await.settle(Told::Refused, reset), Again::Yes);
        let start = Instant::now();
        limiter.enter(Cost::Read).await.settle(Told::Passed, passed());
        assert!(start.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn eleven_waits_in_a_row_are_too_many() {
        let limiter = limiter(6_000, 5);
        let mut refused = 0;
        while limiter.enter(Cost::Write).await.settle(Told::Refused, passed()) == Again::Yes {
            refused += 1;
        }
        assert_eq!(refused, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_calls_go_one_by_one_and_later_ones_together() {
        let limiter = limiter(60_000, 3);
        for _ in 0..FIRST {
            let pass = limiter.enter(Cost::Read).await;
            let second = tokio::time::timeout(Duration::from_secs(1), limiter.enter(Cost::Read)).await;
            assert!(second.is_err());
            pass.settle(Told::Passed, passed());
        }
        let together = [limiter.enter(Cost::Read).await, limiter.enter(Cost::Read).await];
        assert_eq!(limiter.state().under_way, 2);
        drop(together);
        assert_eq!(limiter.state().under_way, 0);
    }
}
