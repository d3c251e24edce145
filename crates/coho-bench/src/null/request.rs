//! Requests, cut out of a stream of bytes.

use std::{io, str};

/// What of a request an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) body: &'a str,
}

/// What the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut<'a> {
    /// A request, and how many bytes it takes.
    Whole { request: Request<'a>, length: usize },
    /// The beginning of one.
    Partial,
}

/// Cuts off the first request. Bodies have a `content-length`; anything else is not spoken here.
pub(crate) fn cut(bytes: &[u8]) -> io::Result<Cut<'_>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(Cut::Partial);
    };
    let head = text(bytes.get(..end))?;
    let length = end + 4 + body_length(head)?;
    if bytes.len() < length {
        return Ok(Cut::Partial);
    }
    let body = text(bytes.get(end + 4..length))?;
    let mut words = head.split_ascii_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(garbled("no request line"));
    };
    Ok(Cut::Whole { request: Request { method, target, body }, length })
}

fn body_length(head: &str) -> io::Result<usize> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("content-length") {
            return value.trim().parse().map_err(|_| garbled("a length that is no number"));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(garbled("a body without its length"));
        }
    }
    Ok(0)
}

fn text(bytes: Option<&[u8]>) -> io::Result<&str> {
    str::from_utf8(bytes.unwrap_or_default()).map_err(|_| garbled("not UTF-8"))
}

fn garbled(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &[u8] =
        b"POST /resources/accounts HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n";

    #[test]
    fn requests_are_cut_off_one_by_one() {
        let request = Request { method: "POST", target: "/resources/accounts", body: "{}" };
        let Cut::Whole { request: found, length } = cut(POST).unwrap() else {
            panic!("the request is whole")
        };
        assert_eq!(found, request);
        let rest = cut(&POST[length..]).unwrap();
        assert_eq!(
            rest,
            Cut::Whole { request: Request { method: "GET", target: "/", body: "" }, length: 18 }
        );
    }

    #[test]
    fn every_beginning_is_partial() {
        let whole = 56 + 2;
        for end in 0..whole - 1 {
            assert_eq!(cut(&POST[..end]).unwrap(), Cut::Partial, "{end} bytes");
        }
    }
}
