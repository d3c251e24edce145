//! The command line, taken apart word by word: flags first, then what a verb expects, and nothing may be left over.

use anyhow::{Context, Result, bail};

/// Whether a verb writes what differs or only says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It writes.
    Write,
    /// It compares, and fails where something differs.
    Check,
}

/// The words that nobody has taken yet.
pub(crate) struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    /// The command line of this process, without the program's name.
    pub(crate) fn of_this_program() -> Self {
        let words =
            std::env::args().skip(1).map(|word| if word == "--help" { "help".to_owned() } else { word });
        Self { words: words.collect() }
    }

    /// The next word that is not a flag.
    pub(crate) fn word(&mut self) -> Option<String> {
        let at = self.words.iter().position(|word| !word.starts_with("--"))?;
        Some(self.words.remove(at))
    }

    /// Takes the flag; says whether it was there.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != flag);
        self.words.len() < before
    }

    /// `--check` or not.
    pub(crate) fn mode(&mut self) -> Mode {
        if self.flag("--check") { Mode::Check } else { Mode::Write }
    }

    /// Takes the flag with the word after it.
    pub(crate) fn value(&mut self, flag: &str) -> Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| word == flag) else { return Ok(None) };
        self.words.remove(at);
        if at >= self.words.len() {
            bail!("{flag} needs a value");
        }
        Ok(Some(self.words.remove(at)))
    }

    /// Takes the flag with the number after it.
    pub(crate) fn number(&mut self, flag: &str) -> Result<Option<u64>> {
        let Some(word) = self.value(flag)? else { return Ok(None) };
        let digits = word.replace(['_', ','], "");
        digits.parse().map(Some).with_context(|| format!("{flag} {word}"))
    }

    /// All words that are left, for another program.
    pub(crate) fn rest(self) -> Vec<String> {
        self.words
    }

    /// Fails if a word is left that the verb does not know.
    pub(crate) fn nothing_left(self) -> Result<()> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => bail!("`{word}` is not understood here; see `cargo xtask help`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments { words: line.split_whitespace().map(str::to_owned).collect() }
    }

    #[test]
    fn flags_and_words_are_taken_in_any_order() {
        let mut arguments = arguments("--check delivery --rows 1_000");
        assert_eq!(arguments.number("--rows").unwrap(), Some(1000));
        assert_eq!(arguments.mode(), Mode::Check);
        assert_eq!(arguments.word().as_deref(), Some("delivery"));
        assert!(arguments.nothing_left().is_ok());
    }

    #[test]
    fn a_value_may_look_like_a_flag_but_must_be_there() {
        assert_eq!(arguments("null --clock -2d").value("--clock").unwrap().as_deref(), Some("-2d"));
        assert!(arguments("--clock").value("--clock").is_err());
    }

    #[test]
    fn an_unknown_flag_is_left_over() {
        assert!(arguments("--chekc").nothing_left().is_err());
    }
}
