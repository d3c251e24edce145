//! `cargo xtask screenshots`: pictures of the debugger's pages for the documentation, of what `coho demo --debug` shows.
//!
//! They have the time of day at which they were made, and so are made anew only where pages look different.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::install::{self, Need, Permission};
use crate::workspace::Workspace;
use crate::{child, say};

/// Where they stand, under the root.
const FOLDER: &str = "docs/pictures";

/// A demo that shows its pages until this is dropped.
struct Demo {
    child: Child,
    /// Held open: it says a last word when it ends.
    output: BufReader<ChildStdout>,
}

/// `cargo xtask screenshots`
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    arguments.nothing_left()?;
    let missing = install::prepare(&[Need::Chromium], Permission::WhereHarmless)?;
    if let Some(need) = missing.first() {
        bail!("{} is missing: {}", need.name(), need.remedy());
    }
    child::run(child::cargo().args(["build", "--workspace", "--bin", "coho", "--bin", "pictures"]))?;
    let programs = Workspace::load()?.target.join("debug");
    let (demo, address) = Demo::start(&mut child::program(programs.join("coho")))?;
    let taken = child::run(child::program(programs.join("pictures")).arg(address).arg(FOLDER));
    demo.end()?;
    taken?;
    say::line(&format!("the pictures are in {FOLDER}: look at them before they are committed"));
    Ok(())
}

impl Demo {
    /// Starts it, and gives the address of its pages.
    fn start(coho: &mut Command) -> Result<(Self, String)> {
        let mut child = coho
            .args(["demo", "--debug", "--no-open"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting `coho demo --debug`")?;
        let stdout = child.stdout.take().context("`coho demo --debug` has no output")?;
        let mut demo = Self { child, output: BufReader::new(stdout) };
        let mut line = String::new();
        while demo.output.read_line(&mut line).context("reading from `coho demo --debug`")? > 0 {
            if line.starts_with("http://") {
                return Ok((demo, line.trim().to_owned()));
            }
            line.clear();
        }
        bail!("`coho demo --debug` named no address")
    }

    /// Asks it to end, so that it leaves nothing behind.
    fn end(mut self) -> Result<()> {
        child::run(child::program("kill").arg("-TERM").arg(self.child.id().to_string()))?;
        let status = self.child.wait().context("waiting for `coho demo --debug`")?;
        if status.success() { Ok(()) } else { bail!("`coho demo --debug` ended with {status}") }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // After its end this is too late, and no harm.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
