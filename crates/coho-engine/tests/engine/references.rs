//! References: external ids become Vitally's ids when they are sent.

use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, Stage, USERS};

async fn stage() -> Stage {
    Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap()
}

/// Ada was in a-001, which was deleted, and is in a-002.
async fn moved(how: &str) -> Stage {
    let mut stage = stage().await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.many_accounts(1, 3).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET account = 'a-002'; DELETE FROM accounts WHERE id = 1").unwrap();
    if how == "by hand" {
        stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    }
    stage.run().await.unwrap();
    if how == "by hand" {
        assert!(stage.vitally.delete(RecordKind::Account, "a-001").unwrap());
    }
    stage
}

#[tokio::test]
async fn an_account_that_is_no_more_does_not_block_the_user_that_left_it() {
    for how in ["by the sync", "by hand"] {
        let stage = moved(how).await;
        assert!(stage.vitally.record(RecordKind::Account, "a-001").is_none(), "{how}");
        stage.sql("UPDATE users SET name = 'Ada B.'").unwrap();
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told("users"), "completed: 1 delivered", "{how}: {:#?}", ran.calls);
        // It is remembered no longer: the account that the user is in now is the last one.
        let links = "SELECT fields -> '$.accountIds' FROM sync_snapshot WHERE sync_id = 'users'";
        assert_eq!(stage.ask_ledger(links).unwrap(), [r#"["a-002"]"#], "{how}");
        assert_eq!(stage.run().await.unwrap().calls, [""; 0], "{how}");
    }
}
