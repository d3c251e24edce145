//! A year of a scheduler that is killed before and after each of its steps: no tick is lost, and none is carried out twice.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use coho_schedule::{Asked, Spread, Time, Timed, Zone, due, wakes};

/// What survives a kill. Each function is one transaction.
struct Store {
    taken: Time,
    waiting: Option<Asked>,
    running: Option<Asked>,
    /// How often each tick was carried out, by the newest tick of the run that did it, and how many it made up for.
    done: BTreeMap<Time, u64>,
}

impl Store {
    fn take(&mut self, schedule: &Timed, spread: Spread, now: Time) {
        if let Some(due) = due(schedule, spread, self.taken, now) {
            let asked = Asked::for_tick(due);
            self.waiting = Some(self.waiting.map_or(asked, |waiting| waiting.join(asked)));
            self.taken = due.tick;
        }
    }

    fn begin(&mut self) {
        if self.running.is_none() {
            self.running = self.waiting.take();
        }
    }

    fn end(&mut self) {
        if let Some(asked) = self.running.take()
            && let Some(tick) = asked.tick
        {
            assert_eq!(self.done.insert(tick, asked.missed + 1), None, "carried out twice: {tick}");
        }
    }
}

/// A scheduler that sleeps until something is to do, and whose runs take a while; `dies` says before which steps it is killed.
fn live(schedule: &Timed, from: Time, until: Time, mut dies: impl FnMut(u64) -> bool) -> Store {
    let spread = Spread::of("accounts");
    let mut store = Store { taken: from, waiting: None, running: None, done: BTreeMap::new() };
    let (mut now, mut step, mut ends) = (from, 0, None::<Time>);
    while now < until {
        step += 1;
        if dies(step) {
            // What runs dies with the process; the store knows that it was not ended.
            ends = None;
            now += TimeDelta::seconds(977);
            continue;
        }
        match step % 4 {
            0 => store.take(schedule, spread, now),
            1 if ends.is_none() => {
                store.begin();
                ends = store.running.map(|_| now + TimeDelta::minutes(23));
            }
            2 if ends.is_some_and(|ends| ends <= now) => {
                store.end();
                ends = None;
            }
            _ => now = sleeps(now, [ends, wakes(schedule, spread, store.taken)]),
        }
    }
    store
}

/// Until the next thing that comes, which may be past.
fn sleeps(now: Time, things: [Option<Time>; 2]) -> Time {
    things.into_iter().flatten().min().map_or(now + TimeDelta::days(1), |next| next.max(now))
}

/// All ticks were carried out, or wait, or run: each exactly once.
fn holds(schedule: &Timed, from: Time, store: &Store) {
    let ticks = schedule.ticks(from).take_while(|tick| *tick <= store.taken).count() as u64;
    let open = store.waiting.iter().chain(&store.running).filter(|asked| asked.tick.is_some());
    let open: u64 = open.map(|asked| asked.missed + 1).sum();
    assert_eq!(store.done.values().sum::<u64>() + open, ticks);
}

fn schedules() -> [Timed; 4] {
    [
        ("Europe/Berlin", "0 */3 * * *"),
        ("America/New_York", "30 2,14 * * *"),
        ("Australia/Lord_Howe", "15,45 1-3 * * *"),
        ("UTC", "0 */2 * * *"),
    ]
    .map(|(zone, pattern)| Timed::cron(pattern, Zone::named(zone).unwrap()).unwrap())
}

fn year() -> (Time, Time) {
    ("2027-01-01T00:00:00Z".parse().unwrap(), "2028-01-01T00:00:00Z".parse().unwrap())
}

#[test]
fn a_year_without_kills_carries_out_each_tick_by_itself() {
    let (from, until) = year();
    let schedule = Timed::cron("30 2,14 * * *", Zone::named("Europe/Berlin").unwrap()).unwrap();
    let store = live(&schedule, from, until, |_| false);
    holds(&schedule, from, &store);
    assert_eq!(store.done.len(), 730);
    assert!(store.done.values().all(|count| *count == 1));
}

#[test]
fn a_year_of_kills_loses_no_tick_and_doubles_none() {
    let (from, until) = year();
    for schedule in schedules() {
        for every in [3, 7, 50] {
            let store = live(&schedule, from, until, |step| step % every == 0);
            holds(&schedule, from, &store);
        }
    }
}

#[test]
fn a_kill_at_each_step_of_two_days_loses_no_tick_and_doubles_none() {
    let from: Time = "2027-03-27T12:00:00Z".parse().unwrap();
    let until = from + TimeDelta::days(2);
    let schedule = Timed::cron("*/20 1-4 * * *", Zone::named("Europe/Berlin").unwrap()).unwrap();
    for at in 1..100 {
        let store = live(&schedule, from, until, |step| step == at);
        holds(&schedule, from, &store);
        assert!(!store.done.is_empty(), "killed at {at}");
    }
}
