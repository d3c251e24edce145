//! A server for one kind of channel, over real sockets: it checks what it is sent as the service would, answers what a test
//! wants, and keeps what arrived.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

/// What arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<&'static str>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, retry_after: None, body: body.to_owned() }
    }
}

pub(crate) type Check = fn(&str) -> Result<(), String>;

struct Inner {
    check: Check,
    success: Reply,
    replies: Mutex<Vec<Reply>>,
    arrived: Mutex<Vec<Arrived>>,
}

/// A server.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Answers `success` to what passes the check, and 400 to all else.
    pub(crate) async fn start(check: Check, success: Reply) -> Self {
        let inner = Arc::new(Inner { check, success, replies: Mutex::default(), arrived: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner, task }
    }

    /// Answers the next requests so, in order, whatever they are.
    pub(crate) fn answer_next(&self, reply: Reply) {
        self.inner.replies.lock().unwrap().push(reply);
    }

    /// What arrived so far.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.inner.arrived.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let checked = (inner.check)(&body);
    inner.arrived.lock().unwrap().push(Arrived { path: uri.to_string(), headers, body });
    let mut replies = inner.replies.lock().unwrap();
    let reply = if replies.is_empty() { None } else { Some(replies.remove(0)) };
    let reply = match (reply, checked) {
        (Some(reply), _) => reply,
        (None, Ok(())) if method == Method::POST => inner.success.clone(),
        (None, Ok(())) => Reply::new(405, "POST"),
        (None, Err(fault)) => Reply::new(400, &fault),
    };
    let status = StatusCode::from_u16(reply.status).unwrap();
    match reply.retry_after {
        Some(after) => (status, [("retry-after", after)], reply.body).into_response(),
        None => (status, reply.body).into_response(),
    }
}
