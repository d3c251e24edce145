//! Programs that the tools start: cargo and what it built, always in the workspace's root.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::say;
use crate::workspace::root;

/// The same cargo that started this program.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program, started in the workspace's root.
///
/// What `cargo run` tells its child of this crate is taken away: build scripts that watch these variables (ring's does)
/// would otherwise run again whenever a build by hand follows one from here.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let about_this_crate = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "OUT_DIR"
        });
        if about_this_crate {
            command.env_remove(name);
        }
    }
    command
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs it with this terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting `{}`", shown(command)))?;
    if status.success() { Ok(()) } else { bail!("`{}` ended with {status}", shown(command)) }
}

/// Runs it and returns what it wrote to stdout; stderr goes to this terminal.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("starting `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("reading the output of `{}`", shown(command)))
}

/// Whether it starts and ends well, silently.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs it, passes what it prints on to stderr, and hears each line on its way there. Returns whether it ended well.
pub(crate) fn overheard(command: &mut Command, mut hear: impl FnMut(&str)) -> Result<bool> {
    let (reader, writer) = io::pipe().context("making a pipe")?;
    command.stdout(writer.try_clone().context("making a pipe")?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("starting `{}`", shown(command)))?;
    // The command holds the pipe's other end: as long as it does, the pipe has no end.
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    for line in BufReader::new(reader).split(b'\n') {
        let line = line.with_context(|| format!("reading from `{}`", shown(command)))?;
        let line = String::from_utf8_lossy(&line);
        say::talk(&line);
        hear(&line);
    }
    Ok(child.wait().with_context(|| format!("waiting for `{}`", shown(command)))?.success())
}

/// Where a program of this name is found on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_are_heard_to_their_end() {
        let mut heard = Vec::new();
        let mut command = program("sh");
        command.args(["-c", "echo out; echo err >&2; printf end; exit 3"]);
        let passed = overheard(&mut command, |line| heard.push(line.to_owned())).unwrap();
        assert!(!passed);
        assert_eq!(heard, ["out", "err", "end"]);
    }
}
