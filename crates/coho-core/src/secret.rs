//! Secrets of a process, and how they stay out of every text that leaves it or is kept.
//!
//! A [`Masker`] knows them literally and finds them as they are, in base64 (so in a `Basic` header, whatever stands before
//! and behind), URL-encoded, escaped as in JSON and HTML, in hexadecimal, and cut off at the end of a preview.
//! `forms` beside it makes these forms; who collects the secrets is `coho_project::masker`.

pub mod address;
mod forms;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use self::forms::{Form, Reach, of};

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// How Vitally's secret tokens begin: what begins so is a token, whether the project names it or not.
pub const TOKEN_PREFIXES: [&str; 2] = ["sk_live_", "sk_test_"];

/// The shortest secret that can be told from any other text.
const SHORTEST: usize = 4;

/// So many bytes of a secret that was cut off at an end are masked; fewer could be anything.
const SHORTEST_CUT: usize = 4;

/// A secret of the process.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    kind: Kind,
}

/// How a secret is told from other texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// By itself.
    Plain,
    /// A word that is public too, such as a password that is the user's name: only encoded, and between `:` and `@`.
    PublicWord,
    /// By all of it, since its beginning is that of many other texts: it is not found in base64, nor where it was cut off.
    Whole,
}

impl Secret {
    /// A secret that is masked wherever it stands.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::Plain }
    }

    /// A secret that is a public word too: masked where it is encoded, and where an address has its password.
    pub fn public_word(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::PublicWord }
    }

    /// An address that lets in whoever knows it, such as a webhook's. Its host is public: what follows the host is secret, or, where
    /// that is only a short word, the address as a whole. `None` where nothing follows.
    pub fn address(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("://")?;
        let path = rest.get(rest.find(['/', '?', '#'])?..)?;
        match path.len() {
            0 | 1 => None,
            short if short < forms::NEEDLE => Some(Self { text: text.to_owned(), kind: Kind::Whole }),
            _ => Some(Self::new(path)),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({MASK})")
    }
}

/// Masks the secrets that it was made of. Cheap to clone.
#[derive(Clone, Default)]
pub struct Masker {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    finder: AhoCorasick,
    /// Finds whether there is anything to be found, and not all of it: that is several times as fast, and most texts have nothing.
    any: AhoCorasick,
    forms: Vec<Form>,
    /// The bytes with which a form ends that was cut off.
    cut_ends: [bool; 256],
}

impl Masker {
    /// A masker of these secrets. Those of fewer than four bytes cannot be told from other text, and are passed over.
    pub fn new(secrets: &[Secret]) -> Self {
        let mut forms: Vec<Form> = TOKEN_PREFIXES.map(Form::token).into();
        let known = secrets.iter().filter(|secret| secret.text.len() >= SHORTEST);
        forms.extend(known.flat_map(|secret| of(&secret.text, secret.kind)));
        // Patterns of this size always make an automaton; were it otherwise, nothing could be told to anybody.
        Self { inner: Inner::new(forms).ok().map(Arc::new) }
    }

    /// The text with [`MASK`] in place of each secret.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(inner) = &self.inner else { return Cow::Borrowed(text) };
        let mut found = inner.found(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_unstable();
        let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            if start > at || masked.is_empty() {
                masked.push_str(text.get(at..start).unwrap_or_default());
                masked.push_str(MASK);
            }
            at = at.max(end);
        }
        masked.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(masked)
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

impl Inner {
    fn new(forms: Vec<Form>) -> Result<Self, BuildError> {
        let needles = || forms.iter().map(Form::needle);
        let finder = AhoCorasick::new(needles())?;
        let any = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(needles())?;
        let mut cut_ends = [false; 256];
        for form in forms.iter().filter(|form| form.reach == Reach::Anywhere) {
            for end in form.needle().iter().skip(SHORTEST_CUT - 1) {
                if let Some(is_end) = cut_ends.get_mut(usize::from(*end)) {
                    *is_end = true;
                }
            }
        }
        Ok(Self { finder, any, forms, cut_ends })
    }

    /// Where secrets stand: they may overlap.
    fn found(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<_> = self.cut(text).collect();
        if self.any.is_match(text) {
            found.extend(self.finder.find_overlapping_iter(text).filter_map(|found| {
                let form = self.forms.get(found.pattern().as_usize())?;
                form.extent(text, found.start())
            }));
        }
        found
    }

    /// Secrets that were cut off, before `…` or at the text's end.
    fn cut<'s>(&'s self, text: &'s str) -> impl Iterator<Item = (usize, usize)> + 's {
        let ends = text.match_indices('…').map(|(at, _)| at).chain([text.len()]);
        ends.flat_map(move |end| {
            let before = text.get(..end).unwrap_or_default();
            let last = before.bytes().next_back().map_or(0, usize::from);
            let may_end = self.cut_ends.get(last).is_some_and(|is_end| *is_end);
            let forms = if may_end { self.forms.as_slice() } else { &[] };
            let begun = move |form: &Form| Some((end - form.begun_at_end_of(before, SHORTEST_CUT)?, end));
            forms.iter().filter(|form| form.reach == Reach::Anywhere).filter_map(begun)
        })
    }
}

#[cfg(test)]
mod tests;
