//! The first pass: a template cut into text, outputs and tags, with whitespace control applied.
//!
//! It goes through the text once. What `raw`, `comment` and `doc` enclose is never read as a tag; [`super::parser`] gives the
//! pieces their structure.

use super::fault::{Fault, Span};

/// How far a quoted `}}` or `%}` may stand behind the quote's beginning, in bytes.
const QUOTED: usize = 1024;

/// One piece of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    Text(Span),
    /// What stands between `{{` and `}}`.
    Output(Span),
    Tag(Tag),
}

/// A tag: its name and what follows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    pub(crate) name: Span,
    pub(crate) args: Span,
}

impl Tag {
    /// All that stands between its delimiters.
    pub(crate) fn whole(self) -> Span {
        self.name.to(self.args)
    }
}

/// Cuts a template into pieces.
pub(crate) fn cut(source: &str) -> (Vec<Piece>, Vec<Fault>) {
    let mut cutter = Cutter { source, at: 0, trim: false, pieces: Vec::new(), faults: Vec::new() };
    while cutter.step() {}
    (cutter.pieces, cutter.faults)
}

struct Cutter<'s> {
    source: &'s str,
    at: usize,
    /// Whether the last delimiter ended with `-`.
    trim: bool,
    pieces: Vec<Piece>,
    faults: Vec<Fault>,
}

/// What lies between two delimiters.
struct Markup {
    inner: Span,
    end: usize,
    trim: bool,
}

impl Cutter<'_> {
    fn step(&mut self) -> bool {
        let Some(open) = find_open(self.source, self.at) else {
            self.text(self.source.len(), false);
            return false;
        };
        let output = self.source.as_bytes().get(open + 1) == Some(&b'{');
        let trims = self.source.as_bytes().get(open + 2) == Some(&b'-');
        self.text(open, trims);
        let start = open + 2 + usize::from(trims);
        let Some(markup) = markup(self.source, start, if output { "}}" } else { "%}" }) else {
            let (open_text, close) = if output { ("{{", "}}") } else { ("{%", "%}") };
            let message = format!("`{open_text}` is never closed with `{close}`");
            self.faults.push(Fault::syntax(Span::new(open, open + 2), message));
            return false;
        };
        self.at = markup.end;
        self.trim = markup.trim;
        if output {
            self.pieces.push(Piece::Output(markup.inner));
            return true;
        }
        self.tag(markup.inner)
    }

    fn text(&mut self, end: usize, trim_end: bool) {
        let span = trimmed(self.source, Span::new(self.at, end), self.trim, trim_end);
        self.trim = false;
        if span.start < span.end {
            self.pieces.push(Piece::Text(span));
        }
    }

    fn tag(&mut self, inner: Span) -> bool {
        let tag = tag(self.source, inner);
        match tag.name.of(self.source) {
            "#" => {
                self.inline_comment(tag);
                true
            }
            "raw" => self.raw(tag),
            "comment" => self.comment(tag),
            "doc" => self.doc(tag),
            _ => {
                self.pieces.push(Piece::Tag(tag));
                true
            }
        }
    }

    fn inline_comment(&mut self, tag: Tag) {
        let mut at = tag.args.start;
        for (line, text) in tag.args.of(self.source).split('\n').enumerate() {
            let shown = text.trim();
            if line > 0 && !shown.is_empty() && !shown.starts_with('#') {
                let start = at + text.len() - text.trim_start().len();
                let fault = Fault::syntax(
                    Span::new(start, start + shown.len()),
                    "each line of a comment begins with `#`",
                );
                self.faults.push(fault);
                return;
            }
            at += text.len() + 1;
        }
    }

    fn raw(&mut self, tag: Tag) -> bool {
        let Some(end) = find_tag(self.source, self.at, "endraw") else { return self.unclosed(tag) };
        let span = trimmed(self.source, Span::new(self.at, end.open), self.trim, end.trims_before);
        if span.start < span.end {
            self.pieces.push(Piece::Text(span));
        }
        self.skip(&end)
    }

    fn skip(&mut self, end: &Found) -> bool {
        self.at = end.end;
        self.trim = end.trims_after;
        true
    }

    fn comment(&mut self, tag: Tag) -> bool {
        let (mut depth, mut at, mut raw_ends) = (1, self.at, true);
        while let Some(found) = next_tag(self.source, at) {
            at = found.end;
            match found.name.of(self.source) {
                "comment" => depth += 1,
                "endcomment" => depth -= 1,
                "raw" if raw_ends => match find_tag(self.source, at, "endraw") {
                    Some(end) => at = end.end,
                    None => raw_ends = false,
                },
                _ => {}
            }
            if depth == 0 {
                return self.skip(&found);
            }
        }
        self.unclosed(tag)
    }

    fn doc(&mut self, tag: Tag) -> bool {
        if !tag.args.of(self.source).trim().is_empty() {
            self.faults.push(Fault::syntax(tag.args, "`doc` takes no arguments"));
        }
        let Some(end) = find_tag(self.source, self.at, "enddoc") else { return self.unclosed(tag) };
        if let Some(inner) = find_tag(self.source, self.at, "doc").filter(|inner| inner.open < end.open) {
            self.faults.push(Fault::syntax(inner.name, "`doc` cannot be inside another `doc`"));
        }
        self.skip(&end)
    }

    fn unclosed(&mut self, tag: Tag) -> bool {
        let name = tag.name.of(self.source);
        let message = format!("`{name}` is never closed with `end{name}`");
        self.faults.push(Fault::syntax(tag.name, message));
        false
    }
}

/// The lines of a `liquid` tag as tags.
pub(crate) fn lines(source: &str, span: Span) -> (Vec<Piece>, Vec<Fault>) {
    let (mut pieces, mut faults, mut comments) = (Vec::new(), Vec::new(), Vec::<Tag>::new());
    let mut at = span.start;
    for line in span.of(source).split('\n') {
        let inner = Span::new(at, at + line.len());
        at += line.len() + 1;
        if line.trim().is_empty() {
            continue;
        }
        let tag = tag(source, inner);
        match tag.name.of(source) {
            "comment" => comments.push(tag),
            "endcomment" if !comments.is_empty() => drop(comments.pop()),
            "#" => {}
            _ if comments.is_empty() => pieces.push(Piece::Tag(tag)),
            _ => {}
        }
    }
    if let Some(open) = comments.first() {
        faults.push(Fault::syntax(open.name, "`comment` is never closed with `endcomment`"));
    }
    (pieces, faults)
}

fn tag(source: &str, inner: Span) -> Tag {
    let inner = trimmed(source, inner, true, true);
    let text = inner.of(source);
    let length = match text.as_bytes().first() {
        Some(b'#') => 1,
        _ => text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len()),
    };
    let name = Span::new(inner.start, inner.start + length);
    Tag { name, args: Span::new(name.end, inner.end) }
}

fn trimmed(source: &str, span: Span, start: bool, end: bool) -> Span {
    let mut trimmed = span;
    if start {
        trimmed.start = span.end - span.of(source).trim_start().len();
    }
    if end {
        trimmed.end = trimmed.start + trimmed.of(source).trim_end().len();
    }
    trimmed
}

fn find_open(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = from;
    while let Some(found) = bytes.get(at..)?.iter().position(|byte| *byte == b'{') {
        let open = at + found;
        if matches!(bytes.get(open + 1), Some(b'{' | b'%')) {
            return Some(open);
        }
        at = open + 1;
    }
    None
}

/// Finds the end of an output or a tag: the first closing delimiter that does not stand inside quotes; where the quotes
/// don't close, simply the first.
fn markup(source: &str, start: usize, close: &str) -> Option<Markup> {
    let rest = source.get(start..)?;
    let first = rest.find(close)?;
    let plain = rest.trim_start().starts_with(['#']) || rest.trim_start().starts_with("comment");
    let mut length = first;
    while !plain && open_quote(rest.get(..length)?) {
        let after = length + close.len();
        match rest.get(after..).and_then(|text| text.find(close)) {
            Some(next) if after + next < first + QUOTED => length = after + next,
            _ => {
                length = first;
                break;
            }
        }
    }
    let trim = length > 0 && rest.as_bytes().get(length - 1) == Some(&b'-');
    let inner = Span::new(start, start + length - usize::from(trim));
    Some(Markup { inner, end: start + length + close.len(), trim })
}

fn open_quote(text: &str) -> bool {
    let (mut quote, mut escaped) = (None, false);
    for byte in text.bytes() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if byte == b'\\' => escaped = true,
            Some(open) if byte == open => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            Some(_) | None => {}
        }
    }
    quote.is_some()
}

/// A tag found by its delimiters alone.
struct Found {
    open: usize,
    name: Span,
    end: usize,
    trims_before: bool,
    trims_after: bool,
}

fn next_tag(source: &str, from: usize) -> Option<Found> {
    let open = from + source.get(from..)?.find("{%")?;
    let trims_before = source.as_bytes().get(open + 2) == Some(&b'-');
    let start = open + 2 + usize::from(trims_before);
    let length = source.get(start..)?.find("%}")?;
    let trims_after = length > 0 && source.as_bytes().get(start + length - 1) == Some(&b'-');
    let inner = Span::new(start, start + length - usize::from(trims_after));
    let name = tag(source, inner).name;
    Some(Found { open, name, end: start + length + 2, trims_before, trims_after })
}

/// Finds a closing tag. A `{%` that begins no tag, as `raw` may contain, is stepped over.
fn find_tag(source: &str, from: usize, name: &str) -> Option<Found> {
    let mut at = from;
    loop {
        let open = at + source.get(at..)?.find("{%")?;
        at = open + 2;
        let rest = source.get(at..)?;
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
        if let Some(after) = rest.strip_prefix(name) {
            let closing = after.trim_start();
            let trims_after = closing.starts_with('-');
            if closing.strip_prefix('-').unwrap_or(closing).starts_with("%}") {
                return next_tag(source, open).map(|found| Found { trims_after, ..found });
            }
        }
    }
}
