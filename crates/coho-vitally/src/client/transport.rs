//! The transport: one request over HTTP, and what came of it. No repeats and no waits; those are the client's. What is kept of
//! a call stands in [`super::record`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::DateTime;
use coho_core::call::{Attempt, Call, Headers, Route};
use coho_core::private::Private;
use coho_core::time::Time;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Response, Url, redirect};

use super::fault::Fault;
use super::limiter::headers::RateHeaders;
use super::record::{self, Routes};
use super::settings::{ClientClock, ClientSettings};
use super::{ClientError, JSON, USER_AGENT};
use crate::request::{Answer, Method, Reply, Request};

/// The largest answer that is read, in bytes. Pages of users embed whole accounts and reach megabytes.
const LARGEST_ANSWER: usize = 64 * 1_024 * 1_024;

/// Sends requests.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// The path that was asked for last, and its address: all records of an object are created at one.
    last: Arc<Mutex<Option<(String, Url)>>>,
    routes: Routes,
    clock: ClientClock,
    private: Private,
}

/// What came of one request.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) answer: Answer,
    pub(super) headers: RateHeaders,
    pub(super) call: Call,
    pub(super) fault: Option<Fault>,
}

impl Transport {
    /// `authorization` is the whole value of that header.
    pub(super) fn new(
        route: Route,
        authorization: &str,
        settings: &ClientSettings,
    ) -> Result<Self, ClientError> {
        install_provider();
        let mut authorization = HeaderValue::from_str(authorization).map_err(|_| ClientError::Token)?;
        authorization.set_sensitive(true);
        let json = HeaderValue::from_static(JSON);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization), (ACCEPT, json)]);
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            // A redirect would carry the token, and a write, to somewhere else.
            .redirect(redirect::Policy::none())
            // The exchange and the client decide what is repeated.
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .build()
            .map_err(|error| ClientError::Build(error.without_url()))?;
        Ok(Self {
            http,
            last: Arc::default(),
            routes: Routes::new(route),
            clock: settings.clock.clone(),
            private: settings.private.clone(),
        })
    }

    /// The address without a slash at the end.
    pub(super) fn url(&self) -> &str {
        &self.routes.plain.address
    }

    pub(super) async fn send(&self, request: &Request, attempt: Attempt) -> Sent {
        let asked = self.clock.now();
        let started = Instant::now();
        let outcome = match self.build(request).send().await {
            Ok(response) => read(response, asked).await,
            Err(error) => Err(trouble(&error)),
        };
        let elapsed = started.elapsed();
        let (answer, headers, kept, fault) = match outcome {
            Ok((reply, rate, kept)) => (Answer::Reply(Reply { elapsed, ..reply }), rate, kept, None),
            Err((answer, fault)) => (answer, RateHeaders::default(), Headers::new(), Some(fault)),
        };
        let call = record::call(
            request,
            &answer,
            record::Sending {
                at: asked,
                took: elapsed,
                attempt,
                route: self.routes.of(request),
                headers: kept,
            },
            &self.private,
        );
        Sent { answer, headers, call, fault }
    }

    fn build(&self, request: &Request) -> reqwest::RequestBuilder {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let builder = match self.address(&request.path) {
            Some(address) => self.http.request(method, address),
            // The error is told when it is sent.
            None => self.http.request(method, format!("{}{}", self.url(), request.path)),
        };
        match &request.body {
            Some(body) => builder.header(CONTENT_TYPE, JSON).body(body.clone()),
            None => builder,
        }
    }
}

impl Transport {
    /// The whole address of a path; `None` where it is none.
    fn address(&self, path: &str) -> Option<Url> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, address)) = last.as_ref().filter(|(known, _)| known == path) {
            return Some(address.clone());
        }
        let address = Url::parse(&format!("{}{path}", self.url())).ok()?;
        *last = Some((path.to_owned(), address.clone()));
        Some(address)
    }
}

/// Reqwest asks for a process-wide provider of cryptography; whoever embeds us may have installed one before.
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

type Trouble = (Answer, Fault);

/// An answer, what it says of the rate, and the headers of it that are kept.
type Told = (Reply, RateHeaders, Headers);

async fn read(mut response: Response, asked: Time) -> Result<Told, Trouble> {
    let status = response.status().as_u16();
    let text = |headers: &HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let date = text(response.headers(), DATE.as_str());
    let date = date.and_then(|text| DateTime::parse_from_rfc2822(&text).ok()).map(|date| date.to_utc());
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let headers = RateHeaders::read(header, date.unwrap_or(asked));
    let kept = record::kept(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            let why = format!("the response is larger than {LARGEST_ANSWER} bytes");
            return Err((Answer::Lost { why }, Fault::Other));
        }
    }
    let body = match String::from_utf8(body) {
        Ok(body) => body,
        // What was sent cannot be told from this: a record in it may be another one.
        Err(_) if (200..=299).contains(&status) => {
            let why = format!("Vitally answered {status} with text that is not UTF-8");
            return Err((Answer::Lost { why }, Fault::Other));
        }
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    let elapsed = std::time::Duration::ZERO;
    Ok((Reply { status, body, date, asked, elapsed }, headers, kept))
}

/// Only a connection that was never made is known to have carried nothing.
fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_connect() || error.is_builder() {
        let fault = Fault::of(error);
        (Answer::NotSent { why: fault.why(error) }, fault)
    } else {
        lost(error)
    }
}

fn lost(error: &reqwest::Error) -> Trouble {
    let fault = Fault::of(error);
    (Answer::Lost { why: fault.why(error) }, fault)
}
