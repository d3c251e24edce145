//! What ends a sync or a run early: records that are refused, time that is up, one refusal after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coho_core::event::{Event, Listener, Silence};
use coho_engine::run::Options;
use coho_engine::send::WINDOW;
use coho_engine::stop::Stop;
use coho_simulator::SimulatorClock;

use crate::stage::{ACCOUNTS, Failure, Ran, Stage, USERS};

async fn stage(more: &str) -> Result<Stage, Failure> {
    Stage::with(&[("accounts", &format!("{ACCOUNTS}{more}")), ("users", USERS)]).await
}

async fn run(stage: &Stage) -> Ran {
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap()
}

/// Moves the clock with each record that is settled.
struct Ticks {
    clock: SimulatorClock,
    by: Duration,
    settled: AtomicUsize,
}

impl Ticks {
    fn of(stage: &Stage, by: Duration) -> Self {
        Self { clock: stage.clock.clone(), by, settled: AtomicUsize::new(0) }
    }
}

impl Listener for Ticks {
    fn on(&self, event: &Event) {
        if matches!(event, Event::Settled { .. }) {
            self.settled.fetch_add(1, Ordering::SeqCst);
            self.clock.advance(self.by);
        }
    }
}

/// Makes each acknowledgement durable at once, as Vitally's own rate does.
fn settle_one_by_one(stage: &mut Stage) {
    let text = crate::stage::destination(&stage.vitally.url(), 1, 600);
    stage.file("coho.yaml", &text);
}

#[tokio::test]
async fn a_run_whose_time_is_up_ends_cleanly_and_the_next_one_finishes() {
    let stage = stage("run: { for: 1m }\n").await.unwrap();
    stage.many_accounts(0, 600).unwrap();
    let ticks = Ticks::of(&stage, Duration::from_secs(10));
    let ran = stage.try_run(&Options::default(), &ticks, &Stop::new()).await.unwrap().unwrap();
    // The time is up when six are told; how many more left until then is the disk's affair.
    let sent = ran.calls.len();
    assert!((6..=2 * WINDOW).contains(&sent), "{sent}");
    assert_eq!(ran.told("accounts"), format!("time-up: {sent} delivered, {} not-attempted", 600 - sent));
    assert!(ticks.settled.load(Ordering::SeqCst) >= sent);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), format!("completed: {} delivered, {sent} unchanged", 600 - sent));
}

#[tokio::test]
async fn the_time_of_one_sync_is_not_used_up_by_another() {
    let mut stage = stage("run: { for: 1m }\n").await.unwrap();
    settle_one_by_one(&mut stage);
    stage.many_accounts(1, 4).unwrap();
    run(&stage).await;
    stage.sql("DELETE FROM accounts WHERE id = 3").unwrap();
    for user in 1..8 {
        stage.sql(&format!("INSERT INTO users VALUES ({user}, 'u-{user}', 'User', 'a-001', NULL)")).unwrap();
    }
    // The users take longer than the accounts may: the removal of an account comes after them.
    let ticks = Ticks::of(&stage, Duration::from_secs(10));
    let ran = stage.try_run(&Options::default(), &ticks, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told("users"), "completed: 7 delivered");
    assert_eq!(ran.told("accounts"), "completed: 1 removed, 2 unchanged");
}

#[tokio::test]
async fn slow_writes_use_up_the_time_of_removals() {
    let mut stage = stage("run: { for: 1m }\n").await.unwrap();
    settle_one_by_one(&mut stage);
    stage.many_accounts(1, 4).unwrap();
    run(&stage).await;
    stage.sql("DELETE FROM accounts WHERE id = 3").unwrap();
    stage.many_accounts(4, 10).unwrap();
    let ticks = Ticks::of(&stage, Duration::from_secs(10));
    let ran = stage.try_run(&Options::default(), &ticks, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told("accounts"), "time-up: 6 delivered, 1 not-attempted, 2 unchanged");
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 1 removed, 8 unchanged");
}
