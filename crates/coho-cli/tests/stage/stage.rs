//! A stage: a project in a folder of its own, a Vitally simulator, PostgreSQL, MariaDB and S3 if a test asks for them, and
//! `coho` itself.
//!
//! [`crate::script`] plays texts on it, [`crate::redact`] replaces what differs from run to run.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use coho_simulator::{IdSource, Running, Simulator, SimulatorSettings};
use coho_testkit::{CERTIFICATE, MARIADB_AUTHORITY, MariaDb, Postgres, S3Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The token that the stage's simulator accepts.
pub(crate) const TOKEN: &str = "token-of-the-stage";

/// The Analytics API token that it accepts.
pub(crate) const ANALYTICS_TOKEN: &str = "analytics-of-the-stage";

/// Everything that a test needs. It is gone when it is dropped.
pub(crate) struct Stage {
    folder: TempDir,
    /// The simulator.
    pub(crate) vitally: Running,
    runtime: Runtime,
    postgres: Option<Postgres>,
    mariadb: Option<MariaDb>,
    s3: Option<S3Server>,
    variables: BTreeMap<String, String>,
}

impl Stage {
    /// A stage with the small project.
    pub(crate) fn new() -> Result<Self, Failure> {
        let stage = Self::empty(Duration::ZERO)?;
        stage.take_project(&manifest().join("tests/stage/project"))?;
        Ok(stage)
    }

    /// A stage with an empty project folder. The simulator waits so long before each answer.
    pub(crate) fn empty(latency: Duration) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("coho-stage-").tempdir()?;
        for name in ["project", "temporary"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let runtime = Runtime::new()?;
        let vitally = runtime.block_on(Simulator::start(SimulatorSettings { latency, ..settings(TOKEN) }))?;
        let variables = [
            ("VITALLY_URL", vitally.url()),
            ("VITALLY_TOKEN", TOKEN.to_owned()),
            ("ANALYTICS_TOKEN", ANALYTICS_TOKEN.to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Self { folder, vitally, runtime, postgres: None, mariadb: None, s3: None, variables })
    }

    /// Copies a project's files into the project folder.
    pub(crate) fn take_project(&self, from: &Path) -> Result<(), Failure> {
        copy(from, &self.project())
    }

    /// The project's folder.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Where `coho` makes its temporary files.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.path().join("temporary")
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
        let path = self.project().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, bytes)?)
    }

    /// Another environment variable for all commands.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// An environment variable of all commands.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The folder that holds everything of this stage.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Another workspace at the same address, without records and with another REST token.
    pub(crate) fn move_to_workspace(&mut self, token: &str) -> Result<(), Failure> {
        let listen = self.vitally.address();
        self.runtime.block_on(async {
            let nowhere = Simulator::start(settings(token)).await?;
            std::mem::replace(&mut self.vitally, nowhere).stop().await;
            self.vitally = Simulator::start(SimulatorSettings { listen, ..settings(token) }).await?;
            Ok::<(), Failure>(())
        })
    }

    /// A PostgreSQL server, which commands find at `${WAREHOUSE_URL}`. `None` where there are no server programs.
    pub(crate) fn postgres(&mut self, test: &str) -> Result<Option<&mut Postgres>, Failure> {
        if self.postgres.is_none() {
            self.postgres = Postgres::start_or_skip(test)?;
            if let Some(url) = self.postgres.as_ref().map(Postgres::url) {
                self.set("WAREHOUSE_URL", &url);
            }
        }
        Ok(self.postgres.as_mut())
    }

    /// A MariaDB server, which commands find at `${SHOP_URL}`. It speaks TLS as `localhost:${SHOP_PORT}` to whoever trusts the authority in the file
    /// `${AUTHORITY}`; `${STRANGER}` has another one. `None` where there are no server programs.
    pub(crate) fn mariadb(&mut self, test: &str) -> Result<Option<&mut MariaDb>, Failure> {
        if self.mariadb.is_none() {
            self.mariadb = MariaDb::start_with_tls_or_skip(test)?;
            if let Some((url, port)) = self.mariadb.as_ref().map(|server| (server.url(), server.port())) {
                self.set("SHOP_URL", &url);
                self.set("SHOP_PORT", &port.to_string());
                for (name, certificate) in [("AUTHORITY", MARIADB_AUTHORITY), ("STRANGER", CERTIFICATE)] {
                    let file = self.folder.path().join(format!("{name}.pem"));
                    fs::write(&file, certificate)?;
                    self.set(name, &file.display().to_string());
                }
            }
        }
        Ok(self.mariadb.as_mut())
    }

    /// A server that speaks S3's protocol, which commands find where AWS's own tools would. `None` where it is not installed.
    pub(crate) fn s3(&mut self, test: &str) -> Result<Option<&mut S3Server>, Failure> {
        if self.s3.is_none() {
            self.s3 = S3Server::start_or_skip(test)?;
            if let Some(url) = self.s3.as_ref().map(S3Server::url) {
                self.set("AWS_ENDPOINT_URL", &url);
                self.set("AWS_ACCESS_KEY_ID", "key-of-the-stage");
                self.set("AWS_SECRET_ACCESS_KEY", "secret-of-the-stage");
            }
        }
        Ok(self.s3.as_mut())
    }

    /// `coho` with arguments, in the project's folder and with nothing but the stage's environment.
    pub(crate) fn coho<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coho"));
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// A line for the shell, which finds `coho` on its path.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        let program = Path::new(env!("CARGO_BIN_EXE_coho"));
        let folder = program.parent().unwrap_or(Path::new("/")).display();
        command
            .env_clear()
            .env("PATH", format!("{folder}:/usr/sbin:/usr/bin:/sbin:/bin"))
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.temporary())
            .env("HOSTNAME", "machine")
            .envs(clock())
            .envs(&self.variables)
            .current_dir(self.project())
            .stdin(Stdio::null());
    }

    /// What differs from stage to stage, and what stands for it in snapshots.
    pub(crate) fn names(&self) -> Vec<(String, &'static str)> {
        let mut names = vec![
            (self.vitally.url(), "http://vitally.test"),
            (self.vitally.address().to_string(), "vitally.test"),
            (self.project().display().to_string(), "/project"),
            (self.folder.path().display().to_string(), "/stage"),
        ];
        if let Some(server) = &self.postgres {
            names.push((format!("127.0.0.1:{}", server.port()), "warehouse.test"));
        }
        if let Some(server) = &self.mariadb {
            names.push((format!("127.0.0.1:{}", server.port()), "shop.test"));
            names.push((format!("localhost:{}", server.port()), "localhost:PORT"));
        }
        if let Some(server) = &self.s3 {
            names.push((format!("127.0.0.1:{}", server.port()), "s3.test"));
        }
        names
    }

    /// What `coho` left in its temporary folder, which should be nothing.
    pub(crate) fn left_behind(&self) -> Result<Vec<String>, Failure> {
        let entries = fs::read_dir(self.temporary())?;
        Ok(entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<_>>()?)
    }

    /// The runtime on which the simulator lives.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// The variables of a clock that is not the machine's (`cargo xtask test --clock`), and the zone that goes with it.
fn clock() -> Vec<(OsString, OsString)> {
    let is_clock = |name: &OsStr| {
        let name = name.to_string_lossy();
        name.starts_with("FAKETIME") || name == "LD_PRELOAD" || name == "TZ"
    };
    if std::env::var_os("FAKETIME").is_none() {
        return Vec::new();
    }
    std::env::vars_os().filter(|(name, _)| is_clock(name)).collect()
}

fn settings(token: &str) -> SimulatorSettings {
    SimulatorSettings {
        ids: IdSource::Sequential,
        analytics_token: ANALYTICS_TOKEN.to_owned(),
        ..SimulatorSettings::new(token)
    }
}

/// The folder of this crate.
pub(crate) fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
