//! The one table of all keys: what may stand in which file.
//!
//! [`crate::conform`] checks files by it, [`crate::schema`] and [`crate::reference`] write it out for editors and people, so
//! that none of the three can say something else. To add a key, add it to its shape here and read it in [`crate::read`].

pub(crate) mod project;
pub(crate) mod sources;
pub(crate) mod files;
pub(crate) mod model;
pub(crate) mod sync;
pub(crate) mod alerts;
pub(crate) mod webhooks;
pub(crate) mod field;
pub(crate) mod schedule;
pub(crate) mod test;
pub(crate) mod texts;
pub(crate) mod foreign;

/// A mapping: which keys it may have.
pub(crate) struct Shape {
    /// Its name in the reference and in the schema.
    pub(crate) name: &'static str,
    /// What it describes: sentences.
    pub(crate) about: &'static str,
    /// Its keys, in the order in which people write them.
    pub(crate) keys: &'static [Key],
    /// Keys of which exactly one must be there; none if empty.
    pub(crate) one_of: &'static [&'static str],
    /// What stands under keys that the user names.
    pub(crate) others: Option<Others>,
}

/// Keys that the user names.
pub(crate) struct Others {
    /// What the key is, for the reference: `NAME`.
    pub(crate) label: &'static str,
    /// What a key may be; `None` for any text.
    pub(crate) key: Option<&'static Text>,
    /// What stands under it.
    pub(crate) form: &'static Form,
    /// What it means: a fragment.
    pub(crate) meaning: &'static str,
}

/// One key.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) form: &'static Form,
    /// What holds without it, for the reference; empty if nothing does.
    pub(crate) default: &'static str,
    /// What it means: a sentence.
    pub(crate) meaning: &'static str,
    /// How it may be written, for hints.
    pub(crate) example: &'static str,
}

/// Whether a key must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Must,
    May,
    /// It may, where this other key is there too.
    With(&'static str),
    /// It must where another key has one of some words, and may elsewhere.
    Where(&'static Where),
    /// It comes with a later version; until then, this helps.
    Later(&'static str),
}

/// Where a key must be there.
#[derive(PartialEq, Eq)]
pub(crate) struct Where {
    /// The other key.
    pub(crate) key: &'static str,
    /// The words.
    pub(crate) words: &'static [&'static str],
    /// What helps where it is missing.
    pub(crate) help: &'static str,
}

/// What stands under a key.
pub(crate) enum Form {
    /// A text of a certain kind.
    Text(&'static Text),
    /// One of a few words.
    Choice(&'static Choice),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count { least: u64, most: u64 },
    /// `null` and nothing else.
    Null,
    /// Any value at all.
    Anything,
    /// Items of one form.
    List(&'static Form),
    /// A mapping.
    Map(&'static Shape),
    /// A mapping whose `type` says which shape it has.
    Typed(&'static Typed),
    /// One of these, no two of one kind (scalar, list, mapping).
    Either(&'static [&'static Form]),
}

/// A kind of text.
pub(crate) struct Text {
    /// What it is, with its article: `a rate such as 900/min`.
    pub(crate) what: &'static str,
    /// Whether a text is one.
    pub(crate) accepts: fn(&str) -> bool,
    /// The same as a regular expression, for editors; empty for any text.
    pub(crate) pattern: &'static str,
    /// Whether a plain number may stand for it.
    pub(crate) numbers: Numbers,
    /// Whether a message may show it.
    pub(crate) shown: Shown,
}

/// Whether a plain number may stand for a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Taken,
    Refused,
}

/// Whether a message may show a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Shown,
    Secret,
}

/// One of a few words.
pub(crate) struct Choice {
    /// The words.
    pub(crate) now: &'static [&'static str],
    /// Words that come with a later version, and what helps until then.
    pub(crate) later: &'static [(&'static str, &'static str)],
}

/// A mapping whose `type` says which shape it has.
pub(crate) struct Typed {
    /// The types.
    pub(crate) types: &'static [(&'static str, &'static Shape)],
    /// Types that come with a later version, and what helps until then.
    pub(crate) later: &'static [(&'static str, &'static str)],
}

impl Shape {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Form {
    /// What is expected, for messages.
    pub(crate) fn expects(&self) -> String {
        match self {
            Self::Text(text) => text.what.to_owned(),
            Self::Choice(choice) => one_of(choice.now),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Count { least, most } => format!("a whole number from {least} to {most}"),
            Self::Null => "`null`".to_owned(),
            Self::Anything => "any value".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) | Self::Typed(_) => "a mapping".to_owned(),
            Self::Either(forms) => forms.iter().map(|form| form.expects()).collect::<Vec<_>>().join(" or "),
        }
    }
}

/// `a`, `` `a` or `b` ``, ``one of `a`, `b`, `c` ``.
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] | [_] | [_, _] => quoted.join(" or "),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests;
