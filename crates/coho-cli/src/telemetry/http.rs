//! The HTTP client of both exporters: it blocks, counts what was taken, and keeps what went wrong last, in words.

use std::fmt;
use std::future::{Future, ready};
use std::io::Read as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coho_core::failure::deepest_cause;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::blocking::Client;

/// How much of an answer is read, in bytes.
const READ: u64 = 64 * 1024;

/// The client. It is made and used outside of the asynchronous runtime.
#[derive(Clone)]
pub(super) struct Collector {
    client: Client,
    taken: Arc<AtomicU64>,
    fault: Arc<Mutex<Option<String>>>,
}

impl Collector {
    /// A client that counts the requests that were taken.
    pub(super) fn new(timeout: Duration, taken: &Arc<AtomicU64>) -> Result<Self, reqwest::Error> {
        install_provider();
        let client = Client::builder()
            .user_agent(concat!("coho/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry headers, and so tokens, to somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()?;
        Ok(Self { client, taken: Arc::clone(taken), fault: Arc::default() })
    }

    /// What went wrong since this was asked last.
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let request: reqwest::blocking::Request = request.try_into().map_err(|error| why(&error))?;
        let answer = self.client.execute(request).map_err(|error| why(&error))?;
        let status = answer.status();
        let mut body = Vec::new();
        // The status is the answer; a body that breaks off changes nothing.
        drop(answer.take(READ).read_to_end(&mut body));
        if !status.is_success() {
            return Err(format!("the collector responded with {status}"));
        }
        self.taken.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        Ok(response)
    }
}

impl HttpClient for Collector {
    fn send_bytes<'client, 'future>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'client: 'future,
        Self: 'future,
    {
        let answer = self.send(request);
        if let Err(why) = &answer {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
        }
        Box::pin(ready(answer.map_err(Into::into)))
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

/// Reqwest asks for a process-wide provider of cryptography; the client of Vitally may have installed one before.
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// Why there was no response, without an address.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the collector did not respond in time".to_owned();
    }
    let cause = deepest_cause(error).unwrap_or_else(|| "the request failed".to_owned());
    format!("the collector did not respond: {cause}")
}
