//! The inspection API, and the same through the handle.

use coho_simulator::{Duplicate, RecordKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::start;

#[tokio::test]
async fn state_shows_whole_records() {
    let stage = start().await.unwrap();
    let seeds = json!({"accounts": [{"externalId": "a-1", "name": "One", "createdAt": "2020-01-01"}],
        "users": [{"externalId": "u-1", "accountIds": ["a-1"], "traits": {"plan": "pro"}}]});
    let ids: Value = stage.inspect(Method::POST, "/seed", seeds).await.unwrap().json().await.unwrap();
    let records: Value =
        stage.inspect(Method::GET, "/state", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!(records["accounts"][0]["createdAt"], "2020-01-01T00:00:00.000Z");
    assert_eq!(records["users"][0]["accountIds"][0], ids["accounts"][0]);
    assert_eq!(records["users"][0]["traits"]["plan"], "pro");
}

#[tokio::test]
async fn calls_are_logged_in_order_with_bodies_and_can_be_cleared() {
    let stage = start().await.unwrap();
    stage.post("/resources/accounts", &json!({"externalId": "a", "name": "A"})).await.unwrap();
    stage.get("/resources/accounts?limit=5").await.unwrap();
    let calls: Value = stage.inspect(Method::GET, "/calls", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!(calls[0]["number"], 1);
    assert_eq!(calls[0]["body"]["externalId"], "a");
    assert_eq!(calls[0]["answer"]["name"], "A");
    assert_eq!((&calls[1]["query"], &calls[1]["status"]), (&json!("limit=5"), &json!(200)));
    assert!(!calls.to_string().contains("sk_live"));
    let answer = stage.inspect(Method::DELETE, "/calls", Value::Null).await.unwrap();
    assert_eq!(answer.status(), 204);
    stage.get("/resources/accounts").await.unwrap();
    assert_eq!(stage.vitally.calls().iter().map(|call| call.number).collect::<Vec<_>>(), [3]);
    let newer: Value =
        stage.inspect(Method::GET, "/calls?after=3", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!(newer, json!([]));
}

#[tokio::test]
async fn switches_are_set_one_by_one_or_by_profile() {
    let stage = start().await.unwrap();
    let set = json!({"profile": "conflicting-post", "limit": 50});
    let now: Value = stage.inspect(Method::PUT, "/switches", set).await.unwrap().json().await.unwrap();
    assert_eq!((&now["dup"], &now["limit"], &now["assoc"]), (&json!("409"), &json!("50"), &json!("add")));
    assert_eq!(stage.vitally.switches().dup, Duplicate::Conflict);
    let refused = stage.inspect(Method::PUT, "/switches", json!({"dup": "perhaps"})).await.unwrap();
    assert_eq!(refused.status(), 400);
    let text = refused.text().await.unwrap();
    assert!(text.contains("switch `dup` cannot be `perhaps`; allowed are upsert|409|400"), "{text}");
}

#[tokio::test]
async fn a_script_is_read_replaced_and_added_to() {
    let stage = start().await.unwrap();
    let script = json!([{"method": "POST", "path": "/resources/users", "skip": 3, "times": 2,
        "fault": {"status": 503, "body": "away"}}, {"fault": "hang"}]);
    assert_eq!(stage.inspect(Method::PUT, "/faults", script).await.unwrap().status(), 204);
    assert_eq!(
        stage.inspect(Method::POST, "/faults", json!({"fault": "not_json"})).await.unwrap().status(),
        204
    );
    let left: Value = stage.inspect(Method::GET, "/faults", Value::Null).await.unwrap().json().await.unwrap();
    assert_eq!(left[0]["skip"], 3);
    assert_eq!(left[2]["fault"], "not_json");
    assert_eq!(stage.inspect(Method::PUT, "/faults", json!([])).await.unwrap().status(), 204);
    assert!(stage.vitally.script_left().is_empty());
    let refused = stage.inspect(Method::POST, "/faults", json!({"fault": "explode"})).await.unwrap();
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn the_clock_is_moved_from_outside() {
    let stage = start().await.unwrap();
    let now = stage.inspect(Method::POST, "/clock", json!({"advance_ms": 1000})).await.unwrap();
    assert_eq!(now.json::<Value>().await.unwrap()["now"], "2026-01-02T03:04:06.678Z");
}

#[tokio::test]
async fn reset_forgets_everything_but_the_switches() {
    let stage = start().await.unwrap();
    stage.vitally.set_switches("dup=409".parse().unwrap());
    stage.post("/resources/accounts", &json!({"externalId": "a", "name": "A"})).await.unwrap();
    assert_eq!(stage.inspect(Method::POST, "/reset", Value::Null).await.unwrap().status(), 204);
    assert_eq!(stage.vitally.count(RecordKind::Account), 0);
    assert!(stage.vitally.calls().is_empty());
    assert_eq!(stage.vitally.switches().dup, Duplicate::Conflict);
}

#[tokio::test]
async fn an_unknown_inspection_path_is_answered_as_vitally_would() {
    let stage = start().await.unwrap();
    let answer = stage.inspect(Method::GET, "/nothing", Value::Null).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text().await.unwrap(), r#"{"error":"Not found"}"#);
}
