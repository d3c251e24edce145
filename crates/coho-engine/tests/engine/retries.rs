//! Retries: what Vitally refused waits longer each time, and a changed row is tried at once.

use std::time::Duration;

use coho_engine::conclude::MOST_TRIES;
use coho_engine::plan::{Filter, Waiting};
use coho_engine::run::Options;
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Ran, Stage};

const MINUTE: Duration = Duration::from_secs(60);

async fn stage() -> Stage {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    stage
}

/// Vitally refuses the next write of an account.
fn refuse(stage: &Stage) {
    let answer =
        FaultAnswer { body: Some(r#"{"error":"name is silly"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("POST", "/resources/accounts"));
}

fn problem(ran: &Ran) -> String {
    let problem = ran.report.syncs[0].problems.values().next();
    problem.map(|problem| format!("{} [{}]", problem.first.message, problem.first.code)).unwrap_or_default()
}

#[tokio::test]
async fn a_refused_row_is_told_in_vitallys_words_and_the_rest_is_sent() {
    let stage = stage().await;
    refuse(&stage);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 1 rejected");
    assert_eq!(problem(&ran), "name is silly [refused]");
}

#[tokio::test]
async fn a_refused_row_waits_and_is_then_tried_again() {
    let stage = stage().await;
    refuse(&stage);
    stage.run().await.unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed-with-errors: 1 unchanged, 1 held", 0));
    stage.advance(5 * MINUTE);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
}

#[tokio::test]
async fn the_wait_doubles() {
    let stage = stage().await;
    refuse(&stage);
    stage.run().await.unwrap();
    stage.advance(5 * MINUTE);
    refuse(&stage);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 1 rejected, 1 unchanged");
    stage.advance(5 * MINUTE);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 1 unchanged, 1 held");
    stage.advance(5 * MINUTE);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
}

#[tokio::test]
async fn a_refused_row_that_changes_is_tried_at_once() {
    let stage = stage().await;
    refuse(&stage);
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET name = 'Serious' WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
}

#[tokio::test]
async fn a_row_that_is_always_refused_waits_until_it_changes() {
    let stage = stage().await;
    for _ in 0..MOST_TRIES {
        refuse(&stage);
        stage.run().await.unwrap();
        stage.advance(25 * 60 * MINUTE);
    }
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed-with-errors: 1 unchanged, 1 held", 0));
    let changes: Vec<_> = ran.plans[0].changes.keys().map(|(_, reason)| reason.as_str()).collect();
    assert!(changes.contains(&"retries-used-up"), "{changes:?}");
    stage.sql("UPDATE accounts SET name = 'Serious' WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
}

#[tokio::test]
async fn a_person_can_have_a_waiting_row_tried_now() {
    let stage = stage().await;
    refuse(&stage);
    stage.run().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let sync = engine.select(&[]).unwrap()[0];
    assert_eq!(engine.make_due(sync, None).unwrap(), 1);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
}

#[tokio::test]
async fn a_refused_change_is_sent_whole_when_it_is_tried_again() {
    let stage = stage().await;
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 9 WHERE id = 1").unwrap();
    let answer = FaultAnswer { body: Some(r#"{"error":"no"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("PUT", "/resources/accounts/*"));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 1 rejected, 1 unchanged");
    stage.sql("UPDATE accounts SET seats = 1 WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 touched, 1 unchanged", 0));
}

#[tokio::test]
async fn forgetting_a_row_makes_it_new() {
    let stage = stage().await;
    stage.run().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let sync = engine.select(&[]).unwrap()[0];
    assert_eq!(engine.forget(sync, None).unwrap(), 2);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 delivered");
    assert_eq!(stage.records().len(), 2);
}

#[tokio::test]
async fn a_row_that_was_never_acknowledged_is_tried_again_though_only_the_run_changes_it() {
    let mut stage = Stage::accounts().await.unwrap();
    let named = ACCOUNTS.replace("name: name", "name: { template: \"{{ run.id }}\" }");
    stage.sync("accounts", &named.replace("  traits: { plan: plan, seats: seats }\n", ""));
    stage.many_accounts(1, 2).unwrap();
    refuse(&stage);
    stage.run().await.unwrap();
    stage.advance(5 * MINUTE);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered");
}

#[tokio::test]
async fn a_run_of_what_waits_sends_nothing_else() {
    let stage = stage().await;
    refuse(&stage);
    stage.run().await.unwrap();
    stage.many_accounts(3, 6).unwrap();
    stage.sql("UPDATE accounts SET plan = 'pro' WHERE id = 2").unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    engine.make_due(engine.select(&[]).unwrap()[0], None).unwrap();
    let filter = Filter { waiting: Waiting::Only, ..Filter::default() };
    let ran = stage.run_with(&Options { filter, ..Options::default() }).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered");
    assert!(ran.calls[0].starts_with(r#"POST /accounts {"externalId":"a-001""#), "{:?}", ran.calls);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 4 delivered, 1 unchanged");
}

#[tokio::test]
async fn a_removal_that_waits_is_tried_again_with_what_waits() {
    let mut stage = stage().await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.run().await.unwrap();
    let refusal = FaultAnswer { body: Some(r#"{"error":"no"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refusal)).on("DELETE", "/resources/accounts/*"));
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    assert_eq!(engine.make_due(engine.select(&[]).unwrap()[0], None).unwrap(), 1);
    let filter = Filter { waiting: Waiting::Only, ..Filter::default() };
    let ran = stage.run_with(&Options { filter, ..Options::default() }).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 removed", 1));
}

#[tokio::test]
async fn a_removal_that_waits_is_void_once_its_row_is_back() {
    let mut stage = stage().await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.run().await.unwrap();
    let refusal = FaultAnswer { body: Some(r#"{"error":"no"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refusal)).on("DELETE", "/resources/accounts/*"));
    stage.sql("CREATE TABLE gone AS SELECT * FROM accounts WHERE id = 1").unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    let pending = "SELECT pending FROM memory WHERE key = '1'";
    assert_eq!(stage.ask_ledger(pending).unwrap(), ["waiting"]);
    stage.sql("INSERT INTO accounts SELECT * FROM gone").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert_eq!(stage.ask_ledger(pending).unwrap(), ["none"]);
}
