//! Survivors that are known and change nothing: a line each in `xtask/mutants-harmless.txt`, `FAULT # REASON`. Where a function has
//! several places for the same fault, a line explains one of them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use crate::workspace::root;

const FILE: &str = "xtask/mutants-harmless.txt";

/// Survivors with the reason why nobody is harmed.
#[derive(Debug, Default)]
pub(crate) struct Harmless(BTreeMap<String, Vec<String>>);

impl Harmless {
    /// Reads the list.
    pub(crate) fn read() -> Result<Self> {
        let text = fs::read_to_string(root().join(FILE)).with_context(|| format!("reading {FILE}"))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut reasons: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (fault, reason) in text.lines().filter_map(|line| line.split_once(" # ")) {
            reasons.entry(fault.trim().to_owned()).or_default().push(reason.trim().to_owned());
        }
        Self(reasons)
    }

    /// Why the nth survivor of this name, from 0, is harmless, where that is known.
    pub(crate) fn reason(&self, survivor: &str, nth: usize) -> Option<&str> {
        self.0.get(survivor)?.get(nth).map(String::as_str)
    }
}

/// A fault without line and column, which move with every change: `FILE:12:3: replace …` is `FILE: replace …`.
pub(crate) fn without_place(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(what)) => format!("{file}:{what}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_known_wherever_it_moved() {
        let list = Harmless::parse(
            "a line without a reason\nsrc/a.rs: replace f -> u8 with 0 # only a hint of capacity\n",
        );
        let survivor = without_place("src/a.rs:12:34: replace f -> u8 with 0");
        assert_eq!(list.reason(&survivor, 0), Some("only a hint of capacity"));
        assert_eq!(list.reason(&survivor, 1), None);
    }
}
