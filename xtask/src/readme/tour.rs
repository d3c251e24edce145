//! The tour as it happens: one empty folder, one command after the other, and what runs behind them.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, process};

use anyhow::{Context, Result, bail};

use super::script::Command;
use crate::child;

/// How long a program in the background may take until it says something.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many tours this process began: each has a folder of its own.
static TOURS: AtomicU32 = AtomicU32::new(0);

/// A tour on its way. Its folder is removed and what it started is ended when it is dropped.
pub(crate) struct Tour {
    /// Everything of this tour.
    folder: PathBuf,
    /// Where the next command starts.
    here: String,
    /// The exit code of the last command, as `$?` shows it.
    code: i32,
    path: std::ffi::OsString,
    /// A free port, in the variable `COHO_SIMULATOR_PORT`.
    port: u16,
    background: Vec<Child>,
}

impl Tour {
    /// Makes the folder, with the programs of `programs` first on PATH.
    pub(crate) fn begin(programs: &Path) -> Result<Self> {
        let number = TOURS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("coho-tour-{}-{number}", process::id()));
        let start = folder.join("tour");
        fs::create_dir_all(&start).with_context(|| format!("creating {}", start.display()))?;
        let others = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(std::iter::once(programs.to_owned()).chain(env::split_paths(&others)))?;
        let here = start.to_str().context("the temporary folder's name is not UTF-8")?.to_owned();
        Ok(Self { folder, here, code: 0, path, port: free_port()?, background: Vec::new() })
    }

    /// Runs the command; returns the lines that it printed.
    pub(crate) fn run(&mut self, command: &Command) -> Result<Vec<String>> {
        if command.background {
            self.start(&command.text)?;
            return Ok(Vec::new());
        }
        let after = self.folder.join("pwd");
        let script =
            format!("exec 2>&1\ntrap 'pwd >\"$TOUR_PWD\"' EXIT\n(exit {})\n{}", self.code, command.text);
        let output = self.bash(&script).env("TOUR_PWD", &after).output();
        let output = output.with_context(|| format!("running `{}`", command.text))?;
        self.code = output.status.code().unwrap_or(1);
        let start = self.folder.join("tour");
        let printed = String::from_utf8_lossy(&output.stdout).replace(&*start.to_string_lossy(), "~");
        fs::read_to_string(&after)?.trim_end().clone_into(&mut self.here);
        Ok(printed.lines().map(|line| line.trim_end().to_owned()).collect())
    }

    /// Starts a program behind the others and waits until it says that it is there.
    fn start(&mut self, text: &str) -> Result<()> {
        let log = self.folder.join(format!("background-{}", self.background.len()));
        let file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut bash = self.bash(&format!("exec {text}"));
        let started = bash.stdout(file.try_clone()?).stderr(file).spawn();
        self.background.push(started.with_context(|| format!("starting `{text}`"))?);
        let begun = Instant::now();
        while fs::metadata(&log)?.len() == 0 {
            let ended = self.background.last_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("`{text} &` ended with {status}: {}", said.trim_end());
            }
            if begun.elapsed() > PATIENCE {
                bail!("`{text} &` said nothing for {} s", PATIENCE.as_secs());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn bash(&self, script: &str) -> process::Command {
        let mut bash = child::program("bash");
        bash.args(["-c", script]).current_dir(&self.here).stdin(Stdio::null());
        bash.env("PATH", &self.path).env("COHO_SIMULATOR_PORT", self.port.to_string());
        bash.env("NO_COLOR", "1").env("TERM", "dumb").env("COLUMNS", "100");
        bash
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        for child in &mut self.background {
            drop(child.kill());
            drop(child.wait());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::super::script;
    use super::*;

    fn printed(readme: &str) -> Result<Vec<Vec<String>>> {
        let mut tour = Tour::begin(Path::new("/nowhere"))?;
        script::parse(readme).iter().map(|command| tour.run(command)).collect()
    }

    #[test]
    fn the_folder_and_the_exit_code_outlive_a_command() {
        let readme = "<!-- tour -->\n```console\n$ mkdir a && cd a\n$ (exit 5)\n$ echo $? && pwd\n```\n";
        let expected = [vec![], vec![], vec!["5".to_owned(), "~/a".to_owned()]];
        assert_eq!(printed(readme).unwrap(), expected);
    }

    #[test]
    fn a_program_in_the_background_runs_beside_the_others() {
        let readme =
            "<!-- tour -->\n```console\n$ sh -c 'echo up; exec tail -f /dev/null' &\n$ echo here\n```\n";
        assert_eq!(printed(readme).unwrap(), [vec![], vec!["here".to_owned()]]);
    }
}
