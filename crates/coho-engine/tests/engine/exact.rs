//! Exact associations: links that a row does not name are taken away, as far as Vitally's APIs can.

use std::time::Duration;

use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Seed, SimulatorSettings, Trouble};

use crate::stage::{ACCOUNTS, FAST, Failure, Stage, TOKEN, USERS, destination};

const UNLINK: &str = "/analytics/v1/unlink";

/// Whether the destination has a token of the Analytics API.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    There,
    Missing,
}

async fn stage(token: Token, switches: &str) -> Result<Stage, Failure> {
    let settings = SimulatorSettings { switches: switches.parse()?, ..SimulatorSettings::new(TOKEN) };
    let sync = format!("{USERS}associations: exact\n");
    let mut stage = Stage::served(&[("accounts", ACCOUNTS), ("users", &sync)], settings).await?;
    if token == Token::There {
        let text = destination(&stage.vitally.url(), 1, FAST)
            .replace("rest_token:", "analytics_token: sandbox, rest_token:");
        stage.file("coho.yaml", &text);
    }
    stage.many_accounts(1, 4)?;
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)")?;
    stage.run().await?;
    Ok(stage)
}

fn user(stage: &Stage) -> String {
    stage.records().into_iter().find(|line| line.starts_with("user")).unwrap_or_default()
}

fn to(stage: &Stage, account: &str) {
    stage.sql(&format!("UPDATE users SET account = {account}")).unwrap();
}

#[tokio::test]
async fn a_lost_account_is_unlinked_by_one_more_call() {
    for switches in ["assoc=add", "assoc=replace"] {
        let stage = stage(Token::There, switches).await.unwrap();
        to(&stage, "'a-002'");
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told("users"), "completed: 1 delivered", "{:#?}", ran.calls);
        assert_eq!(user(&stage), r#"user u-1 "Ada" in <a-002>"#, "{switches}");
        assert_eq!(ran.calls[0], r#"PUT /users/<u-1> {"accountIds":["<a-002>"]}"#);
        let unlinks: Vec<_> = ran.calls.iter().filter(|call| call.contains(UNLINK)).collect();
        match switches {
            "assoc=add" => {
                assert_eq!((ran.calls.len(), unlinks.len()), (2, 1), "{:#?}", ran.calls);
                assert!(unlinks[0].contains(r#""accountId":"a-001""#), "{}", unlinks[0]);
            }
            // The write replaced the links already.
            _ => assert_eq!((ran.calls.len(), unlinks.len()), (1, 0), "{:#?}", ran.calls),
        }
        assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    }
}

#[tokio::test]
async fn without_a_token_the_link_stays_and_a_note_says_so() {
    let stage = stage(Token::Missing, "assoc=add").await.unwrap();
    to(&stage, "'a-002'");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 1 delivered");
    assert_eq!(ran.calls.len(), 1, "{:#?}", ran.calls);
    assert_eq!(
        ran.report.syncs[1].notes,
        [
            "user `u-1` is still linked to account `a-001`: only the Analytics API can unlink users from accounts, and it has no token"
        ]
    );
    assert_eq!(user(&stage), r#"user u-1 "Ada" in <a-001> in <a-002>"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_link_that_a_person_made_goes_too() {
    let stage = stage(Token::There, "assoc=add").await.unwrap();
    // Somebody links the user to another account by hand.
    stage.vitally.seed(Seed::account("by-hand")).unwrap();
    let (user_id, account) = (
        stage.vitally.record(RecordKind::User, "u-1").unwrap().id,
        stage.vitally.record(RecordKind::Account, "by-hand").unwrap().id,
    );
    put(&stage, &format!("/resources/users/{user_id}"), &format!(r#"{{"accountIds":["{account}"]}}"#))
        .await
        .unwrap();
    assert_eq!(user(&stage), r#"user u-1 "Ada" in <a-001> in <by-hand>"#);
    to(&stage, "'a-002'");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 1 delivered", "{:#?}", ran.calls);
    assert_eq!(user(&stage), r#"user u-1 "Ada" in <a-002>"#);
    assert_eq!(ran.calls.len(), 3, "{:#?}", ran.calls);
}

/// A call that somebody else makes.
async fn put(stage: &Stage, path: &str, body: &str) -> Result<(), Failure> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = stage.vitally.url().replace("http://", "");
    let mut socket = tokio::net::TcpStream::connect(&address).await?;
    // The key and a colon, in base 64.
    let request = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic c2tfbGl2ZV8xOg==\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer.into()) }
}

#[tokio::test]
async fn an_unlink_that_is_refused_is_rejected_and_tried_again() {
    let stage = stage(Token::There, "assoc=add").await.unwrap();
    to(&stage, "'a-002'");
    let refusal =
        FaultAnswer { body: Some(r#"{"error":"not today"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refusal)).on("POST", UNLINK));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed-with-errors: 1 rejected", "{:#?}", ran.calls);
    let problem = ran.report.syncs[1].problems.values().next().unwrap();
    assert_eq!(problem.first.code.to_string(), "unlink-failed");
    assert!(problem.first.message.contains("a-001"), "{}", problem.first.message);
    assert!(problem.first.message.contains("not today"), "{}", problem.first.message);
    stage.advance(Duration::from_secs(600));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 1 delivered", "{:#?}", ran.calls);
    assert_eq!(user(&stage), r#"user u-1 "Ada" in <a-002>"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn an_unlink_without_an_answer_is_made_good_by_the_next_run() {
    let stage = stage(Token::There, "assoc=add").await.unwrap();
    to(&stage, "'a-002'");
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(FaultAnswer::status(503))).on("POST", UNLINK).times(100));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed-with-errors: 1 deferred", "{:#?}", ran.calls);
    stage.vitally.clear_script();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 1 delivered", "{:#?}", ran.calls);
    assert_eq!(user(&stage), r#"user u-1 "Ada" in <a-002>"#);
}

#[tokio::test]
async fn an_organization_that_cannot_be_unlinked_is_told() {
    let mut stage = stage(Token::There, "assoc=add").await.unwrap();
    stage.vitally.seed(Seed::organization("north")).unwrap();
    stage.vitally.seed(Seed::organization("south")).unwrap();
    let sync = "
id: users
model: users
to: vitally
object: user
match: { externalId: external }
fields: { name: name, organizationIds: { column: email, lookup: organization.externalId } }
associations: exact
";
    stage.sync("users", sync);
    stage
        .sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', NULL, 'north'); DELETE FROM users WHERE id = 1")
        .unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET email = 'south'").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(
        ran.told("users").starts_with("completed: 1 delivered"),
        "{} {:#?}",
        ran.told("users"),
        ran.calls
    );
    assert_eq!(
        ran.report.syncs[1].notes,
        [
            "user `u-2` is still linked to organization `north`: Vitally has no API to unlink users from organizations"
        ]
    );
}
