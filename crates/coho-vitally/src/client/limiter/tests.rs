//! The limiter: by itself, and against servers that count in several ways, on a clock that runs as fast as the test.

mod law;
pub(super) mod simulated;

use std::sync::Arc;
use std::time::Duration;

use super::*;

fn limiter(rate: u32, at_once: u32) -> Limiter {
    let (price, jitter) = (Price::default(), Jitter::new(|| 0.0));
    let at_once = AtOnce::Most(at_once);
    Limiter::new(Share { rate, at_once, price, jitter, most_refusals: 10, others: None })
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

/// Two processes that note side by side what they use.
fn sharing(rate: u32) -> [Limiter; 2] {
    let notes = Arc::new(Mutex::new([None, None]));
    [0, 1].map(|me: usize| {
        let notes = Arc::clone(&notes);
        let others = OtherUse::new(move |used| {
            let mut notes = notes.lock().unwrap();
            notes[me] = Some(used);
            Some(notes[1 - me].into_iter().collect())
        });
        let (price, jitter) = (Price::default(), Jitter::new(|| 0.0));
        let at_once = AtOnce::Auto;
        Limiter::new(Share { rate, at_once, price, jitter, most_refusals: 10, others: Some(others) })
    })
}

/// Calls one after the other until a moment; how many they were.
async fn calls_until(limiter: &Limiter, end: Instant) -> u32 {
    let mut calls = 0;
    while Instant::now() < end {
        limiter.enter(Cost::Write).await.settle(Told::Passed, passed());
        calls += 1;
    }
    calls
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_a_rate_and_what_one_leaves_the_other_takes() {
    let [one, other] = sharing(900);
    let start = Instant::now();
    let minute = |number: u64| start + Duration::from_secs(60 * number);
    let alone = calls_until(&one, minute(2)).await;
    assert!((1_770..=1_840).contains(&alone), "{alone}");
    let (mine, theirs) = tokio::join!(calls_until(&one, minute(6)), calls_until(&other, minute(6)));
    assert!((1_764..=1_836).contains(&mine) && (1_764..=1_836).contains(&theirs), "{mine} {theirs}");
    assert!(mine + theirs <= 3_600 + 60, "{mine} {theirs}");
    other.enter(Cost::Write).await.settle(Told::Passed, passed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    other.enter(Cost::Write).await.settle(Told::Passed, passed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    other.enter(Cost::Write).await.settle(Told::Passed, passed());
    let left = calls_until(&one, minute(8)).await;
    assert!((1_600..=1_840).contains(&left), "{left}");
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
    assert!(is_held_back(&limiter).await, "three may be under way");
    assert_eq!(limiter.state().under_way, 3);
    drop(together);
    assert_eq!(limiter.state().under_way, 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_leaves_nothing_behind() {
    let limiter = limiter(6_000, 1);
    let long = RateHeaders { retry_after: Some(Duration::from_secs(600)), ..passed() };
    limiter.enter(Cost::Write).await.settle(Told::Refused, long);
    assert!(is_held_back(&limiter).await);
    assert!(is_held_back(&limiter).await);
    assert_eq!(limiter.state().under_way, 0);
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
