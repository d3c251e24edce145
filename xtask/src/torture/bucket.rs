//! A bucket for ledgers: moto, as a process of its own that ends with the torture. It takes any key for right.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child;
use crate::workspace::Workspace;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with one bucket.
pub(crate) struct Bucket {
    process: Child,
    port: u16,
}

impl Bucket {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let own = Workspace::load()?.target.join("moto/bin/moto_server");
        let program = if own.is_file() { own } else { "moto_server".into() };
        let mut command = child::program(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().context("starting moto; `cargo xtask install` installs it")?;
        let bucket = Self { process, port };
        let begun = Instant::now();
        while let Err(error) = bucket.make() {
            if begun.elapsed() > PATIENCE {
                return Err(error).context("moto does not answer");
            }
            sleep(Duration::from_millis(50));
        }
        Ok(bucket)
    }

    /// The ledger of a life.
    pub(crate) fn address(life: &str) -> String {
        format!("s3://ledgers/life-{life}/ledger.db")
    }

    /// Tells a command how to get there.
    pub(crate) fn show(&self, command: &mut Command) {
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port))
            .env("AWS_ACCESS_KEY_ID", "torture")
            .env("AWS_SECRET_ACCESS_KEY", "secret-of-the-torture")
            .env("AWS_REGION", "us-east-1");
    }

    /// Makes the bucket.
    fn make(&self) -> Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let request =
            "PUT /ledgers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { bail!("moto answered {answer}") }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
