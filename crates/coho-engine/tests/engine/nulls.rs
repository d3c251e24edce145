//! Nulls: a field is cleared only where its policy says so.

use coho_simulator::{RecordKind, ScriptedFault, Seed, Trouble};

use crate::stage::{ACCOUNTS, Stage};

async fn stage(policy: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    let plan = format!("plan: {{ column: plan, null: {policy} }}");
    stage.sync("accounts", &ACCOUNTS.replace("plan: plan", &plan));
    stage.sql("INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'pro', NULL, 0)").unwrap();
    stage
}

#[tokio::test]
async fn a_null_that_follows_clears_what_coho_set() {
    let stage = stage("follow").await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [r#"PUT /accounts/<a-1> {"traits":{"plan":null}}"#]);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged");
    stage.sql("UPDATE accounts SET plan = 'free'").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [r#"PUT /accounts/<a-1> {"traits":{"plan":"free"}}"#]);
}

#[tokio::test]
async fn a_null_that_follows_leaves_what_a_person_typed() {
    let stage = stage("follow").await;
    stage.vitally.seed(Seed::account("a-1").name("Acme").with_trait("plan", "typed")).unwrap();
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.records(), [r#"account a-1 "Acme" plan="typed""#]);
}

#[tokio::test]
async fn an_omitted_null_leaves_the_field_as_it_is() {
    let stage = stage("omit").await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 touched", 0));
    stage.sql("UPDATE accounts SET plan = 'pro'").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert_eq!(stage.records(), [r#"account a-1 "Acme" plan="pro""#]);
}

#[tokio::test]
async fn a_clearing_null_clears_whoever_set_the_field_and_only_once() {
    let stage = stage("clear").await;
    stage.vitally.seed(Seed::account("a-1").name("Acme").with_trait("plan", "typed")).unwrap();
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.records(), [r#"account a-1 "Acme""#]);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 unchanged");
}

#[tokio::test]
async fn a_record_made_anew_gets_the_value_that_an_omitted_null_left() {
    let stage = stage("omit").await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = NULL, seats = 1").unwrap();
    gone(&stage);
    stage.run().await.unwrap();
    assert_eq!(stage.records(), [r#"account a-1 "Acme" plan="pro" seats=1"#]);
    stage.sql("UPDATE accounts SET plan = 'pro'").unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.records(), [r#"account a-1 "Acme" plan="pro" seats=1"#]);
}

#[tokio::test]
async fn an_omitted_null_is_not_sent_again_by_a_resend() {
    let stage = stage("omit").await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    stage.run().await.unwrap();
    let ran = stage.run_with(&crate::stage::resend()).await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /accounts/<a-1> {"name":"Acme"}"#]);
}

#[tokio::test]
async fn a_required_field_that_is_null_is_no_problem_once_it_was_sent_and_is_left() {
    let mut stage = Stage::accounts().await.unwrap();
    let named = "name: { column: name, null: omit }";
    stage.sync("accounts", &ACCOUNTS.replace("name: name", named));
    stage
        .sql("INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'pro', 1, 0), (2, 'a-2', NULL, 'pro', 1, 0)")
        .unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 1 delivered, 1 invalid");
    stage.sql("UPDATE accounts SET name = NULL, seats = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 1 invalid");
    assert_eq!(ran.calls, [r#"PUT /accounts/<a-1> {"traits":{"seats":2}}"#]);
}

/// Everything that Vitally holds disappears, as if somebody had deleted it there.
fn gone(stage: &Stage) {
    stage.vitally.reset().unwrap();
    assert_eq!(stage.vitally.count(RecordKind::Account), 0);
}

#[tokio::test]
async fn a_record_made_anew_is_cleared_of_what_a_null_clears() {
    let stage = stage("clear").await;
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    stage.run().await.unwrap();
    gone(&stage);
    stage.sql("UPDATE accounts SET seats = 2").unwrap();
    let ran = stage.run().await.unwrap();
    let post = ran.calls.iter().find(|call| call.starts_with("POST")).unwrap();
    assert!(post.contains(r#""plan":null"#), "{post}");
}

#[tokio::test]
async fn a_null_that_is_omitted_after_an_unclear_write_leaves_nothing_to_believe() {
    let mut stage = Stage::accounts().await.unwrap();
    let omitted = ACCOUNTS.replace("plan: plan", "plan: { column: plan, null: omit }");
    stage.sync("accounts", &omitted);
    stage.many_accounts(1, 2).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = 'pro'").unwrap();
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::DropAfterCommit).on("PUT", "/resources/accounts/*").times(3));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 1 deferred");
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered");
    // Vitally may hold `free` or `pro`: neither is taken for sent.
    stage.sql("UPDATE accounts SET plan = 'free'").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered");
    assert_eq!(stage.records(), [r#"account a-001 "Account 1" plan="free" seats=1"#]);
}
