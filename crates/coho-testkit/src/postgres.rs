//! A PostgreSQL server of a test's own. [`crate::programs`] finds the programs.
//!
//! A shell holds the server and waits for the end of its standard input, which this process holds open: so the server
//! ends with the test process even where nothing is dropped, as with a server in a `static` or a test that was killed.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::programs::{Programs, as_server_user};

/// Makes the folder, starts the server, says so, waits until nobody needs it any more, and leaves nothing behind.
///
/// What a query says of a moment's day depends on the server's zone, which would else be the machine's.
const SCRIPT: &str = r#"
folder=$1; port=$2; bin=$3
mkdir -m 700 "$folder" || exit 1
trap 'rm -rf "$folder"' EXIT
{
    "$bin/initdb" --no-sync --no-instructions -A trust -U postgres -E UTF8 --locale=C -D "$folder/data" &&
    sed -i '1i host all protected all scram-sha-256' "$folder/data/pg_hba.conf" &&
    "$bin/pg_ctl" start -w -t 60 -D "$folder/data" -l "$folder/log" \
        -o "-p $port -h 127.0.0.1 -k '$folder' -c timezone=UTC \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
} >"$folder/start" 2>&1 </dev/null
if [ $? -ne 0 ]; then cat "$folder/start" "$folder/log" 2>/dev/null; exit 1; fi
echo ready
cat >/dev/null
"$bin/pg_ctl" stop -m immediate -D "$folder/data" >/dev/null 2>&1
"#;

/// A running PostgreSQL server with a superuser `postgres` who needs no password.
///
/// A role named `protected`, where a test makes one, must give its password.
#[derive(Debug)]
pub struct Postgres {
    keeper: Child,
    programs: Programs,
    folder: PathBuf,
    port: u16,
}

/// Why there is no server, or why a statement failed.
#[derive(Debug)]
pub enum Error {
    /// A program could not be run at all.
    Program {
        /// Which one.
        program: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The server did not start; its own words.
    Start(String),
    /// `psql` refused the statement; its own words.
    Statement(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { program, .. } => write!(f, "running {program}"),
            Self::Start(words) => write!(f, "starting PostgreSQL: {words}"),
            Self::Statement(words) => write!(f, "running a statement: {words}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Program { source, .. } => Some(source),
            Self::Start(_) | Self::Statement(_) => None,
        }
    }
}

impl Postgres {
    /// Starts a server; about a second. `None` where the server programs are not installed or `COHO_TEST_POSTGRES=off`.
    pub fn start() -> Result<Option<Self>, Error> {
        let Some(programs) = Programs::find() else { return Ok(None) };
        // Between choosing a free port and listening on it another program may take it.
        let mut last = None;
        for _ in 0..3 {
            match Self::start_once(programs.clone()) {
                Ok(server) => return Ok(Some(server)),
                Err(error) => last = Some(error),
            }
        }
        last.map_or(Ok(None), Err)
    }

    /// The same, and says on standard error which test is skipped where there is no server.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        let server = Self::start()?;
        if server.is_none() {
            let words = format!("skipped: PostgreSQL's server programs are not installed ({test})\n");
            std::io::stderr().write_all(words.as_bytes()).map_err(program("the test"))?;
        }
        Ok(server)
    }

    fn start_once(programs: Programs) -> Result<Self, Error> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("coho-postgres-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let port = free_port().map_err(program("the test"))?;
        let mut keeper = as_server_user("/bin/sh".as_ref())
            .args(["-c", SCRIPT, "sh"])
            .args([folder.as_os_str(), port.to_string().as_ref(), programs.folder().as_os_str()])
            .current_dir(std::env::temp_dir())
            // Ctrl-C and a test runner's time limit go to the whole group: the keeper must outlive them to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(program("sh"))?;
        match keeper.stdout.take().map(first_line) {
            Some(Ok(())) => Ok(Self { keeper, programs, folder, port }),
            Some(Err(words)) => {
                keeper.wait().map_err(program("sh"))?;
                Err(Error::Start(words))
            }
            None => Err(Error::Start("it has no standard output".to_owned())),
        }
    }

    /// The URL of the database `postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database by its name.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements in the database `postgres`; gives the rows' text, columns separated by `|`.
    pub fn psql(&self, sql: &str) -> Result<String, Error> {
        self.psql_in("postgres", sql)
    }

    /// Runs statements in a database by its name; the first that fails ends it.
    pub fn psql_in(&self, database: &str, sql: &str) -> Result<String, Error> {
        let mut command = self.programs.command("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]).arg(self.url_of(database));
        let output = fed(&mut command, sql).map_err(program("psql"))?;
        if !output.status.success() {
            return Err(Error::Statement(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Makes an empty database and gives its URL.
    pub fn create_database(&self, name: &str) -> Result<String, Error> {
        self.psql(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")))?;
        Ok(self.url_of(name))
    }

    /// Kills the server at once, as a crash or a lost machine would: clients see their connections break.
    pub fn stop(&mut self) -> Result<(), Error> {
        drop(self.keeper.stdin.take());
        self.keeper.wait().map_err(program("sh"))?;
        Ok(())
    }

    /// The folder of this server: its data, its socket and its log.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nobody is left who could be told; the keeper ends by itself in any case.
        self.stop().unwrap_or_default();
    }
}

fn program(program: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Program { program, source }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// `ready`, or everything that the keeper said.
fn first_line(stdout: ChildStdout) -> Result<(), String> {
    let mut reader = BufReader::new(stdout);
    let mut words = String::new();
    let read = reader.read_line(&mut words);
    if read.is_ok() && words == "ready\n" {
        return Ok(());
    }
    reader.read_to_string(&mut words).map_err(|error| error.to_string())?;
    Err(words)
}

fn fed(command: &mut Command, input: &str) -> std::io::Result<Output> {
    command.current_dir(std::env::temp_dir());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A refused statement ends psql before it has read everything; its status says so below.
        stdin.write_all(input.as_bytes()).unwrap_or_default();
    }
    child.wait_with_output()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_and_leaves_nothing_behind() {
        let Some(mut server) = Postgres::start_or_skip("a_server_answers").unwrap() else { return };
        let url = server.create_database("second").unwrap();
        assert!(url.ends_with("/second?sslmode=disable"));
        server.psql_in("second", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);").unwrap();
        assert_eq!(server.psql_in("second", "SELECT sum(a), 'x' FROM t").unwrap(), "3|x");
        assert!(matches!(server.psql("SELECT * FROM nowhere"), Err(Error::Statement(_))));
        server.stop().unwrap();
        assert!(!server.folder().exists());
    }
}
