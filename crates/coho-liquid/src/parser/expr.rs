//! Expressions: literals, paths, ranges, comparisons, and `and`, `or`, `not`.

use coho_core::code::Code;

use super::Parser;
use crate::ast::{Comparison, Expr, Global, Junction, Literal, Path, Root, Segment};
use crate::fault::{Fault, Span};
use crate::token::{self, Kind, Token};

/// The tokens of one expression, and how far they are read.
pub(super) struct Cursor<'s> {
    pub(super) source: &'s str,
    tokens: Vec<Token>,
    at: usize,
    /// Where the tokens end, for faults of what is missing.
    end: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str, span: Span) -> Result<Self, Fault> {
        let end = span.start + span.of(source).trim_end().len();
        Ok(Self { source, tokens: token::tokens(source, span)?, at: 0, end })
    }

    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn peek_second(&self) -> Option<Token> {
        self.tokens.get(self.at + 1).copied()
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(super) fn is(&self, kind: Kind) -> bool {
        self.peek().is_some_and(|token| token.kind == kind)
    }

    pub(super) fn eat(&mut self, kind: Kind) -> bool {
        let found = self.is(kind);
        self.at += usize::from(found);
        found
    }

    /// Takes this word, if it comes next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word() == Some(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn word(&self) -> Option<&'s str> {
        let token = self.peek().filter(|token| token.kind == Kind::Name)?;
        Some(token.span.of(self.source))
    }

    /// Where the next token stands, or where one is missing.
    pub(super) fn here(&self) -> Span {
        self.peek().map_or(Span::new(self.end, self.end), |token| token.span)
    }

    pub(super) fn expect(&mut self, kind: Kind, what: &str) -> Result<(), Fault> {
        if self.eat(kind) { Ok(()) } else { Err(self.expected(what)) }
    }

    pub(super) fn expected(&self, what: &str) -> Fault {
        let found = match self.peek() {
            Some(token) => format!("found `{}`", coho_core::value::preview(token.span.of(self.source))),
            None => "found the end".to_owned(),
        };
        Fault::syntax(self.here(), format!("expected {what}, {found}"))
    }

    pub(super) fn expect_end(&self, what: &str) -> Result<(), Fault> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected(what)) }
    }

    /// From a token's place to the last one that was read.
    pub(super) fn since(&self, start: usize) -> Span {
        let end =
            self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |token| token.span.end);
        Span::new(start, end)
    }
}

impl Parser<'_> {
    /// Comparisons joined by `and` and `or`.
    pub(super) fn expression(&mut self, cursor: &mut Cursor<'_>) -> Result<Expr, Fault> {
        let first = self.comparison(cursor)?;
        let mut rest = Vec::new();
        loop {
            let junction = if cursor.eat_word("and") {
                Junction::And
            } else if cursor.eat_word("or") {
                Junction::Or
            } else {
                break;
            };
            rest.push((junction, self.comparison(cursor)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Logic(Box::new(first), rest) })
    }

    fn comparison(&mut self, cursor: &mut Cursor<'_>) -> Result<Expr, Fault> {
        if cursor.word() == Some("not") && !cursor.peek_second().is_none_or(|token| token.kind == Kind::Pipe)
        {
            let span = cursor.here();
            cursor.next();
            let inner = self.deeper(span, |parser| parser.comparison(cursor))?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        let start = cursor.here().start;
        let left = self.value(cursor)?;
        let comparison = match cursor.peek() {
            Some(Token { kind: Kind::Compare(comparison), .. }) => comparison,
            Some(_) if cursor.word() == Some("contains") => Comparison::Contains,
            Some(Token { kind: Kind::Assign, span }) => {
                let fault = Fault::syntax(span, "`=` assigns a value; to compare two values, use `==`");
                return Err(fault.help("write `==`"));
            }
            _ => return Ok(left),
        };
        let sign = cursor.here();
        cursor.next();
        let right = self.value(cursor)?;
        self.comparable(&left, comparison, &right, sign);
        Ok(Expr::Compare(Box::new((left, comparison, right)), cursor.since(start)))
    }

    /// A number and a text, both written in the template, are in no order that anybody can have meant.
    fn comparable(&mut self, left: &Expr, comparison: Comparison, right: &Expr, sign: Span) {
        let kind = |expr: &Expr| match expr {
            Expr::Literal(Literal::Text(_)) => Some("a text"),
            Expr::Literal(Literal::Int(_) | Literal::Digits(_)) => Some("a number"),
            _ => None,
        };
        let order = match comparison {
            Comparison::Equal | Comparison::Unequal | Comparison::Contains => return,
            Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                sign
            }
        };
        if let (Some(left), Some(right)) = (kind(left), kind(right))
            && left != right
        {
            let message = format!("cannot compare {left} with {right}");
            self.fault(
                Fault::new(Code::TEMPLATE_FAILED, message).at(order).help("write the number without quotes"),
            );
        }
    }

    /// A literal, a path or a range.
    pub(super) fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<Expr, Fault> {
        let Some(token) = cursor.peek() else { return Err(cursor.expected("a value")) };
        match token.kind {
            Kind::Quoted => {
                cursor.next();
                let text = token::unquote(token.span.of(self.source));
                self.volatile.clock |= text == "now" || text == "today";
                Ok(Expr::Literal(Literal::Text(text)))
            }
            Kind::Number => {
                cursor.next();
                Ok(Expr::Literal(number(token.span.of(self.source))))
            }
            Kind::OpenParen => self.range(cursor),
            Kind::Name => match keyword(token.span.of(self.source)) {
                Some(literal) => {
                    cursor.next();
                    Ok(Expr::Literal(literal))
                }
                None => self.path(cursor),
            },
            Kind::OpenBracket => self.path(cursor),
            _ => Err(cursor.expected("a value")),
        }
    }

    fn range(&mut self, cursor: &mut Cursor<'_>) -> Result<Expr, Fault> {
        let open = cursor.here();
        cursor.next();
        let (from, to) = self.deeper(open, |parser| {
            let from = parser.value(cursor)?;
            cursor.expect(Kind::DotDot, "`..` of a range")?;
            Ok((from, parser.value(cursor)?))
        })?;
        cursor.expect(Kind::CloseParen, "`)`")?;
        Ok(Expr::Range(Box::new((from, to)), cursor.since(open.start)))
    }

    fn path(&mut self, cursor: &mut Cursor<'_>) -> Result<Expr, Fault> {
        let first = cursor.here();
        let name = cursor.word();
        let head = if name.is_some() {
            cursor.next();
            None
        } else {
            Some(self.bracket(cursor)?)
        };
        let mut segments = Vec::new();
        while let Some(token) = cursor.peek() {
            match token.kind {
                Kind::Dot => segments.push(Self::member(cursor)?),
                Kind::OpenBracket => {
                    let inner = self.bracket(cursor)?;
                    segments.push((Segment::Index(inner), cursor.since(token.span.start)));
                }
                _ => break,
            }
        }
        let root = match (name, head) {
            (Some(name), _) => self.root(name, first, &mut segments),
            (None, Some(Expr::Literal(Literal::Text(name)))) => self.root(&name, first, &mut segments),
            (None, head) => {
                self.all_columns = true;
                self.volatile.run = true;
                let head = head.unwrap_or(Expr::Literal(Literal::Nil));
                Root { slot: None, global: Global::Dynamic(Box::new(head)) }
            }
        };
        let segments = segments.into_iter().map(|(segment, _)| segment).collect();
        Ok(Expr::Path(Path { root, segments, span: cursor.since(first.start) }))
    }

    fn member(cursor: &mut Cursor<'_>) -> Result<(Segment, Span), Fault> {
        cursor.next();
        let span = cursor.here();
        let Some(name) = cursor.word() else {
            let fault = cursor.expected("a name");
            return Err(match cursor.peek().map(|token| token.kind) {
                Some(Kind::Number) => fault.help("write an item's position in brackets, as in `list[0]`"),
                Some(Kind::OpenBracket) => fault.help("leave out the `.` before `[`"),
                _ => fault,
            });
        };
        cursor.next();
        Ok((Segment::Name(name.to_owned()), span))
    }

    fn bracket(&mut self, cursor: &mut Cursor<'_>) -> Result<Expr, Fault> {
        let open = cursor.here();
        cursor.next();
        let inner = self.deeper(open, |parser| parser.value(cursor))?;
        cursor.expect(Kind::CloseBracket, "`]`")?;
        Ok(inner)
    }
}

fn keyword(name: &str) -> Option<Literal> {
    Some(match name {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "nil" | "null" => Literal::Nil,
        "blank" => Literal::Blank,
        "empty" => Literal::Empty,
        _ => return None,
    })
}

fn number(digits: &str) -> Literal {
    match digits.parse() {
        Ok(number) => Literal::Int(number),
        Err(_) => match coho_core::decimal::Decimal::parse(digits) {
            Some(decimal) => Literal::Digits(decimal.as_str().to_owned()),
            None => Literal::Text(digits.to_owned()),
        },
    }
}
