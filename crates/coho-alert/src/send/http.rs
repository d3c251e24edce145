//! One POST over HTTP, and what was answered.

use std::time::Duration;

use coho_core::failure::deepest_cause;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect;
use secrecy::ExposeSecret as _;

use crate::request::{ChannelAnswer, ChannelRequest};

/// How much of an answer is read, in bytes.
const READ: usize = 4_096;

pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    install_provider();
    reqwest::Client::builder()
        .user_agent(concat!("coho/", env!("CARGO_PKG_VERSION")))
        // A redirect would carry tokens to somewhere else.
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(timeout)
        .build()
}

/// Reqwest asks for a process-wide provider of cryptography; whoever embeds us may have installed one before.
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

pub(super) async fn post(client: &reqwest::Client, request: &ChannelRequest) -> ChannelAnswer {
    let mut builder = client
        .post(request.url.expose_secret())
        .header(CONTENT_TYPE, request.content)
        .body(request.body.clone());
    for (name, value) in &request.headers {
        let Ok(mut value) = HeaderValue::from_str(value.expose_secret()) else {
            return ChannelAnswer::Silence {
                why: format!("the header `{name}` contains characters that are not allowed in headers"),
            };
        };
        value.set_sensitive(true);
        builder = builder.header(*name, value);
    }
    match builder.send().await {
        Ok(response) => read(response).await,
        Err(error) => ChannelAnswer::Silence { why: why(&error) },
    }
}

/// The status is the answer; a body that breaks off changes nothing.
async fn read(mut response: reqwest::Response) -> ChannelAnswer {
    let status = response.status().as_u16();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = after.and_then(|text| text.trim().parse().ok());
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= READ {
            body.truncate(READ);
            break;
        }
    }
    ChannelAnswer::Reply { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() }
}

/// Why there was no response, without an address.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no response in time".to_owned();
    }
    if error.is_builder() {
        return "the address is not an HTTP address".to_owned();
    }
    let cause = deepest_cause(error).unwrap_or_else(|| "the request failed".to_owned());
    format!("no response: {cause}")
}
