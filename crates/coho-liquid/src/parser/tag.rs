//! Tags, one function for each kind.

use coho_core::code::Code;

use super::Parser;
use super::block::{End, Open, Pieces};
use super::expr::Cursor;
use crate::ast::{Branch, Chain, Else, Expr, Literal, Loop, Mark, Node, Offset, Order, Table, When};
use crate::fault::{Fault, Span};
use crate::number::Number;
use crate::pieces::Tag;
use crate::token::{Kind, Token};

impl<'s> Parser<'s> {
    pub(super) fn known_tag(
        &mut self,
        name: &'s str,
        tag: Tag,
        pieces: &mut Pieces<'_>,
    ) -> Result<Option<Node>, Fault> {
        let open = Open { name, span: tag.name, parts: &[] };
        Ok(Some(match name {
            "assign" => self.assign(tag)?,
            "capture" => return self.capture(tag, open, pieces).map(Some),
            "case" => self.case(tag, Open { parts: &["when", "else"], ..open }, pieces),
            "cycle" => self.cycle(tag)?,
            "echo" => Node::Output(self.chain_in(tag.args)?),
            "for" => self.for_loop(tag, Open { parts: &["else"], ..open }, pieces),
            "tablerow" => self.for_loop(tag, open, pieces),
            "if" | "unless" => self.condition(tag, Open { parts: &["elsif", "else"], ..open }, pieces),
            "ifchanged" => self.if_changed(open, pieces),
            "render" => self.snippet(tag)?,
            "increment" => Node::Increment(self.counter(tag)?),
            "decrement" => Node::Decrement(self.counter(tag)?),
            "break" => Node::Break,
            "continue" => Node::Continue,
            // `#`, `comment`, `doc`, `raw` and `liquid` were read before; inside `liquid` the first have no effect.
            _ => return Ok(None),
        }))
    }

    /// A name that is given a value.
    fn target(&mut self, cursor: &mut Cursor<'_>) -> Result<String, Fault> {
        let Some(token) = cursor.next() else { return Err(cursor.expected("a name")) };
        let text = token.span.of(self.source);
        match token.kind {
            Kind::Name if !text.ends_with('?') => Ok(text.to_owned()),
            Kind::Number if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(text.to_owned()),
            _ => Err(Fault::syntax(token.span, "expected a name of letters, digits, `_` and `-`")),
        }
    }

    fn assign(&mut self, tag: Tag) -> Result<Node, Fault> {
        let mut cursor = Cursor::new(self.source, tag.args)?;
        let name = self.target(&mut cursor)?;
        let sign = cursor.here();
        cursor.expect(Kind::Assign, "`=`")?;
        let chain = self.chain_in(Span::new(sign.end, tag.args.end))?;
        if chain.head.is_none() && chain.filters.is_empty() {
            return Err(Fault::syntax(sign, "expected a value after `=`"));
        }
        Ok(Node::Assign { slot: self.slot(&name), chain })
    }

    fn capture(&mut self, tag: Tag, open: Open<'s>, pieces: &mut Pieces<'_>) -> Result<Node, Fault> {
        let named = Cursor::new(self.source, tag.args).and_then(|mut cursor| {
            let quoted = cursor.peek().filter(|token| token.kind == Kind::Quoted);
            let name = match quoted {
                Some(token) => {
                    cursor.next();
                    token.span.of(self.source).trim_matches(['\'', '"']).to_owned()
                }
                None => self.target(&mut cursor)?,
            };
            cursor.expect_end("the end of the tag")?;
            Ok(name)
        });
        let mut body = Vec::new();
        self.body(pieces, Some(open), &mut body);
        Ok(Node::Capture { slot: self.slot(&named?), body })
    }

    fn counter(&mut self, tag: Tag) -> Result<String, Fault> {
        let mut cursor = Cursor::new(self.source, tag.args)?;
        let name = self.target(&mut cursor)?;
        cursor.expect_end("the end of the tag")?;
        Ok(name)
    }

    fn if_changed(&mut self, open: Open<'s>, pieces: &mut Pieces<'_>) -> Node {
        let mut body = Vec::new();
        self.body(pieces, Some(open), &mut body);
        Node::IfChanged(body)
    }

    /// A faulty condition is noted and read as nil, so that the faults of its body are found too.
    fn noted(&mut self, chain: Result<Chain, Fault>, span: Span) -> Chain {
        chain.unwrap_or_else(|fault| {
            self.fault(fault.at(span));
            Chain { head: Some(Expr::Literal(Literal::Nil)), filters: Vec::new() }
        })
    }

    fn condition(&mut self, tag: Tag, open: Open<'s>, pieces: &mut Pieces<'_>) -> Node {
        let (mut branches, mut otherwise) = (Vec::new(), None);
        let (mut current, mut negated) = (tag, open.name == "unless");
        loop {
            let condition = if current.name.of(self.source) == "else" {
                None
            } else {
                let condition = self.condition_in(current.args);
                Some(self.noted(condition, current.name))
            };
            let (mark, mut body) = (Mark::at(current.whole()), Vec::new());
            let end = self.body(pieces, Some(open), &mut body);
            match condition {
                // Branches after `else` are read and never rendered.
                Some(condition) if otherwise.is_none() => {
                    branches.push(Branch { condition, negated, mark, body });
                }
                None if otherwise.is_none() => otherwise = Some(Else { mark, body }),
                _ => {}
            }
            negated = false;
            match end {
                End::Part(tag) => current = tag,
                End::Closed => return Node::If { branches, otherwise },
            }
        }
    }

    fn case(&mut self, tag: Tag, open: Open<'s>, pieces: &mut Pieces<'_>) -> Node {
        let subject = self.condition_in(tag.args);
        let subject = self.noted(subject, tag.name);
        let (mut whens, mut otherwise, mut elses) = (Vec::new(), None::<Else>, 0);
        // What stands before the first branch belongs to none.
        let mut end = self.body(pieces, Some(open), &mut Vec::new());
        while let End::Part(part) = end {
            let values = if part.name.of(self.source) == "when" { Some(self.when(part)) } else { None };
            let (mark, mut body) = (Mark::at(part.whole()), Vec::new());
            end = self.body(pieces, Some(open), &mut body);
            elses += usize::from(values.is_none());
            match (values, &mut otherwise) {
                (Some(Err(fault)), _) => self.fault(fault.at(part.name)),
                (Some(Ok(values)), None) => whens.push(When { values, mark, body }),
                (None, None) => otherwise = Some(Else { mark, body }),
                // As in LiquidJS, a `when` behind `else` divides nothing: what follows belongs to `else`.
                (Some(Ok(_)), Some(otherwise)) if elses == 1 => otherwise.body.append(&mut body),
                (Some(Ok(_)) | None, Some(_)) => {}
            }
        }
        Node::Case { subject, whens, otherwise }
    }

    fn when(&mut self, tag: Tag) -> Result<Vec<Expr>, Fault> {
        let mut cursor = Cursor::new(self.source, tag.args)?;
        let mut values = vec![self.value(&mut cursor)?];
        while cursor.eat(Kind::Comma) || cursor.eat_word("or") {
            values.push(self.value(&mut cursor)?);
        }
        // Both Ruby's Liquid and LiquidJS stop reading at `and`.
        if cursor.word() != Some("and") {
            cursor.expect_end("`,`, `or` or the end of the tag")?;
        }
        Ok(values)
    }

    fn cycle(&mut self, tag: Tag) -> Result<Node, Fault> {
        let mut cursor = Cursor::new(self.source, tag.args)?;
        let mut start = cursor.here().start;
        let first = self.value(&mut cursor)?;
        let (mut group, mut items) = (None, Vec::new());
        if cursor.eat(Kind::Colon) {
            group = Some(first);
            start = cursor.here().start;
            items.push(self.value(&mut cursor)?);
        } else {
            items.push(first);
        }
        while cursor.eat(Kind::Comma) {
            items.push(self.value(&mut cursor)?);
        }
        cursor.expect_end("`,` or the end of the tag")?;
        let key = cursor.since(start).of(self.source).to_owned();
        Ok(Node::Cycle { group, key, items })
    }

    fn for_loop(&mut self, tag: Tag, open: Open<'s>, pieces: &mut Pieces<'_>) -> Node {
        let head = self.loop_head(tag, open.name);
        let (mut body, mut otherwise) = (Vec::new(), None);
        let mut end = self.body(pieces, Some(open), &mut body);
        while let End::Part(part) = end {
            let (mark, mut body) = (Mark::at(part.whole()), Vec::new());
            end = self.body(pieces, Some(open), &mut body);
            otherwise.get_or_insert(Else { mark, body });
        }
        match head {
            Ok(head) => Node::For(Box::new(Loop { body, otherwise, ..head })),
            Err(fault) => {
                self.fault(fault.at(tag.name));
                Node::Break
            }
        }
    }

    fn loop_head(&mut self, tag: Tag, name: &str) -> Result<Loop, Fault> {
        let mut cursor = Cursor::new(self.source, tag.args)?;
        let variable = match cursor.peek() {
            Some(Token { kind: Kind::Name | Kind::Number, span }) => span.of(self.source),
            _ => return Err(cursor.expected("the item's name")),
        };
        cursor.next();
        if !cursor.eat_word("in") {
            return Err(cursor.expected("`in`"));
        }
        let start = cursor.here().start;
        let items = self.value(&mut cursor)?;
        let list = cursor.since(start);
        let mut head = Loop {
            slot: self.slot(variable),
            name: format!("{variable}-{}", list.of(self.source)),
            items,
            limit: None,
            offset: None,
            order: Order::Forward,
            mark: Mark::at(tag.whole()),
            body: Vec::new(),
            otherwise: None,
            table: (name == "tablerow").then_some(Table { columns: None }),
            span: list,
        };
        while cursor.peek().is_some() {
            if !cursor.eat(Kind::Comma) {
                self.loop_option(&mut cursor, &mut head)?;
            }
        }
        Ok(head)
    }

    fn loop_option(&mut self, cursor: &mut Cursor<'_>, head: &mut Loop) -> Result<(), Fault> {
        let (span, word) = (cursor.here(), cursor.word());
        let known = matches!(word, Some("reversed" | "limit" | "offset"))
            || (word == Some("cols") && head.table.is_some());
        let Some(word) = word.filter(|_| known) else {
            return Err(cursor.expected("`limit:`, `offset:`, `reversed` or the end of the tag"));
        };
        cursor.next();
        if word == "reversed" {
            head.order = Order::Reversed;
            return Ok(());
        }
        cursor.expect(Kind::Colon, "`:`")?;
        if word == "offset" && cursor.eat_word("continue") {
            head.offset = Some(Offset::Continue);
            return Ok(());
        }
        let value = self.value(cursor)?;
        if let Expr::Literal(literal) = &value
            && !counts(literal)
        {
            let message = format!("`{word}` is a whole number");
            return Err(Fault::new(Code::FILTER_ARGUMENTS, message).at(span.to(cursor.since(span.start))));
        }
        match (word, &mut head.table) {
            ("limit", _) => head.limit = Some(value),
            ("cols", Some(table)) => table.columns = Some(value),
            _ => head.offset = Some(Offset::At(value)),
        }
        Ok(())
    }
}

fn counts(literal: &Literal) -> bool {
    match literal {
        Literal::Int(_) | Literal::Digits(_) | Literal::Nil => true,
        Literal::Text(text) => Number::from_text(text).is_ok_and(|number| number.is_some()),
        Literal::Bool(_) | Literal::Blank | Literal::Empty => false,
    }
}
