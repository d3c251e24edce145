//! The server: an accept loop of its own over the axum router, because a connection must be cut without an answer.
//!
//! hyper closes a connection whose service fails and writes nothing; axum's own loop takes only services that cannot
//! fail. So a request that is to be cut leaves the router with the mark [`Cut`], and the loop makes a failure of it.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use axum::{Extension, Router, middleware};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::inspect;
use crate::rest::{Asked, Received};
use crate::world::{Answer, Ending, World};

/// How much of a body is read, so that the sender of one that is too large for either API hears the refusal instead of
/// a broken pipe.
const DRAINED: usize = 32 * 1024 * 1024;

/// The world, shared by all connections and by [`crate::Running`].
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    world: Arc<Mutex<World>>,
    latency: Duration,
}

impl Shared {
    pub(crate) fn new(world: World, latency: Duration) -> Self {
        Self { world: Arc::new(Mutex::new(world)), latency }
    }

    /// The world as it is now, for as long as the guard lives: what was due before is done. A panic of an earlier holder
    /// does not end the simulator.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle();
        world
    }
}

/// Serves until it is told to stop, or whoever would tell it is gone; then every connection is closed at once.
pub(crate) async fn serve(listener: TcpListener, shared: Shared, mut stop: oneshot::Receiver<()>) {
    let inspection = inspect::routes().layer(middleware::from_fn(inspect::guard));
    let router = Router::new().nest("/simulator", inspection).fallback(rest).with_state(shared);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    connections.spawn(connection(stream, router.clone().layer(Extension(inspect::Peer(from)))));
                }
                // Out of descriptors, or a client that left while waiting: both pass.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<Cut>().is_some() { Err(Severed) } else { Ok(response) }
        }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Marks a response that must not be sent.
#[derive(Debug, Clone, Copy)]
struct Cut;

/// What the service fails with when a connection is to be cut.
#[derive(Debug)]
struct Severed;

impl fmt::Display for Severed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script cuts this connection")
    }
}

impl Error for Severed {}

async fn rest(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let Some(asked) = receive(request).await else { return cut() };
    let ending = shared.lock().handle(&asked);
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    match ending {
        Ending::Answer(answer) => response(answer),
        Ending::Cut => cut(),
        Ending::Hang => pending().await,
    }
}

/// The request in whole; `None` where its sender left before the end.
async fn receive(request: Request<Body>) -> Option<Asked> {
    let (parts, body) = request.into_parts();
    let text =
        |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = match to_bytes(body, DRAINED).await {
        Ok(bytes) => Received::Whole(bytes.to_vec()),
        Err(error) if is_broken(&error) => return None,
        Err(_) => Received::TooLarge,
    };
    Some(Asked {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        authorization: text(header::AUTHORIZATION),
        content_type: text(header::CONTENT_TYPE),
        body,
    })
}

/// Whether the connection failed, rather than the body being too long.
fn is_broken(error: &(dyn Error + 'static)) -> bool {
    error.is::<hyper::Error>() || error.source().is_some_and(is_broken)
}

fn cut() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    // Statuses come from this crate or from a fault that was checked.
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
