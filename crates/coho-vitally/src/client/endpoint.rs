//! Endpoints: which host a workspace is on.

use std::fmt;

use coho_core::call::AddressSource;
use reqwest::Url;

/// Where a workspace's REST API is. The hosts are from
/// <https://docs.vitally.io/en/articles/9880649-rest-api-overview> (read 2026-11-24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `https://SUBDOMAIN.rest.vitally.io`; the subdomain is that of the address at which people log in.
    Us {
        /// The subdomain.
        subdomain: String,
    },
    /// `https://rest.vitally-eu.io`, one host for all workspaces.
    Eu,
    /// Another address, such as a simulator's.
    BaseUrl(String),
}

/// Where a workspace's Analytics API is
/// (<https://docs.vitally.io/en/articles/9874144-analytics-api-account>, read 2026-11-24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnalyticsEndpoint {
    /// The host that belongs to the workspace's [`Endpoint`]: `https://SUBDOMAIN.api.vitally.io`, and beside a given address
    /// that address itself. In the EU `https://api.vitally-eu.io`, which no page names: it is made after the EU host of the
    /// REST API and **unverified**; give the address where it is another one.
    OfWorkspace,
    /// `https://api.vitally.io`, the older host of all workspaces in the US, which needs no subdomain.
    UsShared,
    /// Another address, such as a simulator's.
    Url(String),
}

impl AnalyticsEndpoint {
    /// The address without a slash at the end. Regions are never mixed: data of people must not leave theirs.
    pub fn url(&self, workspace: &Endpoint) -> Result<String, EndpointError> {
        match (self, workspace) {
            (Self::Url(url), _) | (Self::OfWorkspace, Endpoint::BaseUrl(url)) => check(url),
            (Self::UsShared, _) => Ok("https://api.vitally.io".to_owned()),
            (Self::OfWorkspace, Endpoint::Us { subdomain }) => {
                label(subdomain).map(|subdomain| format!("https://{subdomain}.api.vitally.io"))
            }
            (Self::OfWorkspace, Endpoint::Eu) => Ok("https://api.vitally-eu.io".to_owned()),
        }
    }

    /// Where the address comes from.
    pub(super) fn source(&self, workspace: &Endpoint) -> AddressSource {
        match self {
            Self::OfWorkspace => workspace.source(),
            Self::UsShared => AddressSource::Us,
            Self::Url(_) => AddressSource::AnalyticsUrl,
        }
    }
}

/// Why there is no such endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not letters, digits and hyphens.
    #[error("`{0}` is not a subdomain: for https://acme.vitally.io, write `acme`")]
    Subdomain(String),
    /// No URL of a web server.
    #[error("`{0}` is not an http or https address")]
    Url(String),
}

impl Endpoint {
    /// The address without a slash at the end.
    pub fn url(&self) -> Result<String, EndpointError> {
        match self {
            Self::Us { subdomain } => {
                label(subdomain).map(|subdomain| format!("https://{subdomain}.rest.vitally.io"))
            }
            Self::Eu => Ok("https://rest.vitally-eu.io".to_owned()),
            Self::BaseUrl(url) => check(url),
        }
    }

    /// Where the address comes from.
    pub(super) fn source(&self) -> AddressSource {
        match self {
            Self::Us { .. } => AddressSource::Us,
            Self::Eu => AddressSource::Eu,
            Self::BaseUrl(_) => AddressSource::BaseUrl,
        }
    }

    /// The region's name in messages.
    pub(super) fn region(&self) -> &'static str {
        match self {
            Self::Us { .. } => "us",
            Self::Eu => "eu",
            Self::BaseUrl(_) => "custom",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url() {
            Ok(url) => f.write_str(&url),
            Err(error) => error.fmt(f),
        }
    }
}

fn label(text: &str) -> Result<&str, EndpointError> {
    if is_label(text) { Ok(text) } else { Err(EndpointError::Subdomain(coho_core::value::preview(text))) }
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A user name or password in the address would be sent in place of the token, and would show in messages.
fn check(text: &str) -> Result<String, EndpointError> {
    let wrong = || EndpointError::Url(shown(text));
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_whole = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain && is_whole {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(wrong())
    }
}

/// The address without what may be a password.
fn shown(text: &str) -> String {
    let end = text.rsplit('@').next().unwrap_or_default();
    coho_core::value::preview(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_host() {
        let us = Endpoint::Us { subdomain: "acme".to_owned() };
        assert_eq!(us.url(), Ok("https://acme.rest.vitally.io".to_owned()));
        assert_eq!(Endpoint::Eu.url(), Ok("https://rest.vitally-eu.io".to_owned()));
        let base = Endpoint::BaseUrl("http://127.0.0.1:7700/".to_owned());
        assert_eq!(base.url(), Ok("http://127.0.0.1:7700".to_owned()));
    }

    #[test]
    fn each_region_has_its_host_for_messages() {
        let us = Endpoint::Us { subdomain: "acme".to_owned() };
        let base = Endpoint::BaseUrl("http://127.0.0.1:7700/".to_owned());
        let url = |endpoint: AnalyticsEndpoint, workspace| endpoint.url(workspace).unwrap();
        assert_eq!(url(AnalyticsEndpoint::OfWorkspace, &us), "https://acme.api.vitally.io");
        assert_eq!(url(AnalyticsEndpoint::UsShared, &us), "https://api.vitally.io");
        assert_eq!(url(AnalyticsEndpoint::OfWorkspace, &Endpoint::Eu), "https://api.vitally-eu.io");
        assert_eq!(url(AnalyticsEndpoint::OfWorkspace, &base), "http://127.0.0.1:7700");
        let other = AnalyticsEndpoint::Url("https://elsewhere.example/".to_owned());
        assert_eq!(url(other, &us), "https://elsewhere.example");
    }

    #[test]
    fn a_subdomain_is_one_label() {
        for wrong in ["", "acme.vitally.io", "https://acme", "-a", "a/b", "a@b"] {
            let endpoint = Endpoint::Us { subdomain: wrong.to_owned() };
            assert!(matches!(endpoint.url(), Err(EndpointError::Subdomain(_))), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_does_not_show() {
        let error = Endpoint::BaseUrl("http://user:hunter2@host".to_owned()).url().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(Endpoint::BaseUrl("ftp://host".to_owned()).url().is_err());
        assert!(Endpoint::BaseUrl("host".to_owned()).url().is_err());
    }
}
