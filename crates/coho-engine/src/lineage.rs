//! Where events of lineage go. Whoever starts the engine says it.

use coho_alert::request::ChannelRequest;
use coho_core::json::Json;
use secrecy::{ExposeSecret as _, SecretString};

/// Where events of lineage go.
#[derive(Clone, Debug)]
pub struct LineageTarget {
    /// The address that takes events.
    pub url: String,
    /// What is sent as the bearer's token.
    pub api_key: Option<SecretString>,
    /// The namespace of jobs.
    pub namespace: String,
}

impl LineageTarget {
    /// Its address without what may be secret in it.
    pub(crate) fn shown(&self) -> &str {
        let url = self.url.split('?').next().unwrap_or_default();
        url.rsplit_once('@').map_or(url, |(_, rest)| rest)
    }

    pub(crate) fn request(&self, event: &Json) -> ChannelRequest {
        let bearer = |key: &SecretString| {
            ("authorization", SecretString::from(format!("Bearer {}", key.expose_secret())))
        };
        ChannelRequest {
            url: self.url.as_str().into(),
            headers: self.api_key.iter().map(bearer).collect(),
            content: "application/json",
            body: event.to_string(),
        }
    }
}
