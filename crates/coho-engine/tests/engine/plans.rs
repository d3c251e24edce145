//! Plans: exactly what a run would do, and nothing written. [`crate::stage::Stage::run`] holds every plan of these tests
//! against its run; here is what a plan says by itself.

use coho_core::value::Value;

use crate::stage::{ACCOUNTS, Stage, USERS};

#[tokio::test]
async fn a_plan_sends_nothing_and_makes_no_ledger() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    let plans = stage.plan().await.unwrap();
    assert_eq!(plans[0].counts.writes, 3);
    assert!(!stage.ledger().exists());
    assert!(stage.vitally.calls().is_empty());
    let left: Vec<_> = std::fs::read_dir(stage.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the source is there: {left:?}");
}

#[tokio::test]
async fn a_plan_shows_before_and_after_of_each_field() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 9, plan = NULL WHERE id = 2").unwrap();
    let plan = &stage.plan().await.unwrap()[0];
    let differences: Vec<_> = plan.samples[0]
        .differences
        .iter()
        .map(|difference| (difference.path.to_string(), difference.before.clone(), difference.after.clone()))
        .collect();
    assert_eq!(
        differences,
        [
            ("traits.plan".to_owned(), Some(Value::text("free")), Value::Null),
            ("traits.seats".to_owned(), Some(Value::Int(2)), Value::Int(9)),
        ]
    );
    assert_eq!(plan.samples[0].reason.as_str(), "row-changed");
}

#[tokio::test]
async fn a_plan_counts_the_look_ups_of_references_that_nobody_knows() {
    let stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap();
    stage.many_accounts(1, 2).unwrap();
    stage
        .sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL), (2, 'u-2', 'Bea', 'a-001', NULL)")
        .unwrap();
    let users = &stage.plan().await.unwrap()[1];
    let known = users.calls.most;
    stage.run().await.unwrap();
    stage.sql("DELETE FROM users; INSERT INTO users VALUES (3, 'u-3', 'Cleo', 'a-001', NULL), (4, 'u-4', 'Dora', 'a-001', NULL)").unwrap();
    assert_eq!(
        stage.plan().await.unwrap()[1].calls.most,
        known - 1 + 2,
        "two removals more, one look-up less"
    );
}

#[tokio::test]
async fn a_plan_of_one_sync_is_of_that_sync() {
    let stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    assert_eq!(engine.select(&["users".to_owned()]).unwrap()[0].id.as_str(), "users");
    let error = engine.select(&["user".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "the project has no sync `user`");
    assert_eq!(error.help().unwrap(), "did you mean `users`?");
}
