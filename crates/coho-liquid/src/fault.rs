//! What goes wrong in a template, with its place in the template's own text.
//!
//! A [`Fault`] knows a [`Span`] of bytes; [`Lines`] turns it into a [`Problem`] with line and column, and [`Start`] moves a
//! problem to where the template stands in a file.

use std::sync::Arc;

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::Problem;

/// A stretch of the template, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The template's text here.
    pub(crate) fn of(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end.max(self.end) }
    }
}

/// A text of its own file, in which faults lie.
pub(crate) trait Sourced {
    fn file(&self) -> &Arc<str>;
    fn source(&self) -> &str;
}

/// Where nothing but the template is.
pub(crate) enum Nothing {}

impl Sourced for Nothing {
    fn file(&self) -> &Arc<str> {
        match *self {}
    }

    fn source(&self) -> &str {
        match *self {}
    }
}

/// The parts of a template that renders no snippets.
pub(crate) const NO_PARTS: &[Nothing] = &[];

/// One fault. Boxed, for it is rare and values are many.
#[derive(Clone, Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: Code,
    message: String,
    help: Option<String>,
    span: Option<Span>,
    /// The snippet whose text the span is of.
    part: Option<usize>,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), help: None, span: None, part: None }))
    }

    pub(crate) fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self::new(Code::TEMPLATE_SYNTAX, message).at(span)
    }

    /// The template cannot do with this value what it is asked to.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::TEMPLATE_FAILED, message)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The same with the name of the filter that says so, unless it has a place already: then it is an argument's.
    pub(crate) fn of(mut self, filter: &str) -> Self {
        if self.0.span.is_none() {
            self.0.message = format!("`{filter}`: {}", self.0.message);
        }
        self
    }

    /// The same with its place, unless it has a nearer one already.
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The same, in a snippet, unless it lies in one that this one renders.
    pub(crate) fn inside(mut self, part: usize) -> Self {
        self.0.span.get_or_insert(Span::new(0, 1));
        self.0.part.get_or_insert(part);
        self
    }

    /// Where it stands, for an order of reading: those in snippets come last.
    pub(crate) fn order(&self) -> (Option<usize>, usize) {
        (self.0.part, self.0.span.map_or(0, |span| span.start))
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn into_problem<P: Sourced>(self, source: &str, parts: &[P]) -> Problem {
        let span = self.0.span.unwrap_or(Span::new(0, 1));
        let place = match self.0.part.and_then(|part| parts.get(part)) {
            Some(part) => Place { file: Arc::clone(part.file()), ..place(part.source(), span) },
            None => place(source, span),
        };
        Problem { help: self.0.help, ..Problem::new(self.0.code, self.0.message).at(&place) }
    }
}

/// A problem from elsewhere in Coho, such as a cast's.
impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let fault = Self::new(problem.code, problem.message);
        match problem.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

/// Line and column, both from 1, in characters; a stretch of several lines is marked to the end of its first.
pub(super) fn place(source: &str, span: Span) -> Place {
    let before = source.get(..span.start).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let marked = span.of(source).lines().next().unwrap_or_default();
    Place {
        file: Arc::from(""),
        line: 1 + u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX),
        column: 1 + count(before.get(line_start..).unwrap_or_default()),
        length: count(marked).max(1),
    }
}

/// Where in a file a template's first character stands, and how far its other lines are indented there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The place of the template's first character.
    pub place: Place,
    /// The columns before the template's second and later lines: a YAML block's indentation.
    pub indent: u32,
}

impl Start {
    /// Moves a template's problem to its place in the file.
    #[must_use]
    pub fn shift(&self, problem: Problem) -> Problem {
        let moved = problem.place.as_ref().map_or_else(|| self.place.clone(), |inside| self.place(inside));
        problem.at(&moved)
    }

    /// Where in the file a place of the template is. A place in a snippet is one of its own file already.
    pub fn place(&self, inside: &Place) -> Place {
        if !inside.file.is_empty() {
            return inside.clone();
        }
        let before = if inside.line <= 1 { self.place.column.saturating_sub(1) } else { self.indent };
        Place {
            file: Arc::clone(&self.place.file),
            line: self.place.line + inside.line.saturating_sub(1),
            column: inside.column + before,
            length: inside.length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines() {
        let source = "æø\n {{ x }}";
        let span = Span::new(source.find('x').unwrap(), source.find('x').unwrap() + 1);
        let found = Fault::syntax(span, "no").into_problem(source, NO_PARTS).place.unwrap();
        assert_eq!((found.line, found.column, found.length), (2, 5, 1));
    }

    #[test]
    fn a_problem_moves_to_its_file() {
        let place = Place { file: "syncs/users.yaml".into(), line: 7, column: 20, length: 1 };
        let start = Start { place, indent: 6 };
        let shift =
            |span| start.shift(Fault::syntax(span, "no").into_problem("ab\ncd", NO_PARTS)).place.unwrap();
        assert_eq!(shift(Span::new(1, 2)).to_string(), "syncs/users.yaml:7:21");
        assert_eq!(shift(Span::new(4, 5)).to_string(), "syncs/users.yaml:8:8");
    }
}
