//! One connection of the mail server: commands, the order in which they may come, and the mail itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConnection, StreamOwned};

use super::{Mail, Privacy, Shared};

/// The longest line of a mail, its end counted (RFC 5321, 4.5.3.1.6).
const LONGEST_LINE: usize = 1_000;

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A connection.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    is_private: bool,
    user: Option<String>,
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// What follows a command.
enum Next {
    Answer(String),
    Secure,
    Take,
    End,
}

type Reader = BufReader<Box<dyn Stream>>;

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared, is_private: false, user: None, greeted: false, from: None, to: Vec::new() }
    }

    /// Until the client leaves. The error is what it did wrong.
    pub(super) fn serve(mut self, stream: TcpStream) -> Result<(), String> {
        let Ok(raw) = stream.try_clone() else { return Ok(()) };
        let mut reader = self.begin(stream)?;
        if !say(&mut reader, "220 localhost ESMTP") {
            return Ok(());
        }
        while let Some(line) = line(&mut reader)? {
            match self.command(&line)? {
                Next::Answer(answer) => {
                    if !say(&mut reader, &answer) {
                        return Ok(());
                    }
                }
                Next::Secure => {
                    say(&mut reader, "220 go ahead");
                    let Ok(raw) = raw.try_clone() else { return Ok(()) };
                    reader = self.secure(raw)?;
                    self.greeted = false;
                }
                Next::Take => {
                    say(&mut reader, "354 end with a dot");
                    let answer = self.take(&mut reader)?;
                    say(&mut reader, &answer);
                }
                Next::End => {
                    say(&mut reader, "221 bye");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, stream: TcpStream) -> Result<Reader, String> {
        match self.shared.privacy {
            Privacy::Tls => self.secure(stream),
            Privacy::StartTls | Privacy::Plain => Ok(BufReader::new(Box::new(stream))),
        }
    }

    fn secure(&mut self, stream: TcpStream) -> Result<Reader, String> {
        let connection =
            ServerConnection::new(Arc::clone(&self.shared.tls)).map_err(|error| error.to_string())?;
        self.is_private = true;
        Ok(BufReader::new(Box::new(StreamOwned::new(connection, stream))))
    }

    fn command(&mut self, line: &str) -> Result<Next, String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" if !rest.is_empty() => {
                self.greeted = true;
                self.extensions()
            }
            "STARTTLS" if self.shared.privacy == Privacy::StartTls && !self.is_private => {
                return Ok(Next::Secure);
            }
            "AUTH" if self.may_log_in() => self.log_in(rest),
            "MAIL" if self.may_send() => {
                self.from = Some(address(rest, "FROM:")?);
                "250 ok".to_owned()
            }
            "RCPT" if self.from.is_some() => {
                self.to.push(address(rest, "TO:")?);
                "250 ok".to_owned()
            }
            "DATA" if !self.to.is_empty() => return Ok(Next::Take),
            "RSET" => {
                self.forget();
                "250 ok".to_owned()
            }
            "NOOP" => "250 ok".to_owned(),
            "QUIT" => return Ok(Next::End),
            _ => return Err(format!("`{line}` may not come here")),
        };
        Ok(Next::Answer(answer))
    }

    fn extensions(&self) -> String {
        let mut lines = vec!["localhost"];
        if self.shared.privacy == Privacy::StartTls && !self.is_private {
            lines.push("STARTTLS");
        }
        if self.may_log_in() {
            lines.push("AUTH PLAIN");
        }
        let last = lines.len() - 1;
        let mark = |number: usize| if number == last { ' ' } else { '-' };
        let lines: Vec<_> =
            lines.iter().enumerate().map(|(number, line)| format!("250{}{line}", mark(number))).collect();
        lines.join("\r\n")
    }

    /// A password is taken over a private connection only, unless there is none.
    fn may_log_in(&self) -> bool {
        self.shared.login.is_some() && (self.is_private || self.shared.privacy == Privacy::Plain)
    }

    fn may_send(&self) -> bool {
        let is_secure = self.is_private || self.shared.privacy == Privacy::Plain;
        self.greeted && is_secure && (self.shared.login.is_none() || self.user.is_some())
    }

    fn log_in(&mut self, rest: &str) -> String {
        let encoded = rest.strip_prefix("PLAIN ").unwrap_or_default();
        let given = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let expected = self.shared.login.as_ref().map(|(user, password)| format!("\0{user}\0{password}"));
        if given.is_some() && given == expected {
            self.user = self.shared.login.as_ref().map(|(user, _)| user.clone());
            "235 welcome".to_owned()
        } else {
            "535 5.7.8 authentication credentials invalid".to_owned()
        }
    }

    /// Reads the mail and keeps it, unless the next one is to be refused.
    fn take(&mut self, reader: &mut Reader) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let Some(line) = line(reader)? else { return Err("the mail breaks off".to_owned()) };
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        let mail = Mail {
            from: self.from.clone().unwrap_or_default(),
            to: self.to.clone(),
            text,
            is_private: self.is_private,
            user: self.user.clone(),
        };
        self.forget();
        if let Some(refusal) = self.shared.next_refusal() {
            return Ok(refusal);
        }
        self.shared.keep(mail);
        Ok("250 taken".to_owned())
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

/// A line without its end; none where the client left.
fn line(reader: &mut Reader) -> Result<Option<String>, String> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes).is_err() || bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() > LONGEST_LINE {
        return Err(format!("a line has {} bytes", bytes.len()));
    }
    let line = String::from_utf8(bytes).map_err(|_| "a line is not UTF-8".to_owned())?;
    match line.strip_suffix("\r\n") {
        Some(line) if !line.contains(['\r', '\n']) && line.is_ascii() => Ok(Some(line.to_owned())),
        _ => Err(format!("the line {line:?} is not ASCII, or does not end with CR LF")),
    }
}

/// The address in `FROM:<a@b>`.
fn address(rest: &str, begins: &str) -> Result<String, String> {
    let inner = rest.strip_prefix(begins).and_then(|rest| rest.trim().split_once('>'));
    let address = inner.and_then(|(address, _)| address.strip_prefix('<'));
    address
        .filter(|address| address.contains('@'))
        .map(str::to_owned)
        .ok_or_else(|| format!("`{rest}` has no address"))
}

fn say(reader: &mut Reader, answer: &str) -> bool {
    let stream = reader.get_mut();
    stream.write_all(format!("{answer}\r\n").as_bytes()).and_then(|()| stream.flush()).is_ok()
}
