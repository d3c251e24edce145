//! Events: each is sent once, in batches, under an id that never changes.
//!
//! [`super::analytics`] has the records that go the same way; what a crash leaves open is repeated here, never looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use coho_core::decide::RunKind;
use coho_engine::run::Options;
use coho_simulator::{
    DropReason, FaultAnswer, LifecycleStage, RecordKind, ScriptedFault, Seed, Switches, Trouble,
};

use crate::crash::crash;
use crate::stage::{Failure, ORDERS, Ran, Stage, resend, told};

const BATCH: &str = "/analytics/v1/batch";

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Orders of one customer, all alike but for their numbers.
fn many(stage: &Stage, from: usize, to: usize) -> Result<(), Failure> {
    let row =
        |id| format!("({id}, 'm-{id:03}', 'Kind', '2026-01-01T00:00:00Z', 'a-1', 'o-1', 'u-1', {id}, 'n')");
    let rows: Vec<_> = (from..to).map(row).collect();
    stage.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", ")))
}

/// A stage with an order sync that this is put into.
async fn stage(changes: &[(&str, &str)]) -> Result<Stage, Failure> {
    let stage = Stage::with_analytics(&[("orders", &orders(changes))]).await?;
    Ok(stage)
}

fn orders(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(ORDERS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// Where the id of a message comes from a column.
const BY_COLUMN: (&str, &str) = ("object: event\n", "object: event\nmatch: { messageId: message }\n");

/// Events that say nothing of their time.
const TIMELESS: (&str, &str) = ("  timestamp: { column: at, as: timestamp }\n", "");

fn ids(stage: &Stage) -> Vec<String> {
    stage.vitally.events().into_iter().map(|event| event.message_id).collect()
}

fn batches(ran: &Ran) -> usize {
    ran.calls.iter().filter(|call| call.starts_with("POST /analytics/v1/batch")).count()
}

#[tokio::test]
async fn events_are_sent_once_a_hundred_in_a_call() {
    let stage = stage(&[]).await.unwrap();
    many(&stage, 0, 830).unwrap();
    let first = stage.run().await.unwrap();
    assert_eq!((first.told_all(), first.calls.len()), ("completed: 830 accepted".to_owned(), 9));
    assert_eq!((first.plans[0].calls.least, first.plans[0].calls.most), (9, 9));
    let distinct: BTreeSet<_> = ids(&stage).into_iter().collect();
    assert_eq!((stage.vitally.events().len(), distinct.len()), (830, 830));
    let second = stage.run().await.unwrap();
    assert_eq!((second.told_all(), second.calls.len()), ("completed: 830 unchanged".to_owned(), 0));
}

#[tokio::test]
async fn an_id_that_is_made_of_the_key_is_the_same_whatever_other_rows_do() {
    let stage = stage(&[]).await.unwrap();
    many(&stage, 1, 4).unwrap();
    stage.run().await.unwrap();
    let before = ids(&stage);
    stage.sql("UPDATE orders SET id = 9 WHERE id = 1; UPDATE orders SET total = 0").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 accepted, 2 unchanged, 1 kept");
    let after = ids(&stage);
    assert_eq!(after[..3], before[..]);
    assert!(!before.contains(&after[3]), "the row has another key: it is another event");
    let again = Options { run_kind: RunKind::ResendEvents, ..Options::default() };
    stage.run_with(&again).await.unwrap();
    let repeated: BTreeSet<_> =
        stage.vitally.dropped().into_iter().map(|dropped| dropped.message_id).collect();
    assert_eq!(repeated, after[1..].iter().cloned().collect());
}

#[tokio::test]
async fn since_a_day_needs_the_time_of_each_event() {
    let stage = stage(&[("first_run: send", "first_run: { since: 2026-01-01 }"), TIMELESS]).await.unwrap();
    let refused = stage.project().err().map(|problems| problems.to_string()).unwrap_or_default();
    assert!(refused.contains("`since` needs the time of each event"), "{refused}");
}

#[tokio::test]
async fn sending_again_leaves_events_out_unless_they_are_asked_for() {
    let stage = stage(&[]).await.unwrap();
    many(&stage, 1, 4).unwrap();
    stage.run().await.unwrap();
    let sent = told::events(&stage.vitally);
    assert_eq!(stage.run_with(&resend()).await.unwrap().calls, [""; 0]);
    let events = Options { run_kind: RunKind::ResendEvents, ..Options::default() };
    let ran = stage.run_with(&events).await.unwrap();
    assert_eq!((ran.told_all(), ran.calls.len()), ("completed: 3 accepted".to_owned(), 1));
    assert_eq!(told::events(&stage.vitally), sent);
    assert!(stage.vitally.dropped().iter().all(|dropped| dropped.reason == DropReason::Duplicate));
    assert_eq!(stage.vitally.dropped().len(), 3);
}

/// Three calls that fail in this way are one batch: the client repeats it.
async fn unclear(stage: &Stage, trouble: Trouble) -> Result<Ran, Failure> {
    stage.vitally.script(ScriptedFault::once(trouble).on("POST", BATCH).times(3));
    stage.run_alone().await
}

#[tokio::test]
async fn what_may_have_arrived_is_repeated_under_the_same_id_and_time() {
    let after = |status| Trouble::AnswerAfterCommit(FaultAnswer::status(status));
    let before = |status| Trouble::Answer(FaultAnswer::status(status));
    for trouble in [Trouble::DropAfterCommit, after(500), Trouble::DropBefore, before(503)] {
        let mut stage = stage(&[TIMELESS]).await.unwrap();
        // Answers take their time: nothing but the intent says when the event was sent first.
        stage.tick(Duration::from_millis(250));
        many(&stage, 1, 4).unwrap();
        let ran = unclear(&stage, trouble.clone()).await.unwrap();
        assert_eq!(ran.told_all(), "completed-with-errors: 3 deferred", "{trouble:?}");
        let first = sent_times(&ran);
        stage.advance(DAY);
        let ran = stage.run_alone().await.unwrap();
        assert_eq!(ran.told_all(), "completed: 3 accepted", "{trouble:?}");
        assert_eq!(sent_times(&ran), first, "{trouble:?}");
        assert_eq!(stage.vitally.events().len(), 3, "{trouble:?}");
    }
}

/// Each message id with its timestamp, of all batches of a run.
fn sent_times(ran: &Ran) -> BTreeSet<(String, String)> {
    let mut sent = BTreeSet::new();
    for call in &ran.calls {
        let messages: Vec<serde_json::Value> = call
            .split_once(" [")
            .and_then(|(_, body)| serde_json::from_str(&format!("[{body}")).ok())
            .unwrap_or_default();
        let text =
            |message: &serde_json::Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
        sent.extend(messages.iter().map(|message| (text(message, "messageId"), text(message, "timestamp"))));
    }
    assert!(!sent.is_empty(), "{:?}", ran.calls);
    sent
}

#[tokio::test]
async fn a_run_that_is_killed_after_the_intent_or_the_answer_repeats_its_events() {
    for trouble in [Trouble::Hang, Trouble::HangAfterCommit] {
        for after in [0, 1] {
            let stage = stage(&[TIMELESS]).await.unwrap();
            many(&stage, 0, 250).unwrap();
            stage.advance(Duration::from_secs(60));
            let began = stage.clock.now();
            crash(&stage, trouble.clone(), after).await.unwrap();
            // How many batches had their intent by then is up to the threads.
            let writes = "SELECT CAST(sum(json_array_length(writes)) AS TEXT) FROM batches";
            let open: usize = stage.ask_ledger(writes).unwrap()[0].parse().unwrap();
            let settled =
                stage.ask_ledger("SELECT key FROM memory WHERE standing = 'delivered'").unwrap().len();
            assert!(open > 0, "{trouble:?} {after}");
            stage.advance(DAY);
            let ran = stage.run().await.unwrap();
            assert!(
                ran.told_all().starts_with(&format!("completed: {} accepted", 250 - settled)),
                "{settled}"
            );
            let distinct: BTreeSet<_> = ids(&stage).into_iter().collect();
            assert_eq!((stage.vitally.events().len(), distinct.len()), (250, 250), "{trouble:?} {after}");
            let kept = stage.vitally.events().iter().filter(|event| event.timestamp == began).count();
            assert_eq!(kept, open + settled, "{trouble:?} {after}");
            assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
        }
    }
}

#[tokio::test]
async fn an_event_that_left_while_its_outcome_was_unknown_is_repeated_from_its_intent() {
    for trouble in [Trouble::DropBefore, Trouble::DropAfterCommit] {
        let stage = stage(&[BY_COLUMN]).await.unwrap();
        many(&stage, 1, 3).unwrap();
        unclear(&stage, trouble).await.unwrap();
        stage.sql("DELETE FROM orders WHERE id = 1").unwrap();
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told_all(), "completed: 2 accepted");
        let mut events = told::events(&stage.vitally);
        events.sort();
        assert_eq!(
            events,
            [
                "m-001 \"Order placed\" at 2026-01-01T00:00:00.000Z account a-1 total=1",
                "m-002 \"Order placed\" at 2026-01-01T00:00:00.000Z account a-1 total=2",
            ]
        );
        assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged, 1 kept");
    }
}

#[tokio::test]
async fn one_bad_event_is_found_in_its_batch_and_the_others_are_taken() {
    for mode in ["reject", "apply-400", "stop"] {
        let stage = stage(&[("accountId: account", "accountId: account\n  organizationId: organization")])
            .await
            .unwrap();
        many(&stage, 0, 150).unwrap();
        stage.sql("UPDATE orders SET organization = NULL WHERE id <> 77").unwrap();
        let limit = stage.vitally.switches().limit;
        let switches: Switches = format!("organizations=off,batch_mode={mode}").parse().unwrap();
        stage.vitally.set_switches(Switches { limit, ..switches });
        let ran = stage.run_alone().await.unwrap();
        assert_eq!(ran.told_all(), "completed-with-errors: 149 accepted, 1 rejected", "{mode}");
        assert!((3..=18).contains(&batches(&ran)), "{mode}: {}", batches(&ran));
        assert_eq!(stage.vitally.events().len(), 149, "{mode}");
        stage.vitally.set_switches(Switches { limit, ..Switches::default() });
        assert_eq!(
            stage.run().await.unwrap().told_all(),
            "completed-with-errors: 149 unchanged, 1 held",
            "{mode}"
        );
        stage.advance(DAY);
        assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 accepted, 149 unchanged", "{mode}");
        assert_eq!(stage.vitally.events().len(), 150, "{mode}");
    }
}

#[tokio::test]
async fn a_blocked_type_halts_the_run_and_nothing_is_lost() {
    let stage = stage(&[]).await.unwrap();
    many(&stage, 0, 450).unwrap();
    let limit = stage.vitally.switches().limit;
    stage.vitally.set_switches(Switches { limit, ..("blocked_types=track").parse().unwrap() });
    let ran = stage.run_alone().await.unwrap();
    assert!(ran.told_all().starts_with("halted (type-blocked): "), "{}", ran.told_all());
    assert_eq!(stage.vitally.events().len(), 0);
    stage.vitally.set_switches(Switches { limit, ..Switches::default() });
    stage.advance(DAY);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 450 accepted");
    assert_eq!(stage.vitally.events().len(), 450);
}

#[tokio::test]
async fn events_of_churned_customers_are_taken_and_not_kept_and_the_plan_says_so() {
    let stage = stage(&[]).await.unwrap();
    stage.vitally.seed(Seed::account("a-1").name("Acme")).unwrap();
    stage.vitally.mark(RecordKind::Account, "a-1", LifecycleStage::Churned).unwrap();
    many(&stage, 1, 3).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 accepted");
    assert_eq!(
        ran.plans[0].notes,
        ["Vitally drops events of churned or ignored customers, and does not say which"]
    );
    assert_eq!(stage.vitally.events().len(), 0);
    assert!(stage.vitally.dropped().iter().all(|dropped| dropped.reason == DropReason::Churned));
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}
