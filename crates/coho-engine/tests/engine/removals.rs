//! Removals: what happens to the record of a row that left.

use std::time::Duration;

use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{RecordKind, Seed, SimulatorTime};

use crate::stage::{ACCOUNTS, ORGANIZATIONS, START, Stage, USERS};

/// Two rows: one that Vitally had long before, one that Coho creates.
async fn stage(policy: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", policy));
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    stage.vitally.seed(Seed::account("found").name("Found").made_at(long_ago)).unwrap();
    stage.sql("INSERT INTO accounts VALUES (1, 'found', 'Found', NULL, 1, 0), (2, 'created', 'Created', NULL, 1, 0), (3, 'stays', 'Stays', NULL, 1, 0)").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 delivered");
    stage.sql("DELETE FROM accounts WHERE id < 3").unwrap();
    stage
}

#[tokio::test]
async fn a_record_is_kept_under_keep() {
    let stage = stage("keep").await;
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 unchanged, 2 released", 0));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged, 2 kept");
}

#[tokio::test]
async fn every_record_is_deleted_under_delete() {
    let stage = stage("delete").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 removed, 1 unchanged");
    assert_eq!(ran.calls, ["DELETE /accounts/<found>", "DELETE /accounts/<created>"]);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged, 2 kept");
}

#[tokio::test]
async fn only_what_coho_created_is_deleted_under_delete_created() {
    let stage = stage("delete-created").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 removed, 1 unchanged, 1 released");
    assert_eq!(ran.calls, ["DELETE /accounts/<created>"]);
    assert_eq!(ran.plans[0].removals.created, 1);
}

#[tokio::test]
async fn a_record_whose_row_returns_is_added_again() {
    let stage = stage("delete").await;
    stage.run().await.unwrap();
    stage.sql("INSERT INTO accounts VALUES (2, 'created', 'Created', NULL, 1, 0)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(
        ran.calls,
        [r#"POST /accounts {"externalId":"created","name":"Created","traits":{"seats":1}}"#]
    );
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 unchanged, 1 kept");
}

#[tokio::test]
async fn a_row_that_returns_under_keep_sends_only_what_changed_meanwhile() {
    let stage = stage("keep").await;
    stage.run().await.unwrap();
    stage.sql("INSERT INTO accounts VALUES (1, 'found', 'Found', NULL, 1, 0), (2, 'created', 'Created', NULL, 2, 0)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /accounts/<created> {"traits":{"seats":2}}"#]);
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 touched, 1 unchanged");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn a_record_that_is_gone_already_counts_as_removed() {
    let stage = stage("delete").await;
    stage.vitally.reset().unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 removed, 1 unchanged");
}

#[tokio::test]
async fn records_are_deleted_after_those_that_refer_to_them() {
    let stage = Stage::with(&[
        ("organizations", ORGANIZATIONS),
        (
            "accounts",
            &ACCOUNTS
                .replace(
                    "fields:",
                    "fields:\n  organizationId: { column: plan, lookup: organization.externalId }",
                )
                .replace("plan: plan, ", ""),
        ),
        ("users", USERS),
    ])
    .await
    .unwrap();
    stage
        .sql(
            "INSERT INTO organizations VALUES (1, 'o-1', 'Group'), (2, 'o-2', 'Other');
        INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'o-1', 1, 0), (2, 'a-2', 'Bolt', 'o-2', 1, 0);
        INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-1', NULL), (2, 'u-2', 'Bea', 'a-2', NULL)",
        )
        .unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM organizations WHERE id = 1; DELETE FROM accounts WHERE id = 1; DELETE FROM users WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /users/<u-1>", "DELETE /accounts/<a-1>", "DELETE /organizations/<o-1>"]);
    assert_eq!(stage.vitally.count(RecordKind::User), 1);
}

/// A second sync that delivers the record of a row that left the first one.
fn other_sync(stage: &mut Stage) {
    let other =
        ACCOUNTS.replace("id: accounts", "id: others").replace("model: accounts", "model: organizations");
    stage.sync("others", &other.replace("  traits: { plan: plan, seats: seats }\n", ""));
    stage.sql("INSERT INTO organizations VALUES (9, 'created', 'Created')").unwrap();
}

#[tokio::test]
async fn a_record_that_another_sync_holds_is_let_be() {
    let mut stage = stage("delete").await;
    stage.sql("INSERT INTO accounts VALUES (2, 'created', 'Created', NULL, 1, 0)").unwrap();
    other_sync(&mut stage);
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told("accounts").as_str(), ran.calls.len()),
        ("completed: 1 unchanged, 1 kept, 1 released", 0)
    );
}

#[tokio::test]
async fn a_record_that_another_sync_delivers_in_the_same_run_is_not_removed() {
    let mut stage = stage("delete").await;
    other_sync(&mut stage);
    stage.advance(Duration::from_secs(60));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told("accounts"), "completed: 1 removed, 1 unchanged, 1 stale");
    assert!(stage.vitally.record(RecordKind::Account, "created").is_some(), "{:?}", ran.calls);
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 1 unchanged, 1 kept, 1 released");
}
