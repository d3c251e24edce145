//! Connections that are cut or left without an answer, on real sockets.

use std::time::Duration;

use base64::Engine as _;
use coho_simulator::{CallReply, FaultAnswer, RecordKind, ScriptedFault, Trouble};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stage::{Failure, KEY, Stage, start};

/// Longer than anything here takes; only a failure waits for it.
const LONG: Duration = Duration::from_secs(20);

/// Sends a POST of an account over a connection of its own.
async fn raw_post(stage: &Stage, external_id: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(stage.vitally.address()).await?;
    let key = base64::engine::general_purpose::STANDARD.encode(format!("{KEY}:"));
    let body = json!({"externalId": external_id, "name": "A"}).to_string();
    let request = format!(
        "POST /resources/accounts HTTP/1.1\r\nhost: vitally\r\nauthorization: Basic {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

async fn all_bytes(mut stream: TcpStream) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    timeout(LONG, stream.read_to_end(&mut bytes)).await??;
    Ok(bytes)
}

#[tokio::test]
async fn a_drop_before_closes_the_connection_without_a_byte_and_writes_nothing() {
    let stage = start().await.unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropBefore));
    let stream = raw_post(&stage, "a").await.unwrap();
    assert!(all_bytes(stream).await.unwrap().is_empty());
    assert_eq!(stage.vitally.count(RecordKind::Account), 0);
    let call = stage.vitally.calls().remove(0);
    assert_eq!((call.reply, call.committed), (CallReply::Cut, false));
}

#[tokio::test]
async fn a_drop_after_commit_closes_the_connection_without_a_byte_and_the_record_is_there() {
    let stage = start().await.unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit));
    let stream = raw_post(&stage, "a").await.unwrap();
    assert!(all_bytes(stream).await.unwrap().is_empty());
    assert!(stage.vitally.record(RecordKind::Account, "a").is_some());
    assert!(stage.vitally.calls()[0].committed);
}

#[tokio::test]
async fn a_client_meets_a_cut_as_an_error_on_a_kept_connection_too() {
    let stage = start().await.unwrap();
    stage.get("/resources/accounts").await.unwrap().bytes().await.unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/accounts"));
    let error =
        stage.post("/resources/accounts", &json!({"externalId": "a", "name": "A"})).await.unwrap_err();
    assert!(error.status().is_none() && !error.is_timeout(), "{error:?}");
    assert_eq!(stage.vitally.calls().len(), 2, "the client did not send it twice");
}

#[tokio::test]
async fn stop_closes_hung_and_idle_connections_at_once() {
    let stage = start().await.unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts"));
    let hung = raw_post(&stage, "a").await.unwrap();
    let silent = TcpStream::connect(stage.vitally.address()).await.unwrap();
    let kept = stage.get("/resources/accounts").await.unwrap();
    assert_eq!(kept.status(), 200);
    // The POST came over another connection, so only the log tells that it was taken too.
    while stage.vitally.calls().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.vitally.count(RecordKind::Account), 1);
    let address = stage.vitally.address();
    timeout(LONG, stage.vitally.stop()).await.unwrap();
    assert!(all_bytes(hung).await.unwrap().is_empty());
    // A connection that was accepted is closed, one that was still waiting is reset.
    assert!(all_bytes(silent).await.map_or(true, |bytes| bytes.is_empty()));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_scripted_429_says_when_to_come_back() {
    let stage = start().await.unwrap();
    let answer = FaultAnswer { retry_after: Some(7), ..FaultAnswer::status(429) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)));
    let answer = stage.get("/resources/users").await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(stage.get("/resources/users").await.unwrap().status(), 200);
    assert!(stage.vitally.script_left().is_empty());
}
