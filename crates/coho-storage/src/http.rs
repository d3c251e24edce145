//! The calls of an object store, made with our HTTP client: TLS with ring and the machine's certificates, no redirects, time
//! limits for connecting and for each silence, none for a whole object.
//!
//! Why the last call failed is remembered, for [`crate::fault`]: errors of the library hold whole addresses, and Azure's may be
//! signed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use coho_core::failure::deepest_cause;
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use reqwest::redirect;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may arrive.
const SILENCE: Duration = Duration::from_secs(30);
/// How much of an error's text is read, in bytes.
const READ: usize = 64 * 1024;

/// Why a call failed.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The server said no.
    Answer {
        /// Who was asked.
        host: String,
        /// The status.
        status: u16,
        /// The server's own code.
        code: Option<String>,
        /// The bucket's region, where the server says that it is another.
        region: Option<String>,
    },
    /// There was no answer.
    Silence {
        /// Who was asked.
        host: String,
        /// Why.
        why: String,
    },
}

/// Why the last call failed, if it did.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastCall(Arc<Mutex<Option<Refusal>>>);

impl LastCall {
    fn was(&self, refusal: Option<Refusal>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    /// Forgets it.
    pub(crate) fn take(&self) -> Option<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Gives the object store its client.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    client: reqwest::Client,
    last: LastCall,
}

impl Connector {
    /// A client of its own.
    pub(crate) fn new(last: LastCall) -> Result<Self, reqwest::Error> {
        install_provider();
        let client = reqwest::Client::builder()
            .user_agent(concat!("coho/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()?;
        Ok(Self { client, last })
    }
}

/// Reqwest asks for a process-wide provider of cryptography; whoever embeds us may have installed one before.
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = host(&request);
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let sent = self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers);
        match sent.body(body).send().await {
            Ok(response) if response.status().is_success() => {
                self.last.was(None);
                Ok(streamed(response))
            }
            Ok(response) => Ok(self.refused(host, response).await),
            Err(error) => {
                self.last.was(Some(Refusal::Silence { host, why: why(&error) }));
                Err(failed(error))
            }
        }
    }
}

impl Connector {
    /// Reads what the server says, and gives it on.
    async fn refused(&self, host: String, mut response: reqwest::Response) -> HttpResponse {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= READ {
                body.truncate(READ);
                break;
            }
        }
        let text = String::from_utf8_lossy(&body);
        let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let code = header("x-ms-error-code").or_else(|| code(&text));
        let region = header("x-amz-bucket-region").or_else(|| element(&text, "Region"));
        self.last.was(Some(Refusal::Answer { host, status: status.as_u16(), code, region }));
        let mut answer = HttpResponse::new(text.into_owned().into());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        answer
    }
}

fn streamed(response: reqwest::Response) -> HttpResponse {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = reqwest::Body::from(response).map_err(failed);
    let mut answer = HttpResponse::new(HttpResponseBody::new(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// Who is asked, without a login.
fn host(request: &HttpRequest) -> String {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default();
    uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a call may be made again depends on this.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_builder() {
        HttpErrorKind::Unknown
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}

/// Why there was no response, without an address.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no response in time".to_owned();
    }
    if error.is_builder() {
        return "the address is not an HTTP address".to_owned();
    }
    deepest_cause(error).unwrap_or_else(|| "the request failed".to_owned())
}

/// The code in the XML of S3, Google and Azure, or in the JSON of servers of tokens.
fn code(text: &str) -> Option<String> {
    let json = || {
        let (_, rest) = text.split_once("\"error\"")?;
        let (_, rest) = rest.split_once('"')?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    element(text, "Code").or_else(json).filter(|code| is_word(code))
}

fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (word, _) = rest.split_once('<')?;
    is_word(word).then(|| word.to_owned())
}

/// Codes and regions are short words; anything else is not repeated.
fn is_word(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_an_answer_is_kept() {
        let s3 = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>AKIA…</Message></Error>";
        assert_eq!(code(s3).as_deref(), Some("AccessDenied"));
        assert_eq!(code("{\"error\":\"invalid_grant\",\"x\":1}").as_deref(), Some("invalid_grant"));
        assert_eq!(code("<Code>no such thing, AKIA1</Code>"), None);
        assert_eq!(code("<html>busy</html>"), None);
        assert_eq!(element("<Region>eu-central-1</Region>", "Region").as_deref(), Some("eu-central-1"));
    }
}
