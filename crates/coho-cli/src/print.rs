//! The only place that prints: stdout is data, stderr is talk.

use std::io::{self, IsTerminal, Write};

use anyhow::Context as _;

/// Writes data. A reader that went away, such as `head`, is no error.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to stdout"),
    }
}

/// Writes a JSON document, with a line break behind it.
pub(crate) fn json(document: &serde_json::Value) -> anyhow::Result<()> {
    out(&format!("{document:#}\n"))
}

/// A count with its noun: `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Writes a line of talk. Where stderr is gone there is nobody to tell.
pub(crate) fn talk(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Whether stdout may have colours: it is a terminal, and `NO_COLOR` is not set.
pub(crate) fn colours_out() -> bool {
    io::stdout().is_terminal() && no_color_is_unset()
}

/// Whether stderr may have colours.
pub(crate) fn colours_talk() -> bool {
    io::stderr().is_terminal() && no_color_is_unset()
}

fn no_color_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
