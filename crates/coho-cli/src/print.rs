//! The only place that prints: stdout is data, stderr is talk. No secret passes it, and nothing that a terminal would obey;
//! [`shown`] sees to both.

mod shown;

use std::io::{self, BufRead as _, IsTerminal, Write};

use anyhow::Context as _;
use coho_core::json::Json;
use coho_core::terminal;

use crate::exit::Known;
use crate::hangup;

pub(crate) use shown::{Log, conceal, masker};

/// What Linux answers to whoever writes to a terminal that is gone.
const EIO: i32 = 5;

/// Writes text for people.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    raw(&shown::text(text, colours_out()))
}

/// Writes CSV for programs, whose characters stay as they are unless it goes to a terminal.
pub(crate) fn csv(text: &str) -> anyhow::Result<()> {
    if io::stdout().is_terminal() { out(text) } else { raw(&shown::masked(text)) }
}

/// Writes what Coho itself is made of: a page of the reference, a shell's completions. A reader that went away, such as
/// `head`, is not an error, and neither is a terminal that was closed.
pub(crate) fn raw(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) if error.raw_os_error() == Some(EIO) && hangup::is_told() => Ok(()),
        other => other.context("cannot write to stdout"),
    }
}

/// Writes a JSON document, with a line break behind it.
pub(crate) fn json(document: &Json) -> anyhow::Result<()> {
    raw(&terminal::escape_json(&format!("{:#}\n", shown::document(document))))
}

/// Writes a JSON document as a line of talk.
pub(crate) fn talk_json(document: &Json) {
    drop(writeln!(io::stderr().lock(), "{}", terminal::escape_json(&shown::document(document).to_string())));
}

/// A count with its noun: `1 row`, `2 rows`, `1,000 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    coho_report::words::counted(count, noun)
}

/// Writes a line of talk. Where stderr is gone there is nobody to tell.
pub(crate) fn talk(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", shown::text(text, colours_talk())));
}

/// Asks on stderr, and reads whether the answer is yes.
pub(crate) fn ask(question: &str) -> anyhow::Result<bool> {
    talk(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The same where nothing is done without a yes: nobody to ask is an error.
pub(crate) fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        let message = "cannot ask for confirmation without a terminal".to_owned();
        return Err(Known { message, help: Some("add --yes".to_owned()), code: 2, source: None }.into());
    }
    ask(question)
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
