//! Where an entry of a mapping begins and ends in its file, so that it can be replaced and all around it stays.

use std::ops::Range;

use coho_core::place::Place;
use serde_saphyr::granit_parser::{Event, Options, Parser, Span, StrInput};

use super::parse::shield;

/// An entry: from its key to the end of its value, without what follows on the line.
pub(crate) struct Extent {
    /// The bytes of the file.
    pub(crate) range: Range<usize>,
    /// Whether it stands within `{ … }` or `[ … ]`.
    pub(crate) surroundings: FlowOrBlock,
    /// How its value is written.
    pub(crate) value: FlowOrBlock,
}

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlowOrBlock {
    /// In lines.
    Block,
    /// In braces or brackets.
    Flow,
}

/// The extent of the entry whose key is at a place; `None` if there is none.
pub(crate) fn extent(text: &str, key: &Place) -> Option<Extent> {
    let shielded = shield(text);
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut finder = Finder {
        parser: Parser::new_from_str_with_options(&shielded, options),
        letters: text.chars().collect(),
        open: Vec::new(),
    };
    let (name, surroundings) = finder.key(key)?;
    let (value, end) = finder.value()?;
    let start = name.start.index();
    let colon = finder.letters.iter().skip(name.end.index()).position(|letter| *letter == ':')?;
    // A value that is not written ends with the colon.
    let end = end.max(name.end.index() + colon + 1);
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let range = byte(start)..byte(end);
    let trimmed = text.get(range.clone())?.trim_end().len();
    Some(Extent { range: range.start..range.start + trimmed, surroundings, value })
}

struct Finder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    letters: Vec<char>,
    open: Vec<FlowOrBlock>,
}

impl<'t> Finder<'t> {
    fn event(&mut self) -> Option<(Event<'t>, Span)> {
        let (event, span) = self.parser.next_event()?.ok()?;
        if is_start(&event) {
            self.open.push(self.style(&span));
        } else if is_end(&event) {
            self.open.pop();
        }
        Some((event, span))
    }

    fn style(&self, span: &Span) -> FlowOrBlock {
        match self.letters.get(span.start.index()) {
            Some('{' | '[') => FlowOrBlock::Flow,
            Some(_) | None => FlowOrBlock::Block,
        }
    }

    /// Goes on until the key; where it is, and what it stands in.
    fn key(&mut self, key: &Place) -> Option<(Span, FlowOrBlock)> {
        loop {
            let (event, span) = self.event()?;
            let is_here =
                span.start.line() == key.line as usize && span.start.col() + 1 == key.column as usize;
            if event.scalar().is_some() && is_here {
                let in_flow = self.open.contains(&FlowOrBlock::Flow);
                return Some((span, if in_flow { FlowOrBlock::Flow } else { FlowOrBlock::Block }));
            }
        }
    }

    /// Reads one value; how it is written, and where its last piece ends. The end of a block is no piece: it is where the
    /// next thing begins.
    fn value(&mut self) -> Option<(FlowOrBlock, usize)> {
        let around = self.open.len();
        let (event, span) = self.event()?;
        let style = if is_start(&event) { self.style(&span) } else { FlowOrBlock::Block };
        let mut end = span.end.index();
        while self.open.len() > around {
            let last = self.open.last().copied();
            let (event, span) = self.event()?;
            if !is_end(&event) || last == Some(FlowOrBlock::Flow) {
                end = end.max(span.end.index());
            }
        }
        Some((style, end))
    }
}

fn is_start(event: &Event<'_>) -> bool {
    matches!(event, Event::MappingStart(..) | Event::SequenceStart(..))
}

fn is_end(event: &Event<'_>) -> bool {
    *event == Event::MappingEnd || *event == Event::SequenceEnd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, line: u32, column: u32) -> String {
        let place = Place { line, column, length: 1, ..Place::default() };
        let found = extent(text, &place);
        found.and_then(|found| text.get(found.range)).unwrap_or_default().to_owned()
    }

    #[test]
    fn an_entry_ends_with_its_value() {
        let text = "a:\n  b:\n    c: 1 # one\n\n    d: [x,\n      y] # two\n  # three\n  e: >\n    long\n    text\n\nf: {g: {h: ü, i: j}, k: l}\n";
        assert_eq!(cut(text, 2, 3), "b:\n    c: 1 # one\n\n    d: [x,\n      y]");
        assert_eq!(cut(text, 3, 5), "c: 1");
        assert_eq!(cut(text, 8, 3), "e: >\n    long\n    text");
        assert_eq!(cut(text, 12, 5), "g: {h: ü, i: j}");
        assert_eq!(cut(text, 12, 22), "k: l");
        assert_eq!(cut(text, 1, 2), "");
    }
}
