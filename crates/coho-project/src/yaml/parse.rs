//! From text to tree, through the events of the parser under `serde-saphyr`.
//!
//! Serde's own data model has no places for keys and stops at the first mistake; events have both.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::Problem;
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::scalar::{Scalar, Style};
use super::{Content, Entry, Node};
use crate::lines::lines;

/// The key that takes over the entries of other maps.
const MERGE: &str = "<<";

/// The most nodes that aliases may copy, so that a small file cannot grow without bound.
const MOST_COPIES: usize = 10_000;

/// Stand-ins for the braces of `${NAME}`. A plain scalar in `{ … }` may hold no brace, but references stand there.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

/// Parses a file of one document. An empty one is an empty mapping. `None` if it is not YAML; the problem says why.
pub(crate) fn parse(file: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shielded = shield(text);
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(&shielded, options),
        file,
        lines: lines(text).collect(),
        anchors: BTreeMap::new(),
        copies: 0,
        problems,
    };
    match builder.document() {
        Ok(node) => Some(node),
        Err(Stop::Problem(problem)) => {
            problems.push(*problem);
            None
        }
        Err(Stop::Syntax(error)) => {
            let problem = builder.syntax(&error);
            problems.push(problem);
            None
        }
    }
}

/// Replaces the braces of each `${NAME}` by stand-ins, one character for one, so that places stay.
pub(super) fn shield(text: &str) -> Cow<'_, str> {
    if !text.contains("${") {
        return Cow::Borrowed(text);
    }
    let mut shielded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        shielded.push_str(before);
        let name = after.split(['}', '{', '\n']).next().unwrap_or_default();
        rest = after.strip_prefix(name).unwrap_or(after);
        if let Some(behind) = rest.strip_prefix('}') {
            shielded.extend(['$', OPEN]);
            shielded.push_str(name);
            shielded.push(CLOSE);
            rest = behind;
        } else {
            shielded.push_str("${");
            shielded.push_str(name);
        }
    }
    shielded.push_str(rest);
    Cow::Owned(shielded)
}

fn unshield(text: &str) -> String {
    text.replace(OPEN, "{").replace(CLOSE, "}")
}

enum Stop {
    Syntax(ScanError),
    Problem(Box<Problem>),
}

struct Builder<'t, 'p> {
    parser: Parser<'t, StrInput<'t>>,
    file: &'p Arc<str>,
    lines: Vec<&'p str>,
    anchors: BTreeMap<usize, Node>,
    copies: usize,
    problems: &'p mut Vec<Problem>,
}

impl<'t> Builder<'t, '_> {
    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        while let Some((event, span)) = self.event()? {
            if event.is_node() {
                if root.is_some() {
                    return Err(self.stop(
                        &span,
                        "a file can contain only one document",
                        "remove what follows `---`",
                    ));
                }
                root = Some(self.node(&event, span)?);
            }
        }
        let empty = || Node { content: Content::Map(Vec::new()), place: Place::file(self.file.clone()) };
        Ok(match root {
            Some(Node { content: Content::Scalar(scalar), .. })
                if scalar.text.is_empty() && scalar.style == Style::Plain =>
            {
                empty()
            }
            Some(node) => node,
            None => empty(),
        })
    }

    fn event(&mut self) -> Result<Option<(Event<'t>, Span)>, Stop> {
        self.parser.next_event().transpose().map_err(Stop::Syntax)
    }

    /// The next event inside a collection, where the stream cannot simply end.
    fn inner(&mut self, opened: &Span) -> Result<(Event<'t>, Span), Stop> {
        match self.event()? {
            Some(next) => Ok(next),
            None => Err(self.stop(opened, "this is never closed", "close it")),
        }
    }

    fn node(&mut self, event: &Event<'t>, span: Span) -> Result<Node, Stop> {
        let place = self.place(&span);
        if let Some(id) = event.alias_id() {
            return self.alias(id, &span, place);
        }
        let anchor = event.anchor_id();
        self.check_tag(event.tag(), &span)?;
        let tagged = event.tag().is_some();
        let content = if let Some((text, style)) = event.scalar() {
            Content::Scalar(scalar(text, style, tagged))
        } else if matches!(event, Event::SequenceStart(..)) {
            Content::List(self.list(&span)?)
        } else if matches!(event, Event::MappingStart(..)) {
            Content::Map(self.map(&span)?)
        } else {
            return Err(self.stop(&span, "this is not allowed here", "write a value"));
        };
        let node = Node { content, place };
        if let Some(id) = anchor {
            self.anchors.insert(id, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, opened: &Span) -> Result<Vec<Node>, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.inner(opened)?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            if event.is_node() {
                items.push(self.node(&event, span)?);
            }
        }
    }

    fn map(&mut self, opened: &Span) -> Result<Vec<Entry>, Stop> {
        let (mut entries, mut merged): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
        loop {
            let (event, span) = self.inner(opened)?;
            if event == Event::MappingEnd {
                // What is written here counts before what is merged, and of that what comes first.
                for entry in merged {
                    if entries.iter().all(|earlier| earlier.key != entry.key) {
                        entries.push(entry);
                    }
                }
                return Ok(entries);
            }
            if !event.is_node() {
                continue;
            }
            let key = self.node(&event, span)?;
            let (event, span) = self.inner(opened)?;
            let value = self.node(&event, span)?;
            let Content::Scalar(name) = key.content else {
                return Err(self.no_key(&key.place));
            };
            if name.style == Style::Plain && name.text == MERGE {
                merged.extend(merge(value)?);
            } else {
                self.add(&mut entries, Entry { key: name.written, at: key.place, value });
            }
        }
    }

    /// A map or a list in the place of a key: most often a template without quotes.
    fn no_key(&self, place: &Place) -> Stop {
        let line = self.lines.get(place.line.saturating_sub(1) as usize).copied().unwrap_or_default();
        let before = line.chars().nth(place.column.saturating_sub(2) as usize);
        if before == Some('{') {
            return stop_at(place, "a template must be in quotes", "write `\"{{ … }}\"`");
        }
        stop_at(place, "a key must be text", "put a key that begins with `{` or `[` in quotes")
    }

    fn add(&mut self, entries: &mut Vec<Entry>, entry: Entry) {
        match entries.iter().find(|earlier| earlier.key == entry.key) {
            None => entries.push(entry),
            Some(earlier) => self.problems.push(
                Problem::new(Code::YAML_SYNTAX, format!("`{}` is given twice", entry.key))
                    .at(&entry.at)
                    .help(format!("remove one of them; the other is on line {}", earlier.at.line)),
            ),
        }
    }

    fn alias(&mut self, id: usize, span: &Span, place: Place) -> Result<Node, Stop> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(self.stop(span, "this refers to its own parent", "write the value itself"));
        };
        self.copies += size(&node);
        if self.copies > MOST_COPIES {
            return Err(self.stop(
                span,
                "the aliases of this file expand too far",
                "write the values themselves",
            ));
        }
        Ok(Node { place, ..node })
    }

    fn check_tag(&self, tag: Option<&Tag>, span: &Span) -> Result<(), Stop> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema_tag("str") => Err(self.stop(
                span,
                &format!("unknown tag `{}`", tag.original()),
                "remove it, or write `!!str`",
            )),
            _ => Ok(()),
        }
    }

    fn stop(&self, span: &Span, message: &str, help: &str) -> Stop {
        stop_at(&self.place(span), message, help)
    }

    fn place(&self, span: &Span) -> Place {
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        let column = span.start.col() + 1;
        let of_line =
            self.lines.get(span.start.line().saturating_sub(1)).map_or(0, |line| line.chars().count());
        let left = (of_line + 1).saturating_sub(column);
        let length = span.len().min(left).max(1);
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Place { file: self.file.clone(), line, column: number(column), length: number(length) }
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let mark = error.marker();
        let place = self.place(&Span::empty(*mark));
        match tab(&self.lines, mark.line()) {
            Some((line, column)) => {
                let place = Place { line, column, length: 1, ..place };
                Problem::new(Code::YAML_TAB, "a tab in the indentation").at(&place).help("indent with spaces")
            }
            None => Problem::new(Code::YAML_SYNTAX, unshield(&error.info()))
                .at(&place)
                .help("check the indentation, and put texts with `: `, ` #` or a special character in front in quotes"),
        }
    }
}

fn stop_at(place: &Place, message: &str, help: &str) -> Stop {
    Stop::Problem(Box::new(Problem::new(Code::YAML_SYNTAX, message).at(place).help(help)))
}

/// The entries of the map, or of the maps of a list, that a merge key names.
fn merge(value: Node) -> Result<Vec<Entry>, Stop> {
    match value.content {
        Content::Map(entries) => Ok(entries),
        Content::List(maps) if maps.iter().all(|map| matches!(map.content, Content::Map(_))) => {
            Ok(maps.into_iter().map(merge).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        Content::List(_) | Content::Scalar(_) | Content::Unresolved => {
            let help = "write `<<: *name`, where `&name` stands before a map";
            Err(stop_at(&value.place, "`<<` takes a map, or a list of maps", help))
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tagged: bool) -> Scalar {
    let text = unshield(text);
    let style = if style == ScalarStyle::Plain && !tagged { Style::Plain } else { Style::Quoted };
    Scalar { written: text.clone(), text, style }
}

fn size(node: &Node) -> usize {
    1 + match &node.content {
        Content::Scalar(_) | Content::Unresolved => 0,
        Content::List(items) => items.iter().map(size).sum(),
        Content::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
    }
}

/// The tab in the indentation of the line of an error, or of the line before it.
fn tab(lines: &[&str], line: usize) -> Option<(u32, u32)> {
    [line, line.saturating_sub(1)].into_iter().find_map(|line| {
        let text = lines.get(line.checked_sub(1)?)?;
        let column = text.chars().take_while(|c| c.is_whitespace()).position(|c| c == '\t')?;
        Some((u32::try_from(line).ok()?, u32::try_from(column + 1).ok()?))
    })
}
