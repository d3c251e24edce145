//! Origins: what a sync may call its own, and what answers that prove nothing leave open.

use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Stage};

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
