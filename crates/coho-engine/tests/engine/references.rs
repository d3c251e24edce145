//! References: external ids become Vitally's ids when they are sent.

use coho_simulator::{RecordId, RecordKind, Seed};

use crate::stage::{ACCOUNTS, Stage, USERS};

async fn stage() -> Stage {
    Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap()
}

#[tokio::test]
async fn a_user_refers_to_an_account_of_the_same_run() {
    let stage = stage().await;
    stage.many_accounts(1, 2).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls[1], r#"POST /users {"externalId":"u-1","accountIds":["<a-001>"],"name":"Ada"}"#);
    assert_eq!(ran.calls.len(), 2);
    assert_eq!(stage.records()[1], r#"user u-1 "Ada" in <a-001>"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn ids_of_vitallys_own_need_no_look_up() {
    let users = USERS.replace("account.externalId", "account.id");
    let stage = Stage::with(&[("users", &users)]).await.unwrap();
    let [acme, bolt] = ["00000000-0000-4000-8000-00000000aaaa", "00000000-0000-4000-8000-00000000bbbb"];
    for (name, id) in [("acme", acme), ("bolt", bolt)] {
        stage.vitally.seed(Seed { id: RecordId::parse(id), ..Seed::account(name).name(name) }).unwrap();
    }
    stage.sql(&format!("INSERT INTO users VALUES (1, 'u-1', 'Ada', '{acme}', NULL)")).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"POST /users {"externalId":"u-1","accountIds":["<acme>"],"name":"Ada"}"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    // Links only grow, and those that were sent before count.
    stage.sql(&format!("UPDATE users SET account = '{bolt}'")).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls.len(), 2, "{:#?}", ran.calls);
    assert_eq!(stage.records()[2], r#"user u-1 "Ada" in <acme> in <bolt>"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    stage.sql("UPDATE users SET account = 'acme'").unwrap();
    assert_eq!(stage.run().await.unwrap().told("users"), "completed-with-errors: 1 invalid");
}

#[tokio::test]
async fn a_missing_account_defers_its_user_until_it_is_there() {
    let stage = stage().await;
    stage
        .sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL), (2, 'u-2', 'Bea', 'a-001', NULL)")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed-with-errors: 2 deferred");
    assert_eq!(ran.calls, ["GET /accounts/a-001"], "one look-up for both");
    stage.many_accounts(1, 2).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 2 delivered");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn an_account_that_was_made_anew_is_looked_up_again() {
    let stage = stage().await;
    stage.many_accounts(1, 2).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    stage.run().await.unwrap();
    // Somebody deletes the account and makes it again: Vitally gives it another id.
    stage.vitally.reset().unwrap();
    let id = RecordId::parse("00000000-0000-4000-8000-00000000ffff");
    stage.vitally.seed(Seed { id, ..Seed::account("a-001").name("Anew") }).unwrap();
    stage
        .sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'a-001', NULL), (3, 'u-3', 'Cleo', 'a-001', NULL)")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 2 delivered, 1 unchanged", "{:#?}", ran.calls);
    assert_eq!(stage.records().iter().filter(|line| line.ends_with("in <a-001>")).count(), 2);
    stage.sql("INSERT INTO users VALUES (4, 'u-4', 'Dora', 'a-001', NULL)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 1 delivered, 3 unchanged", "{:#?}", ran.calls);
}

#[tokio::test]
async fn a_user_with_another_account_keeps_the_one_that_it_had() {
    let stage = stage().await;
    stage.many_accounts(1, 3).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET account = 'a-002'").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["GET /users/<u-1>", r#"PUT /users/<u-1> {"accountIds":["<a-002>","<a-001>"]}"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn users_without_accounts_are_told_in_vitallys_connectors_words() {
    let stage = stage().await;
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', NULL, NULL)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed-with-errors: 1 invalid");
    let problem = ran.report.syncs[1].problems.values().next().unwrap();
    assert_eq!(problem.first.message, "Must specify at least one of: accountIds or organizationIDs");
    assert_eq!(stage.vitally.count(RecordKind::User), 0);
}

#[tokio::test]
async fn a_user_that_loses_its_account_is_told_and_keeps_its_record() {
    let stage = stage().await;
    stage.many_accounts(1, 2).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET account = NULL").unwrap();
    assert_eq!(stage.run().await.unwrap().told("users"), "completed-with-errors: 1 invalid");
    assert_eq!(stage.vitally.count(RecordKind::User), 1);
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
        let links = "SELECT sent -> '$.accountIds' FROM memory WHERE target = 'u-1'";
        assert_eq!(stage.ask_ledger(links).unwrap(), [r#"["a-002"]"#], "{how}");
        assert_eq!(stage.run().await.unwrap().calls, [""; 0], "{how}");
    }
}
