//! Who is let in. Every request passes here before anything else looks at it.
//!
//! | question | against |
//! |---|---|
//! | is it called by a name that is ours? [`host`] | a page elsewhere whose name was made to lead here (rebinding) |
//! | does it show the session's cookie, or the token as `Authorization: Bearer`? [`session`], [`token`] | other users of the machine, other pages |
//! | does a POST come from a page of ours? [`origin`] | a form elsewhere that posts here |
//!
//! A fourth one, whether a form carries this process's key, is asked where forms are read.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use crate::site::Site;

/// The name that a request calls us by is ours: loopback with our port, an address by its number where we listen on it, or
/// a name that we were told. A number cannot be made to lead elsewhere, names can.
pub(crate) fn host(site: &Site, headers: &HeaderMap) -> bool {
    let Some(host) = called(headers) else { return false };
    let port = site.address.port();
    let ip = site.address.ip();
    let mut ours: Vec<_> = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}")).into();
    if !ip.is_unspecified() {
        ours.push(site.address.to_string());
    }
    let is_number = || {
        let (name, of_port) = host.rsplit_once(':').unwrap_or((host, "80"));
        let number = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        number.is_ok() && of_port == port.to_string()
    };
    ours.iter().chain(&site.names).any(|name| name.eq_ignore_ascii_case(host))
        || (ip.is_unspecified() && is_number())
}

fn called(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// A request that changes something says which page it comes from, and that page is ours.
pub(crate) fn origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), called(headers)) else { return false };
    let from = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let same_site = headers.get("sec-fetch-site").is_none_or(|value| value == "same-origin");
    same_site && from.is_some_and(|from| from.eq_ignore_ascii_case(host))
}

/// The name of the cookie. Cookies are shared by all ports of a host: so it has the port.
pub(crate) fn cookie_name(site: &Site) -> String {
    format!("coho-{}", site.address.port())
}

/// Whether a request is of a session: by the cookie.
pub(crate) fn session(site: &Site, headers: &HeaderMap) -> bool {
    cookies(site, headers).any(|value| same(value, &site.keys.cookie))
}

/// Whether a request shows the token that was drawn for this process.
pub(crate) fn token(site: &Site, headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| value.to_str().ok());
    let mut bearers = lines.filter_map(|line| line.strip_prefix("Bearer "));
    bearers.any(|token| same(token, &site.keys.token))
}

/// The values of our cookie that a request shows.
pub(crate) fn cookies<'h>(site: &Site, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
    let name = cookie_name(site);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// Whether two texts are the same, in a time that does not say how far they are.
pub(crate) fn same(shown: &str, secret: &str) -> bool {
    let differ = shown.bytes().zip(secret.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    shown.len() == secret.len() && differ == 0 && !secret.is_empty()
}
