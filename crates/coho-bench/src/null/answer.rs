//! Answers, made from the request alone.
//!
//! A record's Vitally id is made from the number in its external id and back, so that an answer to a request for one names the
//! other, as Vitally's would, without anything being kept.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::request::Request;
use crate::accounts;

/// Vitally ids are UUIDs; the number is the last group.
const ID_HEAD: &str = "00000000-0000-4000-8000-";

/// The time as two texts, made once a second.
#[derive(Default)]
pub(crate) struct Clock {
    second: u64,
    /// As in the `Date` header.
    date: String,
    /// As in `createdAt`.
    iso: String,
}

impl Clock {
    fn tick(&mut self) {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second != self.second {
            let time: DateTime<Utc> = now.into();
            self.date = time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            self.iso = time.format("%Y-%m-%dT%H:%M:%S.000Z").to_string();
            self.second = second;
        }
    }
}

/// Writes the whole answer.
pub(crate) fn write(request: &Request<'_>, clock: &mut Clock, out: &mut Vec<u8>) {
    clock.tick();
    let (status, body) = reply(request, &clock.iso);
    let head = format!("HTTP/1.1 {status}\r\ndate: {}\r\n", clock.date);
    out.extend_from_slice(head.as_bytes());
    if status != "204 No Content" {
        let fields = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        out.extend_from_slice(fields.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.as_bytes());
}

fn reply(request: &Request<'_>, now: &str) -> (&'static str, String) {
    let path = request.target.split('?').next().unwrap_or_default();
    if path.starts_with("/analytics/") {
        return ("200 OK", r#"{"message":"Success."}"#.to_owned());
    }
    let mut parts = path.trim_start_matches('/').split('/').skip(1);
    let (object, id) = (parts.next().unwrap_or_default(), parts.next());
    match (request.method, id) {
        ("POST" | "PUT", id) => {
            ("200 OK", record(external_id(request.body, id).as_deref(), traits(request.body), now))
        }
        ("DELETE", _) => ("204 No Content", String::new()),
        (_, Some(id)) if id.starts_with(ID_HEAD) => {
            ("200 OK", record(external_id("", Some(id)).as_deref(), "{}", now))
        }
        (_, Some(_)) => ("404 Not Found", r#"{"error":"not found"}"#.to_owned()),
        (_, None) if object == "customFields" => ("200 OK", "[]".to_owned()),
        (_, None) => ("200 OK", r#"{"results":[],"next":null,"atEnd":true}"#.to_owned()),
    }
}

fn record(external_id: Option<&str>, traits: &str, now: &str) -> String {
    let external_id = external_id.unwrap_or("account-0");
    let id = vitally_id(external_id);
    format!(
        r#"{{"id":"{id}","externalId":"{external_id}","createdAt":"{now}","updatedAt":"{now}","traits":{traits}}}"#
    )
}

/// The traits of the body, which Vitally shows in its answer.
fn traits(body: &str) -> &str {
    let Some((_, rest)) = body.split_once(r#""traits":"#) else { return "{}" };
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in rest.bytes().enumerate() {
        match (byte, quoted) {
            _ if escaped => escaped = false,
            (b'\\', true) => escaped = true,
            (b'"', _) => quoted = !quoted,
            (b'{', false) => depth += 1,
            (b'}', false) if depth == 1 => return rest.get(..=at).unwrap_or("{}"),
            (b'}', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    "{}"
}

/// The external id that the body or the path names.
fn external_id(body: &str, id: Option<&str>) -> Option<String> {
    let in_body = body
        .split_once(r#""externalId":"#)
        .and_then(|(_, rest)| rest.trim_start().strip_prefix('"')?.split('"').next());
    let in_path = || match id?.strip_prefix(ID_HEAD) {
        Some(number) => u64::from_str_radix(number, 16).ok().map(accounts::external_id),
        None => id.map(str::to_owned),
    };
    in_body.map(str::to_owned).or_else(in_path)
}

fn vitally_id(external_id: &str) -> String {
    let number = external_id.rsplit('-').next().and_then(|number| number.parse::<u64>().ok());
    format!("{ID_HEAD}{:012x}", number.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(method: &str, target: &str, body: &str) -> String {
        let (status, body) = reply(&Request { method, target, body }, "now");
        format!("{status} {body}")
    }

    #[test]
    fn a_created_record_is_found_by_its_id() {
        let created = answered("POST", "/resources/accounts", r#"{"name":"x","externalId": "account-255"}"#);
        let expected = r#"200 OK {"id":"00000000-0000-4000-8000-0000000000ff","externalId":"account-255","createdAt":"now","updatedAt":"now","traits":{}}"#;
        assert_eq!(created, expected);
        let path = "/resources/accounts/00000000-0000-4000-8000-0000000000ff";
        assert_eq!(answered("GET", path, ""), expected);
        assert_eq!(answered("PUT", path, r#"{"name":"y"}"#), expected);
    }

    #[test]
    fn the_traits_that_were_sent_are_shown() {
        let body = r#"{"traits":{"a \"}\\":"}","b":{"c":1}},"externalId":"account-1"}"#;
        let answer = answered("POST", "/resources/accounts", body);
        assert!(answer.ends_with(r#""traits":{"a \"}\\":"}","b":{"c":1}}}"#), "{answer}");
    }

    #[test]
    fn a_batch_is_taken() {
        let answer = answered("POST", "/analytics/v1/batch", r#"[{"type":"account"}]"#);
        assert_eq!(answer, r#"200 OK {"message":"Success."}"#);
    }

    #[test]
    fn nothing_else_is_there() {
        assert_eq!(
            answered("GET", "/resources/accounts/account-1", ""),
            r#"404 Not Found {"error":"not found"}"#
        );
        assert_eq!(
            answered("GET", "/resources/users?limit=1", ""),
            r#"200 OK {"results":[],"next":null,"atEnd":true}"#
        );
        assert_eq!(answered("GET", "/resources/customFields?model=accounts", ""), "200 OK []");
        assert_eq!(answered("DELETE", "/resources/accounts/account-1", ""), "204 No Content ");
    }
}
