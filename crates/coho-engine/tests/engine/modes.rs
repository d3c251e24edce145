//! Modes and purposes: update, insert, baseline, resend, and runs of a part of the rows.

use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_engine::plan::Filter;
use coho_engine::run::Options;
use coho_simulator::{RecordKind, ScriptedFault, Seed, SimulatorTime, Trouble};

use crate::stage::{ACCOUNTS, START, Stage, resend};

async fn stage(mode: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("match:", &format!("mode: {mode}\nmatch:")));
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    stage.vitally.seed(Seed::account("a-001").name("Old").made_at(long_ago)).unwrap();
    stage.many_accounts(1, 3).unwrap();
    stage
}

#[tokio::test]
async fn update_mode_creates_nothing_and_tries_again_later() {
    let stage = stage("update").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 skipped");
    assert_eq!(stage.vitally.count(RecordKind::Account), 1);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged, 1 held");
    stage.vitally.seed(Seed::account("a-002").name("Born elsewhere")).unwrap();
    stage.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
    assert_eq!(stage.records()[1], r#"account a-002 "Account 2" plan="free" seats=2"#);
}

#[tokio::test]
async fn insert_mode_updates_nothing() {
    let stage = stage("insert").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 skipped");
    assert_eq!(stage.records()[0], r#"account a-001 "Old""#);
    assert_eq!(stage.records()[1], r#"account a-002 "Account 2" plan="free" seats=2"#);
}

#[tokio::test]
async fn update_mode_with_nothing_but_nulls_sends_nothing() {
    let mut stage = stage("update").await;
    let only_plan = ACCOUNTS
        .replace("match:", "mode: update\nmatch:")
        .replace("  name: name\n", "")
        .replace(", seats: seats", "");
    stage.sync("accounts", &only_plan);
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 2 touched", 0));
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 touched");
    assert_eq!(ran.calls, [r#"PUT /accounts/a-001 {"traits":{"plan":"pro"}}"#]);
}

#[tokio::test]
async fn a_baseline_remembers_rows_without_sending_them() {
    let stage = stage("upsert").await;
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    let ran = stage.run_with(&baseline).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 2 learned", 0));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 unchanged");
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /accounts/a-001 {"traits":{"plan":"pro"}}"#]);
    // What was only assumed is not ours to delete.
    stage.sql("DELETE FROM accounts").unwrap();
    stage.many_accounts(5, 6).unwrap();
    let ran = stage.run().await.unwrap();
    assert!(!ran.calls.iter().any(|call| call.starts_with("DELETE")), "{:?}", ran.calls);
}

#[tokio::test]
async fn a_baseline_of_delivered_rows_takes_them_as_sent() {
    let stage = stage("upsert").await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id = 2; DELETE FROM accounts WHERE id = 1").unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    let ran = stage.run_with(&baseline).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 learned, 1 kept", 0));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 unchanged, 1 released");
    // It is still known to be created by this sync.
    stage.sql("DELETE FROM accounts").unwrap();
    stage.many_accounts(5, 6).unwrap();
    assert_eq!(stage.run().await.unwrap().calls[1..], ["DELETE /accounts/<a-002>"]);
}

#[tokio::test]
async fn a_baseline_finds_the_same_faults_of_rows_as_a_run() {
    let stage = stage("upsert").await;
    stage.sql("UPDATE accounts SET name = NULL WHERE id = 1").unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    assert_eq!(
        stage.run_with(&baseline).await.unwrap().told_all(),
        "completed-with-errors: 1 learned, 1 invalid"
    );
}

#[tokio::test]
async fn a_resend_writes_every_record_again() {
    let stage = stage("upsert").await;
    stage.run().await.unwrap();
    let ran = stage.run_with(&resend()).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered");
    assert_eq!(
        ran.calls[0],
        r#"PUT /accounts/<a-001> {"name":"Account 1","traits":{"plan":"free","seats":1}}"#
    );
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_limit_sends_so_many_rows_and_removes_nothing() {
    let stage = stage("upsert").await;
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts").unwrap();
    stage.many_accounts(5, 9).unwrap();
    let limit = Options { filter: Filter { limit: Some(2), ..Filter::default() }, ..Options::default() };
    let ran = stage.run_with(&limit).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered, 2 kept");
    assert_eq!(
        stage.run().await.unwrap().told_all(),
        "completed: 2 delivered, 1 removed, 2 unchanged, 1 released"
    );
}

#[tokio::test]
async fn a_key_sends_its_row_and_removes_nothing() {
    let stage = stage("upsert").await;
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1; UPDATE accounts SET plan = 'pro'").unwrap();
    stage.many_accounts(5, 9).unwrap();
    for (key, told) in [
        ("2", "completed: 1 delivered, 1 kept"),
        ("1", "completed: 2 kept"),
        ("7", "completed: 1 delivered, 2 kept"),
    ] {
        let one = Options {
            filter: Filter { key: Some(Key::new(key)), ..Filter::default() },
            ..Options::default()
        };
        assert_eq!(stage.run_with(&one).await.unwrap().told_all(), told, "{key}");
    }
}

#[tokio::test]
async fn a_changed_external_id_of_one_key_removes_nothing_in_a_run_of_that_key() {
    let stage = stage("upsert").await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET external = 'other' WHERE id = 2").unwrap();
    let one =
        Options { filter: Filter { key: Some(Key::new("2")), ..Filter::default() }, ..Options::default() };
    let ran = stage.run_with(&one).await.unwrap();
    assert!(!ran.calls.iter().any(|call| call.starts_with("DELETE")), "{:?}", ran.calls);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /accounts/<a-002>"]);
}

#[tokio::test]
async fn a_baseline_closes_no_open_intent() {
    let stage = stage("upsert").await;
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/accounts"));
    stage.run().await.unwrap();
    let open = "SELECT key FROM memory WHERE pending = 'open'";
    assert_eq!(stage.ask_ledger(open).unwrap(), ["1"]);
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    assert_eq!(stage.run_with(&baseline).await.unwrap().told_all(), "completed: 1 learned, 1 held");
    assert_eq!(stage.ask_ledger(open).unwrap(), ["1"]);
}
