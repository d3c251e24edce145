//! Pings in the style of Healthchecks: at the start, on success, and on failure with a summary. Who waits for them notices
//! what nobody else can: that nothing ran at all (<https://healthchecks.io/docs/http_api/>, read 2026-11-27).

use secrecy::{ExposeSecret as _, SecretString};

use crate::limit::{PING_BODY, cut_bytes};
use crate::request::ChannelRequest;

/// What a ping says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ping {
    /// A run begins.
    Start,
    /// It ended well.
    Success,
    /// It did not.
    Fail,
}

/// Where pings go.
#[derive(Clone, Debug)]
pub struct Check {
    /// The address of the check, which is a secret.
    pub url: SecretString,
}

impl Check {
    /// The request of a ping with a summary.
    pub fn request(&self, ping: Ping, summary: &str) -> ChannelRequest {
        let url = self.url.expose_secret();
        // A query stays at the end.
        let (path, query) = url.split_once('?').map_or((url, ""), |(path, query)| (path, query));
        let end = match ping {
            Ping::Start => "/start",
            Ping::Success => "",
            Ping::Fail => "/fail",
        };
        let question = if query.is_empty() { "" } else { "?" };
        ChannelRequest {
            url: format!("{}{end}{question}{query}", path.trim_end_matches('/')).into(),
            headers: Vec::new(),
            content: "text/plain; charset=utf-8",
            body: cut_bytes(summary, PING_BODY).to_owned(),
        }
    }
}
