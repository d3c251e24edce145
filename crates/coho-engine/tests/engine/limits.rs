//! What ends a sync or a run early: records that are refused, time that is up, one refusal after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coho_core::event::{Event, Listener, Silence};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Seed, SimulatorClock, Trouble};

use crate::stage::{ACCOUNTS, Failure, Ran, Stage, USERS};

const ROUTE: (&str, &str) = ("POST", "/resources/accounts");

async fn stage(more: &str) -> Result<Stage, Failure> {
    Stage::with(&[("accounts", &format!("{ACCOUNTS}{more}")), ("users", USERS)]).await
}

fn refusal(text: &str) -> Trouble {
    Trouble::Answer(FaultAnswer {
        body: Some(format!("{{\"error\":\"{text}\"}}")),
        ..FaultAnswer::status(400)
    })
}

async fn run(stage: &Stage) -> Ran {
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap()
}

#[tokio::test]
async fn too_many_refused_records_stop_their_sync_and_no_other() {
    let stage = stage("guards: { max_rejected: 2 }\n").await.unwrap();
    stage.many_accounts(1, 11).unwrap();
    stage.vitally.seed(Seed::account("acme")).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'acme', NULL)").unwrap();
    stage
        .vitally
        .script(ScriptedFault::once(refusal("no such plan")).on(ROUTE.0, ROUTE.1).after(1).times(100));
    let ran = run(&stage).await;
    assert_eq!(ran.told("accounts"), "halted (max-rejected): 1 delivered, 3 rejected, 6 not-attempted");
    assert_eq!(ran.told("users"), "completed: 1 delivered");
    stage.vitally.clear_script();
    stage.advance(Duration::from_secs(600));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), "completed: 9 delivered, 1 unchanged", "what was sent is remembered");
    assert_eq!(stage.vitally.count(RecordKind::Account), 11);
}

#[tokio::test]
async fn as_many_refused_records_as_are_allowed_stop_nothing() {
    let stage = stage("guards: { max_rejected: 2 }\n").await.unwrap();
    stage.many_accounts(1, 11).unwrap();
    stage.vitally.script(ScriptedFault::once(refusal("no such plan")).on(ROUTE.0, ROUTE.1).times(2));
    assert_eq!(run(&stage).await.told("accounts"), "completed-with-errors: 8 delivered, 2 rejected");
}

#[tokio::test]
async fn fifty_refusals_in_a_row_for_one_reason_halt_the_run() {
    let stage = stage("").await.unwrap();
    stage.many_accounts(1, 61).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-060', NULL)").unwrap();
    stage
        .vitally
        .script(ScriptedFault::once(refusal("traits are closed today")).on(ROUTE.0, ROUTE.1).times(100));
    let ran = run(&stage).await;
    assert_eq!(ran.told("accounts"), "halted (refused): 50 rejected, 10 not-attempted");
    assert_eq!(ran.told("users"), "halted (refused): nothing", "the run is halted");
    assert_eq!(ran.calls.iter().filter(|call| call.starts_with("POST")).count(), 50);
}

#[tokio::test]
async fn forty_nine_refusals_in_a_row_do_not() {
    let stage = stage("").await.unwrap();
    stage.many_accounts(1, 100).unwrap();
    stage
        .vitally
        .script(ScriptedFault::once(refusal("traits are closed today")).on(ROUTE.0, ROUTE.1).times(49));
    // One arrives, and another 49 do not.
    stage.vitally.script(
        ScriptedFault::once(refusal("traits are closed today")).on(ROUTE.0, ROUTE.1).after(50).times(49),
    );
    assert_eq!(run(&stage).await.told("accounts"), "completed-with-errors: 1 delivered, 98 rejected");
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
    let mut stage = stage("run: { for: 1m }\n").await.unwrap();
    settle_one_by_one(&mut stage);
    stage.many_accounts(1, 11).unwrap();
    let ticks = Ticks::of(&stage, Duration::from_secs(10));
    let ran = stage.try_run(&Options::default(), &ticks, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told("accounts"), "time-up: 7 delivered, 3 not-attempted");
    assert_eq!(ticks.settled.load(Ordering::SeqCst), 10);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), "completed: 3 delivered, 7 unchanged");
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
async fn a_share_of_refused_records_is_one_of_what_is_planned_where_nothing_is_known() {
    let stage = stage("guards: { max_rejected: { share: 50%, floor: 0 } }\n").await.unwrap();
    stage.many_accounts(1, 11).unwrap();
    stage.vitally.script(ScriptedFault::once(refusal("no such plan")).on(ROUTE.0, ROUTE.1).times(3));
    assert_eq!(run(&stage).await.told("accounts"), "completed-with-errors: 7 delivered, 3 rejected");
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
