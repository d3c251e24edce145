//! All quotes of all documents.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::quote::{self, Quote};
use super::snapshot::Snapshot;
use crate::arguments::Mode;
use crate::say;

/// Renews the quotes that are stale, or says which are.
pub(crate) fn apply(root: &Path, mode: Mode) -> Result<()> {
    let mut stale = 0;
    for document in documents(root)? {
        stale += renew(root, &document, mode)?;
    }
    match stale {
        0 => Ok(()),
        number => bail!("{number} quotes are not what their snapshots say; run `cargo xtask readme`"),
    }
}

/// The README and everything below `docs`, seen from the root.
fn documents(root: &Path) -> Result<Vec<String>> {
    let mut found = vec!["README.md".to_owned()];
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).with_context(|| format!("reading {folder}"))?;
        for entry in entries {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().display());
            match entry.path().extension() {
                _ if entry.file_type()?.is_dir() => folders.push(path),
                Some(extension) if extension == "md" => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Renews a document's quotes; returns how many stay wrong.
fn renew(root: &Path, document: &str, mode: Mode) -> Result<usize> {
    let file = root.join(document);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {document}"))?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut wrong = 0;
    for at in quote::dangling(&text) {
        say::line(&format!("{document}:{}: no console block follows the mark", at + 1));
        wrong += 1;
    }
    for quote in quote::quotes(&text).iter().rev() {
        match renewed(root, &text, quote) {
            Ok(None) => {}
            Ok(Some(new)) if mode == Mode::Write => drop(lines.splice(quote.lines.clone(), new)),
            Ok(Some(new)) => {
                say::line(&format!("{document}:{}: {} says:", quote.lines.start + 1, quote.path));
                for line in new {
                    say::line(&format!("    {line}"));
                }
                wrong += 1;
            }
            Err(why) => {
                say::line(&format!("{document}:{}: {}: {why}", quote.lines.start + 1, quote.path));
                wrong += 1;
            }
        }
    }
    let new = lines.join("\n") + "\n";
    if mode == Mode::Write && new != text {
        fs::write(&file, new).with_context(|| format!("writing {document}"))?;
    }
    Ok(wrong)
}

fn renewed(root: &Path, text: &str, quote: &Quote) -> Result<Option<Vec<String>>, String> {
    let snapshot = fs::read_to_string(root.join(&quote.path)).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = text.lines().collect();
    let lines = lines.get(quote.lines.clone()).unwrap_or_default();
    quote::renewed(lines, quote.section.as_deref(), &Snapshot::parse(&snapshot))
}
