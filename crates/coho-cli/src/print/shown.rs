//! What a reader gets to see of a text: no secret of the process, and nothing that a terminal would obey but Coho's own colours.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use coho_core::json::Json;
use coho_core::secret::Masker;
use coho_core::terminal::escape_lines;
use tracing_subscriber::fmt::MakeWriter;

/// The secrets of the project that this process works on.
static SECRETS: RwLock<Option<Masker>> = RwLock::new(None);

/// From now on these secrets are in nothing that is printed.
pub(crate) fn conceal(masker: Masker) {
    *SECRETS.write().unwrap_or_else(PoisonError::into_inner) = Some(masker);
}

pub(crate) fn masker() -> Masker {
    let known = SECRETS.read().unwrap_or_else(PoisonError::into_inner).clone();
    known.unwrap_or_else(|| Masker::new(&[]))
}

/// The text without secrets.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    Cow::Owned(masker().mask(text).into_owned())
}

/// The text without secrets, in which a terminal finds nothing to obey but, where there are colours, those.
pub(super) fn text(text: &str, colours: bool) -> String {
    let masked = masked(text);
    if !colours {
        return escape_lines(&masked).into_owned();
    }
    let mut parts = masked.split("\u{1b}[");
    let mut safe = escape_lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').len();
        let is_colour = part.get(digits..).is_some_and(|rest| rest.starts_with('m'));
        safe.push_str(if is_colour { "\u{1b}[" } else { "\\u{1b}[" });
        safe.push_str(&escape_lines(part));
    }
    safe
}

/// The document without secrets: a number is never one, whatever its digits.
pub(super) fn document(document: &Json) -> Json {
    without_secrets(document, &masker())
}

fn without_secrets(value: &Json, masker: &Masker) -> Json {
    match value {
        Json::String(text) => masker.mask(text).into(),
        Json::Array(items) => items.iter().map(|item| without_secrets(item, masker)).collect(),
        Json::Object(members) => {
            let member = |(name, value): (&String, &Json)| {
                (masker.mask(name).into_owned(), without_secrets(value, masker))
            };
            Json::Object(members.iter().map(member).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
    }
}

/// Where log lines go: to stderr, as everything else does.
#[derive(Clone, Copy)]
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let shown = text(&String::from_utf8_lossy(line), super::colours_talk());
        io::stderr().lock().write_all(shown.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_reach_a_terminal() {
        let written = "\u{1b}[1;31merror\u{1b}[0m \u{1b}[2J\u{1b}]0;title\u{7}\u{202e}";
        assert_eq!(
            text(written, true),
            "\u{1b}[1;31merror\u{1b}[0m \\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{202e}"
        );
        assert!(!text(written, false).contains('\u{1b}'));
    }
}
