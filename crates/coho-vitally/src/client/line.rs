//! A line to one of Vitally's two APIs: a transport and a limiter. Both APIs have a host, a token and a pace of their own.

use coho_core::call::{AddressSource, Attempt, Headers, Route};
use coho_core::sync::Api;

use super::ClientError;
use super::limiter::pace::{LimiterState, Told};
use super::limiter::{Again, Limiter, Pass, Share};
use super::settings::ClientSettings;
use super::transport::{Sent, Transport};
use crate::request::{Answer, Reply, Request};

/// A line to one API.
#[derive(Debug)]
pub(super) struct Line {
    transport: Transport,
    limiter: Limiter,
    /// Units a minute that the user allows.
    rate: u32,
}

impl Line {
    /// The line to the REST API, where there is a token for it.
    pub(super) fn rest(settings: &ClientSettings) -> Result<Option<Self>, ClientError> {
        let Some(token) = &settings.token else { return Ok(None) };
        let route = route(Api::Rest, settings.endpoint.source(), settings.endpoint.url()?);
        let transport = Transport::new(route, token.header(), settings)?;
        let limiter = Limiter::new(Share {
            rate: settings.rate,
            at_once: settings.at_once,
            price: settings.known_price.unwrap_or_default(),
            jitter: settings.jitter.clone(),
            most_refusals: settings.retry.most_refusals,
            others: settings.others.clone(),
        });
        Ok(Some(Self { transport, limiter, rate: settings.rate }))
    }

    /// The line to the Analytics API, where it is to be used.
    pub(super) fn analytics(settings: &ClientSettings) -> Result<Option<Self>, ClientError> {
        let Some(analytics) = &settings.analytics else { return Ok(None) };
        let url = analytics.endpoint.url(&settings.endpoint)?;
        let route = route(Api::Analytics, analytics.endpoint.source(&settings.endpoint), url);
        let transport = Transport::new(route, analytics.token.header(), settings)?;
        let limiter = Limiter::new(Share {
            rate: analytics.rate,
            at_once: analytics.at_once,
            price: analytics.known_price.unwrap_or_default(),
            jitter: settings.jitter.clone(),
            most_refusals: settings.retry.most_refusals,
            others: analytics.others.clone(),
        });
        Ok(Some(Self { transport, limiter, rate: analytics.rate }))
    }

    /// The address without a slash at the end.
    pub(super) fn url(&self) -> &str {
        self.transport.url()
    }

    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    pub(super) fn state(&self) -> LimiterState {
        self.limiter.state()
    }

    /// How many calls may be under way at once.
    pub(super) fn at_once(&self) -> usize {
        self.limiter.at_once()
    }

    /// Waits until a request may be sent. The wait may be dropped.
    pub(super) async fn enter(&self, request: &Request) -> Pass<'_> {
        self.limiter.enter(request.method.cost()).await
    }

    /// Sends a request whose time has come.
    pub(super) async fn send(&self, pass: Pass<'_>, request: &Request, attempt: Attempt) -> (Sent, Again) {
        let sent = self.transport.send(request, attempt).await;
        tracing::debug!(
            method = sent.call.method,
            path = sent.call.path,
            status = sent.call.status,
            micros = sent.call.micros,
            "called Vitally"
        );
        let again = match &sent.answer {
            Answer::Reply(Reply { status: 429, .. }) => pass.settle(Told::Refused, sent.headers),
            Answer::Reply(_) => pass.settle(Told::Passed, sent.headers),
            // Without an answer the pass is dropped: nothing was told of the rate.
            Answer::Lost { .. } | Answer::NotSent { .. } => Again::Yes,
        };
        (sent, again)
    }

    /// Sends a request at once, as the connection test does.
    pub(super) async fn send_now(&self, request: &Request) -> Sent {
        self.transport.send(request, Attempt::FIRST).await
    }
}

/// Where a line leads to; the headers are the transport's to add.
fn route(api: Api, source: AddressSource, address: String) -> Route {
    Route { api, source, address, headers: Headers::new() }
}
