//! The second pass: the tokens of one expression, each with its span.

use super::ast::Comparison;
use super::fault::{Fault, Span};

/// A token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a token is; its text is its span's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A name: letters, digits, `_`, `-`, and perhaps a `?` at its end.
    Name,
    /// A number.
    Number,
    /// A quoted text, quotes included.
    Quoted,
    Dot,
    DotDot,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    Pipe,
    Colon,
    Comma,
    Assign,
    Compare(Comparison),
}

/// The tokens of a stretch of the template, or the first thing in it that is none.
pub(crate) fn tokens(source: &str, span: Span) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { source: source.get(..span.end).unwrap_or(source), at: span.start };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Result<Option<Token>, Fault> {
        self.at = self.source.len() - self.rest().trim_start().len();
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let (kind, length) = match first {
            '\'' | '"' => (Kind::Quoted, self.quoted(first)?),
            '-' if self.digit_at(1) => (Kind::Number, self.number()),
            '0'..='9' if !self.name_with_digits() => (Kind::Number, self.number()),
            _ if first == '_' || first.is_alphanumeric() => (Kind::Name, self.name()),
            _ => self.sign(first)?,
        };
        let span = Span::new(self.at, self.at + length);
        self.at = span.end;
        Ok(Some(Token { kind, span }))
    }

    fn digit_at(&self, offset: usize) -> bool {
        self.rest().as_bytes().get(offset).is_some_and(u8::is_ascii_digit)
    }

    /// `2nd` is a name; `2` and `2.5` are numbers.
    fn name_with_digits(&self) -> bool {
        let after = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
        after.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
    }

    fn name(&self) -> usize {
        let rest = self.rest();
        let inside = |c: char| c == '_' || c == '-' || c.is_alphanumeric();
        let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        length + usize::from(rest.as_bytes().get(length) == Some(&b'?'))
    }

    fn number(&self) -> usize {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = usize::from(bytes.first() == Some(&b'-'));
        length += digits(length);
        if bytes.get(length) == Some(&b'.') && self.digit_at(length + 1) {
            length += 1 + digits(length + 1);
        }
        length
    }

    fn quoted(&self, quote: char) -> Result<usize, Fault> {
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == quote => return Ok(at + 1),
                _ => {}
            }
        }
        let fault = Fault::syntax(
            Span::new(self.at, self.source.len()),
            format!("the text is never closed with {quote}"),
        );
        Err(fault.help("a quote inside a text is written with a backslash before it"))
    }

    fn sign(&self, first: char) -> Result<(Kind, usize), Fault> {
        let two = self.rest().get(..2).unwrap_or_default();
        Ok(match (two, first) {
            ("..", _) => (Kind::DotDot, 2),
            ("==", _) => (Kind::Compare(Comparison::Equal), 2),
            ("!=" | "<>", _) => (Kind::Compare(Comparison::Unequal), 2),
            ("<=", _) => (Kind::Compare(Comparison::LessOrEqual), 2),
            (">=", _) => (Kind::Compare(Comparison::GreaterOrEqual), 2),
            (_, '<') => (Kind::Compare(Comparison::Less), 1),
            (_, '>') => (Kind::Compare(Comparison::Greater), 1),
            (_, '.') => (Kind::Dot, 1),
            (_, '[') => (Kind::OpenBracket, 1),
            (_, ']') => (Kind::CloseBracket, 1),
            (_, '(') => (Kind::OpenParen, 1),
            (_, ')') => (Kind::CloseParen, 1),
            (_, '|') => (Kind::Pipe, 1),
            (_, ':') => (Kind::Colon, 1),
            (_, ',') => (Kind::Comma, 1),
            (_, '=') => (Kind::Assign, 1),
            _ => return Err(self.stranger(first)),
        })
    }

    fn stranger(&self, first: char) -> Fault {
        let span = Span::new(self.at, self.at + first.len_utf8());
        let fault = Fault::syntax(span, format!("`{}` cannot stand here", first.escape_debug()));
        match first {
            '-' => fault.help("subtract with `| minus: …`; a name cannot begin with `-`"),
            '+' => fault.help("add with `| plus: …`"),
            '*' => fault.help("multiply with `| times: …`"),
            '/' => fault.help("divide with `| divided_by: …`"),
            '%' => fault.help("use `| modulo: …`"),
            '&' => fault.help("write `and`"),
            '!' => fault.help("write `not`, or `!=`"),
            _ => fault,
        }
    }
}

/// The content of a quoted text, its escapes resolved.
pub(crate) fn unquote(quoted: &str) -> String {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('v') => text.push('\u{b}'),
            Some('u') => text.push(unicode(&mut chars)),
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

/// `\u00e9`, and a surrogate pair written as two.
fn unicode(chars: &mut std::str::Chars<'_>) -> char {
    let first = hex(chars);
    if (0xd800..0xdc00).contains(&first) && chars.as_str().starts_with("\\u") {
        let mut ahead = chars.clone();
        ahead.nth(1);
        let second = hex(&mut ahead);
        if (0xdc00..0xe000).contains(&second) {
            *chars = ahead;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
    }
    char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn hex(chars: &mut std::str::Chars<'_>) -> u32 {
    let mut code = 0;
    for _ in 0..4 {
        let mut ahead = chars.clone();
        let Some(digit) = ahead.next().and_then(|c| c.to_digit(16)) else { break };
        code = code * 16 + digit;
        *chars = ahead;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        let tokens = tokens(source, Span::new(0, source.len())).unwrap();
        tokens.into_iter().map(|token| token.span.of(source)).collect()
    }

    #[test]
    fn names_numbers_and_ranges_are_told_apart() {
        assert_eq!(texts("row.a-b[ -2 ]"), ["row", ".", "a-b", "[", "-2", "]"]);
        assert_eq!(texts("(1..5.5)"), ["(", "1", "..", "5.5", ")"]);
        assert_eq!(texts("2nd | x : 'a\\'b',y?"), ["2nd", "|", "x", ":", "'a\\'b'", ",", "y?"]);
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unquote(r"'a\'\n\u00e9\ud83d\ude00\x'"), "a'\né😀x");
    }

    #[test]
    fn a_stranger_is_shown_where_it_stands() {
        let source = "x * 3";
        let fault = tokens(source, Span::new(0, source.len())).unwrap_err();
        let problem = fault.into_problem(source, crate::fault::NO_PARTS);
        assert_eq!(problem.place.unwrap().column, 3);
        assert_eq!(problem.help.unwrap(), "multiply with `| times: …`");
    }
}
