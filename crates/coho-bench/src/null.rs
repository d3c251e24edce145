//! The server that does nothing: it answers every write as Vitally would and keeps nothing, so that clients are what is
//! measured.
//!
//! HTTP/1.1 by hand over keep-alive connections: requests are cut out of the stream ([`request`]), answers are made from the
//! request alone ([`answer`]).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

mod request;
mod answer;

use answer::Clock;
use request::{Cut, cut};

/// Answers until the task is dropped.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    serve_after(Duration::ZERO, listener).await
}

/// The same, where each answer takes so long.
pub async fn serve_after(wait: Duration, listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // A client that hangs up in the middle is no matter of ours.
        tokio::spawn(async move { drop(connection(stream, wait).await) });
    }
}

async fn connection(mut stream: TcpStream, wait: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::with_capacity(16 * 1024);
    let mut output = Vec::with_capacity(16 * 1024);
    let mut clock = Clock::default();
    loop {
        let mut used = 0;
        while let Cut::Whole { request, length } = cut(input.get(used..).unwrap_or_default())? {
            answer::write(&request, &mut clock, &mut output);
            used += length;
        }
        input.drain(..used);
        if !output.is_empty() {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            stream.write_all(&output).await?;
            output.clear();
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}
