//! Departures: what is deleted, what is not, and what would go along.

use coho_core::key::Key;
use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, Failure, Stage, USERS};

/// Two accounts; Ada is in the first, Bea in the second.
async fn stage() -> Result<Stage, Failure> {
    let stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await?;
    stage.many_accounts(1, 3)?;
    stage
        .sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL), (2, 'u-2', 'Bea', 'a-002', NULL)")?;
    stage.run().await?;
    Ok(stage)
}

#[tokio::test]
async fn a_user_that_moves_survives_the_account_that_it_leaves() {
    let stage = stage().await.unwrap();
    let before = stage.vitally.record(RecordKind::User, "u-1").unwrap().id;
    stage.sql("UPDATE users SET account = 'a-002' WHERE id = 1; DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls.last().unwrap(), "DELETE /accounts/<a-001>", "{:#?}", ran.calls);
    assert_eq!(stage.vitally.record(RecordKind::User, "u-1").map(|user| user.id), Some(before));
    assert_eq!(stage.records()[1], r#"user u-1 "Ada" in <a-002>"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_user_whose_values_were_purged_does_not_go_with_its_account() {
    let stage = stage().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let users = project.syncs.iter().find(|sync| sync.id.as_str() == "users").unwrap();
    assert_eq!(engine.purge(users, &Key::new("1")).unwrap().purged.row_states, 1);
    assert_eq!(engine.purge(users, &Key::new("1")).unwrap().purged.row_states, 0, "once is enough");
    let kept = stage.ask_ledger("SELECT sent FROM memory WHERE target = 'u-1'").unwrap();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("a-001") && !kept[0].contains("Ada"), "{kept:?}");
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told("accounts").ends_with("1 unchanged, 1 stale"), "{}", ran.told("accounts"));
    assert!(stage.vitally.record(RecordKind::User, "u-1").is_some());
}

#[tokio::test]
async fn a_user_that_was_let_be_and_whose_row_is_back_does_not_go_with_an_account() {
    let mut stage = stage().await.unwrap();
    stage.sync("users", &USERS.replace("delete-created", "keep"));
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told("users"), "completed: 1 unchanged, 1 released");
    // The row is back, but waits for an account that is not there; the one that the user is in leaves.
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-009', NULL)").unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told("users").ends_with("1 deferred, 1 unchanged"), "{}", ran.told("users"));
    assert!(ran.told("accounts").ends_with("1 unchanged, 1 stale"), "{}", ran.told("accounts"));
    assert!(stage.vitally.record(RecordKind::User, "u-1").is_some());
    // It leaves again, and is let be again: now it goes with its account.
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    let calls = [stage.run().await.unwrap().calls, stage.run().await.unwrap().calls].concat();
    assert_eq!(calls, ["DELETE /accounts/<a-001>"]);
}
