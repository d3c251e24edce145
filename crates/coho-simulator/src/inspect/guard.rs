//! Who may use the inspection API: programs on this machine. A page in somebody's browser is not one, even if a name of its
//! own leads it to this address.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Refuses who may not.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match refusal(peer.map(|peer| peer.0.ip()), request.headers()) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, Json(json!({ "error": why }))).into_response(),
    }
}

fn refusal(peer: Option<IpAddr>, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if !peer.is_some_and(|address| address.to_canonical().is_loopback()) {
        return Some("the inspection API accepts calls only from this machine");
    }
    if !text(header::HOST).is_some_and(is_local) {
        return Some(
            "the inspection API accepts only the hosts localhost, 127.0.0.1 and [::1]: the Host header has another name",
        );
    }
    let is_local_page = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| is_local(host));
    if text(header::ORIGIN).is_some_and(|origin| !is_local_page(origin)) {
        return Some(
            "the inspection API refuses calls from pages of other sites: the Origin header names one",
        );
    }
    None
}

/// Whether a host, with or without a port, is this machine by a name that nobody else can give.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|digit| digit.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(peer: &str, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        refusal(Some(peer.parse().unwrap()), &headers).is_none()
    }

    #[test]
    fn programs_on_this_machine_are_answered() {
        for host in ["127.0.0.1:7700", "localhost", "[::1]:7700", "127.0.0.2"] {
            assert!(answered("127.0.0.1", host, None), "{host}");
        }
        assert!(answered("::ffff:127.0.0.1", "localhost:7700", Some("http://localhost:3000")));
    }

    #[test]
    fn others_and_pages_of_others_are_not() {
        assert!(!answered("192.168.1.9", "192.168.1.2:7700", None));
        assert!(!answered("127.0.0.1", "rebound.example:7700", None));
        assert!(!answered("127.0.0.1", "127.0.0.1.example", None));
        assert!(!answered("127.0.0.1", "127.0.0.1:7700", Some("https://page.example")));
        assert!(!answered("127.0.0.1", "127.0.0.1:7700", Some("null")));
        assert!(refusal(Some(IpAddr::from([127, 0, 0, 1])), &HeaderMap::new()).is_some());
    }
}
