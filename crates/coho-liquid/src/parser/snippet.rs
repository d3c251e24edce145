//! The tag `render`: a snippet is read once for a template, with names of its own.

use std::collections::HashMap;

use coho_core::code::Code;
use coho_core::snippet::Snippet;

use super::expr::Cursor;
use super::{Names, Parser, names};
use crate::ast::{Expr, Node, Part, Render};
use crate::budget::DEEPEST_TEMPLATE;
use crate::fault::{Fault, Span};
use crate::pieces::{self, Tag};
use crate::scope::CompileScope;
use crate::token::{self, Kind};

/// The names that a template knows and a snippet does not.
const OUTSIDE: [&str; 5] = ["row", "record", "sync", "run", "context"];

/// What follows the snippet's name, as it is written.
#[derive(Default)]
struct Given {
    named: Vec<(String, Expr)>,
    /// `for`: the name, if there is one, and the list with its text.
    each: Option<(Option<String>, Expr, Span)>,
}

impl Parser<'_> {
    pub(super) fn snippet(&mut self, tag: Tag) -> Result<Node, Fault> {
        let mut cursor = Cursor::new(self.source, tag.args)?;
        let place = cursor.here();
        let Some(token) = cursor.next().filter(|token| token.kind == Kind::Quoted) else {
            let fault = Fault::syntax(place, "the snippet's name must be a literal text");
            return Err(fault.help("write `{% render 'name' %}`"));
        };
        let name = token::unquote(token.span.of(self.source));
        let given = self.given(&name, &mut cursor)?;
        let part = self.part_of(&name, token.span)?;
        self.fits(part, token.span)?;
        self.check_given(part, &given, token.span);
        let slots = self.parts.get(part).map(|part| &part.slots);
        let slot = |name: &str| slots.and_then(|slots| slots.get(name)).copied();
        let each = given.each.map(|(alias, list, text)| {
            let alias = alias.unwrap_or_else(|| name.clone());
            (slot(&alias), list, format!("{alias}-{}", text.of(self.source)))
        });
        let (each, looped) =
            each.map_or((None, String::new()), |(slot, list, name)| (Some((slot, list)), name));
        let given = given.named.into_iter().map(|(name, value)| (slot(&name), value)).collect();
        Ok(Node::Render(Box::new(Render { part, given, each, name: looped, span: tag.whole() })))
    }

    fn given(&mut self, snippet: &str, cursor: &mut Cursor<'_>) -> Result<Given, Fault> {
        let mut given = Given::default();
        while cursor.peek().is_some() {
            if cursor.eat(Kind::Comma) {
                continue;
            }
            let Some(word) = cursor.word() else {
                return Err(cursor.expected("`name: value`, `with`, `for` or the end of the tag"));
            };
            let named = cursor.peek_second().is_some_and(|next| next.kind == Kind::Colon);
            cursor.next();
            if named {
                cursor.next();
                let value = self.value(cursor)?;
                given.named.push((word.to_owned(), value));
            } else if word == "with" || word == "for" {
                let start = cursor.here().start;
                let value = self.value(cursor)?;
                let text = cursor.since(start);
                let alias = Self::alias(cursor)?;
                if word == "for" {
                    given.each = Some((alias, value, text));
                } else {
                    given.named.push((alias.unwrap_or_else(|| snippet.to_owned()), value));
                }
            } else {
                return Err(cursor.expected("`:` and a value"));
            }
        }
        Ok(given)
    }

    fn alias(cursor: &mut Cursor<'_>) -> Result<Option<String>, Fault> {
        if !cursor.eat_word("as") {
            return Ok(None);
        }
        let Some(alias) = cursor.word() else { return Err(cursor.expected("a name")) };
        cursor.next();
        Ok(Some(alias.to_owned()))
    }

    /// The snippet's place among the parts; it is read when it is met first.
    fn part_of(&mut self, name: &str, span: Span) -> Result<usize, Fault> {
        if self.rendering.iter().any(|known| known == name) {
            let path: Vec<&str> = self.rendering.iter().map(String::as_str).chain([name]).collect();
            let message = format!("the snippet `{}` renders itself", coho_core::value::preview(name));
            return Err(Fault::new(Code::UNKNOWN_SNIPPET, message).at(span).help(path.join(" renders ")));
        }
        if let Some(known) = self.parts.iter().position(|part| part.name == name) {
            return Ok(known);
        }
        let Some(snippet) = self.scope.snippets.get(name).cloned() else {
            return Err(self.unknown_snippet(name).at(span));
        };
        let read: usize = self.parts.iter().map(|part| part.source.len()).sum();
        let most = self.scope.settings.budget.source;
        if read + snippet.text.len() > most {
            let message = format!("the template's snippets are larger than {most} bytes together");
            return Err(Fault::new(Code::TEMPLATE_LIMIT, message).at(span));
        }
        Ok(self.read_part(name, &snippet))
    }

    fn read_part(&mut self, name: &str, snippet: &Snippet) -> usize {
        let at = self.parts.len();
        self.parts.push(Part {
            name: name.to_owned(),
            file: snippet.file.clone(),
            source: snippet.text.clone(),
            nodes: Vec::new(),
            slots: HashMap::new(),
            depth: 0,
        });
        let scope = CompileScope { columns: None, ..self.scope.clone() };
        let (pieces, faults) = pieces::cut(&snippet.text);
        let mut inner = Parser::new(&snippet.text, &scope, names::assigned(&snippet.text, &pieces), faults);
        inner.names = Names::Given;
        inner.parts = std::mem::take(&mut self.parts);
        inner.rendering = std::mem::take(&mut self.rendering);
        inner.rendering.push(name.to_owned());
        let nodes = inner.document(&pieces);
        inner.rendering.pop();
        self.rendering = inner.rendering;
        self.parts = inner.parts;
        self.volatile.clock |= inner.volatile.clock;
        self.volatile.dated |= inner.volatile.dated;
        inner.faults.into_iter().for_each(|fault| self.fault(fault.inside(at)));
        if let Some(part) = self.parts.get_mut(at) {
            part.nodes = nodes;
            part.slots = inner.slots;
            part.depth = inner.deepest;
        }
        at
    }

    /// Snippets in blocks in snippets are nested no deeper than a template may be.
    fn fits(&mut self, part: usize, span: Span) -> Result<(), Fault> {
        let most = self.scope.settings.budget.nesting.min(DEEPEST_TEMPLATE);
        let deepest = self.depth + self.parts.get(part).map_or(0, |part| part.depth);
        if deepest > most {
            let message = format!("the template and its snippets are nested more than {most} levels deep");
            return Err(Fault::new(Code::TEMPLATE_LIMIT, message).at(span));
        }
        self.deepest = self.deepest.max(deepest);
        Ok(())
    }

    /// A snippet that reads what only its caller can see.
    fn check_given(&mut self, part: usize, given: &Given, span: Span) {
        let Some(part) = self.parts.get(part) else { return };
        let (pieces, _) = pieces::cut(&part.source);
        let assigned = names::assigned(&part.source, &pieces);
        let each = given.each.iter().filter_map(|(alias, _, _)| alias.as_deref());
        let passed: Vec<&str> = given.named.iter().map(|(name, _)| name.as_str()).chain(each).collect();
        let lacking = OUTSIDE.into_iter().find(|name| {
            part.slots.contains_key(*name) && !assigned.contains_key(*name) && !passed.contains(name)
        });
        if let (Some(name), crate::settings::Undefined::Error) = (lacking, self.scope.settings.undefined) {
            let message = format!("the snippet `{}` reads `{name}`, but is not given it", part.name);
            let help = format!("give it what it needs: `{{% render '{}', {name}: {name} %}}`", part.name);
            self.fault(Fault::new(Code::UNKNOWN_VARIABLE, message).at(span).help(help));
        }
    }

    fn unknown_snippet(&self, name: &str) -> Fault {
        let message = format!("unknown snippet `{}`", coho_core::value::preview(name));
        let fault = Fault::new(Code::UNKNOWN_SNIPPET, message);
        match self.nearest(name, self.scope.snippets.names()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help(
                "a snippet is a file in the project's folder `templates`, such as `templates/name.liquid`",
            ),
        }
    }
}
