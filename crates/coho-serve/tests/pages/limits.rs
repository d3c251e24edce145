//! What clients may take of the server: slow ones, long bodies, and more connections than there may be.
//!
//! No test waits for a time of its own: each reads until the server ends the connection.

use std::time::Duration;

use coho_serve::site::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::{COOKIE, Failure, Served, Stage};

/// Far longer than any of these tests takes.
const NEVER: Duration = Duration::from_secs(3_600);

/// So short that nobody waits for it.
const SOON: Duration = Duration::from_millis(20);

fn patient() -> Limits {
    Limits { head: NEVER, body: NEVER, answer: NEVER, ..Limits::default() }
}

/// Sends this and gives all that comes until the server ends the connection.
async fn until_closed(served: &Served, bytes: &[u8]) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(served.address).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8(answer)?)
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_the_connection() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(Limits { head: SOON, ..patient() }).await?;
    for begun in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let answer = until_closed(&served, begun.as_bytes()).await?;
        assert!(!answer.contains("200"), "{begun:?}: {answer}");
    }
    served.end().await
}

#[tokio::test]
async fn a_connection_that_is_idle_ends() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(Limits { head: SOON, ..patient() }).await?;
    let request = format!("GET /icon.svg HTTP/1.1\r\nHost: {}\r\n\r\n", served.address);
    let answer = until_closed(&served, request.as_bytes()).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    served.end().await
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(Limits { body: SOON, ..patient() }).await?;
    let answer = until_closed(&served, post(&served, 100, "token=").as_bytes()).await?;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    served.end().await
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_refused_before_it_is_sent() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(patient()).await?;
    let answer = until_closed(&served, post(&served, 100_000_000, "").as_bytes()).await?;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // One that does not say how long it is, is read no further than it may be long.
    let head = format!(
        "POST /session HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nTransfer-Encoding: chunked\r\n\r\n",
        served.address
    );
    let (mut reads, mut writes) = TcpStream::connect(served.address).await?.into_split();
    writes.write_all(head.as_bytes()).await?;
    let sends = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut sent = 0_usize;
        while sent < 100_000_000 && writes.write_all(chunk.as_bytes()).await.is_ok() {
            sent += 0x10000;
        }
        sent
    });
    let mut answer = [0; 12];
    reads.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(reads);
    assert!(sends.await? < 100_000_000, "the rest is not taken");
    served.end().await
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_let_go() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(Limits { answer: SOON, ..patient() }).await?;
    let mut stream = TcpStream::connect(served.address).await?;
    let request = format!("GET /coho.css HTTP/1.1\r\nHost: {}\r\n\r\n", served.address);
    // It asks again and again and reads nothing, until the server ends the connection.
    while stream.write_all(request.as_bytes()).await.is_ok() {}
    served.end().await
}

#[tokio::test]
async fn whoever_comes_when_all_connections_are_taken_is_told_so_at_once() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(Limits { connections: 40, ..patient() }).await?;
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(served.address).await?;
        // Each is known to be answered before the next one comes.
        stream
            .write_all(format!("GET /icon.svg HTTP/1.1\r\nHost: {}\r\n\r\n", served.address).as_bytes())
            .await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"HTTP/1.1 200");
        held.push(stream);
    }
    for _ in 0..60 {
        let mut answer = Vec::new();
        let mut stream = TcpStream::connect(served.address).await?;
        // Many are told so, and none is kept waiting.
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8(answer)?;
        assert!(answer.is_empty() || answer.contains("503 Service Unavailable"), "{answer}");
    }
    drop(held);
    // The server notices that they are gone.
    loop {
        let answer = served.page("/").await?;
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.status, 503);
    }
    served.end().await
}

#[tokio::test]
async fn pages_that_move_leave_connections_for_others() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve_within(Limits { streams: 2, ..patient() }).await?;
    let cookie = format!("Cookie: coho-{}={COOKIE}", served.address.port());
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\n{cookie}\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n",
        served.address
    );
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(served.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"HTTP/1.1 200");
        held.push(stream);
    }
    assert!(until_closed(&served, request.as_bytes()).await?.starts_with("HTTP/1.1 503"));
    assert_eq!(served.page("/").await?.status, 200);
    // They end when the server does, and do not keep it.
    served.end().await
}

fn post(served: &Served, length: usize, begun: &str) -> String {
    let address = served.address;
    format!(
        "POST /session HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nContent-Length: {length}\r\n\r\n{begun}"
    )
}
