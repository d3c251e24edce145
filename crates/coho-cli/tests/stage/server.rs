//! A server of the stage's project: starting it, hearing what it says, and asking it over HTTP as clients do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use coho_core::json::Json;

use crate::stage::Stage;

/// A server, and what it says.
pub(crate) struct Server {
    pub(crate) child: Child,
    said: BufReader<ChildStderr>,
    /// Where it listens: host and port.
    pub(crate) address: String,
}

impl Server {
    /// Starts one on a port that is free.
    pub(crate) fn start(stage: &Stage) -> Self {
        Self::start_with(stage, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(stage: &Stage, arguments: &[&str]) -> Self {
        let mut command = stage.coho([&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut server = Self { child, said, address: String::new() };
        let line = server.hear("serving at http://");
        let address = line.trim_start_matches("serving at http://").split(',').next();
        server.address.push_str(address.unwrap());
        server
    }

    /// Waits until the server says this, and gives the line.
    pub(crate) fn hear(&mut self, words: &str) -> String {
        let mut heard = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "waited for {words:?} and heard\n{heard}");
            if line.contains(words) {
                return line.trim_end().to_owned();
            }
            heard += &line;
        }
    }

    /// Sends a request and gives the status and the body.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        kind: &str,
        body: &str,
    ) -> (u16, Json) {
        let (status, body) = self.exchange(method, path, token, kind, body);
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }

    /// The text that a path answers.
    pub(crate) fn text(&self, path: &str, token: &str) -> String {
        let (status, body) = self.exchange("GET", path, Some(token), "", "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        kind: &str,
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let length = body.len();
        let host = &self.address;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}{kind}");
        // A server that refuses a long body may not read all of it.
        drop(write!(stream, "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, body.to_owned())
    }

    /// Sends these bytes, and gives the status, the headers and the body.
    pub(crate) fn raw(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    /// What a path answers.
    pub(crate) fn get(&self, path: &str, token: &str) -> Json {
        let (status, body) = self.send("GET", path, Some(token), "", "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Asks for a run, and gives its id.
    pub(crate) fn trigger(&self, path: &str, token: &str, kind: &str, body: &str) -> String {
        let (status, body) = self.send("POST", path, Some(token), kind, body);
        assert_eq!(status, 200, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// Asks again and again until a run has ended, as orchestrators do.
    pub(crate) fn wait_for(&self, sync: &str, run: &str, token: &str) -> Json {
        loop {
            let runs = self.get(&format!("/api/v1/syncs/{sync}/runs?runId={run}"), token);
            if !matches!(runs["data"][0]["status"].as_str(), Some("queued" | "processing")) {
                return runs["data"][0].clone();
            }
        }
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(id).status().unwrap().success());
    }

    /// Asks it to end, and gives its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal("TERM");
        self.hear("ended");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes a token.
pub(crate) fn token(stage: &Stage, arguments: &[&str]) -> String {
    let made = stage.coho([&["token", "new"], arguments].concat()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// The id of the sync `accounts`.
pub(crate) fn sync_id(server: &Server, token: &str) -> String {
    let syncs = server.get("/api/v1/syncs?slug=accounts", token);
    let id = syncs["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.parse::<u64>().is_ok(), "decimal digits: {id}");
    id
}
