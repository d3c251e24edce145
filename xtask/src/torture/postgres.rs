//! A PostgreSQL for ledgers, as a process of its own that ends with the torture, and that can be crashed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, bail};

use crate::child;

/// A server.
pub(crate) struct Server {
    process: Child,
    /// Until it ends.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
}

impl Server {
    /// Starts it.
    pub(crate) fn start(target: &Path) -> Result<Self> {
        let mut build = child::cargo();
        build.args(["build", "--package", "coho-testkit", "--bin", "postgres-to-crash"]);
        child::run(&mut build)?;
        let mut command = child::program(target.join("debug/postgres-to-crash"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("starting PostgreSQL")?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("PostgreSQL's keeper says nothing")?;
        let mut server = Self { process, input, output: BufReader::new(output), url: String::new() };
        server.url = server.line()?;
        Ok(server)
    }

    /// The ledger of a life.
    pub(crate) fn address(&self, life: &str) -> String {
        format!("{}&name=life-{life}", self.url)
    }

    /// Kills the server, and starts it again.
    pub(crate) fn crash(&mut self) -> Result<()> {
        let input = self.input.as_mut().context("PostgreSQL's keeper reads nothing")?;
        writeln!(input, "crash").context("crashing PostgreSQL")?;
        self.line().map(drop)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).context("reading what PostgreSQL's keeper says")?;
        if line.is_empty() {
            bail!("PostgreSQL does not start; `cargo xtask install` installs it");
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It cleans up behind it when its input ends.
        drop(self.input.take());
        drop(self.process.wait());
    }
}
