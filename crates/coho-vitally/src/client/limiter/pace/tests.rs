//! The pace by itself.

use super::*;

/// More than are ever under way here.
const MANY: AtOnce = AtOnce::Most(100);

fn told(limit: u32, remaining: u32) -> RateHeaders {
    let reset = Some(Duration::from_secs(1));
    RateHeaders { limit: Some(limit), remaining: Some(remaining), reset, retry_after: None }
}

fn pass(pace: &mut Pace, now: Instant) -> Ticket {
    match pace.admit(Cost::Write, now) {
        Admit::Pass(ticket) => ticket,
        Admit::Wait(until) => panic!("held back for {:?}", until - now),
        Admit::Answer => panic!("held back until a call is answered"),
    }
}

fn wait(pace: &mut Pace, now: Instant) -> Duration {
    match pace.admit(Cost::Write, now) {
        Admit::Pass(_) => Duration::ZERO,
        Admit::Wait(until) => until - now,
        // Until an answer comes.
        Admit::Answer => Duration::MAX,
    }
}

/// A call that is answered at once.
fn call(pace: &mut Pace, headers: RateHeaders, now: Instant) {
    let ticket = pass(pace, now);
    pace.settle(ticket, Told::Passed, headers, now, 0.0);
}

fn refuse(pace: &mut Pace, headers: RateHeaders, now: Instant) -> Duration {
    let ticket = pass(pace, now);
    pace.settle(ticket, Told::Refused, headers, now, 0.0);
    wait(pace, now)
}

#[test]
fn a_burst_is_bounded_and_then_calls_are_spread() {
    let now = Instant::now();
    let mut pace = Pace::new(120, MANY, Price::default(), now);
    let mut free = 0;
    while wait(&mut pace, now).is_zero() {
        let ticket = Ticket { cost: Cost::Write, price: 1, number: 0, at: now, is_alone: false };
        pace.settle(ticket, Told::Passed, RateHeaders::default(), now, 0.0);
        free += 1;
    }
    assert_eq!((free, wait(&mut pace, now)), (4, Duration::from_millis(500)));
}

#[test]
fn the_price_is_learned_from_calls_that_follow_fast() {
    let mut now = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price::default(), now);
    for remaining in [990, 980, 970] {
        call(&mut pace, told(1_000, remaining), now);
        now += Duration::from_millis(20);
    }
    assert_eq!(pace.state(now).price.write, 10);
}

#[test]
fn the_price_is_learned_from_two_calls_that_leave_together_in_whatever_order_they_are_answered() {
    let mut now = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price::default(), now);
    call(&mut pace, told(1_000, 995), now);
    for (one, other) in [(990, 985), (975, 980)] {
        now += Duration::from_secs(1);
        let together = [pass(&mut pace, now), pass(&mut pace, now)];
        assert_eq!(wait(&mut pace, now), Duration::MAX, "a third one waits until both are answered");
        for (ticket, remaining) in together.into_iter().zip([one, other]) {
            pace.settle(ticket, Told::Passed, told(1_000, remaining), now, 0.0);
        }
    }
    assert_eq!(pace.state(now).price.write, 5);
}

#[test]
fn nothing_is_learned_from_calls_of_which_others_were_under_way() {
    let mut now = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price { read: 1, write: 2 }, now);
    for _ in 0..4 {
        call(&mut pace, told(1_000, 1_000), now);
        now += Duration::from_secs(1);
    }
    for remaining in [900, 800, 700, 600] {
        let [one, other] = [pass(&mut pace, now), pass(&mut pace, now)];
        for ticket in [one, other] {
            pace.settle(ticket, Told::Passed, told(1_000, remaining), now, 0.0);
        }
        now += Duration::from_millis(1);
    }
    assert_eq!(pace.state(now).price.write, 2);
}

#[test]
fn a_low_bucket_slows_us_before_it_is_empty() {
    let now = Instant::now();
    let mut pace = Pace::new(900, MANY, Price::default(), now);
    call(&mut pace, told(1_000, 20), now);
    assert!((pace.state(now).units_per_minute - 500.0).abs() < 1e-6);
    call(&mut pace, told(1_000, 900), now);
    assert!((pace.state(now).units_per_minute - 900.0).abs() < 1e-6);
}

#[test]
fn a_wave_of_refusals_counts_once() {
    let now = Instant::now();
    let mut pace = Pace::new(900, MANY, Price::default(), now);
    call(&mut pace, RateHeaders::default(), now);
    let tickets = [pass(&mut pace, now), pass(&mut pace, now), pass(&mut pace, now)];
    let reset = RateHeaders { reset: Some(Duration::from_secs(7)), ..RateHeaders::default() };
    for ticket in tickets {
        pace.settle(ticket, Told::Refused, reset, now, 0.0);
    }
    assert_eq!(pace.refusals(), 1);
    assert_eq!(wait(&mut pace, now), Duration::from_secs(7));
    let later = now + Duration::from_secs(8);
    refuse(&mut pace, reset, later);
    assert_eq!(pace.refusals(), 2);
    call(&mut pace, RateHeaders::default(), later + Duration::from_secs(8));
    assert_eq!(pace.refusals(), 0);
}

#[test]
fn an_answer_from_before_a_pause_does_not_end_it() {
    let now = Instant::now();
    let mut pace = Pace::new(900, MANY, Price::default(), now);
    call(&mut pace, RateHeaders::default(), now);
    let [refused, slow] = [pass(&mut pace, now), pass(&mut pace, now)];
    pace.settle(refused, Told::Refused, RateHeaders::default(), now, 0.0);
    pace.settle(slow, Told::Passed, RateHeaders::default(), now + Duration::from_millis(10), 0.0);
    assert_eq!(pace.refusals(), 1);
}

#[test]
fn refusals_without_headers_wait_longer_each_time() {
    let mut now = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price::default(), now);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let pause = refuse(&mut pace, RateHeaders::default(), now);
        waits.push(pause.as_secs());
        now += pause + Duration::from_secs(1);
    }
    assert_eq!(waits, [1, 2, 4, 8]);
}

#[test]
fn a_server_that_always_asks_for_no_wait_is_believed_twice() {
    let mut now = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price::default(), now);
    let none = RateHeaders { retry_after: Some(Duration::ZERO), ..RateHeaders::default() };
    let mut waits = Vec::new();
    for _ in 0..4 {
        let pause = refuse(&mut pace, none, now);
        waits.push(pause.as_secs());
        now += pause + Duration::from_secs(1);
    }
    assert_eq!(waits, [0, 0, 4, 8]);
}

#[test]
fn second_refusal_in_a_row_waits_until_the_minute_is_over() {
    let start = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price::default(), start);
    call(&mut pace, RateHeaders::default(), start);
    let now = start + Duration::from_secs(10);
    let first = refuse(&mut pace, RateHeaders::default(), now);
    assert_eq!(first, Duration::from_secs(1));
    let now = now + Duration::from_secs(2);
    assert_eq!(now + refuse(&mut pace, RateHeaders::default(), now), start + Duration::from_secs(60));
}

#[test]
fn what_is_under_way_is_awaited_where_too_little_is_left_for_another() {
    let now = Instant::now();
    let mut pace = Pace::new(6_000, MANY, Price::default(), now);
    call(&mut pace, told(60, 1), now);
    let last = pass(&mut pace, now);
    assert_eq!(wait(&mut pace, now), Duration::MAX);
    pace.settle(last, Told::Passed, told(60, 0), now, 0.0);
    assert_eq!(wait(&mut pace, now), Duration::from_secs(1));
}

#[test]
fn first_calls_after_a_pause_come_one_by_one() {
    let mut now = Instant::now();
    let mut pace = Pace::new(600, MANY, Price::default(), now);
    call(&mut pace, RateHeaders::default(), now);
    now += refuse(&mut pace, RateHeaders::default(), now) + Duration::from_millis(100);
    // The burst is gone, and until the first was answered there is no second.
    let first = pass(&mut pace, now);
    assert_eq!(wait(&mut pace, now), Duration::MAX);
    pace.settle(first, Told::Passed, RateHeaders::default(), now, 0.0);
    assert_eq!(wait(&mut pace, now), Duration::from_millis(100));
}

#[test]
fn an_estimate_follows_the_price() {
    let pace = Pace::new(600, MANY, Price { read: 1, write: 10 }, Instant::now());
    let state = pace.state(Instant::now());
    assert_eq!(state.least_time(0, 600), Duration::from_secs(600));
}
