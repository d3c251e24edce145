//! What the servers of tests have in common: a shell that holds the server and waits for the end of its standard input, which
//! this process holds open. So the server ends with the test process even where nothing is dropped, as with a server in a
//! `static` or a test that was killed. [`crate::postgres`] and [`crate::mariadb`] say what the shell does.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

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
    /// The client refused the statement; its own words.
    Statement(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { program, .. } => write!(f, "running {program}"),
            Self::Start(words) => write!(f, "starting the server: {words}"),
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

/// A shell that holds a server.
#[derive(Debug)]
pub(crate) struct Keeper {
    shell: Child,
    folder: PathBuf,
    port: u16,
}

impl Keeper {
    /// Starts a shell with a script. Its arguments are a folder that it makes and removes, a free port, and these; when the server
    /// can be used, it says `ready`. Between choosing a free port and listening on it another program may take it.
    pub(crate) fn start(
        shell: impl Fn() -> Command,
        name: &str,
        script: &str,
        arguments: &[&OsStr],
    ) -> Result<Self, Error> {
        let mut last = Error::Start("no try".to_owned());
        for _ in 0..3 {
            match Self::start_once(shell(), name, script, arguments) {
                Ok(keeper) => return Ok(keeper),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn start_once(mut shell: Command, name: &str, script: &str, arguments: &[&OsStr]) -> Result<Self, Error> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("coho-{name}-{}-{number}", std::process::id()));
        let port = free_port().map_err(program("the test"))?;
        let mut shell = shell
            .args(["-c", script, "sh"])
            .args([folder.as_os_str(), port.to_string().as_ref()])
            .args(arguments)
            .current_dir(std::env::temp_dir())
            // Ctrl-C and a test runner's time limit go to the whole group: the keeper must outlive them to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(program("sh"))?;
        match shell.stdout.take().map(first_line) {
            Some(Ok(())) => Ok(Self { shell, folder, port }),
            Some(Err(words)) => {
                shell.wait().map_err(program("sh"))?;
                Err(Error::Start(words))
            }
            None => Err(Error::Start("it has no standard output".to_owned())),
        }
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends the server at once, and waits for its end.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        drop(self.shell.stdin.take());
        self.shell.wait().map_err(program("sh"))?;
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Nobody is left who could be told; the shell ends by itself in any case.
        self.stop().unwrap_or_default();
    }
}

/// Runs a client with statements on its standard input; gives what it prints.
pub(crate) fn ask(client: &mut Command, name: &'static str, sql: &str) -> Result<String, Error> {
    let output = fed(client, sql).map_err(program(name))?;
    if !output.status.success() {
        return Err(Error::Statement(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Says on standard error that a test is skipped, since something is not installed.
pub(crate) fn say_skipped(what: &str, test: &str) -> Result<(), Error> {
    let words = format!("skipped: {what} not installed ({test})\n");
    std::io::stderr().write_all(words.as_bytes()).map_err(program("the test"))
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
        // A refused statement ends the client before it has read everything; its status says so below.
        stdin.write_all(input.as_bytes()).unwrap_or_default();
    }
    child.wait_with_output()
}
