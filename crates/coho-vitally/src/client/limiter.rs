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
mod law;
#[cfg(test)]
mod simulated;

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
    async fn a_wait_says_what_it_was_for() {
        let limiter = limiter(60, 5);
        let mut waits = Vec::new();
        for _ in 0..3 {
            let pass = limiter.enter(Cost::Read).await;
            waits.push(pass.waited());
            pass.settle(Told::Passed, passed());
        }
        let second = Duration::from_secs(1);
        assert_eq!(waits[..2], [Wait::NONE; 2]);
        assert_eq!((waits[2].why, waits[2].length.as_secs()), (Some(WaitWhy::Pace), second.as_secs()));
        let reset = RateHeaders { reset: Some(Duration::from_secs(30)), ..RateHeaders::default() };
        limiter.enter(Cost::Write).await.settle(Told::Refused, reset);
        let refused = limiter.enter(Cost::Read).await.waited();
        assert_eq!(refused.why, Some(WaitWhy::Refused));
        assert!(refused.length >= Duration::from_secs(30), "{refused:?}");
    }

    async fn is_held_back(limiter: &Limiter) -> bool {
        tokio::time::timeout(Duration::from_secs(1), limiter.enter(Cost::Read)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_call_goes_alone_and_later_ones_together() {
        let limiter = limiter(60_000, 3);
        let first = limiter.enter(Cost::Read).await;
        assert!(is_held_back(&limiter).await);
        first.settle(Told::Passed, passed());
        let together = [
            limiter.enter(Cost::Read).await,
            limiter.enter(Cost::Read).await,
            limiter.enter(Cost::Read).await,
        ];
        assert!(is_held_back(&limiter).await, "there are three seats");
        assert_eq!(limiter.state().under_way, 3);
        drop(together);
        assert_eq!(limiter.state().under_way, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_dropped_gives_its_seat_back() {
        let limiter = limiter(6_000, 1);
        let long = RateHeaders { retry_after: Some(Duration::from_secs(600)), ..passed() };
        limiter.enter(Cost::Write).await.settle(Told::Refused, long);
        assert!(is_held_back(&limiter).await);
        assert!(is_held_back(&limiter).await);
        assert_eq!((limiter.seats.available_permits(), limiter.state().under_way), (1, 0));
        let start = Instant::now();
        limiter.enter(Cost::Read).await.settle(Told::Passed, passed());
        assert_eq!(start.elapsed().as_secs(), 598);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_an_answer_goes_on_when_there_will_be_none() {
        let limiter = limiter(6_000, 2);
        let first = limiter.enter(Cost::Read).await;
        let second = async { limiter.enter(Cost::Read).await };
        let given_up = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(first);
        };
        let (pass, ()) = tokio::join!(second, given_up);
        assert_eq!(limiter.state().under_way, 1);
        drop(pass);
    }
}
