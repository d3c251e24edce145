//! Alerts of whole runs: what is told, to whom, once; what waits in the outbox goes with a later run.

use std::time::Duration;

use coho_core::json::Json;
use coho_core::sync::SyncId;
use coho_engine::run::Options;
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::Receiver;

use crate::stage::{ACCOUNTS, FAST, ORGANIZATIONS, Stage, TOKEN, USERS, destination};

/// A stage whose alerts go to a Slack.
async fn stage(syncs: &[(&str, &str)], more: &str) -> (Stage, Receiver) {
    let slack = Receiver::start().unwrap();
    let mut stage = Stage::with(syncs).await.unwrap();
    let url = slack.url();
    let alerts =
        format!("\nalerts:\n  to:\n    ops: {{ type: slack, url: \"{url}/services/hush\" }}\n{more}");
    stage.file("coho.yaml", &(destination(&stage.vitally.url(), 1, FAST) + &alerts));
    stage.many_accounts(1, 4).unwrap();
    (stage, slack)
}

/// The titles that arrived since this was asked last.
fn told(slack: &Receiver) -> Vec<String> {
    let title = |body: &str| {
        let body: Json = serde_json::from_str(body).unwrap();
        body["text"].as_str().unwrap().to_owned()
    };
    slack.take().iter().map(|arrived| title(&arrived.body)).collect()
}

fn refused(status: u16) -> ScriptedFault {
    ScriptedFault::once(Trouble::Answer(FaultAnswer::status(status)))
}

#[tokio::test]
async fn a_failed_run_is_told_once_and_its_end_too() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS)], "").await;
    stage.run().await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
    stage.sql("ALTER TABLE accounts RENAME TO gone").unwrap();
    stage.run_alone().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: run failed [source-failed] (critical)"]);
    stage.run_alone().await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
    stage.advance(Duration::from_secs(25 * 3_600));
    stage.run_alone().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: run failed [source-failed] (still critical)"]);
    stage.sql("ALTER TABLE gone RENAME TO accounts").unwrap();
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: run succeeded (recovered)"]);
    assert_eq!(stage.ask_ledger("SELECT subject FROM alerts").unwrap(), [""; 0]);
}

#[tokio::test]
async fn refused_rows_are_told_until_they_are_delivered() {
    let (stage, slack) =
        stage(&[("accounts", ACCOUNTS)], "  rejected: { warning: 1, critical_after: 3 }\n").await;
    stage.vitally.script(refused(422).times(1).on("POST", "/resources/accounts"));
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: 1 of 3 rows rejected (warning)"]);
    // The row waits for its next try: nothing is well yet.
    stage.run().await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: 1 of 3 rows rejected (critical)"]);
    stage.advance(Duration::from_secs(30 * 3_600));
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: no rows rejected (recovered)"]);
}

#[tokio::test]
async fn a_run_of_a_part_says_nothing_of_the_other_rows() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS)], "").await;
    stage.vitally.script(refused(422).times(1).on("POST", "/resources/accounts"));
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: 1 of 3 rows rejected (critical)"]);
    let mut options = Options::default();
    options.filter.limit = Some(1);
    stage.run_with(&options).await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
}

#[tokio::test]
async fn a_refused_token_is_one_alert_of_the_destination() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS), ("users", USERS)], "").await;
    stage.run().await.unwrap();
    stage
        .sql("UPDATE accounts SET name = 'New'; INSERT INTO users VALUES (1, 'u', 'U', 'a-001', NULL)")
        .unwrap();
    stage.vitally.script(refused(401).times(1_000));
    stage.run_alone().await.unwrap();
    let arrived = slack.take();
    assert_eq!(arrived.len(), 1);
    let text = &arrived[0].body;
    assert!(text.contains("destination vitally: credentials refused [unauthorized] (critical)"), "{text}");
    assert!(text.contains("the syncs accounts, users cannot run"), "{text}");
    stage.vitally.clear_script();
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] destination vitally: credentials accepted (recovered)"]);
}

#[tokio::test]
async fn what_a_channel_did_not_take_goes_with_a_later_run() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS)], "").await;
    stage.run().await.unwrap();
    stage.sql("ALTER TABLE accounts RENAME TO gone").unwrap();
    slack.answer_next(&[500, 404]);
    stage.run_alone().await.unwrap();
    let failing = |stage: &Stage| {
        let project = stage.project().unwrap();
        let standing = stage.engine(&project).alerts().unwrap();
        standing.failing.into_iter().map(|one| (one.error, one.waiting)).collect::<Vec<_>>()
    };
    assert_eq!(failing(&stage), [("the server responded with 500: you sent ***".to_owned(), 1)]);
    assert_eq!(slack.take().len(), 1);
    stage.advance(Duration::from_secs(61));
    // Given up at the second attempt. The run that notices it tells what is open with its own message.
    stage.run_alone().await.unwrap();
    assert_eq!(slack.take().len(), 1);
    assert_eq!(failing(&stage), [("the server responded with 404: you sent ***".to_owned(), 0)]);
    stage.run_alone().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: run failed [source-failed] (critical)"]);
    assert_eq!(failing(&stage), []);
}

#[tokio::test]
async fn a_mute_is_silent_and_its_end_tells_what_is_open() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS)], "").await;
    stage.run().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    engine.mute(&SyncId::new("accounts"), chrono::Duration::hours(4), "moving").unwrap();
    stage.sql("ALTER TABLE accounts RENAME TO gone").unwrap();
    stage.run_alone().await.unwrap();
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
    stage.advance(Duration::from_secs(4 * 3_600));
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: run failed [source-failed] (critical)"]);
}

#[tokio::test]
async fn a_sync_that_is_gone_has_no_alert_open() {
    let (mut stage, slack) = stage(&[("accounts", ACCOUNTS), ("users", USERS)], "").await;
    stage.run().await.unwrap();
    stage.sql("ALTER TABLE users RENAME TO gone").unwrap();
    stage.run_alone().await.unwrap();
    assert_eq!(told(&slack), ["[stage] users: run failed [source-failed] (critical)"]);
    stage.remove("syncs/users.yaml");
    stage.run_alone().await.unwrap();
    assert_eq!(told(&slack), ["[stage] users: no longer in the project (recovered)"]);
}

#[tokio::test]
async fn a_sync_that_does_not_run_is_stale() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS)], "  freshness: { critical: 26h }\n").await;
    stage.run().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
    stage.advance(Duration::from_secs(27 * 3_600));
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: no successful run for 27 h (critical)"]);
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: runs again (recovered)"]);
}

#[tokio::test]
async fn a_sync_is_late_an_hour_after_its_schedule_was_due() {
    let scheduled = format!("{ACCOUNTS}schedule: {{ cron: '0 * * * *' }}\n");
    let (stage, slack) = stage(&[("accounts", &scheduled)], "").await;
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    stage.run().await.unwrap();
    stage.advance(hours(5));
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), [""; 0], "no server has seen the schedule: nobody knows who runs it");
    let agenda = || engine.agenda(&engine.ledger_to_ask().unwrap()).unwrap();
    assert_eq!(agenda().open.len(), 0);
    // 8:05. The server is down from now on, and the time of 9:00 comes and is not taken.
    stage.advance(hours(1));
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), [""; 0], "9:05: not an hour late yet");
    stage.advance(hours(1));
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: late by 65 min (critical)"]);
    // The server is back and takes the time; that alone mends nothing.
    assert_eq!(agenda().open.len(), 1);
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), [""; 0]);
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: runs again (recovered)"]);
}

#[tokio::test]
async fn a_run_that_was_asked_for_in_time_and_does_not_begin_is_late_too() {
    let scheduled =
        format!("{ACCOUNTS}schedule: {{ every: 1h }}\nalerts: {{ freshness: {{ grace: 30m }} }}\n");
    let (stage, slack) = stage(&[("accounts", &scheduled)], "").await;
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let agenda = || engine.agenda(&engine.ledger_to_ask().unwrap()).unwrap().open.len();
    assert_eq!(agenda(), 0);
    stage.advance(Duration::from_secs(3_600));
    assert_eq!(agenda(), 1);
    stage.advance(Duration::from_secs(31 * 60));
    // The next time is taken in by the request that waits.
    assert_eq!(agenda(), 1);
    engine.check_alerts().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: late by 35 min (critical)"]);
}

#[tokio::test]
async fn a_destination_is_not_blamed_for_the_token_of_another() {
    let (mut stage, slack) = stage(&[("organizations", ORGANIZATIONS)], "").await;
    let other = Stage::accounts().await.unwrap();
    let (url, hook) = (other.vitally.url(), slack.url());
    let second = format!(
        "  other: {{ type: vitally, base_url: '{url}', rest_token: {TOKEN}, rate: {FAST}/min }}\nledger"
    );
    let alerts = format!("\nalerts: {{ to: {{ ops: {{ type: slack, url: \"{hook}/services/hush\" }} }} }}\n");
    let project = destination(&stage.vitally.url(), 1, FAST).replacen("ledger", &second, 1) + &alerts;
    stage.file("coho.yaml", &project);
    stage.sync("accounts", &ACCOUNTS.replace("to: vitally", "to: other"));
    stage.sql("INSERT INTO organizations (id, external, name) VALUES (1, 'o-1', 'One')").unwrap();
    stage.vitally.script(refused(401).times(1_000));
    stage.run_alone().await.unwrap();
    let arrived = slack.take();
    let text = &arrived[0].body;
    assert!(text.contains("destination vitally: credentials refused [unauthorized] (critical)"), "{text}");
    assert!(text.contains("the syncs organizations, accounts cannot run"), "{text}");
    assert!(!text.contains("destination other"), "{text}");
    assert_eq!(other.vitally.count(coho_simulator::RecordKind::Account), 0, "the halt ended that sync too");
}

#[tokio::test]
async fn rows_that_are_missing_are_told_by_the_median_of_earlier_runs() {
    let (stage, slack) = stage(&[("accounts", ACCOUNTS)], "  volume: { warning: 50% }\n  held: off\n").await;
    for _ in 0..4 {
        stage.run().await.unwrap();
    }
    stage.sql("DELETE FROM accounts WHERE id > 1").unwrap();
    stage.run().await.unwrap();
    assert_eq!(told(&slack), ["[stage] accounts: 1 row, 66.6 % fewer than usual (warning)"]);
}
