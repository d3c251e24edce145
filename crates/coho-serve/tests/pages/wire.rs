//! HTTP as bytes: a request is what a test writes, also where no client would.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::Failure;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Sends these bytes and reads until the other side ends.
pub(crate) async fn raw(address: SocketAddr, request: &str) -> Result<Answer, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no end of the headers")?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?.parse()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> =
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let is_chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
    let body = if is_chunked { joined(body).ok_or("a damaged chunk")? } else { body.to_owned() };
    Ok(Answer { status, headers, body })
}

/// A body that came in chunks.
fn joined(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (length, behind) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.push_str(behind.get(..length)?);
        rest = behind.get(length..)?.strip_prefix("\r\n")?;
    }
}

/// Sends these bytes and reads until this text came.
pub(crate) async fn until(address: SocketAddr, request: &str, text: &str) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let (mut got, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Err(format!("it ended without `{text}`: {}", String::from_utf8_lossy(&got)).into());
        }
        got.extend_from_slice(&piece[..read]);
        if String::from_utf8_lossy(&got).contains(text) {
            return Ok(());
        }
    }
}

/// A request with these header lines; the host is the address unless they name one.
pub(crate) fn request(method: &str, path: &str, address: SocketAddr, headers: &[&str], body: &str) -> String {
    let has_host = headers.iter().any(|line| line.starts_with("Host:"));
    let host = if has_host { String::new() } else { format!("Host: {address}\r\n") };
    let lines: String = headers.iter().flat_map(|line| [line, "\r\n"]).collect();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\n{host}{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
