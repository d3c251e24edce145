//! Taking a text apart in one pass over its bytes, into pieces that all texts of its shape have and values between them.
//!
//! Names that come from a project or from Vitally's records stand in outlines: members of a body, of its traits, and of
//! fields that differ. Objects within those are values, with the names that they have, since such names may be anybody's.

use std::ops::Range;

/// The longest text that is taken apart. Longer ones are compressed well.
const LONGEST: usize = 16 << 10;

/// The most values of a text.
const MOST: usize = 256;

/// The longest value: a longer one is compressed better with all of its text.
const LONGEST_VALUE: usize = 200;

/// The longest name in an outline.
const LONGEST_NAME: usize = 80;

/// What a text is, which says what of it are names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Members and their values: what was sent, by paths.
    Flat,
    /// Members that have `before` and `after`: fields that differ, by paths.
    Differences,
    /// A body, whose member `traits` has members of its own.
    Body,
}

/// A value in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it stands, without its quotes.
    pub(crate) at: Range<usize>,
    /// Whether it has quotes.
    pub(crate) is_quoted: bool,
    /// Where its name stands, by which it is told where another text has the same value; empty where it has none.
    pub(crate) name: Range<usize>,
}

/// Finds the values of a text; `None` where it has no outline of use.
pub(crate) fn tokens(text: &str, kind: Kind) -> Option<Vec<Token>> {
    if text.len() > LONGEST || !text.starts_with('{') {
        return None;
    }
    // Looked for in all of it at once, which takes a fraction of the time.
    let (has_control, has_escape) = text
        .bytes()
        .fold((false, false), |(control, escape), byte| (control || byte < b' ', escape || byte == b'\\'));
    if has_control {
        return None;
    }
    let mut scanner =
        Scanner { text: text.as_bytes(), has_escape, at: 0, kind, tokens: Vec::with_capacity(32) };
    scanner.object(1, 0..0)?;
    (scanner.at == text.len() && !scanner.tokens.is_empty()).then_some(scanner.tokens)
}

struct Scanner<'t> {
    text: &'t [u8],
    /// Whether a quote in a text may be escaped.
    has_escape: bool,
    at: usize,
    kind: Kind,
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next byte that is not a blank.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            self.at += 1;
            if byte != b' ' {
                return Some(byte);
            }
        }
    }

    fn skip_blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// An object of this level, the first of which is the text, and the name that it has.
    fn object(&mut self, level: u8, of: Range<usize>) -> Option<()> {
        self.at += 1;
        self.skip_blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.skip_blanks();
            let name = self.quoted()?;
            if name.len() > LONGEST_NAME || self.next()? != b':' {
                return None;
            }
            self.skip_blanks();
            self.value(level, name, &of)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn value(&mut self, level: u8, name: Range<usize>, of: &Range<usize>) -> Option<()> {
        let (at, is_quoted) = match self.peek()? {
            b'"' => (self.quoted()?, true),
            b'{' if level == 1 && self.opens(&name) => return self.object(2, name),
            b'{' | b'[' => (self.nested()?, false),
            _ => (self.scalar()?, false),
        };
        if self.tokens.len() >= MOST || at.len() > LONGEST_VALUE {
            return None;
        }
        let name = self.told_by(level, name, of);
        self.tokens.push(Token { at, is_quoted, name });
        Some(())
    }

    /// Whether the members of this member stand in the outline.
    fn opens(&self, name: &Range<usize>) -> bool {
        match self.kind {
            Kind::Flat => false,
            Kind::Differences => true,
            Kind::Body => self.text.get(name.clone()) == Some(b"traits"),
        }
    }

    /// By which name a value is told: of fields that differ, the last part of the path, where it is the value from now on.
    fn told_by(&self, level: u8, name: Range<usize>, of: &Range<usize>) -> Range<usize> {
        match (self.kind, level) {
            (Kind::Flat | Kind::Body, _) => name,
            (Kind::Differences, 2) if self.text.get(name) == Some(b"after") => {
                let path = self.text.get(of.clone()).unwrap_or_default();
                let dot = path.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
                of.start + dot..of.end
            }
            (Kind::Differences, _) => 0..0,
        }
    }

    /// What stands between quotes.
    fn quoted(&mut self) -> Option<Range<usize>> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = if self.has_escape {
            self.end_of_quoted(start)?
        } else {
            start + self.text.get(start..)?.iter().position(|byte| *byte == b'"')?
        };
        self.at = end + 1;
        Some(start..end)
    }

    /// The quote that is not escaped.
    fn end_of_quoted(&self, start: usize) -> Option<usize> {
        let mut at = start;
        loop {
            match *self.text.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    /// A number, `true`, `false` or `null`; whatever it is, up to where it ends.
    fn scalar(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        while !matches!(self.peek()?, b' ' | b',' | b'}' | b']' | b'"') {
            self.at += 1;
        }
        (self.at > start).then_some(start..self.at)
    }

    /// A list or an object, as a whole.
    fn nested(&mut self) -> Option<Range<usize>> {
        let (start, mut depth) = (self.at, 0_u32);
        while self.at - start <= LONGEST_VALUE {
            match self.peek()? {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(start..self.at);
            }
        }
        None
    }
}
