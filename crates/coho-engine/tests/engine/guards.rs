//! Guards: what looks like an accident is held, and the rest is sent.

use coho_core::decide::RunKind;
use coho_engine::run::Options;

use crate::stage::{ACCOUNTS, ORDERS, Stage};

async fn stage(guards: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &format!("{}guards: {guards}\n", ACCOUNTS.replace("delete-created", "delete")));
    stage.many_accounts(0, 10).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 10 delivered");
    stage
}

#[tokio::test]
async fn an_empty_source_holds_all_removals() {
    let stage = stage("{ empty_source: stop }").await;
    stage.sql("DELETE FROM accounts").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("held (empty-source): 10 held", 0));
    stage.many_accounts(0, 10).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 10 unchanged");
}

#[tokio::test]
async fn an_empty_source_that_is_allowed_removes_all() {
    let stage = stage("{ empty_source: allow }").await;
    stage.sql("DELETE FROM accounts").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 10 removed");
}

#[tokio::test]
async fn an_empty_source_of_a_sync_that_delivered_nothing_is_no_accident() {
    let stage = Stage::accounts().await.unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: nothing");
}

#[tokio::test]
async fn too_many_removals_are_held_and_the_rest_is_sent() {
    let stage = stage("{ max_removed: { share: 10%, floor: 2 } }").await;
    stage.sql("DELETE FROM accounts WHERE id < 3; UPDATE accounts SET plan = 'pro' WHERE id = 9").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "held (max-removed): 1 delivered, 6 unchanged, 3 held");
    assert_eq!(ran.plans[0].guards[0].message, "3 of 10 records would be removed, 2 are allowed");
    stage.many_accounts(0, 1).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 removed, 8 unchanged");
}

#[tokio::test]
async fn too_many_changes_are_held_and_new_rows_are_sent() {
    let stage = stage("{ max_changed: 4 }").await;
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id < 5").unwrap();
    stage.many_accounts(10, 11).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "held (max-changed): 1 delivered, 5 unchanged, 5 held");
    stage.sql("UPDATE accounts SET plan = 'free' WHERE id = 0").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 4 delivered, 7 unchanged");
}

#[tokio::test]
async fn a_field_that_goes_null_in_too_many_rows_is_held() {
    let stage = stage("{ max_nulled: 20% }").await;
    stage
        .sql("UPDATE accounts SET plan = NULL WHERE id < 3; UPDATE accounts SET seats = NULL WHERE id > 7")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "held (max-nulled): 2 delivered, 5 unchanged, 3 held");
    assert_eq!(
        ran.plans[0].guards[0].message,
        "3 of 10 records would have `traits.plan` cleared, 2 are allowed"
    );
}

#[tokio::test]
async fn a_guard_that_stops_sends_nothing_of_its_sync() {
    let stage = stage("{ max_removed: 1, on_guard: stop }").await;
    stage.sql("DELETE FROM accounts WHERE id < 2; UPDATE accounts SET plan = 'pro' WHERE id = 9").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("held (max-removed): 7 unchanged, 3 held", 0));
}

#[tokio::test]
async fn a_guard_that_stops_leaves_rows_with_another_external_id_their_records() {
    let stage = stage("{ max_removed: 1, on_guard: stop }").await;
    stage
        .sql("DELETE FROM accounts WHERE id < 2; UPDATE accounts SET external = 'other' WHERE id = 9")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("held (max-removed): 7 unchanged, 4 held", 0));
    stage.sql("UPDATE accounts SET external = 'a-009' WHERE id = 9").unwrap();
    stage.many_accounts(0, 2).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 10 unchanged");
}

#[tokio::test]
async fn two_fields_that_go_null_in_too_many_rows_are_both_held() {
    let stage = stage("{ max_nulled: 20% }").await;
    stage
        .sql("UPDATE accounts SET plan = NULL WHERE id < 4; UPDATE accounts SET seats = NULL WHERE id > 6")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "held (max-nulled, max-nulled): 3 unchanged, 7 held");
    let messages: Vec<_> = ran.plans[0].guards.iter().map(|guard| guard.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "4 of 10 records would have `traits.plan` cleared, 2 are allowed",
            "3 of 10 records would have `traits.seats` cleared, 2 are allowed"
        ]
    );
}

#[tokio::test]
async fn an_empty_source_protects_one_record_as_it_does_many() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.many_accounts(0, 1).unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "held (empty-source): 1 held");
    assert_eq!(ran.plans[0].guards[0].message, "the model has no rows, and 1 record was delivered from it");
}

#[tokio::test]
async fn an_empty_model_of_events_is_no_accident() {
    let stage = Stage::with_analytics(&[("orders", ORDERS)]).await.unwrap();
    stage
        .sql("INSERT INTO orders (id, at, account, total) VALUES (1, '2026-01-01T00:00:00Z', 'a-1', 5)")
        .unwrap();
    stage.vitally.seed(coho_simulator::Seed::account("a-1")).unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().starts_with("completed"), "{}", ran.told_all());
    stage.sql("DELETE FROM orders").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().starts_with("completed"), "{}", ran.told_all());
    assert!(ran.plans[0].guards.is_empty());
}

#[tokio::test]
async fn rows_that_are_taken_to_be_there_count_among_those_that_may_change() {
    let mut stage = Stage::accounts().await.unwrap();
    let guarded = format!("{ACCOUNTS}guards: {{ max_changed: {{ share: 5%, floor: 2 }} }}\n");
    stage.sync("accounts", &guarded);
    stage.many_accounts(0, 400).unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    stage.run_with(&baseline).await.unwrap();
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id < 10").unwrap();
    assert_eq!(stage.plan().await.unwrap()[0].guards, []);
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id < 21").unwrap();
    let guards = &stage.plan().await.unwrap()[0].guards;
    assert_eq!(guards[0].message, "21 of 400 records would change, 20 are allowed");
}

#[tokio::test]
async fn a_stopped_plan_leaves_a_moved_row_as_it_was_remembered() {
    let stage = stage("{ max_removed: 1, on_guard: stop }").await;
    stage
        .sql("DELETE FROM accounts WHERE id < 2; UPDATE accounts SET external = 'other' WHERE id = 9")
        .unwrap();
    let row_state =
        "SELECT key || ' ' || departure || ' ' || target || ' ' || standing || ' ' || serial FROM memory";
    let before = stage.ask_ledger(row_state).unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.ask_ledger(row_state).unwrap(), before);
}
