//! A server of one object, as S3 serves it, that does to its answers what a test wants: it breaks off, refuses, or has another
//! version of the object from some call on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// All that was asked for.
    Whole,
    /// Only so many bytes of it; then the connection breaks.
    Cut(usize),
    /// The object was replaced before this call.
    Replaced,
    /// The same, on a server that does not look at `If-Match`.
    ReplacedUnasked,
    /// A status with a code, and a header.
    Refused(u16, &'static str, (&'static str, &'static str)),
    /// The whole object, with a header.
    With(&'static str, &'static str),
}

/// A call that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) range: Option<String>,
    pub(crate) if_match: Option<String>,
    /// How many bytes of the object were sent.
    pub(crate) sent: usize,
}

/// The server.
pub(crate) struct ObjectServer {
    port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl ObjectServer {
    /// Serves these bytes at any path; the first calls get these answers, all others what they ask for.
    pub(crate) fn start(bytes: &[u8], answers: &[Answer]) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let mut shop = Shop { bytes: bytes.to_vec(), tag: "\"one\"", calls: Arc::clone(&calls) };
        let answers = answers.to_vec();
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let answer = answers.get(at).copied().unwrap_or(Answer::Whole);
                // A client that goes away is what some tests want.
                stream.and_then(|stream| shop.serve(&stream, answer)).unwrap_or_default();
            }
        });
        Ok(Self { port, calls })
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Shop {
    bytes: Vec<u8>,
    tag: &'static str,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Shop {
    fn serve(&mut self, stream: &TcpStream, answer: Answer) -> std::io::Result<()> {
        let headers = read(stream)?;
        if matches!(answer, Answer::Replaced | Answer::ReplacedUnasked) {
            self.tag = "\"two\"";
        }
        let (range, if_match) = (headers.get("range").cloned(), headers.get("if-match").cloned());
        let is_other = if_match.as_ref().is_some_and(|tag| tag != self.tag);
        // Who has the whole answer, and asks for the calls, waits until this one is among them.
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = match answer {
            Answer::Refused(status, code, header) => {
                refuse(stream, status, code, header)?;
                0
            }
            Answer::Whole | Answer::Cut(_) | Answer::Replaced if is_other => {
                refuse(stream, 412, "PreconditionFailed", ("x-test", "1"))?;
                0
            }
            Answer::Cut(most) => self.give(stream, range.as_deref(), most, None)?,
            Answer::With(name, value) => {
                self.give(stream, range.as_deref(), usize::MAX, Some((name, value)))?
            }
            Answer::Whole | Answer::Replaced | Answer::ReplacedUnasked => {
                self.give(stream, range.as_deref(), usize::MAX, None)?
            }
        };
        calls.push(Call { range, if_match, sent });
        Ok(())
    }

    /// Sends the range, at most so many bytes of it.
    fn give(
        &self,
        mut stream: &TcpStream,
        range: Option<&str>,
        most: usize,
        header: Option<(&str, &str)>,
    ) -> std::io::Result<usize> {
        let length = self.bytes.len();
        let bounds = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let (start, end) = match bounds {
            Some((start, end)) => {
                let end = end.parse().map_or(length, |end: usize| (end + 1).min(length));
                (start.parse().unwrap_or(0), end)
            }
            None => (0, length),
        };
        let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
        let mut head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: {}\r\n", end - start, self.tag);
        if range.is_some() {
            let last = end - 1;
            head.push_str("Content-Range: bytes ");
            head.extend([start.to_string(), "-".into(), last.to_string(), "/".into(), length.to_string()]);
            head.push_str("\r\n");
        }
        if let Some((name, value)) = header {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head += "Last-Modified: Tue, 24 Nov 2026 10:00:00 GMT\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        let end = end.min(start.saturating_add(most));
        stream.write_all(&self.bytes[start..end])?;
        Ok(end - start)
    }
}

fn refuse(mut stream: &TcpStream, status: u16, code: &str, header: (&str, &str)) -> std::io::Result<()> {
    let body = match code {
        "" => String::new(),
        code => format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>words</Message></Error>"),
    };
    let head = format!(
        "HTTP/1.1 {status} No\r\n{}: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        header.0,
        header.1,
        body.len()
    );
    stream.write_all(head.as_bytes())
}

/// The headers of a call, by their names in small letters.
fn read(stream: &TcpStream) -> std::io::Result<BTreeMap<String, String>> {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None if line.trim_end().is_empty() => break,
            None => None,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new())?;
    Ok(headers)
}
