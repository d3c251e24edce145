//! The debugger over a ledger, and whoever asks it for pages.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::super::project::Project;
use crate::child;
use crate::server::Server;

/// A `coho debug`, until it is dropped.
pub(super) struct Desk {
    server: Server,
    token: &'static str,
}

/// Pages that move, until this is dropped.
pub(super) struct Streams(Vec<TcpStream>);

impl Drop for Streams {
    fn drop(&mut self) {
        for stream in &self.0 {
            // One that ended by itself needs no end.
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Desk {
    pub(super) fn open(programs: &Path, project: &Project, token: &'static str) -> Result<Self> {
        let file = project.folder().join("token");
        fs::write(&file, token).with_context(|| format!("writing {}", file.display()))?;
        let mut coho = child::program(programs.join("coho"));
        coho.args(["debug", "--no-open", "--project"]).arg(project.folder()).arg("--token-file").arg(file);
        Ok(Self { server: Server::start(&mut coho)?, token })
    }

    /// The number of its process.
    pub(super) fn process(&self) -> u32 {
        self.server.process()
    }

    /// How long a page took to its last byte, and how many bytes it has.
    pub(super) fn page(&self, path: &str) -> Result<(Duration, usize)> {
        let begun = Instant::now();
        let answer = self.get(path)?;
        Ok((begun.elapsed(), answer.len()))
    }

    /// The names of the newest runs.
    pub(super) fn runs(&self) -> Result<Vec<String>> {
        let page: serde_json::Value = serde_json::from_str(&self.get("/runs.json")?)?;
        let runs = page["runs"].as_array().context("the page of runs has no runs")?;
        Ok(runs.iter().filter_map(|run| run["run"].as_str().map(str::to_owned)).collect())
    }

    /// Each of these pages so many times, as a browser keeps them open.
    pub(super) fn streams(&self, paths: &[&str], times: usize) -> Result<Streams> {
        let mut streams = Vec::new();
        for path in paths.iter().flat_map(|path| std::iter::repeat_n(path, times)) {
            let stream = self.ask(path, "text/event-stream")?;
            let mut reader = stream.try_clone()?;
            std::thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
            streams.push(stream);
        }
        Ok(Streams(streams))
    }

    fn get(&self, path: &str) -> Result<String> {
        let mut text = String::new();
        self.ask(path, "*/*")?.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").context("an answer without an end of its headers")?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("{path}: {}", head.lines().next().unwrap_or_default());
        }
        Ok(body.to_owned())
    }

    fn ask(&self, path: &str, kind: &str) -> Result<TcpStream> {
        let host = self.server.url().trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).with_context(|| format!("reaching {host}"))?;
        let token = self.token;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nAccept: {kind}\r\nConnection: close\r\n\r\n"
        )?;
        Ok(stream)
    }
}
