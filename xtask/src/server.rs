//! A server that a tool needs for a while: `null-server` of `coho-bench`, or `coho simulator`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::child;

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it and reads its address, the one line that it prints.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let started = command.stdout(Stdio::piped()).spawn();
        let mut child = started.with_context(|| format!("starting `{}`", child::shown(command)))?;
        let mut url = String::new();
        let pipe = child.stdout.take();
        let mut server = Self { child, url: String::new() };
        BufReader::new(pipe.context("the server has no pipe")?).read_line(&mut url)?;
        url.trim_end().clone_into(&mut server.url);
        Ok(server)
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its address, such as `http://127.0.0.1:41234`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
