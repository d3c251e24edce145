//! WebDriver's side of HTTP: a command, a JSON body, an answer whose `value` is the result or says what went wrong.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::failure::{BrowserError, of};

/// Sends a command, and gives the `value` of its answer.
pub(super) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, BrowserError> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = exchanged(address, &request(address, method, path, &body)).await;
    let answer = answer.map_err(of("speaking with chromedriver"))?;
    let answer: Value = serde_json::from_slice(&answer).map_err(of("understanding chromedriver"))?;
    let value = answer["value"].clone();
    match value["error"].as_str() {
        None => Ok(value),
        Some(error) => {
            let message = value["message"].as_str().unwrap_or_default();
            let first = message.lines().next().unwrap_or_default();
            Err(BrowserError::new(format!("{path}: {error}: {first}")))
        }
    }
}

/// The bytes of a request.
pub(super) fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

async fn exchanged(address: SocketAddr, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(request.as_bytes()).await?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}
