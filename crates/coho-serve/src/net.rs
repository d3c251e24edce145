//! The accept loop: axum's own has no limits of time and number. A connection more than there may be is answered with 503 at
//! once, so that whoever asks learns why, and slow clients keep none for long.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::limited::Taken;
use crate::site::Limits;

/// What a client is told for whom there is no room.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 5\r\n\
connection: close\r\ncontent-length: 39\r\n\r\ntoo many connections: try again shortly\n";

/// How long is waited where connections cannot be accepted, such as when no file may be opened any more.
const PAUSE: Duration = Duration::from_millis(50);

/// So many are told at once that there is no room.
const REFUSALS: usize = 32;

/// How long that may take.
const BRIEF: Duration = Duration::from_secs(1);

/// Answers until `stop` is ready. What is under way then is finished, within the limit.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let (end, ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match Arc::clone(&room).try_acquire_owned() {
                    Ok(permit) => {
                        connections.spawn(answer(stream, router.clone(), limits, ending.clone(), permit));
                    }
                    Err(_) => if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                        connections.spawn(refuse(stream, permit));
                    },
                },
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    end.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.end, all).await.is_err() {
        connections.shutdown().await;
    }
}

/// Says that there is no room. Where many are told so at once, the next ones are told nothing.
async fn refuse(mut stream: TcpStream, permit: OwnedSemaphorePermit) {
    let told = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // What was asked is taken before the connection is closed: otherwise the answer may be lost with it.
        stream.read(&mut [0; 4_096]).await
    };
    drop(tokio::time::timeout(BRIEF, told).await);
    drop(permit);
}

async fn answer(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut ending: watch::Receiver<bool>,
    permit: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("a connection keeps its delay: {error}");
    }
    let stream = TokioIo::new(Taken::new(stream, limits.answer));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let connection = builder.serve_connection(stream, TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ends = async { drop(ending.wait_for(|ends| *ends).await) };
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = ends => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended early: {error}");
    }
    drop(permit);
}
