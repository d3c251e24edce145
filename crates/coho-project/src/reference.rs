//! The reference of all keys as Markdown, written out from [`crate::keys`] and the catalog of objects.

use coho_core::object::{FieldKind, Object, Required};

use crate::keys::model::{MODEL, SQL_MODEL};
use crate::keys::project::PROJECT;
use crate::keys::sync::SYNC;
use crate::keys::test::TEST;
use crate::keys::{Form, Key, Need, Shape, one_of};

const HEAD: &str = "<!-- Written by `coho_project::reference()` from the table of keys. Change the table, not this file. -->

# Configuration

A project is `coho.yaml`, and files in `models/`, `syncs/` and `tests/`. All are UTF-8. YAML files follow YAML 1.2: only `true` and \
`false` are booleans, `yes` and `no` are text, and numbers keep their digits. Keys that are not in these tables are errors.
";

/// The Markdown of `docs/reference/configuration.md`.
pub fn reference() -> String {
    let mut page = Page { text: HEAD.to_owned(), written: Vec::new() };
    for shape in [&PROJECT, &MODEL, &SQL_MODEL, &SYNC, &TEST] {
        page.file(shape);
    }
    page.objects();
    page.text
}

struct Page {
    text: String,
    written: Vec<&'static str>,
}

impl Page {
    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn file(&mut self, shape: &'static Shape) {
        self.section("##", shape);
        self.nested(shape);
    }

    /// The shapes within a shape, depth first, each once.
    fn nested(&mut self, shape: &'static Shape) {
        let forms = shape.keys.iter().filter(|key| !is_later(key)).map(|key| key.form);
        for form in forms.chain(shape.others.iter().map(|others| others.form)) {
            for inner in shapes(form) {
                if self.written.contains(&inner.name) {
                    continue;
                }
                if has_section(inner) {
                    self.section("###", inner);
                }
                self.written.push(inner.name);
                self.nested(inner);
            }
        }
    }

    fn section(&mut self, level: &str, shape: &'static Shape) {
        self.add(&format!("\n{level} {}\n", shape.name));
        if !shape.about.is_empty() {
            self.add(&format!("\n{}\n", shape.about));
        }
        if !shape.one_of.is_empty() {
            let names: Vec<String> = usable(shape).map(|name| format!("`{name}`")).collect();
            self.add(&format!("\nExactly one of these must be there: {}.\n", names.join(", ")));
        }
        self.add("\n| key | value | default | meaning |\n|---|---|---|---|\n");
        for key in shape.keys {
            self.row(key);
        }
        if let Some(others) = &shape.others {
            let value = value(others.form);
            self.add(&format!("| *{}* | {value} | | {} |\n", others.label, others.meaning));
        }
    }

    fn row(&mut self, key: &Key) {
        let (value, default, meaning) = match key.need {
            Need::Later(help) => {
                (String::new(), String::new(), format!("Not supported yet; {help}. {}", key.meaning))
            }
            Need::Must => (value(key.form), "**required**".to_owned(), key.meaning.to_owned()),
            Need::May => (value(key.form), key.default.to_owned(), key.meaning.to_owned()),
            Need::With(other) => {
                (value(key.form), key.default.to_owned(), format!("{} Only with `{other}`.", key.meaning))
            }
            Need::Where(holds) => {
                let must = format!("**required** where `{}` is {}", holds.key, one_of(holds.words));
                (value(key.form), format!("{must}; else {}", key.default), key.meaning.to_owned())
            }
        };
        self.add(&format!("| `{}` | {value} | {default} | {meaning} |\n", key.name));
    }

    fn objects(&mut self) {
        self.add("\n## Fields by object\n\nWhat `fields` can hold, besides `traits`, or `properties` of an event.\n");
        self.add("\n| object | field | holds | must be mapped |\n|---|---|---|---|\n");
        for object in Object::ALL {
            for field in object.catalog().fields.iter().filter(|field| field.name != "externalId") {
                let must = match (field.required, object) {
                    (Required::No, _) => "",
                    (Required::OnCreate, Object::Event) => "always",
                    (Required::OnCreate, Object::Organization | Object::Account | Object::User) => {
                        "unless `mode: update`"
                    }
                };
                let holds = holds(field.kind);
                self.add(&format!("| {object} | `{}` | {holds} | {must} |\n", field.name));
            }
        }
        for object in Object::ALL {
            if let Some(owners) = &object.catalog().owners {
                let line = format!("\nEach {object} needs at least {}.\n", one_of(owners.any_of));
                self.add(&line);
            }
        }
    }
}

/// The keys of which exactly one must be there, without those that come with a later version.
fn usable(shape: &'static Shape) -> impl Iterator<Item = &'static str> {
    shape.one_of.iter().copied().filter(|name| shape.key(name).is_none_or(|key| !is_later(key)))
}

fn is_later(key: &Key) -> bool {
    matches!(key.need, Need::Later(_))
}

/// Whether a shape has a table of its own: one that only maps names to something is told in one line.
fn has_section(shape: &Shape) -> bool {
    shape.keys.iter().any(|key| !is_later(key)) && shape.name != "ledger"
}

fn shapes(form: &'static Form) -> Vec<&'static Shape> {
    match form {
        Form::Map(shape) => vec![shape],
        Form::Typed(typed) => typed.types.iter().map(|(_, shape)| *shape).collect(),
        Form::Either(forms) => forms.iter().flat_map(|form| shapes(form)).collect(),
        Form::List(item) => shapes(item),
        Form::Text(_) | Form::Choice(_) | Form::Flag | Form::Count { .. } | Form::Null | Form::Anything => {
            Vec::new()
        }
    }
}

fn value(form: &'static Form) -> String {
    match form {
        Form::Text(_) | Form::Flag | Form::Count { .. } | Form::Null | Form::Anything => {
            form.expects().replace('|', "\\|")
        }
        Form::Choice(choice) => one_of(choice.now),
        Form::List(item) => format!("a list; each item {}", value(item)),
        Form::Map(shape) => match &shape.others {
            _ if has_section(shape) => link(shape),
            Some(others) => format!("a mapping from *{}* to {}", others.label, value(others.form)),
            None => link(shape),
        },
        Form::Typed(typed) => {
            typed.types.iter().map(|(_, shape)| link(shape)).collect::<Vec<_>>().join(" or ")
        }
        Form::Either(forms) => forms
            .iter()
            .filter(|form| !matches!(form, Form::Map(shape) if shape.name == "ledger"))
            .map(|form| value(form))
            .collect::<Vec<_>>()
            .join(", or "),
    }
}

fn link(shape: &Shape) -> String {
    let anchor: String = shape.name.chars().filter(|c| !matches!(c, '/' | '.')).collect();
    format!("[{}](#{})", shape.name, anchor.to_lowercase().replace(' ', "-"))
}

fn holds(kind: FieldKind) -> String {
    match kind {
        FieldKind::Text => "text".to_owned(),
        FieldKind::Bool => "a boolean".to_owned(),
        FieldKind::Timestamp => "a timestamp with zone, or a date".to_owned(),
        FieldKind::Reference(object) => format!("one {object}: `lookup: {object}.externalId`"),
        FieldKind::References(object) => format!("any number of {object}s: `lookup: {object}.externalId`"),
        FieldKind::ExternalId(object) => format!("the external id of {}", object.with_article()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_reference() {
        let text = reference();
        for shape in [&PROJECT, &MODEL, &SQL_MODEL, &SYNC, &TEST] {
            for key in shape.keys {
                assert!(text.contains(&format!("| `{}` |", key.name)), "{}", key.name);
                assert!(key.meaning.ends_with('.'), "{}", key.name);
            }
        }
    }
}
