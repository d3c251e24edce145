//! The simulator as another process, and what it says of itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::random::Random;
use crate::child;
use crate::server::Server;

/// Kinds of Vitally that end alike.
const PROFILES: [&str; 4] = ["strict", "lenient", "upserting-post", "conflicting-post"];

/// When the accounts were made that were there before.
const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";

/// A running simulator.
pub(crate) struct Vitally {
    server: Server,
}

impl Vitally {
    /// Starts one of a kind that the seed chooses.
    pub(crate) fn start(coho: &Path, random: &mut Random) -> Result<Self> {
        let profile = random.pick(&PROFILES).copied().unwrap_or("strict");
        // What it is asked beside the rate's limit is not what is tried here.
        Self::with_switches(coho, &[profile, "limit=1000000,rate=1000000"])
    }

    /// Starts one with these switches.
    pub(crate) fn with_switches(coho: &Path, switches: &[&str]) -> Result<Self> {
        let mut command = child::program(coho);
        command.args(["simulator", "--listen", "127.0.0.1:0", "--latency", "3"]);
        for switch in switches {
            command.args(["--switch", switch]);
        }
        Ok(Self { server: Server::start(command.stderr(Stdio::null()))? })
    }

    /// Reads as another program with the same token would. Gives the status.
    pub(crate) fn read_as_another(&self) -> Result<u16> {
        let address = self.url().strip_prefix("http://").context("the simulator has no address")?;
        // "sandbox:" in base64.
        let head = format!(
            "GET /resources/accounts?limit=1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Basic c2FuZGJveDo=\r\n\r\n"
        );
        let answer = exchange(address, &head)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.context("what the simulator answered has no status")
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    /// Puts an account into it that was there long before. Gives Vitally's id.
    pub(crate) fn seed_account(&self, external_id: &str) -> Result<String> {
        let account = json!({ "externalId": external_id, "name": external_id, "createdAt": LONG_AGO, "updatedAt": LONG_AGO });
        let ids = self.ask("POST", "/simulator/seed", Some(&json!({ "accounts": [account] })))?;
        let id = ids["accounts"][0].as_str().context("the simulator gives no id of what it was given")?;
        Ok(id.to_owned())
    }

    /// Lets some of the next calls go wrong, or none. Gives how many, at most.
    pub(crate) fn trouble(&self, random: &mut Random) -> Result<u64> {
        let kinds = [
            json!("drop_before"),
            json!("drop_after_commit"),
            json!("not_json"),
            json!({ "status": 503 }),
            json!({ "status": 500, "after_commit": true }),
        ];
        let (mut faults, mut most) = (Vec::new(), 0);
        for _ in 0..random.below(4) {
            let kind = random.pick(&kinds).cloned().unwrap_or_default();
            let (skip, times) = (random.below(20), 1 + random.below(2));
            faults.push(json!({ "skip": skip, "times": times, "fault": kind }));
            most += u64::from(times);
        }
        self.ask("PUT", "/simulator/faults", Some(&Value::from(faults)))?;
        Ok(most)
    }

    /// Ends all trouble.
    pub(crate) fn calm(&self) -> Result<()> {
        self.ask("PUT", "/simulator/faults", Some(&json!([]))).map(drop)
    }

    /// All that it holds.
    pub(crate) fn state(&self) -> Result<Value> {
        self.ask("POST", "/simulator/flush", None)?;
        self.ask("GET", "/simulator/state", None)
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Result<Value> {
        self.ask("GET", "/simulator/calls", None)
    }

    /// How many calls wrote so far.
    pub(crate) fn writes(&self) -> Result<usize> {
        let calls = self.calls()?;
        let wrote = |call: &&Value| call["method"] != "GET";
        Ok(calls.as_array().context("the simulator gives no list of calls")?.iter().filter(wrote).count())
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let address = self.url().strip_prefix("http://").context("the simulator has no address")?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer =
            exchange(address, &format!("{head}{body}")).with_context(|| format!("{method} {path}"))?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the simulator's answer has no end")?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        match status {
            "204" => Ok(Value::Null),
            "200" => {
                serde_json::from_str(body).with_context(|| format!("reading the answer to {method} {path}"))
            }
            _ => bail!("{method} {path}: {answer}"),
        }
    }
}

fn exchange(address: &str, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
