//! A call over HTTP to a server on this machine, for tests that put something there.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::server::Error;

/// Sends bytes; anything but a status that begins with 20 is an error with the server's own words.
pub(crate) fn call(
    program: &'static str,
    port: u16,
    line: &str,
    header: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let failed = |source| Error::Program { program, source };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    let length = bytes.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n{header}Connection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), bytes].concat()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    let is_good = answer.lines().next().is_some_and(|line| line.contains(" 20"));
    if is_good { Ok(()) } else { Err(Error::Statement(answer.into_owned())) }
}
