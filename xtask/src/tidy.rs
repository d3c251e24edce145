//! `cargo xtask tidy`: the rules of the house, read from the files alone.
//!
//! Every check is a module with one pure function from the [`Tree`] (and what cargo says of the workspace) to findings; all
//! findings are printed, not the first. A rule that cannot be checked here is a matter of taste and stands in
//! `CONTRIBUTING.md`.

use std::fmt;

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::say;
use crate::workspace::{Workspace, root};

mod tree;
mod rust;
mod layers;
mod circles;
mod purity;
mod manifests;
mod headers;
mod names;
mod unique;
mod aliases;
mod retired;
mod text;
mod fixtures;
mod snapshots;
mod days;
mod docs;
mod links;
mod table;
mod codes;
mod promises;

use tree::Tree;

/// Something that a rule of the house forbids, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
    remedy: String,
}

impl Finding {
    /// A finding at a line of a file; lines count from 1.
    fn at(path: &str, line: usize, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), remedy: remedy.into() }
    }

    /// A finding about a file as a whole.
    fn of(path: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::at(path, 1, message, remedy)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.message, self.remedy)
    }
}

/// `cargo xtask tidy`
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    arguments.nothing_left()?;
    check()
}

/// Checks everything.
pub(crate) fn check() -> Result<()> {
    let tree = Tree::read(root())?;
    let workspace = Workspace::load()?;
    let findings = findings(&tree, &workspace);
    for finding in &findings {
        say::line(&finding.to_string());
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("tidy has 1 finding"),
        number => bail!("tidy has {number} findings"),
    }
}

fn findings(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    let packages = &workspace.packages;
    let mut findings = [
        layers::check(packages),
        circles::check(tree, packages),
        purity::check(tree, packages),
        manifests::check(tree, packages),
        headers::check(tree, packages),
        names::check(tree),
        unique::check(tree),
        aliases::check(tree),
        retired::check(tree),
        text::check(tree),
        fixtures::check(tree),
        snapshots::check(tree),
        days::check(tree),
        docs::check(tree, packages),
        links::check(tree),
        table::check(tree),
        codes::check(tree),
        promises::check(tree),
    ]
    .concat();
    findings.sort();
    findings
}
