//! A value with its filters, checked against the table of filters.

use coho_core::code::Code;

use super::Parser;
use super::expr::Cursor;
use crate::added::Argument;
use crate::ast::{Call, Called, Chain, Expr, Literal};
use crate::fault::{Fault, Span};
use crate::filters::{self, Body, Filter};
use crate::number::Number;
use crate::render;
use crate::token::Kind;

/// More chains of literals than this are not tried before there is a row.
const MOST_PROBES: usize = 200;

/// The arguments as they are written.
#[derive(Default)]
struct Written {
    values: Vec<(Expr, Span)>,
    named: Vec<(String, Expr, Span)>,
}

impl Parser<'_> {
    /// The chain in a stretch of the template.
    pub(super) fn chain_in(&mut self, span: Span) -> Result<Chain, Fault> {
        let mut cursor = Cursor::new(self.source, span)?;
        let chain = self.chain(&mut cursor)?;
        cursor.expect_end("a filter or the end")?;
        Ok(chain)
    }

    /// The same, where an expression must stand.
    pub(super) fn condition_in(&mut self, span: Span) -> Result<Chain, Fault> {
        if span.of(self.source).trim().is_empty() {
            return Err(Fault::syntax(span, "expected a condition"));
        }
        self.chain_in(span)
    }

    fn chain(&mut self, cursor: &mut Cursor<'_>) -> Result<Chain, Fault> {
        let headless = cursor.is(Kind::Pipe) || cursor.peek().is_none();
        let head = if headless { None } else { Some(self.expression(cursor)?) };
        let mut filters = Vec::new();
        while cursor.eat(Kind::Pipe) {
            let first = headless && filters.is_empty();
            filters.extend(self.call(cursor, first)?);
        }
        let chain = Chain { head, filters };
        self.probe(&chain);
        Ok(chain)
    }

    /// Finds what fails for every row, in the first chains of literals: a template has few.
    fn probe(&mut self, chain: &Chain) {
        if self.probes >= MOST_PROBES || !chain.head.as_ref().is_some_and(Expr::is_constant) {
            return;
        }
        self.probes += 1;
        if let Some(fault) = render::probe(chain, self.scope, self.source) {
            self.fault(fault);
        }
    }

    fn call(&mut self, cursor: &mut Cursor<'_>, headless: bool) -> Result<Option<Call>, Fault> {
        let span = cursor.here();
        let Some(name) = cursor.word() else { return Err(cursor.expected("a filter's name")) };
        cursor.next();
        let written = if cursor.eat(Kind::Colon) { self.arguments(cursor)? } else { Written::default() };
        let built_in = filters::find(name);
        if headless && built_in.is_none_or(|filter| !filter.headless) {
            let fault = Fault::syntax(span, format!("`{name}` needs a value before it"));
            self.fault(fault.help("only `json_construct` and `json_array` work without one"));
        }
        let Some(filter) = built_in else { return Ok(self.added(name, written, span)) };
        self.volatile.dated |= name.starts_with("date") || name == "iso8601";
        self.check(filter, &written, headless, span);
        let each = self.each(filter, &written, span)?;
        let named = written.named.into_iter().filter_map(|(name, value, _)| {
            filter.named.iter().find(|known| **known == name).map(|known| (*known, value))
        });
        let named = named.collect();
        let args = written.values.into_iter().map(|(value, _)| value).collect();
        Ok(Some(Call { filter: Called::BuiltIn(filter), args, named, each, span }))
    }

    /// A filter that a program added, which checks its arguments itself.
    fn added(&mut self, name: &str, written: Written, span: Span) -> Option<Call> {
        let Some(filter) = self.scope.filters.get(name) else {
            self.unknown_filter(name, span);
            return None;
        };
        self.adds = true;
        // What it makes of `'now'` nobody knows.
        self.volatile.dated = true;
        let parsed = {
            let values =
                written.values.iter().map(|(value, _)| Argument { name: None, literal: value.literal() });
            let named = written
                .named
                .iter()
                .map(|(name, value, _)| Argument { name: Some(name.as_str()), literal: value.literal() });
            filter.parse(&values.chain(named).collect::<Vec<_>>())
        };
        let named = written.named.into_iter().map(|(_, value, _)| value);
        let args = written.values.into_iter().map(|(value, _)| value).chain(named).collect();
        match parsed {
            Ok(run) => {
                let filter = Called::Added { name: name.to_owned(), run };
                Some(Call { filter, args, named: Vec::new(), each: None, span })
            }
            Err(message) => {
                self.fault(Fault::new(Code::FILTER_ARGUMENTS, message).of(name).at(span));
                None
            }
        }
    }

    fn arguments(&mut self, cursor: &mut Cursor<'_>) -> Result<Written, Fault> {
        let mut written = Written::default();
        while cursor.peek().is_some() && !cursor.is(Kind::Pipe) {
            let span = cursor.here();
            let named =
                cursor.word().filter(|_| cursor.peek_second().is_some_and(|next| next.kind == Kind::Colon));
            if let Some(name) = named {
                cursor.next();
                cursor.next();
                let value = self.value(cursor)?;
                written.named.push((name.to_owned(), value, span));
            } else {
                let value = self.value(cursor)?;
                written.values.push((value, cursor.since(span.start)));
            }
            if !cursor.eat(Kind::Comma) && cursor.peek().is_some() && !cursor.is(Kind::Pipe) {
                return Err(cursor.expected("`,`, `|` or the end"));
            }
        }
        Ok(written)
    }

    fn unknown_filter(&mut self, name: &str, span: Span) {
        let fault =
            Fault::new(Code::UNKNOWN_FILTER, format!("unknown filter `{}`", coho_core::value::preview(name)));
        let names = filters::all().map(|filter| filter.name).chain(self.scope.filters.names());
        let near = self.nearest(name, names);
        let fault = match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        };
        self.fault(fault.at(span));
    }

    /// Checks how many arguments there are, their names, and those that are literals.
    fn check(&mut self, filter: &Filter, written: &Written, headless: bool, span: Span) {
        let given = written.values.len();
        let (least, most) = filter.counts();
        if given < least || most.is_some_and(|most| given > most) {
            self.fault(miscounted(filter, given, span));
        }
        if filter.name == "json_construct" && (given + usize::from(!headless)) % 2 == 1 {
            let fault = Fault::new(
                Code::FILTER_ARGUMENTS,
                "`json_construct` takes pairs of keys and values, but the last key has no value",
            );
            self.fault(fault.at(span));
        }
        for (name, _, at) in &written.named {
            if !filter.named.contains(&name.as_str()) {
                let message =
                    format!("`{}` has no argument named `{}`", filter.name, coho_core::value::preview(name));
                self.fault(Fault::new(Code::FILTER_ARGUMENTS, message).at(*at));
            }
        }
        for (at, (value, place)) in written.values.iter().enumerate() {
            if let (Some(arg), Expr::Literal(literal)) = (filter.arg(at), value)
                && !suits(literal, arg.kind)
            {
                let message = format!(
                    "the argument `{}` of `{}` is of type {}",
                    arg.name,
                    filter.name,
                    arg.kind.name()
                );
                self.fault(Fault::new(Code::FILTER_ARGUMENTS, message).at(*place));
            }
        }
    }

    /// The condition of `where_exp` and its kin: its text is read as an expression of its own.
    fn each(
        &mut self,
        filter: &Filter,
        written: &Written,
        span: Span,
    ) -> Result<Option<(usize, Box<Chain>)>, Fault> {
        if !matches!(filter.body, Body::Each(_)) {
            return Ok(None);
        }
        let (
            Some((Expr::Literal(Literal::Text(name)), _)),
            Some((Expr::Literal(Literal::Text(text)), place)),
        ) = (written.values.first(), written.values.get(1))
        else {
            let message =
                format!("`{}` takes the variable's name and the condition as literal texts", filter.name);
            return Err(Fault::new(Code::FILTER_ARGUMENTS, message).at(span));
        };
        // Texts with escapes have no place of their own in the template: they could not be read where they stand.
        let inner = Span::new(place.start + 1, place.end.saturating_sub(1));
        if inner.of(self.source) != text {
            return Err(Fault::syntax(*place, "an expression cannot contain a backslash"));
        }
        let slot = self.slot(name);
        let chain = self.deeper(*place, |parser| parser.condition_in(inner))?;
        Ok(Some((slot, Box::new(chain))))
    }
}

fn miscounted(filter: &Filter, given: usize, span: Span) -> Fault {
    let count =
        |count: usize| if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") };
    let takes = match filter.counts() {
        (least, None) => format!("at least {}", count(least)),
        (0, Some(0)) => "no arguments".to_owned(),
        (least, Some(most)) if least == most => count(most),
        (0, Some(most)) => format!("at most {}", count(most)),
        (least, Some(most)) => format!("{least} to {}", count(most)),
    };
    let are = if given == 1 { "is" } else { "are" };
    let message = format!("`{}` takes {takes}, but {given} {are} given", filter.name);
    Fault::new(Code::FILTER_ARGUMENTS, message).at(span)
}

/// Whether a literal can be what an argument must be.
fn suits(literal: &Literal, kind: filters::Kind) -> bool {
    match kind {
        filters::Kind::Any
        | filters::Kind::Text
        | filters::Kind::Number
        | filters::Kind::Property
        | filters::Kind::Expression => true,
        filters::Kind::Letters => !matches!(literal, Literal::Int(_) | Literal::Digits(_)),
        filters::Kind::Flag => matches!(literal, Literal::Bool(_) | Literal::Nil),
        filters::Kind::Array => false,
        filters::Kind::Whole => is_whole(literal),
        filters::Kind::Length => *literal == Literal::Nil || is_whole(literal),
    }
}

fn is_whole(literal: &Literal) -> bool {
    match literal {
        Literal::Int(_) => true,
        Literal::Digits(digits) => !digits.contains('.'),
        Literal::Text(text) => {
            let number = Number::from_text(text);
            number.is_ok_and(|number| number.is_some_and(|number| number.whole().is_some()))
        }
        Literal::Nil | Literal::Bool(_) | Literal::Blank | Literal::Empty => false,
    }
}
