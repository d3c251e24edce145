//! Bodies: nodes up to the tag that closes them.

use coho_core::code::Code;

use super::Parser;
use crate::ast::Node;
use crate::fault::{Fault, Span};
use crate::pieces::{self, Piece, Tag};
use crate::tags;

/// The pieces of a template or of a `liquid` tag, and how far they are read.
pub(super) struct Pieces<'p> {
    pieces: &'p [Piece],
    at: usize,
}

/// The tag that opened a body.
#[derive(Clone, Copy)]
pub(super) struct Open<'s> {
    pub(super) name: &'s str,
    pub(super) span: Span,
    /// The tags that divide the body.
    pub(super) parts: &'static [&'static str],
}

/// What ended a part of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The tag that closes the body, or the end of the template, which is a fault that was noted.
    Closed,
    /// One of the tags that divide it.
    Part(Tag),
}

impl<'s> Parser<'s> {
    /// A whole template.
    pub(super) fn document(&mut self, pieces: &[Piece]) -> Vec<Node> {
        let mut pieces = Pieces { pieces, at: 0 };
        let mut nodes = Vec::new();
        while pieces.at < pieces.pieces.len() {
            self.body(&mut pieces, None, &mut nodes);
        }
        nodes
    }

    /// Reads nodes up to the tag that ends this part of the body.
    pub(super) fn body(
        &mut self,
        pieces: &mut Pieces<'_>,
        open: Option<Open<'s>>,
        nodes: &mut Vec<Node>,
    ) -> End {
        self.opened.extend(open.map(|open| open.name));
        let end = self.part(pieces, open, nodes);
        if open.is_some() {
            self.opened.pop();
        }
        end
    }

    fn part(&mut self, pieces: &mut Pieces<'_>, open: Option<Open<'s>>, nodes: &mut Vec<Node>) -> End {
        while let Some(piece) = pieces.pieces.get(pieces.at).copied() {
            pieces.at += 1;
            match piece {
                Piece::Text(span) => nodes.push(Node::Text(span)),
                Piece::Output(span) => match self.chain_in(span) {
                    Ok(chain) => nodes.push(Node::Output(chain)),
                    Err(fault) => self.fault(fault.at(span)),
                },
                Piece::Tag(tag) => {
                    if let Some(end) = self.ending(tag, open) {
                        return end;
                    }
                    if open.is_some() && self.closes_outer(tag) {
                        // What is missing is the end of this body, not the beginning of that one.
                        pieces.at -= 1;
                        break;
                    }
                    self.tag(tag, pieces, nodes);
                }
            }
        }
        if let Some(open) = open
            && !self.stopped
        {
            let message = format!("`{}` is never closed with `end{}`", open.name, open.name);
            self.fault(Fault::syntax(open.span, message));
        }
        End::Closed
    }

    fn closes_outer(&self, tag: Tag) -> bool {
        let closed = tag.name.of(self.source).strip_prefix("end");
        let outer = self.opened.split_last().map(|(_, outer)| outer).unwrap_or_default();
        closed.is_some_and(|closed| outer.contains(&closed))
    }

    fn ending(&self, tag: Tag, open: Option<Open<'s>>) -> Option<End> {
        let open = open?;
        let name = tag.name.of(self.source);
        if name.strip_prefix("end") == Some(open.name) {
            return Some(End::Closed);
        }
        open.parts.contains(&name).then_some(End::Part(tag))
    }

    fn tag(&mut self, tag: Tag, pieces: &mut Pieces<'_>, nodes: &mut Vec<Node>) {
        let name = tag.name.of(self.source);
        if name == "liquid" {
            return self.liquid(tag, nodes);
        }
        let read = match tags::find(name) {
            Some(_) => self.deeper(tag.name, |parser| parser.known_tag(name, tag, pieces)),
            None => Err(self.unknown_tag(name)),
        };
        match read {
            Ok(node) => nodes.extend(node),
            Err(fault) if fault.code() == Code::TEMPLATE_LIMIT => {
                // Everything inside would be one more fault of the same kind.
                self.fault(fault.at(tag.name));
                pieces.at = pieces.pieces.len();
                self.stopped = true;
            }
            Err(fault) => self.fault(fault.at(tag.name)),
        }
    }

    fn liquid(&mut self, tag: Tag, nodes: &mut Vec<Node>) {
        let (lines, faults) = pieces::lines(self.source, tag.args);
        self.faults.extend(faults);
        // Its lines cannot close what was opened outside of it.
        let opened = std::mem::take(&mut self.opened);
        let inner = self.deeper(tag.name, |parser| Ok(parser.document(&lines)));
        self.opened = opened;
        match inner {
            Ok(inner) => nodes.extend(inner),
            Err(fault) => self.fault(fault),
        }
    }

    fn unknown_tag(&self, name: &str) -> Fault {
        let shown = coho_core::value::preview(name);
        if name.is_empty() {
            return Fault::new(Code::TEMPLATE_SYNTAX, "the tag has no name");
        }
        if let Some(remedy) = tags::refused(name) {
            return Fault::new(Code::NOT_SUPPORTED, format!("the tag `{shown}` is not supported"))
                .help(remedy);
        }
        if let Some(opened) = tags::belongs_to(name) {
            let message = format!("`{shown}` is not inside any `{opened}` block");
            return Fault::new(Code::UNKNOWN_TAG, message);
        }
        let fault = Fault::new(Code::UNKNOWN_TAG, format!("unknown tag `{shown}`"));
        match self.nearest(name, tags::TABLE.iter().map(|tag| tag.name).chain(tags::PARTS)) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        }
    }
}
