//! Origins: what a sync may call its own, and what answers that prove nothing leave open.

use coho_core::decide::RunKind;
use coho_engine::run::Options;
use coho_simulator::{
    FaultAnswer, RecordKind, ScriptedFault, Seed, SimulatorSettings, SimulatorTime, Trouble,
};

use crate::stage::{ACCOUNTS, START, Stage, TOKEN, USERS};

/// A second sync of accounts, whose rows are in the table `organizations`.
fn usage(mode: &str) -> String {
    ACCOUNTS
        .replace("id: accounts", "id: usage")
        .replace("model: accounts", "model: organizations")
        .replace("  traits: { plan: plan, seats: seats }\n", "")
        .replace("match:", &format!("mode: {mode}\nmatch:"))
}

/// Rows of the same two accounts in two syncs. The first makes them, the second one writes to them a moment later.
async fn two_syncs(mode: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.sync("usage", &usage(mode));
    stage.many_accounts(1, 3).unwrap();
    stage
        .sql("INSERT INTO organizations VALUES (1, 'a-001', 'Account 1'), (2, 'a-002', 'Account 2')")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("usage"), "completed: 2 delivered", "{:#?}", ran.calls);
    stage
}

#[tokio::test]
async fn what_another_sync_made_a_moment_ago_is_not_ours_to_delete() {
    for mode in ["update", "upsert"] {
        let stage = two_syncs(mode).await;
        stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
        stage.run().await.unwrap();
        stage.sql("DELETE FROM organizations WHERE id = 2").unwrap();
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told("usage"), "completed: 1 unchanged, 1 released", "{mode}: {:#?}", ran.calls);
        assert!(stage.vitally.record(RecordKind::Account, "a-002").is_some(), "{mode}: {:#?}", ran.calls);
    }
}

#[tokio::test]
async fn what_a_sync_made_stays_its_own_when_another_writes_to_it() {
    let mut stage = two_syncs("update").await;
    stage.sync("accounts", ACCOUNTS);
    stage.sql("UPDATE accounts SET plan = 'pro'; DELETE FROM organizations WHERE id = 2").unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /accounts/<a-002>"]);
}

fn failing(status: u16) -> Trouble {
    Trouble::Answer(FaultAnswer::status(status))
}

async fn one_that_left() -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.many_accounts(1, 3).unwrap();
    stage.run().await.unwrap();
    stage
}

#[tokio::test]
async fn a_run_that_only_looked_at_a_failed_removal_says_that_it_is_not_removed() {
    let stage = one_that_left().await;
    stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
    stage.vitally.script(ScriptedFault::once(failing(503)).on("DELETE", "/resources/accounts/*").times(3));
    let deferred = "completed-with-errors: 1 deferred, 1 unchanged";
    assert_eq!(stage.run().await.unwrap().told_all(), deferred);
    let looked = stage.run().await.unwrap();
    assert_eq!(
        (looked.told_all().as_str(), looked.calls),
        (deferred, vec!["GET /accounts/<a-002>".to_owned()])
    );
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 removed, 1 unchanged");
    assert_eq!(stage.vitally.count(RecordKind::Account), 1);
}

#[tokio::test]
async fn a_run_that_only_looked_at_an_unclear_write_of_a_row_that_left_says_so_too() {
    let stage = one_that_left().await;
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id = 2").unwrap();
    stage.vitally.script(ScriptedFault::once(failing(503)).on("PUT", "/resources/accounts/*").times(3));
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
    let deferred = "completed-with-errors: 1 deferred, 1 unchanged";
    assert_eq!(stage.run().await.unwrap().told_all(), deferred);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 removed, 1 unchanged");
}

#[tokio::test]
async fn answers_that_show_no_record_leave_the_intent_open() {
    let body = |text: &str| FaultAnswer { body: Some(text.to_owned()), ..FaultAnswer::status(200) };
    for text in [r#"{"error":"busy"}"#, "{}", r#"{"success":false}"#, "<html>OK</html>"] {
        let stage = Stage::accounts().await.unwrap();
        stage.many_accounts(1, 2).unwrap();
        stage.vitally.script(
            ScriptedFault::once(Trouble::AnswerAfterCommit(body(text))).on("POST", "/resources/accounts"),
        );
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told_all(), "completed-with-errors: 1 deferred", "{text}");
        assert_eq!(stage.ask_ledger("SELECT pending FROM memory").unwrap(), ["open"], "{text}");
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told_all(), "completed: 1 delivered", "{text}: {:#?}", ran.calls);
        assert_eq!(stage.vitally.count(RecordKind::Account), 1, "{text}");
    }
}

#[tokio::test]
async fn a_baseline_leaves_an_open_write_open() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 2).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit));
    stage.run().await.unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    let ran = stage.run_with(&baseline).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 held", 0));
    assert_eq!(stage.ask_ledger("SELECT pending FROM memory").unwrap(), ["open"]);
}

/// Vitally answers 404 to external ids in paths, and refuses a POST of what exists.
async fn denied_paths(syncs: &[(&str, &str)]) -> Stage {
    let switches = "ext_in_path=404,dup=409".parse().unwrap();
    let stage =
        Stage::served(syncs, SimulatorSettings { switches, ..SimulatorSettings::new(TOKEN) }).await.unwrap();
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    for name in ["a-001", "a-002"] {
        stage.vitally.seed(Seed::account(name).name("Old").made_at(long_ago)).unwrap();
    }
    stage
}

#[tokio::test]
async fn a_record_whose_path_is_denied_is_found_by_listing_and_its_users_with_it() {
    let stage = denied_paths(&[("accounts", ACCOUNTS), ("users", USERS)]).await;
    stage.many_accounts(1, 3).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), "completed: 2 delivered", "{:#?}", ran.calls);
    assert_eq!(ran.told("users"), "completed: 1 delivered", "{:#?}", ran.calls);
    // What the first one taught spares the second one its looks by the path.
    assert_eq!(ran.calls.iter().filter(|call| call.starts_with("GET /accounts/a-002")).count(), 0);
    assert_eq!(stage.vitally.count(RecordKind::Account), 2);
}

#[tokio::test]
async fn a_doubted_reference_is_asked_for_by_its_remembered_id() {
    let stage = denied_paths(&[("accounts", ACCOUNTS), ("users", USERS)]).await;
    stage.many_accounts(1, 2).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    stage.run().await.unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'a-001', NULL)").unwrap();
    stage.vitally.script(ScriptedFault::once(failing(400)).on("POST", "/resources/users"));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 1 delivered, 1 unchanged", "{:#?}", ran.calls);
    assert!(ran.calls.contains(&"GET /accounts/<a-001>".to_owned()), "{:#?}", ran.calls);
}
