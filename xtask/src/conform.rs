//! `cargo xtask conform FILE…`: runs files of Liquid cases by Coho's engine, and prints counts and failures by class.
//!
//! The work is done by an example of `coho-liquid`, so that the product has none of it; its exit code is this program's too.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::child;

/// `cargo xtask conform FILE…`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let files: Vec<String> = std::iter::from_fn(|| arguments.word()).collect();
    arguments.nothing_left()?;
    if files.is_empty() {
        bail!("conform needs a file of cases; see `cargo xtask help`");
    }
    let mut command = child::cargo();
    // Paths are those of whoever typed them, not of the root.
    command.current_dir(std::env::current_dir().context("finding the current folder")?);
    command.arg("run").arg("--manifest-path").arg(crate::workspace::root().join("Cargo.toml"));
    command.args(["--quiet", "--package", "coho-liquid", "--example", "conform", "--"]).args(files);
    let status = command.status().with_context(|| format!("starting `{}`", child::shown(&command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).with_context(|| format!("`{}` ended with {status}", child::shown(&command)))
}
