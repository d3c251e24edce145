//! What a class came to, as a line of the table in `docs/reliability.md`, and the table in the page.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::arguments::Mode;
use crate::workspace::root;

/// The page.
const PAGE: &str = "docs/reliability.md";

/// What stands around the table.
const BEGIN: &str = "<!-- torture -->\n";
const END: &str = "<!-- /torture -->";

/// What a class of faults came to.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) what: String,
    /// How the run ended that the faults struck.
    pub(crate) exit: String,
    /// What it said.
    pub(crate) message: String,
    /// What held in the end.
    pub(crate) state: String,
}

impl Shown {
    pub(crate) fn line(&self) -> String {
        let Self { name, what, exit, message, state } = self;
        let plain = |text: &str| text.replace('|', "\\|");
        format!("| `{name}` | {} | {exit} | {} | {} |", plain(what), plain(message), plain(state))
    }
}

/// The table.
pub(crate) fn text(all: &[Shown]) -> String {
    let head =
        "| class | what is done | exit code | what the run says | in the end |\n|---|---|---|---|---|\n";
    all.iter().fold(head.to_owned(), |text, shown| text + &shown.line() + "\n")
}

/// Writes the table into the page, or compares: the classes that were run must stand in it as they were shown.
pub(crate) fn apply(all: &[Shown], mode: Mode) -> Result<()> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
    let (before, rest) =
        page.split_once(BEGIN).with_context(|| format!("{PAGE} has no `{}`", BEGIN.trim()))?;
    let (table, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no `{END}`"))?;
    match mode {
        Mode::Write => {
            let merged = format!("{before}{BEGIN}{}{END}{after}", text(all));
            fs::write(&path, merged).with_context(|| format!("writing {PAGE}"))
        }
        Mode::Check => {
            let missing: Vec<String> =
                all.iter().map(Shown::line).filter(|line| !table.contains(line.as_str())).collect();
            if missing.is_empty() {
                return Ok(());
            }
            bail!(
                "{PAGE} says otherwise, write it anew with `cargo xtask torture --faults all --write`:\n{}",
                missing.join("\n")
            )
        }
    }
}
