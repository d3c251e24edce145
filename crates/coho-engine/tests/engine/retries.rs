//! Retries: what Vitally refused waits longer each time, and a changed row is tried at once.

use std::time::Duration;

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::started::Started;
use coho_engine::conclude::MOST_TRIES;
use coho_engine::plan::{Filter, Waiting};
use coho_engine::run::Options;
use coho_ledger::amend::{CauseFilter, Retried};
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Stage};

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
    assert_eq!(engine.make_due(sync, &Retried::All).unwrap(), 1);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged");
}

#[tokio::test]
async fn forgetting_a_row_makes_it_new() {
    let stage = stage().await;
    stage.run().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let sync = engine.select(&[]).unwrap()[0];
    assert_eq!(engine.forget(sync, None, &Started::default()).unwrap(), 2);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 delivered");
    assert_eq!(stage.records().len(), 2);
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
    engine.make_due(engine.select(&[]).unwrap()[0], &Retried::All).unwrap();
    let filter = Filter { waiting: Waiting::Only, ..Filter::default() };
    let ran = stage.run_with(&Options { filter, ..Options::default() }).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered");
    assert!(ran.calls[0].starts_with(r#"POST /accounts {"externalId":"a-001""#), "{:?}", ran.calls);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 4 delivered, 1 unchanged");
}

#[tokio::test]
async fn a_run_of_one_cause_sends_nothing_else() {
    let stage = stage().await;
    stage.many_accounts(3, 5).unwrap();
    for (message, account) in [("name is silly", 1), ("plan is odd", 2), ("plan is odd", 3)] {
        let body = Some(format!(r#"{{"error":"{message}"}}"#));
        let answer = FaultAnswer { body, ..FaultAnswer::status(400) };
        stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("POST", "/resources/accounts"));
        // One at a time: which of them is refused must not depend on who comes first.
        let filter = Filter { key: Some(Key::new(account.to_string())), ..Filter::default() };
        stage.run_with(&Options { filter, ..Options::default() }).await.unwrap();
    }
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let sync = engine.select(&[]).unwrap()[0];
    let odd = stage.ask_ledger("SELECT CAST(id AS TEXT) FROM causes WHERE message LIKE '%odd%'").unwrap();
    let odd = CauseFilter::Number(odd[0].parse().unwrap());
    assert_eq!(engine.make_due(sync, &Retried::Cause(odd)).unwrap(), 2);
    let filter = Filter { waiting: Waiting::Because(odd), ..Filter::default() };
    let ran = stage.run_with(&Options { filter, ..Options::default() }).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 2 delivered", 2));
    assert_eq!(engine.make_due(sync, &Retried::Cause(odd)).unwrap(), 0, "none waits any more");
    let null = CauseFilter::Code(Code::NULL_KEY);
    assert_eq!(engine.make_due(sync, &Retried::Cause(null)).unwrap(), 0);
    assert_eq!(engine.make_due(sync, &Retried::Cause(CauseFilter::Code(Code::REFUSED))).unwrap(), 1);
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
    assert_eq!(engine.make_due(engine.select(&[]).unwrap()[0], &Retried::All).unwrap(), 1);
    let filter = Filter { waiting: Waiting::Only, ..Filter::default() };
    let ran = stage.run_with(&Options { filter, ..Options::default() }).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 1 removed", 1));
}
