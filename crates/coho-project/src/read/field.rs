//! Fields and traits: what is set, to what.

use coho_core::code::Code;
use coho_core::object::{Bag, FieldKind, Object};
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::snippet::Snippets;
use coho_core::sync::{
    Blanks, Cast, ColumnRef, Expression, FieldSpec, FieldTarget, NullPolicy, TemplateText, UndefinedPolicy,
};

use super::sync::word;
use super::value::value;
use crate::catalog;
use crate::yaml::{Content, Entry, Meaning, Node, begin};

/// The keys that may stand in `traits` where it means all traits at once.
const WHOLE: [&str; 3] = ["column", "as", "null"];

/// The same for an object that is written out.
const OBJECT: [&str; 2] = ["object", "null"];

/// The same for a template.
const TEMPLATE: [&str; 4] = ["template", "undefined", "as", "null"];

/// Reads the entries of `fields`.
pub(crate) struct Fields<'a> {
    /// `None` if the sync names no object that is known.
    pub(crate) object: Option<Object>,
    pub(crate) problems: &'a mut Vec<Problem>,
    pub(crate) specs: Vec<FieldSpec>,
    /// The file's text: where a template in it begins depends on how YAML writes it.
    pub(crate) text: &'a str,
}

/// A column that is named by a scalar.
pub(crate) fn column(node: &Node) -> Option<ColumnRef> {
    let scalar = node.scalar()?;
    match scalar.meaning() {
        Meaning::Text(text) if !text.trim().is_empty() => {
            Some(ColumnRef { name: text.to_owned(), place: node.place.clone() })
        }
        Meaning::Null | Meaning::Bool(_) | Meaning::Number(_) | Meaning::Doubtful(_) | Meaning::Text(_) => {
            None
        }
    }
}

impl Fields<'_> {
    /// Reads one entry of `fields`: a field, a trait or property by its dotted name, or all of them.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        if let Some(bag) = bag_of(&entry.key) {
            if let Some(object) = self.object.filter(|object| object.bag() != bag) {
                return self.problems.push(catalog::other_bag(object, bag).at(&entry.at));
            }
            if entry.key == bag.name() {
                return self.bag(bag, entry);
            }
        }
        let path = FieldPath::new(&entry.key);
        if let FieldPath::Field(name) = &path
            && let Some(object) = self.object
            && let Err(problem) = catalog::mappable(object, name)
        {
            self.problems.push(problem.at(&entry.at));
            return;
        }
        self.path(path, entry);
    }

    fn bag(&mut self, bag: Bag, entry: &Entry) {
        if is_template(&entry.value) {
            return self.problems.push(bare_template(&entry.value.place));
        }
        if let Some(from) = self.whole(bag, &entry.value) {
            let null = word(&entry.value, "null", &NullPolicy::ALL, NullPolicy::name).unwrap_or_default();
            return self.add(FieldSpec { to: FieldTarget::AllTraits, from, null, place: entry.at.clone() });
        }
        for entry in entry.value.entries() {
            self.path(bag.path(entry.key.clone()), entry);
        }
    }

    /// The expression for all traits (or properties) at once, if `traits` means that.
    fn whole(&mut self, bag: Bag, node: &Node) -> Option<Expression> {
        if let Some(column) = column(node) {
            return Some(Expression::Column { column, cast: None });
        }
        if let Some(template) = node.get("template").filter(|node| is_template(node)) {
            let alone = node.entries().iter().all(|entry| TEMPLATE.contains(&entry.key.as_str()));
            return if alone { self.template(node, template) } else { None };
        }
        if let Some(object) = node.get("object").filter(|object| is_members(object)) {
            let alone = node.entries().iter().all(|entry| OBJECT.contains(&entry.key.as_str()));
            return if alone { self.members(object) } else { None };
        }
        let column = column(node.get("column")?)?;
        if !node.entries().iter().all(|entry| WHOLE.contains(&entry.key.as_str())) {
            return None;
        }
        let cast = word(node, "as", &Cast::ALL, Cast::name);
        if let Some(other) = node.get("as")
            && cast != Some(Cast::Json)
        {
            self.problems.push(
                Problem::new(
                    Code::WRONG_VALUE,
                    format!("a mapping of all {} at once needs an object", bag.name()),
                )
                .at(&other.place)
                .help(format!(
                    "write `as: json`; for a {} named `column`, write `{}`",
                    one_of(bag),
                    bag.path("column")
                )),
            );
        }
        if let Some(null) = node.get("null")
            && word(node, "null", &NullPolicy::ALL, NullPolicy::name).is_none()
        {
            self.problems.push(
                Problem::new(Code::WRONG_VALUE, "`null` must be `follow`, `omit` or `clear`")
                    .at(&null.place)
                    .help(format!("for a {} named `null`, write `{}`", one_of(bag), bag.path("null"))),
            );
        }
        Some(Expression::Column { column, cast })
    }

    fn path(&mut self, path: FieldPath, entry: &Entry) {
        let is_blank = |bag: &Bag| path.to_string().trim() == bag.path("").to_string();
        if let Some(bag) = bag_of(&path.to_string()).filter(is_blank) {
            let message = format!("a {} needs a name", one_of(bag));
            let problem = Problem::new(Code::WRONG_VALUE, message).at(&entry.at);
            return self.problems.push(problem.help(format!("write `{}`", bag.path("plan"))));
        }
        let kind = match &path {
            FieldPath::Field(name) => {
                self.object.and_then(|object| object.field(name)).map(|field| field.kind)
            }
            FieldPath::Trait(_) | FieldPath::Property(_) => None,
        };
        if let Some(FieldKind::Reference(_) | FieldKind::References(_)) = kind
            && !is_column(&entry.value)
        {
            let problem = Problem::new(Code::BAD_LOOKUP, format!("`{path}` must come from a column"));
            return self
                .problems
                .push(problem.at(&entry.value.place).help("put the external ids in a column of the model"));
        }
        let Some(from) = self.expression(&entry.value) else { return };
        let from = match (&path, kind) {
            (FieldPath::Field(name), Some(kind)) => catalog::fit(name, kind, from, &entry.value.place),
            (FieldPath::Field(_) | FieldPath::Trait(_) | FieldPath::Property(_), _) => {
                catalog::fit_trait(&path, from, &entry.value.place)
            }
        };
        match from {
            Ok(from) => {
                let null = word(&entry.value, "null", &NullPolicy::ALL, NullPolicy::name).unwrap_or_default();
                self.add(FieldSpec { to: FieldTarget::Path(path), from, null, place: entry.at.clone() });
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn add(&mut self, spec: FieldSpec) {
        let is_trait =
            |to: &FieldTarget| matches!(to, FieldTarget::Path(FieldPath::Trait(_) | FieldPath::Property(_)));
        let clash = self.specs.iter().find(|earlier| {
            earlier.to == spec.to
                || (earlier.to == FieldTarget::AllTraits && is_trait(&spec.to))
                || (spec.to == FieldTarget::AllTraits && is_trait(&earlier.to))
        });
        match clash {
            None => self.specs.push(spec),
            Some(earlier) => self.problems.push(
                Problem::new(Code::WRONG_VALUE, format!("`{}` is already mapped", self.name_of(&spec.to)))
                    .at(&spec.place)
                    .help(format!("remove one of them; the other is on line {}", earlier.place.line)),
            ),
        }
    }

    /// What a target is called in `fields`.
    fn name_of(&self, to: &FieldTarget) -> String {
        match to {
            FieldTarget::AllTraits => self.object.map_or(Bag::Traits, Object::bag).name().to_owned(),
            FieldTarget::Path(path) => path.to_string(),
        }
    }

    fn expression(&mut self, node: &Node) -> Option<Expression> {
        if is_template(node) {
            self.problems.push(bare_template(&node.place));
            return None;
        }
        match &node.content {
            Content::Scalar(_) => column(node).map(|column| Expression::Column { column, cast: None }),
            Content::Map(entries) => self.mapping(node, entries),
            Content::List(_) | Content::Unresolved => None,
        }
    }

    fn mapping(&mut self, node: &Node, entries: &[Entry]) -> Option<Expression> {
        let of = entries.iter().find(|entry| {
            matches!(entry.key.as_str(), "column" | "static" | "template" | "object" | "array")
        })?;
        if let Some(cast) = node.entry("as")
            && !matches!(of.key.as_str(), "column" | "template")
        {
            let problem = Problem::new(Code::WRONG_VALUE, "`as` works only with `column` or `template`");
            self.problems.push(problem.at(&cast.at).help("remove it"));
        }
        match of.key.as_str() {
            "column" => self.column(node, column(&of.value)?),
            "template" => self.template(node, &of.value),
            "static" => value(&of.value, self.problems).map(Expression::Static),
            "object" => self.members(&of.value),
            _ => {
                let items: Vec<_> = of.value.items().iter().map(|item| self.inner(item)).collect();
                items.into_iter().collect::<Option<_>>().map(Expression::Array)
            }
        }
    }

    fn members(&mut self, object: &Node) -> Option<Expression> {
        let entries = object.entries().iter();
        let members: Vec<_> = entries
            .map(|member| self.inner(&member.value).map(|inner| (member.key.clone(), inner)))
            .collect();
        members.into_iter().collect::<Option<_>>().map(Expression::Object)
    }

    /// A part of an object or of a list, which has no null policy and no lookup of its own.
    fn inner(&mut self, node: &Node) -> Option<Expression> {
        for entry in node.entries().iter().filter(|entry| matches!(entry.key.as_str(), "null" | "lookup")) {
            let message = format!("`{}` works only with a whole field", entry.key);
            self.problems.push(
                Problem::new(Code::WRONG_VALUE, message)
                    .at(&entry.at)
                    .help("remove it, or move it to the field"),
            );
        }
        self.expression(node)
    }

    fn template(&mut self, node: &Node, template: &Node) -> Option<Expression> {
        let (place, indent) = begin(template, self.text);
        let text = template.text()?.to_owned();
        if let Some(entry) = node.entry("lookup") {
            let problem = Problem::new(Code::BAD_LOOKUP, "external ids must come from a column");
            self.problems.push(problem.at(&entry.at).help("put the external ids in a column of the model"));
            return None;
        }
        let cast = word(node, "as", &Cast::ALL, Cast::name);
        let undefined =
            word(node, "undefined", &UndefinedPolicy::ALL, UndefinedPolicy::name).unwrap_or_default();
        let blanks = if node.get("empty").is_some() { Blanks::Null } else { Blanks::Kept };
        Some(Expression::Template {
            template: TemplateText { text, place, indent, undefined, snippets: Snippets::default(), blanks },
            cast,
        })
    }

    fn column(&mut self, node: &Node, column: ColumnRef) -> Option<Expression> {
        let cast = word(node, "as", &Cast::ALL, Cast::name);
        let split = node.text_of("split").map(str::to_owned);
        let Some(lookup) = node.entry("lookup") else {
            return Some(Expression::Column { column, cast });
        };
        if let Some(entry) = node.entry("as") {
            self.problems.push(
                Problem::new(Code::BAD_LOOKUP, "`as` and `lookup` cannot be used together")
                    .at(&entry.at)
                    .help("remove `as`: ids are read as text"),
            );
            return None;
        }
        let (object, by) = super::lookup(lookup.value.text()?)?;
        Some(Expression::Lookup { column, object, by, split })
    }
}

/// The bag that a key of `fields` names, by itself or before a dot.
fn bag_of(key: &str) -> Option<Bag> {
    let name = key.split_once('.').map_or(key, |(name, _)| name);
    [Bag::Traits, Bag::Properties].into_iter().find(|bag| bag.name() == name)
}

/// What one value in it is called.
pub(crate) fn one_of(bag: Bag) -> &'static str {
    match bag {
        Bag::Traits => "trait",
        Bag::Properties => "property",
    }
}

fn is_column(node: &Node) -> bool {
    match &node.content {
        Content::Scalar(_) => true,
        // What names nothing at all has been told already.
        Content::Map(entries) => !entries
            .iter()
            .any(|entry| matches!(entry.key.as_str(), "static" | "object" | "array" | "template")),
        Content::List(_) | Content::Unresolved => false,
    }
}

/// Whether a mapping gives the members of an object, and is no field of a trait that is called `object`.
fn is_members(node: &Node) -> bool {
    let is_field =
        |entry: &Entry| matches!(entry.key.as_str(), "column" | "static" | "template" | "object" | "array");
    let entries = node.entries();
    !entries.is_empty() && !entries.iter().any(is_field)
}

/// Whether a text stands where a column is expected, and is a template.
fn is_template(node: &Node) -> bool {
    node.text().is_some_and(|text| text.contains("{{") || text.contains("{%"))
}

fn bare_template(at: &Place) -> Problem {
    Problem::new(Code::WRONG_VALUE, "expected a column's name, found a template")
        .at(at)
        .help("write `{ template: \"{{ … }}\" }`")
}
