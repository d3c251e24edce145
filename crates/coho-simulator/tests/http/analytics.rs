//! The Analytics API over real HTTP: headers, limits, the inspection API, the state file.

use std::path::Path;
use std::time::Duration;

use coho_simulator::{DropReason, InspectError, LifecycleStage, RecordKind, Running, Seed};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::stage::{Failure, START, Stage, client, start, start_on};

async fn send(stage: &Stage, name: &str, body: &Value) -> Result<Response, reqwest::Error> {
    let request = stage.bare(Method::POST, &format!("/analytics/v1/{name}"));
    request.header("authorization", "Basic sandbox").json(body).send().await
}

/// An event of the account `a-1`.
fn event(message_id: &str) -> Value {
    json!({"event": "Seen", "accountId": "a-1", "messageId": message_id, "properties": {"n": 1}})
}

#[tokio::test]
async fn an_answer_says_success_and_nothing_of_a_rate() {
    let stage = start().await.unwrap();
    let answer = send(&stage, "track", &event("e-1")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let names: Vec<&str> = answer.headers().keys().map(reqwest::header::HeaderName::as_str).collect();
    assert!(!names.iter().any(|name| name.contains("ratelimit")), "{names:?}");
    assert_eq!(answer.text().await.unwrap(), r#"{"message":"Success."}"#);
}

#[tokio::test]
async fn a_message_that_is_not_sent_as_json_is_415() {
    let stage = start().await.unwrap();
    let request = stage.bare(Method::POST, "/analytics/v1/track").header("authorization", "Basic sandbox");
    let answer = request.body(event("e-1").to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 415);
}

#[tokio::test]
async fn the_rest_key_opens_only_rest_and_the_analytics_token_only_analytics() {
    let stage = start().await.unwrap();
    let request = stage.bare(Method::POST, "/analytics/v1/track").basic_auth("sk_live_1", Some(""));
    assert_eq!(request.json(&event("e-1")).send().await.unwrap().status(), 401);
    let request = stage.bare(Method::GET, "/resources/accounts").header("authorization", "Basic sandbox");
    assert_eq!(request.send().await.unwrap().status(), 401);
    let request = stage.bare(Method::POST, "/analytics/v1/track").json(&event("e-1"));
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_batch_holds_a_hundred_messages_and_not_one_more() {
    let stage = start().await.unwrap();
    let batch = |size: u32| -> Value {
        let items = (0..size).map(|n| {
            let mut message = event(&format!("e-{n}"));
            message["type"] = json!("track");
            message
        });
        items.collect()
    };
    assert_eq!(send(&stage, "batch", &batch(101)).await.unwrap().status(), 400);
    assert_eq!(stage.vitally.events().len(), 0);
    assert_eq!(send(&stage, "batch", &batch(100)).await.unwrap().status(), 200);
    assert_eq!(stage.vitally.events().len(), 100);
}

#[tokio::test]
async fn a_body_above_max_body_is_413_in_analytics_alone() {
    let stage = start().await.unwrap();
    stage.vitally.set_switches("max_body=2097152".parse().unwrap());
    let mut message = event("e-1");
    message["properties"] = json!({"text": "x".repeat(1024 * 1024)});
    assert_eq!(send(&stage, "track", &message).await.unwrap().status(), 200);
    stage.vitally.set_switches("max_body=200".parse().unwrap());
    assert_eq!(send(&stage, "track", &message).await.unwrap().status(), 413);
    let account = json!({"externalId": "a", "name": "A", "traits": {"text": "x".repeat(300)}});
    assert_eq!(stage.post("/resources/accounts", &account).await.unwrap().status(), 200);
}

#[tokio::test]
async fn waiting_messages_are_counted_and_applied_in_time_or_at_once() {
    let stage = start().await.unwrap();
    stage.vitally.set_switches("apply_delay=5m".parse().unwrap());
    send(&stage, "track", &event("e-1")).await.unwrap();
    assert_eq!((stage.vitally.pending(), stage.vitally.events().len()), (1, 0));
    stage.vitally.advance(Duration::from_mins(5));
    let stored = stage.vitally.events();
    assert_eq!((stored[0].arrived_at, stored[0].stored_at), (START, START.plus(300_000)));
    send(&stage, "track", &event("e-2")).await.unwrap();
    assert_eq!(stage.vitally.flush().unwrap(), 1);
    assert_eq!(stage.vitally.events()[1].stored_at, START.plus(300_000));
    send(&stage, "track", &event("e-3")).await.unwrap();
    let applied: Value =
        stage.inspect(Method::POST, "/flush", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!(applied, json!({"applied": 1}));
}

#[tokio::test]
async fn state_shows_events_and_dropped_messages_with_their_counts() {
    let stage = start().await.unwrap();
    stage.vitally.seed(Seed::account("a-1")).unwrap();
    send(&stage, "track", &event("e-1")).await.unwrap();
    send(&stage, "track", &event("e-1")).await.unwrap();
    let marks = json!({"accounts": {"a-1": "ignored"}});
    assert_eq!(stage.inspect(Method::PUT, "/lifecycle", marks).await.unwrap().status(), 204);
    send(&stage, "track", &event("e-2")).await.unwrap();
    let shown: Value = stage.inspect(Method::GET, "/state", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!((&shown["eventCount"], &shown["droppedCount"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&shown["events"][0]["event"], &shown["events"][0]["account"]),
        (&json!("Seen"), &json!("a-1"))
    );
    assert_eq!(shown["dropped"][0]["reason"], "duplicate");
    assert_eq!(shown["dropped"][1]["reason"], "ignored");
    assert_eq!(shown["accounts"][0]["lifecycle"], "ignored");
}

#[tokio::test]
async fn only_what_is_there_is_marked() {
    let stage = start().await.unwrap();
    let error = stage.vitally.mark(RecordKind::User, "nobody", LifecycleStage::Churned).unwrap_err();
    assert!(matches!(error, InspectError::Record { .. }));
    for marks in [json!({"users": {"nobody": "churned"}}), json!({"users": {"nobody": "gone"}})] {
        assert_eq!(stage.inspect(Method::PUT, "/lifecycle", marks).await.unwrap().status(), 400);
    }
}

#[tokio::test]
async fn calls_show_messages_and_no_token() {
    let stage = start().await.unwrap();
    send(&stage, "track", &event("e-1")).await.unwrap();
    let calls: Value = stage.inspect(Method::GET, "/calls", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!(calls[0]["path"], "/analytics/v1/track");
    assert_eq!((&calls[0]["body"]["messageId"], &calls[0]["committed"]), (&json!("e-1"), &json!(true)));
    assert!(!calls.to_string().contains("sandbox"));
}

#[tokio::test]
async fn a_batch_that_is_cut_after_the_commit_is_taken_and_its_repetition_dropped() {
    let stage = start().await.unwrap();
    let fault = json!({"path": "/analytics/v1/*", "fault": "drop_after_commit"});
    stage.inspect(Method::POST, "/faults", fault).await.unwrap();
    send(&stage, "track", &event("e-1")).await.unwrap_err();
    assert_eq!(send(&stage, "track", &event("e-1")).await.unwrap().status(), 200);
    assert_eq!(stage.vitally.events().len(), 1);
    assert_eq!(stage.vitally.dropped()[0].reason, DropReason::Duplicate);
}

#[tokio::test]
async fn reset_forgets_messages_and_their_ids() {
    let stage = start().await.unwrap();
    send(&stage, "track", &event("e-1")).await.unwrap();
    stage.vitally.reset().unwrap();
    assert!(stage.vitally.events().is_empty());
    send(&stage, "track", &event("e-1")).await.unwrap();
    assert_eq!((stage.vitally.events().len(), stage.vitally.dropped().len()), (1, 0));
}

async fn filled(path: &Path) -> Result<Stage, Failure> {
    let stage = Stage { vitally: start_on(path).await?, client: client()? };
    let user = json!({"userId": "u-1", "accountId": "a-1", "messageId": "m-1", "traits": {}});
    send(&stage, "user", &user).await?;
    send(&stage, "track", &event("e-1")).await?;
    send(&stage, "track", &event("e-1")).await?;
    let instance = json!({"externalId": "i-1", "customObjectId": "c-1", "accountId": "a-1",
        "messageId": "m-2", "name": "Machine", "traits": {"n": 1}});
    send(&stage, "customobjectinstance", &instance).await?;
    stage.vitally.set_switches("apply_delay=1s".parse()?);
    send(&stage, "track", &event("e-2")).await?;
    Ok(stage)
}

#[tokio::test]
async fn messages_events_and_instances_outlive_the_simulator() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vitally.db");
    let stage = filled(&path).await.unwrap();
    let everything = |vitally: &Running| {
        let user = vitally.record(RecordKind::User, "u-1");
        (user, vitally.events(), vitally.dropped(), vitally.instances(), vitally.pending())
    };
    let before = everything(&stage.vitally);
    assert_eq!((before.1.len(), before.2.len(), before.3.len(), before.4), (1, 1, 1, 1));
    assert!(before.0.as_ref().unwrap().last_account.is_some());
    stage.vitally.stop().await;
    let stage = Stage { vitally: start_on(&path).await.unwrap(), client: stage.client };
    assert_eq!(everything(&stage.vitally), before);
    send(&stage, "track", &event("e-1")).await.unwrap();
    stage.vitally.advance(Duration::from_secs(1));
    let ids: Vec<String> = stage.vitally.events().into_iter().map(|event| event.message_id).collect();
    assert_eq!(ids, ["e-1", "e-2"]);
    assert_eq!(stage.vitally.dropped().len(), 2);
}

#[tokio::test]
async fn a_state_file_from_before_the_analytics_api_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vitally.db");
    let stage = Stage { vitally: start_on(&path).await.unwrap(), client: client().unwrap() };
    stage.vitally.seed(Seed::account("a-1")).unwrap();
    stage.vitally.stop().await;
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("DROP TABLE message; DROP TABLE instance; PRAGMA user_version = 1").unwrap();
    drop(file);
    let stage = Stage { vitally: start_on(&path).await.unwrap(), client: stage.client };
    assert_eq!(stage.vitally.count(RecordKind::Account), 1);
    assert_eq!(send(&stage, "track", &event("e-1")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_seeded_custom_field_shows_its_type_and_options() {
    let stage = start().await.unwrap();
    let seeds = json!({"customFields": [{"model": "accounts", "path": "vitally.custom.plan", "label": "Plan",
        "type": "enum", "options": [{"label": "Pro", "value": "pro"}]}]});
    assert_eq!(stage.inspect(Method::POST, "/seed", seeds).await.unwrap().status(), 200);
    let fields: Value =
        stage.get("/resources/customFields?model=accounts").await.unwrap().json().await.unwrap();
    assert_eq!((&fields[0]["path"], &fields[0]["label"]), (&json!("vitally.custom.plan"), &json!("Plan")));
    assert_eq!(fields[0]["type"], "enum");
    assert_eq!(fields[0]["options"], json!([{"label": "Pro", "value": "pro"}]));
}
