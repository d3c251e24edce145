//! Whether a tree conforms to its form: unknown and missing keys, values of the wrong kind; all of them, not the first.
//!
//! What is found here is told here, once; [`crate::read`] takes what conforms and passes over the rest in silence.

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::value::preview;

use crate::keys::foreign;
use crate::keys::texts::NAMES;
use crate::keys::{Choice, Form, Key, Need, Numbers, Others, Shape, Shown, Text, Typed, Where, one_of};
use crate::yaml::{Content, Entry, Meaning, Node, Scalar, Style};

/// Checks a file's tree.
pub(crate) fn conform(root: &Node, shape: &'static Shape, problems: &mut Vec<Problem>) {
    let whole = Place::file(root.place.file.clone());
    let mut checker = Checker { problems };
    match &root.content {
        Content::Map(entries) => checker.map(entries, shape, &whole),
        Content::Scalar(_) | Content::List(_) | Content::Unresolved => {
            let message = format!("expected a mapping with keys, found {}", root.kind());
            let example = shape.keys.first().map_or("", |key| key.example);
            checker.tell(Code::WRONG_VALUE, message, &root.place, format!("begin with `{example}`"));
        }
    }
}

struct Checker<'p> {
    problems: &'p mut Vec<Problem>,
}

/// What a value belongs to: the key's name for messages, its place, and an example of it.
#[derive(Clone, Copy)]
struct Owner<'a> {
    name: &'a str,
    at: &'a Place,
    example: &'a str,
}

impl Checker<'_> {
    fn tell(&mut self, code: Code, message: String, at: &Place, help: impl Into<String>) {
        self.problems.push(Problem::new(code, message).at(at).help(help));
    }

    fn map(&mut self, entries: &[Entry], shape: &'static Shape, at: &Place) {
        for entry in entries {
            match (shape.key(&entry.key), &shape.others) {
                (Some(key), _) => self.known(entry, key, entries),
                (None, Some(others)) => self.other(entry, others),
                (None, None) => self.unknown(entry, shape),
            }
        }
        for key in shape.keys.iter().filter(|key| is_missing(entries, shape, key.name)) {
            let help = match key.need {
                Need::Must => format!("add `{}`", key.example),
                Need::Where(holds) if is_one_of(entries, holds) => holds.help.to_owned(),
                Need::Where(_) | Need::May | Need::With(_) | Need::Later(_) => continue,
            };
            self.tell(Code::MISSING_KEY, format!("`{}` is missing", key.name), at, help);
        }
        self.exactly_one(entries, shape, at);
    }

    fn exactly_one(&mut self, entries: &[Entry], shape: &'static Shape, at: &Place) {
        let is_later = |name: &&str| shape.key(name).is_some_and(|key| matches!(key.need, Need::Later(_)));
        let mut found = entries.iter().filter(|entry| shape.one_of.contains(&entry.key.as_str()));
        match (found.next(), found.next()) {
            (Some(_), None) => {}
            (None, _) => {
                let names: Vec<&str> = shape.one_of.iter().copied().filter(|name| !is_later(name)).collect();
                if !names.is_empty() {
                    let message = format!("{} is missing", one_of(&names));
                    self.tell(Code::MISSING_KEY, message, at, "add exactly one of them");
                }
            }
            (Some(first), Some(second)) => {
                let message = format!("`{}` and `{}` cannot be used together", first.key, second.key);
                self.tell(Code::WRONG_VALUE, message, &second.at, "keep one of them");
            }
        }
    }

    fn known(&mut self, entry: &Entry, key: &'static Key, all: &[Entry]) {
        match key.need {
            Need::Later(help) => {
                let message = format!("`{}` is not supported yet", key.name);
                return self.tell(Code::NOT_SUPPORTED, message, &entry.at, help);
            }
            Need::With(other) if !all.iter().any(|entry| entry.key == other) => {
                let message = format!("`{}` works only with `{other}`", key.name);
                self.tell(Code::WRONG_VALUE, message, &entry.at, format!("remove it, or add `{other}`"));
            }
            Need::Must | Need::May | Need::With(_) | Need::Where(_) => {}
        }
        let owner = Owner { name: key.name, at: &entry.at, example: key.example };
        self.value(&entry.value, key.form, owner);
    }

    fn other(&mut self, entry: &Entry, others: &'static Others) {
        if let Some(text) = others.key
            && !(text.accepts)(&entry.key)
        {
            let message = format!("`{}` is not {}", preview(&entry.key), text.what);
            self.tell(Code::WRONG_VALUE, message, &entry.at, "rename it");
        }
        self.value(&entry.value, others.form, Owner { name: &entry.key, at: &entry.at, example: "" });
    }

    fn unknown(&mut self, entry: &Entry, shape: &'static Shape) {
        let help = match (suggestion(entry, shape), foreign::key(&entry.key, shape.name)) {
            (_, Some(meant)) => meant.help(),
            (Some(name), None) => format!("did you mean `{name}`?"),
            (None, None) => format!("allowed here: {}", usable(shape).collect::<Vec<_>>().join(", ")),
        };
        self.tell(Code::UNKNOWN_KEY, format!("unknown key `{}`", preview(&entry.key)), &entry.at, help);
    }

    fn value(&mut self, node: &Node, form: &'static Form, owner: Owner<'_>) {
        match (form, &node.content) {
            (Form::Anything, _) | (_, Content::Unresolved) => {}
            (Form::Either(forms), _) => match forms.iter().find(|form| kind_fits(form, &node.content)) {
                Some(form) => self.value(node, form, owner),
                None => self.wrong_kind(node, form, owner),
            },
            (Form::Null, Content::Scalar(scalar)) => {
                if scalar.meaning() != Meaning::Null {
                    self.wrong_value(node, scalar, form, owner);
                }
            }
            (_, Content::Scalar(scalar)) if scalar.meaning() == Meaning::Null => {
                let message = format!("`{}` has no value", preview(owner.name));
                self.tell(Code::WRONG_VALUE, message, owner.at, expectation(form, owner));
            }
            (Form::Text(text), Content::Scalar(scalar)) => self.text(node, scalar, text, owner),
            (Form::Choice(choice), Content::Scalar(scalar)) => self.choice(node, scalar, choice, owner),
            (Form::Flag, Content::Scalar(scalar)) => {
                if !matches!(scalar.resolved_meaning(), Meaning::Bool(_)) {
                    self.wrong_value(node, scalar, form, owner);
                }
            }
            (Form::Count { least, most }, Content::Scalar(scalar)) => {
                if !count(scalar).is_some_and(|number| (*least..=*most).contains(&number)) {
                    self.wrong_value(node, scalar, form, owner);
                }
            }
            (Form::List(item), Content::List(items)) => self.list(node, items, item, owner),
            (Form::Map(shape), Content::Map(entries)) => self.map(entries, shape, owner.at),
            (Form::Typed(typed), Content::Map(entries)) => self.typed(entries, typed, owner),
            (
                Form::Text(_)
                | Form::Choice(_)
                | Form::Flag
                | Form::Null
                | Form::Count { .. }
                | Form::List(_)
                | Form::Map(_)
                | Form::Typed(_),
                _,
            ) => self.wrong_kind(node, form, owner),
        }
    }

    fn text(&mut self, node: &Node, scalar: &Scalar, text: &'static Text, owner: Owner<'_>) {
        let is_text = match scalar.meaning() {
            Meaning::Text(_) => true,
            Meaning::Number(_) => text.numbers == Numbers::Taken,
            Meaning::Null | Meaning::Bool(_) | Meaning::Doubtful(_) => false,
        };
        if !is_text {
            let message = format!("expected text for `{}`, found {}", preview(owner.name), scalar.kind());
            self.tell(Code::WRONG_VALUE, message, &node.place, "put it in quotes");
        } else if scalar.text.trim().is_empty() {
            let message = format!("`{}` is empty", preview(owner.name));
            self.tell(Code::WRONG_VALUE, message, &node.place, format!("write {}", text.what));
        } else if !(text.accepts)(&scalar.text) {
            let message = match text.shown {
                Shown::Shown => cannot_be(owner.name, scalar),
                Shown::Secret => format!("`{}` is not {}", preview(owner.name), text.what),
            };
            self.tell(Code::WRONG_VALUE, message, &node.place, format!("write {}", text.what));
        }
    }

    fn choice(&mut self, node: &Node, scalar: &Scalar, choice: &'static Choice, owner: Owner<'_>) {
        let word = scalar.text.as_str();
        if choice.now.contains(&word) {
            return;
        }
        if let Some((word, help)) = choice.later.iter().find(|(later, _)| *later == word) {
            let message = format!("`{}: {word}` is not supported yet", owner.name);
            return self.tell(Code::NOT_SUPPORTED, message, &node.place, *help);
        }
        // What a variable stands for is not shown, nor is what it resembles.
        let near = nearest(word, choice.now.iter().copied()).filter(|_| scalar.style != Style::Resolved);
        let foreign = foreign::mode(word).filter(|_| owner.name == "mode" && scalar.style != Style::Resolved);
        let help = match (foreign, near) {
            (Some(help), _) => help.to_owned(),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("write {}", one_of(choice.now)),
        };
        self.tell(Code::WRONG_VALUE, cannot_be(owner.name, scalar), &node.place, help);
    }

    fn list(&mut self, node: &Node, items: &[Node], form: &'static Form, owner: Owner<'_>) {
        if items.is_empty() {
            let message = format!("`{}` is an empty list", preview(owner.name));
            self.tell(Code::WRONG_VALUE, message, &node.place, "name at least one");
        }
        for item in items {
            self.value(item, form, Owner { at: &item.place, ..owner });
        }
    }

    fn typed(&mut self, entries: &[Entry], typed: &'static Typed, owner: Owner<'_>) {
        let all: Vec<&str> = typed.types.iter().map(|(name, _)| *name).collect();
        let Some(entry) = entries.iter().find(|entry| entry.key == "type") else {
            let help = format!("add `type: …` with {}", one_of(&all));
            return self.tell(Code::MISSING_KEY, "`type` is missing".to_owned(), owner.at, help);
        };
        let Some(scalar) = entry.value.scalar() else {
            return self.wrong_kind(&entry.value, &NAMES, Owner { name: "type", ..owner });
        };
        if let Some((_, shape)) = typed.types.iter().find(|(name, _)| *name == scalar.text) {
            self.map(entries, shape, owner.at);
        } else if let Some((name, help)) = typed.later.iter().find(|(name, _)| *name == scalar.text) {
            let message = format!("`type: {name}` is not supported yet");
            self.tell(Code::NOT_SUPPORTED, message, &entry.value.place, *help);
        } else {
            let message = cannot_be("type", scalar);
            let help = match nearest(&scalar.text, all.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write {}", one_of(&all)),
            };
            self.tell(Code::WRONG_VALUE, message, &entry.value.place, help);
        }
    }

    fn wrong_kind(&mut self, node: &Node, form: &'static Form, owner: Owner<'_>) {
        let message = format!("`{}` must be {}, not {}", preview(owner.name), form.expects(), node.kind());
        let problem = Problem::new(Code::WRONG_VALUE, message).at(&node.place);
        self.problems.push(match owner.example {
            "" => problem,
            example => problem.help(format!("write `{example}`")),
        });
    }

    fn wrong_value(&mut self, node: &Node, scalar: &Scalar, form: &'static Form, owner: Owner<'_>) {
        let message = cannot_be(owner.name, scalar);
        self.tell(Code::WRONG_VALUE, message, &node.place, format!("write {}", form.expects()));
    }
}

fn cannot_be(name: &str, scalar: &Scalar) -> String {
    match scalar.style {
        Style::Plain | Style::Quoted => {
            format!("`{}` cannot be `{}`", preview(name), preview(&scalar.written))
        }
        Style::Resolved => {
            format!("`{}` cannot be the value of `{}`", preview(name), preview(&scalar.written))
        }
    }
}

/// Whether a key is not there. A mistyped one is told once, as unknown.
pub(crate) fn is_missing(entries: &[Entry], shape: &'static Shape, key: &str) -> bool {
    !entries.iter().any(|entry| entry.key == key || suggestion(entry, shape) == Some(key))
}

/// Whether the other key has one of the words for which a key must be there.
fn is_one_of(entries: &[Entry], holds: &Where) -> bool {
    let other = entries.iter().find(|entry| entry.key == holds.key);
    other.and_then(|entry| entry.value.text()).is_some_and(|word| holds.words.contains(&word))
}

/// The keys that may be used today.
fn usable(shape: &'static Shape) -> impl Iterator<Item = &'static str> {
    shape.keys.iter().filter(|key| !matches!(key.need, Need::Later(_))).map(|key| key.name)
}

/// The key that somebody meant who wrote an unknown one.
fn suggestion(entry: &Entry, shape: &'static Shape) -> Option<&'static str> {
    let is_unknown = shape.key(&entry.key).is_none() && shape.others.is_none();
    let meant = || foreign::key(&entry.key, shape.name).and_then(|meant| meant.key);
    is_unknown.then(|| meant().or_else(|| nearest(&entry.key, usable(shape))))?
}

fn expectation(form: &'static Form, owner: Owner<'_>) -> String {
    match owner.example {
        "" => format!("write {}", form.expects()),
        example => format!("write `{example}`"),
    }
}

fn kind_fits(form: &Form, content: &Content) -> bool {
    match (form, content) {
        (Form::Flag, Content::Scalar(scalar)) => !matches!(scalar.meaning(), Meaning::Null),
        (Form::Text(_) | Form::Choice(_) | Form::Count { .. } | Form::Null, Content::Scalar(_))
        | (Form::List(_), Content::List(_))
        | (Form::Map(_) | Form::Typed(_), Content::Map(_))
        | (Form::Anything, _) => true,
        (Form::Either(forms), _) => forms.iter().any(|form| kind_fits(form, content)),
        (
            Form::Text(_)
            | Form::Choice(_)
            | Form::Count { .. }
            | Form::Flag
            | Form::Null
            | Form::List(_)
            | Form::Map(_)
            | Form::Typed(_),
            _,
        ) => false,
    }
}

/// The whole number that a scalar means.
pub(crate) fn count(scalar: &Scalar) -> Option<u64> {
    match scalar.resolved_meaning() {
        Meaning::Number(digits) => digits.parse().ok(),
        Meaning::Null | Meaning::Bool(_) | Meaning::Doubtful(_) | Meaning::Text(_) => None,
    }
}
