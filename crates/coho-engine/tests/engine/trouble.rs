//! Trouble: a server that fails, a connection that is cut, a run that is stopped, a ledger that cannot be written. Nothing is
//! lost, and no record is made twice.

use coho_core::failure::Failure as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coho_core::event::{Event, Listener, Silence};
use coho_core::time::Time;
use coho_engine::context::EngineError;
use coho_engine::run::Options;
use coho_engine::send::WINDOW;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_ledger::{Ledger, Opening};
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};

use crate::stage::{FAST, Stage, destination};

async fn stage() -> Stage {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 11).unwrap();
    stage
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
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(0, 600).unwrap();
    stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, FAST));
    let stop = Stop::new();
    let asked = stop.clone();
    let listener = After(AtomicUsize::new(4), move || asked.ask());
    let ran = stage.try_run(&Options::default(), &listener, &stop).await.unwrap().unwrap();
    // What was told is durable; how many more left until then is the disk's affair.
    let sent = ran.calls.len();
    assert!((4..=2 * WINDOW).contains(&sent), "{sent}");
    assert_eq!(ran.told_all(), format!("interrupted: {sent} delivered, {} not-attempted", 600 - sent));
    assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'").unwrap(), [""; 0]);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), format!("completed: {} delivered, {sent} unchanged", 600 - sent));
    assert_eq!((ran.calls.len(), stage.vitally.count(RecordKind::Account)), (600 - sent, 600));
}

/// Counts the open intents whenever a row was settled, and keeps the highest number.
struct MostOpen(std::path::PathBuf, AtomicUsize);

impl Listener for MostOpen {
    fn on(&self, event: &Event) {
        if matches!(event, Event::Settled { .. }) {
            let ledger = rusqlite::Connection::open(&self.0).unwrap();
            let sql = "SELECT count(*) FROM memory WHERE pending = 'open'";
            let open: u32 = ledger.query_row(sql, [], |row| row.get(0)).unwrap();
            self.1.fetch_max(open as usize, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn no_more_outcomes_may_be_unknown_than_a_window_has() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(0, 600).unwrap();
    let listener = MostOpen(stage.ledger(), AtomicUsize::new(0));
    let ran = stage.try_run(&Options::default(), &listener, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "completed: 600 delivered");
    assert!((1..=WINDOW).contains(&listener.1.load(Ordering::SeqCst)));
}

/// After a crash each open intent costs a look, though its call may never have left.
#[tokio::test]
async fn a_slow_destination_has_no_more_intents_open_than_it_takes_in_a_second() {
    let mut stage = Stage::accounts().await.unwrap();
    // Ten a second; the first twenty leave without waiting.
    stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, 600));
    stage.many_accounts(0, 18).unwrap();
    let listener = MostOpen(stage.ledger(), AtomicUsize::new(0));
    let ran = stage.try_run(&Options::default(), &listener, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "completed: 18 delivered");
    // One is under way.
    assert_eq!(listener.1.load(Ordering::SeqCst), 10 + 1);
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

/// The ledger has room for three statuses.
const AFTER_THREE_STATUSES: &str = "BEFORE INSERT ON fates WHEN (SELECT count(*) FROM fates) >= 3";

/// A ledger that knows no row, and has no room left when something happens. All rows are new.
async fn full_ledger(stage: &Stage, when: &str) -> rusqlite::Connection {
    stage.sql("CREATE TABLE kept AS SELECT * FROM accounts; DELETE FROM accounts").unwrap();
    stage.run().await.unwrap();
    stage.sql("INSERT INTO accounts SELECT * FROM kept").unwrap();
    let ledger = rusqlite::Connection::open(stage.ledger()).unwrap();
    let trigger = format!("CREATE TRIGGER full {when} BEGIN SELECT RAISE(ABORT, 'no room'); END");
    ledger.execute_batch(&trigger).unwrap();
    ledger
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_half_way_loses_nothing() {
    let stage = stage().await;
    let ledger = full_ledger(&stage, AFTER_THREE_STATUSES).await;
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
async fn what_has_no_durable_intent_is_not_sent() {
    let stage = stage().await;
    let ledger = full_ledger(&stage, "BEFORE INSERT ON memory WHEN NEW.pending = 'open'").await;
    let error = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap_err();
    assert_eq!(error.code().as_str(), "ledger-failed");
    assert!(stage.vitally.calls().is_empty());
    ledger.execute_batch("DROP TRIGGER full").unwrap();
    drop(ledger);
    recovers(&stage).await;
}

/// The keys of rows that are told as settled.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Listener for Told {
    fn on(&self, event: &Event) {
        if let Event::Settled { key, .. } = event {
            self.0.lock().unwrap().push(key.row().to_owned());
        }
    }
}

#[tokio::test]
async fn only_what_is_durable_is_told() {
    let mut stage = stage().await;
    stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, 600));
    full_ledger(&stage, AFTER_THREE_STATUSES).await;
    let told = Told::default();
    stage.try_run(&Options::default(), &told, &Stop::new()).await.unwrap().unwrap_err();
    let durable = stage.ask_ledger("SELECT key FROM fates ORDER BY id").unwrap();
    assert!((1..=3).contains(&durable.len()), "{durable:?}");
    assert_eq!(*told.0.lock().unwrap(), durable);
}

/// Changes what is remembered of a row as soon as another one was settled, as a run would that is not under our lease.
struct Changes(std::path::PathBuf, &'static str);

impl Listener for Changes {
    fn on(&self, event: &Event) {
        if matches!(event, Event::Settled { .. }) {
            let ledger = rusqlite::Connection::open(&self.0).unwrap();
            ledger
                .execute("UPDATE memory SET serial = serial + 100 WHERE key = ?1 AND serial < 100", [self.1])
                .unwrap();
        }
    }
}

/// Law 4.
#[tokio::test]
async fn an_operation_that_was_made_from_another_memory_is_stale_and_made_anew() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(0, 18).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 1_000 + seats").unwrap();
    // At this rate the intent of the last key is made after the first ones were settled.
    stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, 600));
    let changes = Changes(stage.ledger(), "9");
    let ran = stage.try_run(&Options::default(), &changes, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "completed: 17 delivered, 1 stale");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 17 unchanged");
}

#[tokio::test]
async fn a_server_that_is_not_there_halts_the_run() {
    let mut stage = stage().await;
    // Nothing listens on port 1.
    stage.file("coho.yaml", &destination("http://127.0.0.1:1", 5, FAST));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "halted (unreachable): 10 not-attempted");
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
