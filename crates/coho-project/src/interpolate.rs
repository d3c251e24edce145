//! References: `${NAME}` in any text of `coho.yaml`, `$$` for one `$`, and `file:PATH` in place of a secret.

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::value::preview;

use crate::lines::lines;
use crate::secrets::words::{SECRETS, is_token_like};
use crate::yaml::{Content, Node, Scalar, Style};

/// What references resolve against.
pub(crate) struct Scope<'a> {
    /// The environment: a variable by its name, or a file's content by `file:PATH`.
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The text of the file, to find each reference's place.
    pub(crate) source: &'a str,
}

impl Scope<'_> {
    /// Resolves all references in a tree. What cannot be resolved becomes [`Content::Unresolved`], with a problem.
    pub(crate) fn resolve(&self, node: &mut Node, problems: &mut Vec<Problem>) {
        match &mut node.content {
            Content::Scalar(scalar) => {
                if !self.scalar(scalar, &node.place, problems) {
                    node.content = Content::Unresolved;
                }
            }
            Content::List(items) => items.iter_mut().for_each(|item| self.resolve(item, problems)),
            Content::Map(entries) => {
                for entry in entries {
                    self.resolve(&mut entry.value, problems);
                    if SECRETS.contains(&entry.key.as_str()) {
                        self.file(&mut entry.value, problems);
                    }
                }
            }
            Content::Unresolved => {}
        }
    }

    /// Replaces `file:PATH` by what the file holds, without line breaks at its end.
    fn file(&self, node: &mut Node, problems: &mut Vec<Problem>) {
        let Content::Scalar(scalar) = &mut node.content else { return };
        // What came out of a variable is never a path: only the file itself says `file:`.
        if !scalar.written.starts_with("file:") {
            return;
        }
        let written = preview(&scalar.written);
        let (message, help) = match (self.environment)(&scalar.text) {
            Some(content) if !content.trim().is_empty() => {
                content.trim_end_matches(['\r', '\n']).clone_into(&mut scalar.text);
                scalar.style = Style::Resolved;
                return;
            }
            Some(_) => (format!("`{written}` is empty"), "write the secret into the file"),
            None => {
                let help = "check that the file exists, is text, and that you have permission to read it";
                (format!("cannot read `{written}`"), help)
            }
        };
        problems.push(Problem::new(Code::FILE_UNREADABLE, message).at(&node.place).help(help));
        node.content = Content::Unresolved;
    }

    /// Whether all references in a scalar could be resolved.
    fn scalar(&self, scalar: &mut Scalar, place: &Place, problems: &mut Vec<Problem>) -> bool {
        if !scalar.text.contains('$') {
            return true;
        }
        let before = problems.len();
        let mut resolved = String::new();
        let mut earlier: Vec<&str> = Vec::new();
        for piece in pieces(&scalar.text) {
            match piece {
                Piece::Text(text) => resolved.push_str(text),
                Piece::Malformed => problems.push(malformed(place)),
                Piece::Variable(name) => {
                    let nth = || earlier.iter().filter(|other| **other == name).count();
                    match (self.environment)(name) {
                        Some(value) if value.trim().is_empty() && is_alone(&scalar.text, name) => {
                            problems.push(empty(name, &self.find(name, nth(), place)));
                        }
                        Some(value) => {
                            resolved.push_str(&value);
                            scalar.style = Style::Resolved;
                        }
                        None => problems.push(unset(name, &self.find(name, nth(), place))),
                    }
                    earlier.push(name);
                }
            }
        }
        scalar.text = resolved;
        problems.len() == before
    }

    /// The place of the nth reference to a variable from a scalar's start on, or the scalar's place.
    fn find(&self, name: &str, nth: usize, start: &Place) -> Place {
        let wanted = format!("${{{name}}}");
        let mut left = nth;
        for (number, line) in (1..).zip(lines(self.source)).skip_while(|(number, _)| *number < start.line) {
            let first = if number == start.line { start.column.saturating_sub(1) as usize } else { 0 };
            let from = line.char_indices().nth(first).map_or(line.len(), |(at, _)| at);
            for (at, _) in line.match_indices(&wanted).filter(|(at, _)| *at >= from) {
                if left == 0 {
                    let column = line.get(..at).map_or(0, |before| before.chars().count()) + 1;
                    let number_of = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                    let (column, length) = (number_of(column), number_of(wanted.chars().count()));
                    return Place { line: number, column, length, ..start.clone() };
                }
                left -= 1;
            }
        }
        start.clone()
    }
}

/// Whether a text is nothing but a reference: no key that refers to a variable means nothing by it.
fn is_alone(text: &str, name: &str) -> bool {
    text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) == Some(name)
}

fn empty(name: &str, at: &Place) -> Problem {
    Problem::new(Code::UNSET_VARIABLE, format!("the environment variable `{name}` is empty"))
        .at(at)
        .help("set it to the value, here or in the file given with --env-file")
}

fn unset(name: &str, at: &Place) -> Problem {
    if is_token_like(name) {
        return Problem::new(
            Code::UNSET_VARIABLE,
            "`${…}` contains what looks like a token, not the name of a variable",
        )
        .at(at)
        .help(
            "put the token in an environment variable and write the variable's name, such as `${VITALLY_REST_TOKEN}`",
        );
    }
    Problem::new(Code::UNSET_VARIABLE, format!("the environment variable `{name}` is not set"))
        .at(at)
        .help("set it, or add it to the file given with --env-file")
}

// The text is not shown: it may be a part of a secret.
fn malformed(at: &Place) -> Problem {
    Problem::new(Code::WRONG_VALUE, "this `${` does not begin a reference to a variable")
        .at(at)
        .help("write `${NAME}` with letters, digits and `_`, or `$${` for a literal `${`")
}

/// A piece of a text with references.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
    /// A `${` without a name or without an end.
    Malformed,
}

/// The pieces of a text.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        pieces.push(Piece::Text(before));
        if let Some(behind) = after.strip_prefix('$') {
            pieces.push(Piece::Text("$"));
            rest = behind;
        } else if let Some(inside) = after.strip_prefix('{') {
            match inside.split_once('}') {
                Some((name, behind)) if is_variable(name) => {
                    pieces.push(Piece::Variable(name));
                    rest = behind;
                }
                Some((_, behind)) => {
                    pieces.push(Piece::Malformed);
                    rest = behind;
                }
                None => {
                    pieces.push(Piece::Malformed);
                    rest = "";
                }
            }
        } else {
            pieces.push(Piece::Text("$"));
            rest = after;
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Whether a text is a variable's name: letters, digits and `_`, not beginning with a digit.
pub(crate) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Variable(name) => format!("<{name}>"),
                Piece::Malformed => "!".to_owned(),
            })
            .collect()
    }

    #[test]
    fn references_are_found_between_texts() {
        assert_eq!(joined("http://${HOST}:${PORT}/"), "http://<HOST>:<PORT>/");
        assert_eq!(joined("a$$b$c"), "a$b$c");
        assert_eq!(joined("$${NAME}"), "${NAME}");
        assert_eq!(joined("${A-B} and ${"), "! and !");
    }
}
