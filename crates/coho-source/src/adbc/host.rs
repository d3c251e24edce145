//! A process that holds a driver, as Coho sees it: what it is asked goes to its standard input, and frames come back.
//!
//! Its standard input is the only thing that ties it to Coho: where that ends, in whatever way Coho ends, it cancels its query and
//! ends too. It is in a process group of its own, so that Ctrl-C reaches Coho alone, which then ends in order.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::failure::{AdbcError, Asking};
use super::frame::{Answer, HEAD, Order, Request, head};
use crate::connection::AdbcConnection;

/// How long the process may take to cancel its query and to end, before it is killed.
const END_PATIENCE: Duration = Duration::from_secs(4);

/// How much of what a driver writes on its standard error is kept.
const MOST_WORDS: usize = 16 * 1024;

/// A running process.
pub(crate) struct Host {
    settings: AdbcConnection,
    /// The model's SQL, where a person wrote it.
    sql: Option<String>,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    words: JoinHandle<String>,
}

impl Host {
    /// Starts the process and asks it.
    pub(crate) async fn start(
        settings: &AdbcConnection,
        sql: Option<String>,
        mut request: Request,
    ) -> Result<Self, AdbcError> {
        let failed = |source| AdbcError::Host {
            driver: settings.driver.clone(),
            program: settings.host.program.clone(),
            source,
        };
        let (child, input, output, errors) = spawn(settings).map_err(failed)?;
        request.driver.clone_from(&settings.driver);
        request.limit = settings.statement_timeout;
        let exposed = |(name, value): &(String, secrecy::SecretString)| {
            (name.clone(), value.expose_secret().to_owned())
        };
        request.options = settings.options.iter().map(exposed).collect();
        let mut host = Self {
            settings: settings.clone(),
            sql,
            child,
            input: Some(input),
            output: BufReader::new(output),
            words: tokio::spawn(collect(errors)),
        };
        host.send(&request.frame()).await?;
        Ok(host)
    }

    /// Says what is wanted next.
    pub(crate) async fn order(&mut self, order: &Order) -> Result<(), AdbcError> {
        self.send(&order.frame()).await
    }

    async fn send(&mut self, frame: &[u8]) -> Result<(), AdbcError> {
        let Some(input) = &mut self.input else { return Err(self.crashed().await) };
        match input.write_all(frame).await {
            Ok(()) => Ok(()),
            // A process that ended says why as it is read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(_) => Err(self.crashed().await),
        }
    }

    /// The next answer, and how many bytes it had.
    pub(crate) async fn next(&mut self) -> Result<(Answer, usize), AdbcError> {
        let mut first = [0; HEAD];
        if self.output.read_exact(&mut first).await.is_err() {
            return Err(self.crashed().await);
        }
        let Some((letter, length)) = head(first) else { return Err(self.unexpected()) };
        let mut bytes = vec![0; length];
        if self.output.read_exact(&mut bytes).await.is_err() {
            return Err(self.crashed().await);
        }
        match Answer::read(letter, &bytes) {
            Some(Answer::Failed(report) | Answer::Declined(report)) => Err(self.asking().explain(report)),
            Some(answer) => Ok((answer, length)),
            None => Err(self.unexpected()),
        }
    }

    /// Ends the process, and waits for that. A query that is under way is cancelled; rows that are on their way have nowhere to go.
    pub(crate) async fn end(mut self) {
        drop(self.input.take());
        drop(self.output);
        if tokio::time::timeout(END_PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await.unwrap_or_default();
        }
    }

    /// An answer that nobody asked for.
    pub(crate) fn unexpected(&self) -> AdbcError {
        let AdbcConnection { driver, host, .. } = &self.settings;
        AdbcError::Answer { driver: driver.clone(), program: host.program.clone() }
    }

    fn asking(&self) -> Asking<'_> {
        Asking { driver: &self.settings.driver, options: &self.settings.options, sql: self.sql.as_deref() }
    }

    async fn crashed(&mut self) -> AdbcError {
        drop(self.input.take());
        let how = match tokio::time::timeout(END_PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => ending(status),
            Ok(Err(_)) | Err(_) => "it closed its output".to_owned(),
        };
        // Another process that a driver started may hold the pipe open.
        let words = tokio::time::timeout(END_PATIENCE, &mut self.words).await;
        let words = words.ok().and_then(Result::ok).unwrap_or_default();
        let words = self.asking().hidden(last_words(&words));
        AdbcError::Crashed { driver: self.settings.driver.clone(), how, words }
    }
}

fn spawn(settings: &AdbcConnection) -> io::Result<(Child, ChildStdin, ChildStdout, ChildStderr)> {
    let mut command = Command::new(&settings.host.program);
    command
        .args(&settings.host.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    if let Some(folder) = &settings.folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn()?;
    let missing = || io::Error::from(io::ErrorKind::BrokenPipe);
    let input = child.stdin.take().ok_or_else(missing)?;
    let output = child.stdout.take().ok_or_else(missing)?;
    let errors = child.stderr.take().ok_or_else(missing)?;
    Ok((child, input, output, errors))
}

/// Reads all that a driver writes on its standard error, and keeps the beginning: it must not wait for a reader.
async fn collect(mut errors: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = errors.read(&mut buffer).await {
        let room = MOST_WORDS.saturating_sub(kept.len()).min(length);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What says why a process crashed: the line that a runtime begins its last words with, or the last one.
fn last_words(words: &str) -> &str {
    let begins = |line: &&str| {
        ["panic:", "fatal error:", "thread '", "terminate called"].iter().any(|it| line.starts_with(it))
    };
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().find(begins).or_else(|| lines().next_back()).unwrap_or_default()
}

fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => ", SIGILL",
            6 => ", SIGABRT",
            7 => ", SIGBUS",
            8 => ", SIGFPE",
            9 => ", SIGKILL: the machine may be out of memory",
            11 => ", SIGSEGV",
            15 => ", SIGTERM",
            _ => "",
        };
        return format!("signal {signal}{name}");
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "it was ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_matter_are_those_of_the_crash() {
        assert_eq!(last_words("warming up\npanic: boom\n\ngoroutine 1 [running]:\nmain.go"), "panic: boom");
        assert_eq!(last_words("one\ntwo\n\n"), "two");
        assert_eq!(last_words(""), "");
    }
}
