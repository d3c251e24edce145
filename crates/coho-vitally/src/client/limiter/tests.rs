//! The limiter: by itself, and against servers that count in several ways, on a clock that runs as fast as the test.

mod law;
pub(super) mod simulated;

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

async fn is_held_back(limiter: &Limiter) -> bool {
    tokio::time::timeout(Duration::from_secs(1), limiter.enter(Cost::Read)).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn the_first_call_goes_alone_and_later_ones_together() {
    let limiter = limiter(60_000, 3);
    let first = limiter.enter(Cost::Read).await;
    assert!(is_held_back(&limiter).await);
    first.settle(Told::Passed, passed());
    let together =
        [limiter.enter(Cost::Read).await, limiter.enter(Cost::Read).await, limiter.enter(Cost::Read).await];
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
