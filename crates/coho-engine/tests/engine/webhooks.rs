//! Webhooks of syncs: each start and each end is told once, in order, also where the process is short-lived or dies.

use std::time::Duration;

use coho_alert::channel::webhook::sign;
use coho_core::json::Json;
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::{Arrived, Receiver};
use secrecy::SecretString;
use serde_json::json;

use crate::stage::{ACCOUNTS, FAST, Stage, USERS, destination};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A stage whose webhook is the receiver.
async fn stage(syncs: &[(&str, &str)], more: &str) -> (Stage, Receiver) {
    let hook = Receiver::start().unwrap();
    let mut stage = Stage::with(syncs).await.unwrap();
    let webhooks =
        format!("\nwebhooks:\n  ci: {{ url: \"{}/hush\", secrets: {SECRET}{more} }}\n", hook.url());
    stage.file("coho.yaml", &(destination(&stage.vitally.url(), 1, FAST) + &webhooks));
    stage.many_accounts(1, 4).unwrap();
    (stage, hook)
}

fn body(arrived: &Arrived) -> Json {
    serde_json::from_str(&arrived.body).unwrap()
}

/// Which messages arrived since this was asked last: type, sync and status.
fn told(hook: &Receiver) -> Vec<String> {
    let one = |arrived: &Arrived| {
        let body = body(arrived);
        let text = |value: &Json| value.as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text(&body["type"]), text(&body["data"]["sync"]), text(&body["data"]["status"]))
    };
    hook.take().iter().map(one).collect()
}

fn refused(status: u16) -> ScriptedFault {
    ScriptedFault::once(Trouble::Answer(FaultAnswer::status(status)))
}

#[tokio::test]
async fn starts_and_ends_are_told_signed_and_in_order() {
    let (stage, hook) = stage(&[("accounts", ACCOUNTS), ("users", USERS)], "").await;
    let ran = stage.run().await.unwrap();
    let arrived = hook.take();
    let said: Vec<_> = arrived.iter().map(|one| body(one)["type"].clone()).collect();
    assert_eq!(said, ["sync.started", "sync.started", "sync.completed", "sync.completed"]);
    let data = body(&arrived[2])["data"].clone();
    assert_eq!((&data["sync"], &data["run"]), (&json!("accounts"), &json!(ran.report.run)));
    assert_eq!(data["counts"]["statuses"], json!({ "delivered": 3 }));
    for one in &arrived {
        let header = |name: &str| one.headers[name].as_str();
        let (id, stamp) = (header("webhook-id"), header("webhook-timestamp"));
        let signature = sign(&SecretString::from(SECRET), id, stamp, &one.body).unwrap();
        assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
        // The names of three accounts are `Account N`, their keys `a-00N`.
        assert!(!one.body.contains("a-00") && !one.body.contains("Account "), "{}", one.body);
    }
    let mut ids: Vec<_> = arrived.iter().map(|one| one.headers["webhook-id"].clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn what_could_not_be_sent_goes_with_a_later_run_under_the_same_id() {
    let (stage, hook) = stage(&[("accounts", ACCOUNTS)], ", events: [sync.completed]").await;
    hook.answer_next(&[503]);
    stage.run().await.unwrap();
    let first = hook.take();
    assert_eq!(first.len(), 1);
    stage.advance(Duration::from_secs(61));
    stage.run().await.unwrap();
    let second = hook.take();
    let ids: Vec<_> = second.iter().map(|one| &one.headers["webhook-id"]).collect();
    assert_eq!((second.len(), ids[0]), (2, &first[0].headers["webhook-id"]));
    assert_ne!(ids[0], ids[1]);
    assert_eq!(second[0].body, first[0].body);
}

#[tokio::test]
async fn a_sync_that_fails_or_halts_is_told_with_its_codes() {
    let (stage, hook) = stage(&[("accounts", ACCOUNTS)], "").await;
    stage.sql("ALTER TABLE accounts RENAME TO gone").unwrap();
    stage.run_alone().await.unwrap();
    let arrived = hook.take();
    let data = body(&arrived[1])["data"].clone();
    assert_eq!((&data["status"], &data["errors"]), (&json!("failed"), &json!(["source-failed"])));
    stage.sql("ALTER TABLE gone RENAME TO accounts").unwrap();
    stage.vitally.script(refused(401).times(1_000));
    stage.run_alone().await.unwrap();
    assert_eq!(told(&hook), ["sync.started accounts running", "sync.failed accounts halted"]);
}

#[tokio::test]
async fn rows_that_do_not_get_through_are_codes_and_counts() {
    let (stage, hook) = stage(&[("accounts", ACCOUNTS)], ", events: [sync.completed]").await;
    stage.vitally.script(refused(422).times(1).on("POST", "/resources/accounts"));
    stage.run().await.unwrap();
    let arrived = hook.take();
    let data = body(&arrived[0])["data"].clone();
    assert_eq!(data["status"], json!("completed-with-errors"));
    assert_eq!(data["problems"][0]["count"], json!(1));
    assert_eq!(data["counts"]["statuses"], json!({ "delivered": 2, "rejected": 1 }));
    assert!(!arrived[0].body.contains("a-00"), "{}", arrived[0].body);
}
