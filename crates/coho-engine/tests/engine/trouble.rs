//! Trouble: a server that fails, a connection that is cut, a run that is stopped, a ledger that cannot be written. Nothing is
//! lost, and no record is made twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coho_core::event::{Event, Listener, Silence};
use coho_core::time::Time;
use coho_engine::context::EngineError;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_ledger::{Ledger, Opening};
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Seed, SimulatorTime, Trouble};

use crate::stage::{FAST, START, Stage, destination};

const POST: (&str, &str) = ("POST", "/resources/accounts");

async fn stage() -> Stage {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 11).unwrap();
    stage
}

fn answers(status: u16) -> ScriptedFault {
    ScriptedFault::once(Trouble::Answer(FaultAnswer::status(status))).times(1_000)
}

/// Once the trouble is over, everything arrives once, and then nothing is sent.
async fn recovers(stage: &Stage) {
    stage.vitally.clear_script();
    let ran = stage.run().await.unwrap();
    assert!(
        ran.told_all().starts_with("completed:"),
        "{} {:#?}",
        ran.told_all(),
        ran.report.syncs[0].problems
    );
    let names: Vec<_> =
        stage.records().iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    let expected: Vec<_> = (1..11).map(|number| format!("a-{number:03}")).collect();
    assert_eq!(names, expected);
    assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'").unwrap(), [""; 0]);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 10 unchanged");
}

fn origins(stage: &Stage) -> Vec<String> {
    stage.ask_ledger("SELECT DISTINCT origin FROM memory").unwrap()
}

#[tokio::test]
async fn a_storm_of_server_errors_halts_the_run_and_loses_nothing() {
    let stage = stage().await;
    stage.vitally.script(answers(503).on(POST.0, POST.1).after(2));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "halted (server-failing): 2 delivered, 5 deferred, 3 not-attempted");
    recovers(&stage).await;
    assert_eq!(origins(&stage), ["created"]);
}

#[tokio::test]
async fn a_token_that_is_refused_half_way_halts_the_run() {
    let stage = stage().await;
    stage.vitally.script(answers(401).after(3));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "halted (unauthorized): 3 delivered, 7 not-attempted");
    assert_eq!(ran.calls.len(), 4);
    recovers(&stage).await;
}

#[tokio::test]
async fn too_many_requests_cost_no_row_an_attempt() {
    let stage = stage().await;
    let wait = FaultAnswer { retry_after: Some(0), ..FaultAnswer::status(429) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(wait)).after(1).times(2));
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 10 delivered", 12));
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_commit_makes_no_second_record() {
    let stage = stage().await;
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on(POST.0, POST.1).after(4));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 9 delivered, 1 deferred");
    assert_eq!(ran.report.syncs[0].problems.keys().next().unwrap().code.as_str(), "outcome-unknown");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 9 unchanged");
    assert_eq!(ran.calls, [r#"PUT /accounts/a-004 {"name":"Account 4","traits":{"plan":"free","seats":4}}"#]);
    assert_eq!(origins(&stage), ["created"]);
    recovers(&stage).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_a_record_of_others_found() {
    let stage = stage().await;
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    stage.vitally.seed(Seed::account("a-001").name("Old").made_at(long_ago)).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on(POST.0, POST.1));
    stage.run().await.unwrap();
    recovers(&stage).await;
    assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE origin = 'found'").unwrap(), ["1"]);
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_not_success() {
    let stage = stage().await;
    stage.vitally.script(ScriptedFault::once(Trouble::NotJson).on(POST.0, POST.1).after(2).times(2));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 8 delivered, 2 deferred");
    recovers(&stage).await;
    assert_eq!(origins(&stage), ["created"]);
}

#[tokio::test]
async fn a_row_that_changes_while_its_write_is_unclear_arrives_as_it_is_now() {
    let stage = stage().await;
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on(POST.0, POST.1));
    stage.run().await.unwrap();
    // The write that nobody knows of set both; now one is null and one is another.
    stage.sql("UPDATE accounts SET plan = NULL, seats = 7 WHERE id = 1").unwrap();
    recovers(&stage).await;
    assert_eq!(stage.records()[0], r#"account a-001 "Account 1" seats=7"#);
}

#[tokio::test]
async fn a_row_that_leaves_while_its_write_is_unclear_is_looked_after() {
    let stage = stage().await;
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on(POST.0, POST.1));
    stage.vitally.script(ScriptedFault::once(Trouble::DropBefore).on(POST.0, POST.1).after(1));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 8 delivered, 2 deferred");
    stage.sql("DELETE FROM accounts WHERE id IN (1, 10)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["GET /accounts/a-001", "GET /accounts/a-010"]);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /accounts/<a-001>"]);
    assert_eq!(stage.vitally.count(RecordKind::Account), 8);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

/// Does something after so many rows were settled.
struct After<F>(AtomicUsize, F);

impl<F: Fn() + Send + Sync> Listener for After<F> {
    fn on(&self, event: &Event) {
        if matches!(event, Event::Settled { .. }) && self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.1();
        }
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_ends_cleanly_and_the_next_one_goes_on() {
    let mut stage = stage().await;
    // At Vitally's own rate, each row is settled by itself.
    stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, 1_000));
    let stop = Stop::new();
    let asked = stop.clone();
    let listener = After(AtomicUsize::new(4), move || asked.ask());
    let ran = stage.try_run(&Options::default(), &listener, &stop).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "interrupted: 4 delivered, 6 not-attempted");
    assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'").unwrap(), [""; 0]);
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 6 delivered, 4 unchanged", 6));
    recovers(&stage).await;
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_begins_reads_nothing() {
    let stage = stage().await;
    let stop = Stop::new();
    stop.ask();
    let ran = stage.try_run(&Options::default(), &Silence, &stop).await.unwrap().unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("interrupted: nothing", 0));
    recovers(&stage).await;
}

#[tokio::test]
async fn a_run_that_is_stopped_does_not_wait_for_a_source_that_gives_nothing() {
    let mut stage = stage().await;
    stage.file(
        "models/accounts.yaml",
        "source: app\nsql: with recursive n (id) as (select 1 union all select id + 1 from n) select max(id) as id, \
         1 as external, 1 as name, 1 as plan, 1 as seats from n\nprimary_key: id\n",
    );
    let stop = Stop::new();
    let options = Options::default();
    let run = stage.try_run(&options, &Silence, &stop);
    let (ran, ()) = tokio::join!(run, async { stop.ask() });
    assert_eq!(ran.unwrap().unwrap().told_all(), "interrupted: nothing");
}

#[tokio::test]
async fn a_ledger_that_another_run_holds_is_left_alone() {
    let stage = stage().await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 100").unwrap();
    let now = Time::from_timestamp_millis(stage.clock.now().millis()).unwrap();
    let ledger = Ledger::open(&stage.ledger(), &Opening::new(now)).unwrap();
    let holder = Holder { id: "other".to_owned(), pid: 1, host: "elsewhere".to_owned() };
    let lease = ledger.acquire(&holder, now, Duration::from_secs(60)).unwrap();
    let error = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap_err();
    assert_eq!(error.code().as_str(), "lease-held");
    assert!(stage.vitally.calls().is_empty());
    ledger.release(lease, now).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 10 delivered");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_half_way_loses_nothing() {
    let stage = stage().await;
    stage.sql("CREATE TABLE kept AS SELECT * FROM accounts; DELETE FROM accounts").unwrap();
    stage.run().await.unwrap();
    stage.sql("INSERT INTO accounts SELECT * FROM kept").unwrap();
    let ledger = rusqlite::Connection::open(stage.ledger()).unwrap();
    ledger
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON fates WHEN (SELECT count(*) FROM fates) >= 3
             BEGIN SELECT RAISE(ABORT, 'no room'); END",
        )
        .unwrap();
    let error = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap_err();
    assert!(matches!(error, EngineError::Ledger(_)), "{error:?}");
    assert_eq!(error.code().as_str(), "ledger-failed");
    let ended = stage
        .ask_ledger("SELECT status || ', ' || (ended_at IS NOT NULL) FROM runs ORDER BY id DESC LIMIT 1");
    assert_eq!(ended.unwrap(), ["halted, 1"]);
    ledger.execute_batch("DROP TRIGGER full").unwrap();
    drop(ledger);
    recovers(&stage).await;
    assert_eq!(origins(&stage), ["created"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_halts_the_run() {
    let mut stage = stage().await;
    // Nothing listens on port 1.
    stage.file("coho.yaml", &destination("http://127.0.0.1:1", 5, FAST));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "halted (unreachable): 10 not-attempted");
}

#[tokio::test]
async fn a_source_that_is_not_there_fails_its_sync_and_sends_nothing() {
    let stage = stage().await;
    stage.sql("DROP TABLE accounts").unwrap();
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("failed (source-failed): nothing", 0));
}

#[tokio::test]
async fn a_column_that_was_renamed_between_runs_fails_and_removes_nothing() {
    let stage = stage().await;
    stage.run().await.unwrap();
    stage.sql("ALTER TABLE accounts RENAME COLUMN plan TO tariff").unwrap();
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("failed (unknown-column): nothing", 0));
    stage.sql("ALTER TABLE accounts RENAME COLUMN tariff TO plan").unwrap();
    recovers(&stage).await;
}

/// A listener that breaks at everything it hears.
struct Broken;

impl Listener for Broken {
    fn on(&self, event: &Event) {
        panic!("the listener broke at {event:?}");
    }
}

/// Law 7.
#[tokio::test]
async fn a_listener_that_breaks_changes_no_outcome() {
    let stage = Stage::accounts().await.unwrap();
    stage.sql("INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'pro', 5, 0)").unwrap();
    let ran = stage.try_run(&Options::default(), &Broken, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged");
}

#[tokio::test]
async fn a_record_that_was_made_while_its_answer_took_its_time_is_ours() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.tick(Duration::from_secs(30));
    stage.many_accounts(1, 2).unwrap();
    let late = Trouble::AnswerAfterCommit(FaultAnswer::status(500));
    stage.vitally.script(ScriptedFault::once(late).on("POST", "/resources/accounts"));
    assert_eq!(stage.run_alone().await.unwrap().told_all(), "completed-with-errors: 1 deferred");
    assert_eq!(stage.run_alone().await.unwrap().told_all(), "completed: 1 delivered");
    assert_eq!(stage.ask_ledger("SELECT origin FROM memory").unwrap(), ["created"]);
}

/// Asks to stop at the first event of a kind.
struct StopsAt(Stop, fn(&Event) -> bool);

impl Listener for StopsAt {
    fn on(&self, event: &Event) {
        if (self.1)(event) {
            self.0.ask();
        }
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_reads_or_plans_ends_at_once_and_leaves_nothing() {
    let at: [fn(&Event) -> bool; 2] = [
        |event| matches!(event, Event::Reading { rows: 1.., .. }),
        |event| matches!(event, Event::Reading { rows: 3_000.., .. }),
    ];
    for at in at {
        let stage = Stage::accounts().await.unwrap();
        stage.many_accounts(0, 3_000).unwrap();
        let stop = Stop::new();
        let listener = StopsAt(stop.clone(), at);
        let ran = stage.try_run(&Options::default(), &listener, &stop).await.unwrap().unwrap();
        assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("interrupted: nothing", 0));
        assert_eq!(stage.ask_ledger("SELECT fate FROM fates").unwrap(), [""; 0]);
        assert_eq!(stage.ask_ledger("SELECT key FROM memory").unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn what_a_run_never_began_is_one_count() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(0, 3_000).unwrap();
    let stop = Stop::new();
    let listener = StopsAt(stop.clone(), |event| matches!(event, Event::Planned(_)));
    let ran = stage.try_run(&Options::default(), &listener, &stop).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "interrupted: 3000 not-attempted");
    assert_eq!(stage.ask_ledger("SELECT fate FROM fates").unwrap(), [""; 0]);
    let counts = stage.ask_ledger("SELECT counts -> '$.outcomes' FROM run_syncs").unwrap();
    assert_eq!(counts, [r#"{"not-attempted":3000}"#]);
}
