//! What a class came to, as a line of the table in `docs/reliability.md`, and the table in the page.

use std::fs;

use anyhow::{Context, Result, bail};

use super::bench::Tally;
use crate::arguments::Mode;
use crate::workspace::root;

/// The page.
const PAGE: &str = "docs/reliability.md";

/// What stands around the table.
const BEGIN: &str = "<!-- torture -->\n";
const END: &str = "<!-- /torture -->";

const HEAD: &str = "\
| class | what is done | exit code | what the run says | in the end | kills | sent again |
|---|---|---|---|---|---|---|
";

/// What Vitally holds in the end.
pub(crate) const ALL_ONCE: &str = "each row once";

/// What a life of a class came to.
pub(crate) struct Came {
    /// How the run ended that the faults struck.
    pub(crate) exit: String,
    /// What it said.
    pub(crate) message: String,
    /// What held in the end.
    pub(crate) state: &'static str,
    pub(crate) tally: Tally,
}

/// A class of faults, and what came of it.
pub(crate) struct Shown {
    name: String,
    /// The part of its line that is always the same.
    fixed: String,
    /// What was done; nothing where this machine cannot make the faults.
    tally: Option<Tally>,
}

impl Shown {
    pub(crate) fn new(name: &str, what: &str, came: Came) -> Self {
        let Came { exit, message, state, tally } = came;
        let plain = |text: &str| text.replace('|', "\\|");
        let fixed =
            format!("| `{name}` | {} | {exit} | {} | {} |", plain(what), plain(&message), plain(state));
        Self { name: name.to_owned(), fixed, tally: Some(tally) }
    }

    /// A class whose faults cannot be made here.
    pub(crate) fn skipped(name: &str, what: &str, why: &str) -> Self {
        let fixed = format!("| `{name}` | {what} | skipped: {why} | | |");
        Self { name: name.to_owned(), fixed, tally: None }
    }

    /// Its line of the table.
    pub(crate) fn line(&self) -> String {
        match self.tally {
            Some(tally) => {
                format!("{} {} | {} of {} |", self.fixed, tally.kills, tally.repeats, tally.most_repeats)
            }
            None => format!("{} | |", self.fixed),
        }
    }
}

/// What all of them came to.
pub(crate) fn total(all: &[Shown], seed: u64) -> String {
    let tallies: Vec<Tally> = all.iter().filter_map(|shown| shown.tally).collect();
    let sum = |count: fn(&Tally) -> u64| tallies.iter().map(count).sum::<u64>();
    let skipped: Vec<_> =
        all.iter().filter(|shown| shown.tally.is_none()).map(|shown| &*shown.name).collect();
    let skipped = if skipped.is_empty() { "none".to_owned() } else { skipped.join(", ") };
    format!(
        "{} classes, seed {seed}, {} kills; skipped: {skipped}; 0 lost, 0 second records, 0 changed ids of events, {} writes again \
         (of {} that were under way or struck)",
        tallies.len(),
        sum(|tally| tally.kills),
        sum(|tally| tally.repeats),
        sum(|tally| tally.most_repeats),
    )
}

/// The table, and below it what all of it came to.
fn text(all: &[Shown], seed: u64) -> String {
    let lines: String = all.iter().map(|shown| shown.line() + "\n").collect();
    format!("{HEAD}{lines}\n{}.\n", total(all, seed))
}

/// Writes the table into the page, or compares: the classes that were run must stand in it as they came out.
pub(crate) fn apply(all: &[Shown], seed: u64, mode: Mode) -> Result<()> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
    let (before, rest) =
        page.split_once(BEGIN).with_context(|| format!("{PAGE} has no `{}`", BEGIN.trim()))?;
    let (table, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no `{END}`"))?;
    match mode {
        Mode::Write => {
            let page = format!("{before}{BEGIN}{}{END}{after}", text(all, seed));
            fs::write(&path, page).with_context(|| format!("writing {PAGE}"))
        }
        Mode::Check => {
            let other = differing(all, table);
            if other.is_empty() {
                return Ok(());
            }
            bail!(
                "{PAGE} says otherwise, write it anew with `cargo xtask torture --faults all --write`:\n{}",
                other.join("\n")
            )
        }
    }
}

/// The lines that the table does not have, whatever their numbers.
fn differing(all: &[Shown], table: &str) -> Vec<String> {
    let was_run = all.iter().filter(|shown| shown.tally.is_some());
    let lines: Vec<&str> = table.lines().collect();
    let is_there = |shown: &&Shown| lines.iter().any(|line| line.starts_with(&shown.fixed));
    was_run.filter(|shown| !is_there(shown)).map(Shown::line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str, kills: u64) -> Shown {
        let tally = Tally { kills, ..Tally::default() };
        Shown::new(
            "dns",
            "no name",
            Came { exit: "6".into(), message: message.into(), state: ALL_ONCE, tally },
        )
    }

    #[test]
    fn numbers_may_differ_and_messages_may_not() {
        let table = text(&[shown("cannot find it", 3)], 1);
        assert!(differing(&[shown("cannot find it", 1)], &table).is_empty());
        assert_eq!(differing(&[shown("all is well", 3)], &table).len(), 1);
        assert!(differing(&[Shown::skipped("dns", "no name", "needs root")], &table).is_empty());
    }
}
