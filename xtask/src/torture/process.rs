//! How commands end, and what they said.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a run may take that nobody kills, time-outs included. One that takes longer hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) text: String,
}

/// Lets a command end. What it says goes through a file in this folder.
pub(super) fn finished(mut command: Command, folder: &Path) -> Result<Ended> {
    let log = folder.join("log");
    let file = fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    let mut process = command.stdout(file.try_clone()?).stderr(file).spawn()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(Ended { status, text: fs::read_to_string(&log).unwrap_or_default() });
        }
        if begun.elapsed() > PATIENCE {
            process.kill()?;
            bail!("a run hangs");
        }
        sleep(Duration::from_millis(5));
    }
}

impl Ended {
    /// Of a run that nobody listened to.
    pub(crate) fn silent(status: ExitStatus) -> Self {
        Self { status, text: String::new() }
    }

    /// Of one that said this.
    pub(crate) fn told(status: ExitStatus, message: &str) -> Self {
        Self { status, text: format!("error: {message}\n") }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }

    /// An error with what it said, unless all went well.
    pub(crate) fn succeeded(&self) -> Result<()> {
        if !self.is_success() {
            bail!("a run that was left alone ended with {}:\n{}", self.exit(), self.text);
        }
        Ok(())
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// `0`, `6`, or `signal 9`.
    pub(crate) fn exit(&self) -> String {
        exit(self.status)
    }

    /// The errors, or the codes of what went wrong with rows, each with its first message.
    pub(crate) fn message(&self) -> String {
        let lines: Vec<&str> = self.text.lines().collect();
        let error = lines.iter().find_map(|line| line.strip_prefix("error: "));
        if let Some(error) = error.or_else(|| lines.iter().copied().find(|line| is_problem(line))) {
            return error.to_owned();
        }
        let mut said: Vec<String> = Vec::new();
        for pair in lines.windows(2) {
            let [line, next] = pair else { continue };
            let Some(code) = line.strip_prefix("  ! ").and_then(|line| line.split_whitespace().next()) else {
                continue;
            };
            let message = format!("`{code}`: {}", next.trim());
            if !said.iter().any(|known| known.starts_with(&format!("`{code}`"))) {
                said.push(message);
            }
        }
        if said.is_empty() { "nothing".to_owned() } else { said.join("; ") }
    }
}

/// `models/a.yaml: what is wrong [code]`.
fn is_problem(line: &str) -> bool {
    !line.starts_with(' ') && line.contains(": ") && line.ends_with(']')
}

/// `0`, `6`, or `signal 9`.
pub(crate) fn exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
