//! Headers, the rate limit, the size limit.

use std::collections::BTreeSet;
use std::time::Duration;

use coho_simulator::Seed;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{KEY, Stage, start};

#[tokio::test]
async fn the_three_rate_headers_are_on_every_answer_and_nothing_unknown_is() {
    let stage = start().await.unwrap();
    let answers = [
        stage.get("/resources/accounts").await.unwrap(),
        stage.get("/resources/accounts/nobody").await.unwrap(),
        stage.get("/nowhere").await.unwrap(),
        stage.post("/resources/accounts", &json!({})).await.unwrap(),
        stage.bare(Method::GET, "/resources/accounts").send().await.unwrap(),
    ];
    let known: BTreeSet<&str> = [
        "content-length",
        "content-type",
        "date",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ]
    .into();
    for answer in answers {
        let names: BTreeSet<&str> =
            answer.headers().keys().map(reqwest::header::HeaderName::as_str).collect();
        assert_eq!(names, known, "{}", answer.status());
        assert_eq!(answer.headers()["ratelimit-limit"], "1000, 1000;window=60");
    }
}

#[tokio::test]
async fn the_date_header_and_created_at_come_from_one_clock() {
    let stage = start().await.unwrap();
    let answer = stage.post("/resources/accounts", &json!({"externalId": "a", "name": "A"})).await.unwrap();
    assert_eq!(answer.headers()["date"], "Fri, 02 Jan 2026 03:04:05 GMT");
    assert_eq!(answer.json::<Value>().await.unwrap()["createdAt"], "2026-01-02T03:04:05.678Z");
}

#[tokio::test]
async fn an_empty_bucket_answers_429_until_a_unit_flowed_in() {
    let stage = start().await.unwrap();
    stage.vitally.set_switches("limit=2".parse().unwrap());
    assert_eq!(remaining(&stage).await, (200, "1".to_owned()));
    assert_eq!(remaining(&stage).await, (200, "0".to_owned()));
    let refused = stage.get("/resources/accounts").await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["ratelimit-reset"], "30");
    assert!(refused.headers().get("retry-after").is_none());
    assert_eq!(refused.text().await.unwrap(), r#"{"error":"Too Many Requests"}"#);
    stage.vitally.advance(Duration::from_secs(30));
    assert_eq!(remaining(&stage).await, (200, "0".to_owned()));
}

async fn remaining(stage: &Stage) -> (u16, String) {
    let answer = match stage.get("/resources/accounts").await {
        Ok(answer) => answer,
        Err(error) => return (0, error.to_string()),
    };
    let left = answer.headers().get("ratelimit-remaining").and_then(|left| left.to_str().ok());
    (answer.status().as_u16(), left.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_write_costs_what_the_switch_says_and_a_refused_key_costs_nothing() {
    let stage = start().await.unwrap();
    stage.vitally.set_switches("write_cost=10".parse().unwrap());
    stage.bare(Method::GET, "/resources/accounts").basic_auth("sk_other", Some("")).send().await.unwrap();
    let answer = stage.post("/resources/accounts", &json!({"externalId": "a", "name": "A"})).await.unwrap();
    assert_eq!(answer.headers()["ratelimit-remaining"], "990");
}

#[tokio::test]
async fn a_body_above_one_mebibyte_is_413_and_one_below_is_not() {
    let stage = start().await.unwrap();
    let account = |size: usize| json!({"externalId": "a", "name": "A", "traits": {"text": "x".repeat(size)}});
    let answer = stage.post("/resources/accounts", &account(1024 * 1024)).await.unwrap();
    assert_eq!(answer.status(), 413);
    let answer = stage.post("/resources/accounts", &account(1024 * 1024 - 100)).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_write_that_is_not_sent_as_json_is_refused() {
    let stage = start().await.unwrap();
    let request = stage.bare(Method::POST, "/resources/accounts").basic_auth(KEY, Some(""));
    let answer = request.body(r#"{"externalId":"a","name":"A"}"#).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn an_unasked_page_holds_a_hundred_and_paging_meets_each_record_once() {
    let stage = start().await.unwrap();
    for n in 0..250 {
        stage.vitally.seed(Seed::account(&format!("a-{n}"))).unwrap();
    }
    let mut met = Vec::new();
    let mut path = "/resources/accounts?sortBy=createdAt".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page: Value = stage.get(&path).await.unwrap().json().await.unwrap();
        let results = page["results"].as_array().unwrap();
        sizes.push(results.len());
        met.extend(results.iter().map(|account| account["externalId"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(page["atEnd"], false);
        path = format!("/resources/accounts?sortBy=createdAt&from={}", next.replace('=', "%3D"));
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(met.into_iter().collect::<BTreeSet<_>>().len(), 250);
}

#[tokio::test]
async fn a_number_keeps_its_digits() {
    let stage = start().await.unwrap();
    let body = r#"{"externalId":"a","name":"A","traits":{"n":12345678901234567890.10}}"#;
    let request = stage.bare(Method::POST, "/resources/accounts").basic_auth(KEY, Some(""));
    let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains(r#""n":12345678901234567890.10"#));
}
