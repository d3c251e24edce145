//! History: a run tells what started it, its stages, why all rows were evaluated, and each attempt of each call.

use std::time::Duration;

use coho_core::call::WaitWhy;
use coho_core::key::Key;
use coho_core::started::{Commit, FullWhy, Started, StartedBy};
use coho_core::sync::{Api, SyncId};
use coho_engine::run::Options;
use coho_ledger::look::FailuresOf;
use coho_ledger::look::requests::WantedCalls;
use coho_ledger::run::{RunId, RunRecord};
use coho_ledger::{Access, Create, Ledger, Opening};
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Failure, ORDERS, START, Stage, resend};

fn ledger(stage: &Stage) -> Result<Ledger, Failure> {
    let now = coho_core::time::Time::from_timestamp_millis(START).unwrap_or_default();
    Ok(Ledger::open(&stage.ledger(), &Opening { now, create: Create::No, access: Access::ReadOnly })?)
}

fn last(stage: &Stage) -> Result<RunRecord, Failure> {
    Ok(ledger(stage)?.runs(1)?.pop().ok_or("no run")?)
}

/// The stages of the last run, each with how many rows went through it.
fn stages(stage: &Stage) -> Result<Vec<String>, Failure> {
    let run = last(stage)?.id;
    let stages = ledger(stage)?.stages(&run)?;
    assert!(stages.iter().all(|stage| stage.ended.is_some_and(|ended| ended >= stage.began)), "{stages:?}");
    assert!(stages.is_sorted_by_key(|stage| stage.began), "{stages:?}");
    let told = stages.into_iter().map(|stage| {
        let phase = stage.phase.map(|phase| format!(" {phase}")).unwrap_or_default();
        let rows = stage.rows.map(|rows| format!(" {rows}")).unwrap_or_default();
        format!("{}{phase}{rows}", stage.stage.as_str())
    });
    Ok(told.collect())
}

fn scope(ledger: &Ledger, run: &RunRecord) -> Result<coho_ledger::scope::SyncScope, Failure> {
    let sync = run.syncs.first().ok_or("no sync")?;
    Ok(ledger.scope_of(&sync.workspace, &sync.sync)?.ok_or("no scope")?)
}

#[tokio::test]
async fn a_run_remembers_what_it_was_told_of_its_start() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    let started = Started {
        by: Some(StartedBy::Schedule),
        user: Some("deploy".to_owned()),
        host: Some("east".to_owned()),
        version: Some("1.2.3".to_owned()),
        commit: Some(Commit { id: "c0ffee".to_owned(), is_dirty: false }),
        ..Started::default()
    };
    stage.run_with(&Options { started: started.clone(), ..Options::default() }).await.unwrap();
    assert_eq!(last(&stage).unwrap().start, started);
}

#[tokio::test]
async fn stages_are_told_with_their_times_and_rows() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.tick(Duration::from_millis(1));
    stage.many_accounts(1, 4).unwrap();
    stage.run().await.unwrap();
    let plan = ["read 3", "sort 3", "compare 3", "plan"];
    let conclude = "conclude 3";
    assert_eq!(stages(&stage).unwrap(), [&plan[..], &["send fresh 3", conclude]].concat());
    stage.run().await.unwrap();
    assert_eq!(stages(&stage).unwrap(), [&plan[..], &[conclude]].concat(), "nothing was sent");
    stage.sql("DELETE FROM accounts WHERE id = 1; UPDATE accounts SET name = 'B' WHERE id = 2").unwrap();
    stage.run().await.unwrap();
    let sent = stages(&stage).unwrap().into_iter().filter(|stage| stage.starts_with("send"));
    assert_eq!(sent.collect::<Vec<_>>(), ["send fresh 1", "send remove 1"]);
}

#[tokio::test]
async fn a_sync_that_cannot_be_planned_ends_in_the_stage_in_which_that_was_found() {
    let stage = Stage::accounts().await.unwrap();
    stage.sql("DROP TABLE accounts").unwrap();
    let ran = stage.run_alone().await.unwrap();
    assert!(ran.told_all().starts_with("failed"), "{}", ran.told_all());
    assert_eq!(stages(&stage).unwrap(), ["read", "conclude 0"]);
}

#[tokio::test]
async fn why_all_rows_were_evaluated_is_told() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    let why = |stage: &Stage| last(stage).unwrap().syncs[0].full_why;
    stage.run().await.unwrap();
    assert_eq!(why(&stage), Some(FullWhy::FirstRun));
    stage.run().await.unwrap();
    assert_eq!(why(&stage), None);
    stage.run_with(&resend()).await.unwrap();
    assert_eq!(why(&stage), Some(FullWhy::Resend));
    stage.sync("accounts", &ACCOUNTS.replace("seats: seats", "seats: noise"));
    stage.run().await.unwrap();
    assert_eq!(why(&stage), Some(FullWhy::MappingChanged));
    let connection = rusqlite::Connection::open(stage.ledger()).unwrap();
    connection.execute("UPDATE memory SET encoding = encoding + 1", []).unwrap();
    drop(connection);
    stage.run().await.unwrap();
    assert_eq!(why(&stage), Some(FullWhy::EncodingChanged));
    stage.run().await.unwrap();
    assert_eq!(why(&stage), None);
}

#[tokio::test]
async fn each_attempt_of_a_call_is_told_with_its_wait() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 2).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET name = 'B'").unwrap();
    let told = FaultAnswer { retry_after: Some(1), ..FaultAnswer::status(503) };
    for answer in [FaultAnswer::status(503), told] {
        stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("PUT", "/resources/accounts/*"));
    }
    stage.run_alone().await.unwrap();
    let (ledger, run) = (ledger(&stage).unwrap(), last(&stage).unwrap());
    let scope = scope(&ledger, &run).unwrap();
    let calls = ledger.calls(&scope, &run.id, Some(&Key::new("1")), 9).unwrap();
    let attempts: Vec<_> =
        calls.iter().map(|(_, call)| (call.attempt.number, call.attempt.wait.why)).collect();
    assert_eq!(attempts, [(1, None), (2, Some(WaitWhy::Backoff)), (3, Some(WaitWhy::RetryAfter))]);
    assert!(calls[1].1.attempt.wait.length >= Duration::from_millis(500));
    assert!(calls[2].1.attempt.wait.length >= Duration::from_secs(1));
    let route = calls[0].1.route.as_ref().unwrap();
    assert_eq!((route.api, route.address.as_str()), (Api::Rest, stage.vitally.url().as_str()));
    assert_eq!(route.headers["authorization"], "***");
    assert_eq!(calls[1].1.headers.get("retry-after").map(String::as_str), Some("1"));
    let sums = ledger.call_sums(&run.id).unwrap();
    assert_eq!((sums[0].calls, sums[0].repeated), (3, 2));
}

#[tokio::test]
async fn a_batch_leads_to_its_rows_and_back() {
    let stage = Stage::with_analytics(&[("orders", ORDERS)]).await.unwrap();
    let rows = "INSERT INTO orders (id, at, account, total) VALUES
        (1, '2026-01-01T10:00:00Z', 'a', 1), (2, '2026-01-01T11:00:00Z', 'a', 2)";
    stage.sql(rows).unwrap();
    stage.run().await.unwrap();
    let (ledger, run) = (ledger(&stage).unwrap(), last(&stage).unwrap());
    let scope = scope(&ledger, &run).unwrap();
    let of_row = ledger.calls(&scope, &run.id, Some(&Key::new("2")), 9).unwrap();
    let of_run = ledger.requests_of_run(&run.id, &WantedCalls::default(), 9).unwrap();
    assert_eq!((of_row.len(), of_run.len()), (1, 1));
    assert_eq!(of_run[0].call.route.as_ref().map(|route| route.api), Some(Api::Analytics));
    let rows = ledger.rows_of_request(of_run[0].number, 9).unwrap();
    assert_eq!(rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), ["1", "2"].map(Key::new));
    assert_eq!(of_run[0].sync, SyncId::new("orders"));
}

#[tokio::test]
async fn refused_rows_are_one_cause_until_they_are_well() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    for number in 1..4 {
        let body = Some(format!(r#"{{"error":"seat {number}00 is not free"}}"#));
        let answer = FaultAnswer { body, ..FaultAnswer::status(400) };
        stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("POST", "/resources/accounts"));
    }
    stage.run().await.unwrap();
    let ledger = ledger(&stage).unwrap();
    let first = last(&stage).unwrap();
    let scope = scope(&ledger, &first).unwrap();
    let of = |of| ledger.failures(&scope, of, 9).unwrap();
    let groups = of(FailuresOf::Run(&first.id));
    assert_eq!(groups.len(), 1, "{groups:#?}");
    assert_eq!((groups[0].count, groups[0].cause.message.as_str()), (3, "seat # is not free"));
    stage.advance(Duration::from_secs(3_600));
    stage.run().await.unwrap();
    assert_eq!(of(FailuresOf::Now), []);
    assert!(of(FailuresOf::Run(&RunId::new(first.id.as_str())))[0].healed.is_some());
}

#[tokio::test]
async fn what_the_project_says_of_history_is_applied_after_each_run() {
    let mut stage = Stage::accounts().await.unwrap();
    let yaml = crate::stage::destination(&stage.vitally.url(), 1, crate::stage::FAST);
    stage.file("coho.yaml", &format!("{yaml}history: {{ keep: 2d, failures: 2d, runs: 4d }}\n"));
    stage.many_accounts(1, 3).unwrap();
    stage.run().await.unwrap();
    let rows = |stage: &Stage| {
        stage.ask_ledger("SELECT count(*) || ' of ' || (SELECT count(*) FROM runs) FROM fates")
    };
    let day = Duration::from_secs(24 * 60 * 60);
    for (days, expected) in [(1, "2 of 2"), (2, "0 of 3"), (2, "0 of 2")] {
        stage.advance(days * day);
        stage.run().await.unwrap();
        assert_eq!(rows(&stage).unwrap(), [expected]);
    }
}
