//! `cargo xtask conform FILE…`: runs files of Liquid cases by Coho's engine, and prints counts and failures by class.
//!
//! The work is done by an example of `coho-liquid`, so that the product has none of it; its exit code is this program's too. With
//! `--liquidjs`, LiquidJS on Node answers the templates that the example names; its answers are written to
//! `crates/coho-liquid/fixtures/liquidjs`, where tests read them without Node.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::workspace::{self, Workspace};
use crate::{child, liquidjs};

const SCRIPT: &str = include_str!("conform/record.mjs");
/// The folder of the recordings.
const FOLDER: &str = "crates/coho-liquid/fixtures/liquidjs";

/// `cargo xtask conform FILE…` and `cargo xtask conform --liquidjs`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    if arguments.flag("--liquidjs") {
        arguments.nothing_left()?;
        return record();
    }
    let files: Vec<String> = std::iter::from_fn(|| arguments.word()).collect();
    arguments.nothing_left()?;
    if files.is_empty() {
        bail!("conform needs a file of cases, or --liquidjs; see `cargo xtask help`");
    }
    let mut command = example();
    // Paths are those of whoever typed them, not of the root.
    command.current_dir(std::env::current_dir().context("finding the current folder")?).args(files);
    ended(command)
}

fn example() -> Command {
    let mut command = child::cargo();
    command.arg("run").arg("--manifest-path").arg(workspace::root().join("Cargo.toml"));
    command.args(["--quiet", "--package", "coho-liquid", "--example", "conform", "--"]);
    command
}

fn ended(mut command: Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("starting `{}`", child::shown(&command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).with_context(|| format!("`{}` ended with {status}", child::shown(&command)))
}

/// Asks LiquidJS anew, writes its answers, and lists the differences.
fn record() -> Result<ExitCode> {
    let folder = workspace::root().join(FOLDER);
    let node = liquidjs::install(&Workspace::load()?.target, "record.mjs", SCRIPT)?;
    let requests = child::output(example().arg("--requests").arg(&folder))?;
    fs::write(node.join("requests"), requests)?;
    let mut asked = child::program("node");
    // Without an offset of its own LiquidJS shows dates in the machine's zone.
    asked.env("TZ", "UTC").arg(node.join("record.mjs")).arg(node.join("requests"));
    let Value::Object(recordings) = serde_json::from_str(&child::output(&mut asked)?)? else {
        bail!("LiquidJS's answers are not an object");
    };
    for (name, answers) in recordings {
        let lines: Vec<&str> = answers.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let path = folder.join(format!("{name}.json"));
        fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n")))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let mut compared = example();
    compared.arg("--recorded").arg(&folder);
    ended(compared)
}
