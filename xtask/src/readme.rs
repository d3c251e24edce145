//! `cargo xtask readme`: the README's tour, run for real, and the quotes of all documents, compared with their snapshots ([`quote`]).
//!
//! A ```` ```console ```` block after the line `<!-- tour -->` is a part of the tour: `$ ` begins a command (a line after one
//! that ends in `\` goes on with it), and what follows is its output. All commands run in one empty folder with the built
//! `coho` on PATH ([`fn@tour`]); what differs from run to run is not compared ([`volatile`]).

use std::fs;

use anyhow::{Context, Result, bail};

use crate::arguments::{Arguments, Mode};
use crate::codegen::Product;
use crate::say;
use crate::workspace::root;

mod quote;
mod quotes;
mod script;
mod snapshot;
mod tour;
mod volatile;

use script::Command;
use tour::Tour;

/// `cargo xtask readme [--check]`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let mode = arguments.mode();
    let only_quotes = arguments.flag("--quotes");
    arguments.nothing_left()?;
    quotes::apply(root(), mode)?;
    if only_quotes { Ok(()) } else { tour(&Product::build()?, mode) }
}

/// Renews the quotes, runs the tour and writes what it printed; or compares all of it.
pub(crate) fn apply(product: &Product, mode: Mode) -> Result<()> {
    quotes::apply(root(), mode)?;
    tour(product, mode)
}

fn tour(product: &Product, mode: Mode) -> Result<()> {
    let file = root().join("README.md");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let commands = script::parse(&text);
    if commands.is_empty() {
        bail!("README.md has no console block after a line `{}`", script::MARK);
    }
    let mut tour = Tour::begin(&product.folder)?;
    let mut stale = Vec::new();
    for command in commands {
        let printed = tour.run(&command)?;
        if !command.background && !volatile::same(&command.output, &printed) {
            stale.push((command, printed));
        }
    }
    match mode {
        _ if stale.is_empty() => Ok(()),
        Mode::Write => fs::write(&file, script::rewritten(&text, &stale)).context("writing README.md"),
        Mode::Check => fail(&stale),
    }
}

fn fail(stale: &[(Command, Vec<String>)]) -> Result<()> {
    for (command, printed) in stale {
        say::line(&format!("README.md:{}: `{}` prints something else now:", command.line + 1, command.text));
        for line in printed {
            say::line(&format!("    {line}"));
        }
    }
    bail!("the README's tour is not what happens; run `cargo xtask readme`")
}
