//! Which snippets a template renders: what its text means besides the text itself.

use std::collections::BTreeMap;

use coho_core::snippet::{Snippet, Snippets};

use super::budget::DEEPEST_TEMPLATE;
use super::fault::Span;
use super::pieces::{self, Piece};
use super::token::{self, Kind};

/// The snippets that a template renders, itself or by another snippet, with their names. A template that cannot be compiled has those
/// that can be told.
pub fn rendered<'s>(source: &str, snippets: &'s Snippets) -> BTreeMap<&'s str, &'s Snippet> {
    let mut found = BTreeMap::new();
    let mut open = named(source);
    while let Some(name) = open.pop() {
        let known = snippets.names().find(|known| *known == name);
        if let Some((name, snippet)) = known.and_then(|name| Some((name, snippets.get(name)?)))
            && found.insert(name, snippet).is_none()
        {
            open.extend(self::named(&snippet.text));
        }
    }
    found
}

fn named(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    collect(source, &pieces::cut(source).0, DEEPEST_TEMPLATE, &mut names);
    names
}

fn collect(source: &str, pieces: &[Piece], levels: usize, names: &mut Vec<String>) {
    for piece in pieces {
        let Piece::Tag(tag) = piece else { continue };
        match tag.name.of(source) {
            "render" => names.extend(first_text(source, tag.args)),
            "liquid" if levels > 0 => collect(source, &pieces::lines(source, tag.args).0, levels - 1, names),
            _ => {}
        }
    }
}

fn first_text(source: &str, args: Span) -> Option<String> {
    let tokens = token::tokens(source, args).ok()?;
    let first = tokens.first().filter(|token| token.kind == Kind::Quoted)?;
    Some(token::unquote(first.span.of(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_of_snippets_are_rendered_too() {
        let snippet = |(name, text): (&str, &str)| {
            (name.to_owned(), Snippet { text: text.to_owned(), file: name.into() })
        };
        let texts = [("a", "{% liquid\nrender 'b'\n%}"), ("b", "{% render 'a' %}"), ("c", ""), ("d", "")];
        let snippets: Snippets = texts.map(snippet).into_iter().collect();
        let names = |source| rendered(source, &snippets).into_keys().collect::<Vec<_>>();
        assert_eq!(names("{% if x %}{% render 'a', c: 'd' %}{% endif %}"), ["a", "b"]);
        assert_eq!(names("{% render 'gone' %}{% raw %}{% render 'c' %}{% endraw %}"), [""; 0]);
    }
}
