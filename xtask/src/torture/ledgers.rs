//! Where the ledgers of a torture are: in the projects' folders, in a bucket, or in PostgreSQL.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};

use super::bucket::Bucket;
use super::postgres::Server;
use crate::child;

/// How long a run takes, until one ended by itself: each group of writes is a call where the ledger is in no file.
const IN_FILE: Duration = Duration::from_millis(400);
const IN_BUCKET: Duration = Duration::from_secs(6);
const IN_POSTGRES: Duration = Duration::from_secs(1);

/// What was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ledgers {
    /// In the project's folder.
    Files,
    /// In a bucket.
    Bucket,
    /// In PostgreSQL.
    Postgres,
}

impl Ledgers {
    /// Reads what was typed.
    pub(crate) fn parse(typed: Option<&str>) -> Result<Self> {
        match typed {
            None | Some("file") => Ok(Self::Files),
            Some("bucket") => Ok(Self::Bucket),
            Some("postgres") => Ok(Self::Postgres),
            Some(other) => bail!("expected `--ledger file`, `bucket` or `postgres`, found `{other}`"),
        }
    }

    /// The server, where one is needed.
    pub(crate) fn start(self, target: &Path) -> Result<Option<Store>> {
        Ok(match self {
            Self::Files => None,
            Self::Bucket => Some(Store::Bucket(Bucket::start()?)),
            Self::Postgres => Some(Store::Postgres(Server::start(target)?)),
        })
    }

    /// How long a run takes, until one ended by itself.
    pub(crate) fn usual(self) -> Duration {
        match self {
            Self::Files => IN_FILE,
            Self::Bucket => IN_BUCKET,
            Self::Postgres => IN_POSTGRES,
        }
    }
}

/// What keeps ledgers that are in no file.
pub(crate) enum Store {
    Bucket(Bucket),
    Postgres(Server),
}

impl Store {
    /// The ledger of a life.
    pub(crate) fn address(&self, life: &str) -> String {
        match self {
            Self::Bucket(_) => Bucket::address(life),
            Self::Postgres(server) => server.address(life),
        }
    }

    /// Tells a command how to get there.
    pub(crate) fn show(&self, command: &mut Command) {
        match self {
            Self::Bucket(bucket) => bucket.show(command),
            Self::Postgres(_) => {}
        }
    }

    /// Kills the server, and starts it again with what it had stored.
    pub(crate) fn crash(&mut self) -> Result<()> {
        match self {
            Self::Bucket(_) => bail!("only the server of `--ledger postgres` is killed"),
            Self::Postgres(server) => server.crash(),
        }
    }

    /// Copies the ledger of a life into a file, if there is one yet.
    pub(crate) fn copy(&self, coho: &Path, life: &str, to: &Path) -> Result<()> {
        let mut command = child::program(coho);
        command.args(["ledger", "copy", &self.address(life)]).arg(to).stdin(Stdio::null());
        self.show(&mut command);
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || text.contains("there is no ledger at") {
            return Ok(());
        }
        bail!("the ledger cannot be copied:\n{text}")
    }
}
