//! Compiling: every fault that can be found without a row, all at once.

mod matching;

use std::sync::Arc;

use coho_core::code::Code;
use coho_core::object::{Bag, FieldKind, Object, Required};
use coho_core::operation::is_plain;
use coho_core::path::FieldPath;
use coho_core::problem::{Problem, nearest};
use coho_core::row::{ColumnType, Columns};
use coho_core::sync::{
    Blanks, Cast, ColumnRef, Expression, FieldSpec, FieldTarget, NullPolicy, TemplateText, UndefinedPolicy,
};

use crate::digest::digest;
use crate::fit::{Slot, one_of};
use crate::mapping::{Field, Filled, Lookup, Mapping, Node, To};
use crate::source::Source;
use crate::specification::Specification;
use coho_liquid::{Branch, CompileScope, Filters, Reads, Start, TemplateSettings};
pub(crate) use matching::is_email;

impl Mapping {
    /// Checks a specification against a model's columns. All problems are found, not the first.
    pub fn compile(specification: &Specification<'_>, columns: &Columns) -> Result<Self, Vec<Problem>> {
        compile(specification, columns)
    }

    /// What is wrong with the templates of a specification, as far as that can be told without a model's columns.
    pub fn template_problems(specification: &Specification<'_>) -> Vec<Problem> {
        template_problems(specification)
    }

    /// What of its templates is probably not meant: a null policy beside a template that never gives null.
    pub fn template_warnings(specification: &Specification<'_>) -> Vec<Problem> {
        template_warnings(specification)
    }
}

/// Compiles a specification.
fn compile(specification: &Specification<'_>, columns: &Columns) -> Result<Mapping, Vec<Problem>> {
    let mut compiler = Compiler {
        object: specification.object,
        columns,
        filters: specification.filters,
        problems: vec![],
        reads: vec![],
        branches: vec![],
        adds: false,
    };
    let target = compiler.target(specification);
    let email = specification.matching.email().and_then(|column| compiler.email(column));
    let mut fields = Vec::new();
    for field in specification.fields {
        match specification.matching.email() {
            Some(found_by) if is_email(&field.to) => compiler.matched_email(field, found_by),
            Some(_) | None => fields.extend(compiler.field(field)),
        }
    }
    let Compiler { problems, reads, branches, adds, .. } = compiler;
    let filters = specification.filters.filter(|_| adds);
    match (target, problems.is_empty()) {
        (Some(target), true) => Ok(Mapping {
            target,
            email,
            associations: specification.associations,
            fields,
            digest: digest(specification, columns, &reads, filters),
            reads: in_name_order(&reads, columns),
            branches,
        }),
        _ => Err(problems),
    }
}

/// What is wrong with the templates of these fields, as far as that can be told without the model's columns.
fn template_problems(specification: &Specification<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for field in specification.fields {
        inspect(&field.from, specification.filters, &mut problems);
    }
    problems
}

/// Where a null policy can never act, for the field's template gives no null.
fn template_warnings(specification: &Specification<'_>) -> Vec<Problem> {
    specification.fields.iter().filter_map(|field| never_null(field, specification.filters)).collect()
}

fn never_null(field: &FieldSpec, filters: Option<&Filters>) -> Option<Problem> {
    let Expression::Template { template, cast } = &field.from else { return None };
    // Only JSON may be null after a cast; what is no number, say, is a problem of the row.
    let json = *cast == Some(Cast::Json);
    if field.null == NullPolicy::Follow || template.blanks == Blanks::Null || json {
        return None;
    }
    let scope = scope(CompileScope::free(), template, filters);
    let compiled = coho_liquid::compile(&template.text, &scope).ok()?;
    if compiled.may_give_null() {
        return None;
    }
    let name = field.null.name();
    let message =
        format!("`null: {name}` has no effect: this template always gives a value, an empty text for null");
    let help = "add `empty: null`, or end a lone `{{ … }}` with `| default: nil`";
    Some(Problem::new(Code::NEVER_NULL, message).at(&template.place).help(help))
}

/// What a template is compiled against, besides the columns.
fn scope(scope: CompileScope, template: &TemplateText, filters: Option<&Filters>) -> CompileScope {
    let scope = scope.settings(settings(template)).snippets(&template.snippets);
    match filters {
        Some(filters) => scope.filters(filters),
        None => scope,
    }
}

/// How a template is read.
pub(crate) fn settings(template: &TemplateText) -> TemplateSettings {
    match template.undefined {
        UndefinedPolicy::Error => TemplateSettings::default(),
        UndefinedPolicy::Empty => TemplateSettings::lenient(),
    }
}

fn inspect(from: &Expression, filters: Option<&Filters>, problems: &mut Vec<Problem>) {
    match from {
        Expression::Template { template, .. } => {
            let start = Start { place: template.place.clone(), indent: template.indent };
            let scope = scope(CompileScope::free(), template, filters);
            let found = coho_liquid::compile(&template.text, &scope).err().unwrap_or_default();
            once(problems, found.into_iter().map(|problem| start.shift(problem)));
        }
        Expression::Object(members) => {
            for (_, member) in members {
                inspect(member, filters, problems);
            }
        }
        Expression::Array(items) => items.iter().for_each(|item| inspect(item, filters, problems)),
        Expression::Column { .. } | Expression::Static(_) | Expression::Lookup { .. } => {}
    }
}

/// A snippet's problem is told once, however many templates render it.
fn once(problems: &mut Vec<Problem>, found: impl Iterator<Item = Problem>) {
    for problem in found {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// The order of the model's columns must not count, so the places are sorted by name.
fn in_name_order(reads: &[usize], columns: &Columns) -> Vec<usize> {
    let mut named: Vec<(&str, usize)> = columns
        .names()
        .enumerate()
        .filter(|(at, _)| reads.contains(at))
        .map(|(at, name)| (name, at))
        .collect();
    named.sort_unstable();
    named.into_iter().map(|(_, at)| at).collect()
}

struct Compiler<'a> {
    object: Object,
    columns: &'a Columns,
    filters: Option<&'a Filters>,
    problems: Vec<Problem>,
    reads: Vec<usize>,
    branches: Vec<Branch>,
    /// Whether a template calls a filter that was added to those of the dialect.
    adds: bool,
}

impl Compiler<'_> {
    fn column(&mut self, column: &ColumnRef) -> Option<(Source, ColumnType)> {
        let found = self.columns.iter().enumerate().find(|(_, candidate)| candidate.name == column.name);
        let Some((at, candidate)) = found else {
            self.problems.push(unknown_column(column, self.columns));
            return None;
        };
        self.reads.push(at);
        Some((Source { column: at, name: candidate.name.clone() }, candidate.kind))
    }

    fn field(&mut self, field: &FieldSpec) -> Option<Field> {
        let (to, slot) = match &field.to {
            FieldTarget::AllTraits => (To::All(self.object.bag()), None),
            FieldTarget::Path(path) => {
                let slot = self.slot(path, field)?;
                (To::Path(path.clone(), slot), Some(slot))
            }
        };
        let before = self.problems.len();
        let from = self.node(&field.from)?;
        let volatile = is_volatile(&from);
        match slot {
            Some(slot) => self.check(&field.from, slot, field),
            None => self.check_all_traits(&field.from, field),
        }
        (self.problems.len() == before).then(|| Field {
            to,
            from,
            null: self.null(field),
            place: field.place.clone(),
            volatile,
        })
    }

    /// Nothing of an event is ever cleared, so a null is left out whatever is said of it.
    fn null(&self, field: &FieldSpec) -> NullPolicy {
        match self.object.bag() {
            Bag::Traits => field.null,
            Bag::Properties => NullPolicy::Omit,
        }
    }

    fn slot(&mut self, path: &FieldPath, field: &FieldSpec) -> Option<Slot> {
        match path {
            FieldPath::Trait(_) => self.custom(Bag::Traits, field),
            FieldPath::Property(_) => self.custom(Bag::Properties, field),
            FieldPath::Field(name) => {
                if let Some(known) = self.object.field(name) {
                    let is_name = self.object.bag() == Bag::Properties
                        && (known.kind, known.required) == (FieldKind::Text, Required::OnCreate);
                    return Some(if is_name { Slot::Name } else { Slot::Field(known.kind) });
                }
                let names = self.object.catalog().fields.iter().map(|field| field.name);
                let problem =
                    Problem::new(Code::UNKNOWN_FIELD, format!("{} has no field `{name}`", self.object));
                self.problems.push(suggest(problem, name, names).at(&field.place));
                None
            }
        }
    }

    fn custom(&mut self, bag: Bag, field: &FieldSpec) -> Option<Slot> {
        let its = self.object.bag();
        if bag == its {
            return Some(Slot::Custom(bag));
        }
        let message = format!("{} has no {}: `{}`", self.object, bag.name(), field.to);
        let help = format!("its custom values are `{}`", its.name());
        self.problems.push(Problem::new(Code::UNKNOWN_FIELD, message).at(&field.place).help(help));
        None
    }

    fn node(&mut self, from: &Expression) -> Option<Node> {
        match from {
            Expression::Column { column, cast } => {
                self.column(column).map(|(source, _)| Node::Column(source, *cast))
            }
            Expression::Static(value) => Some(Node::Static(value.clone())),
            Expression::Lookup { column, object, by, split } => {
                let lookup = Lookup { object: *object, by: *by, split: split.clone() };
                self.column(column).map(|(source, _)| Node::Lookup(source, lookup))
            }
            Expression::Template { template, cast } => self.template(template, *cast),
            Expression::Object(members) => {
                let nodes: Vec<_> = members
                    .iter()
                    .map(|(name, member)| self.node(member).map(|node| (name.clone(), node)))
                    .collect();
                nodes.into_iter().collect::<Option<_>>().map(Node::Object)
            }
            Expression::Array(items) => {
                let nodes: Vec<_> = items.iter().map(|item| self.node(item)).collect();
                nodes.into_iter().collect::<Option<_>>().map(Node::Array)
            }
        }
    }

    fn template(&mut self, text: &TemplateText, cast: Option<Cast>) -> Option<Node> {
        let start = Start { place: text.place.clone(), indent: text.indent };
        let scope = scope(CompileScope::columns(self.columns), text, self.filters);
        match coho_liquid::compile(&text.text, &scope) {
            Ok(template) => {
                match template.columns() {
                    Reads::Columns(places) => self.reads.extend(places),
                    Reads::All => self.reads.extend(0..self.columns.len()),
                }
                self.adds |= template.calls_added();
                let first = self.branches.len();
                let shift = |branch: Branch| Branch { place: start.place(&branch.place), ..branch };
                self.branches.extend(template.branches().into_iter().map(shift));
                Some(Node::Template(
                    Filled { template: Arc::new(template), start, first, blanks: text.blanks },
                    cast,
                ))
            }
            Err(problems) => {
                once(&mut self.problems, problems.into_iter().map(|problem| start.shift(problem)));
                None
            }
        }
    }

    fn check(&mut self, from: &Expression, slot: Slot, field: &FieldSpec) {
        let refers = matches!(slot, Slot::Field(FieldKind::Reference(_) | FieldKind::References(_)));
        match from {
            Expression::Lookup { column, .. } if refers => self.check_column(column, None, slot, field),
            Expression::Lookup { .. } if matches!(slot, Slot::Field(FieldKind::ExternalId(_))) => {
                let message = format!("{} is sent as it is, so it needs no `lookup:`", field.to);
                self.fault(Code::BAD_LOOKUP, &message, field);
            }
            Expression::Lookup { .. } => {
                self.fault(Code::BAD_LOOKUP, "only references have a `lookup:`", field);
            }
            Expression::Column { .. }
            | Expression::Static(_)
            | Expression::Template { .. }
            | Expression::Object(_)
            | Expression::Array(_)
                if refers =>
            {
                let message = format!("{} refers to other records and needs `lookup:`", field.to);
                self.fault(Code::BAD_LOOKUP, &message, field);
            }
            Expression::Column { column, cast } => self.check_column(column, *cast, slot, field),
            Expression::Template { cast: None, .. } => {}
            Expression::Template { cast: Some(cast), .. } if slot.accepts(result(*cast)) => {}
            Expression::Template { cast: Some(cast), .. } => {
                let kind = result(*cast).name();
                let message = format!(
                    "{} expects {}, but `as: {}` gives {kind}",
                    field.to,
                    slot.expects(),
                    cast.name()
                );
                self.fault(Code::TYPE_MISMATCH, &message, field);
            }
            Expression::Static(value) => {
                if let Err(problem) = crate::fit::fit(value.clone(), slot) {
                    self.problems.push(problem.at(&field.place));
                }
            }
            Expression::Object(_) => {
                let message = format!("{} cannot hold an object", field.to);
                self.fault(Code::NESTED_TRAIT, &message, field);
            }
            Expression::Array(items) => self.check_items(items, slot, field),
        }
    }

    fn check_items(&mut self, items: &[Expression], slot: Slot, field: &FieldSpec) {
        let nested = items.iter().any(|item| match item {
            Expression::Object(_) | Expression::Array(_) => true,
            Expression::Static(value) => !is_plain(&coho_core::value::Value::Array(vec![value.clone()])),
            Expression::Column { .. } | Expression::Template { .. } | Expression::Lookup { .. } => false,
        });
        let Slot::Custom(bag) = slot else {
            let message = format!("{} expects {}, not a list", field.to, slot.expects());
            return self.fault(Code::TYPE_MISMATCH, &message, field);
        };
        if nested {
            let message = format!("a list in {} can hold only plain values", one_of(bag));
            self.fault(Code::NESTED_TRAIT, &message, field);
        }
    }

    fn check_column(&mut self, column: &ColumnRef, cast: Option<Cast>, slot: Slot, field: &FieldSpec) {
        let Some(kind) = self.columns.iter().find(|known| known.name == column.name).map(|known| known.kind)
        else {
            return;
        };
        let kind = cast.map_or(kind, result);
        if slot.accepts(kind) {
            return;
        }
        let message = format!(
            "{} expects {}, but column `{}` is {}",
            field.to,
            slot.expects(),
            column.name,
            kind.name()
        );
        let problem = Problem::new(Code::TYPE_MISMATCH, message).at(&column.place);
        self.problems.push(match slot.cast() {
            Some(cast) => problem.help(format!("write `{{ column: {}, as: {cast} }}`", column.name)),
            None => problem.help("cast it in the model"),
        });
    }

    fn check_all_traits(&mut self, from: &Expression, field: &FieldSpec) {
        let kind = match from {
            Expression::Object(_) | Expression::Template { cast: None | Some(Cast::Json), .. } => return,
            Expression::Template { cast: Some(cast), .. } => Some(result(*cast)),
            Expression::Column { column, cast } => {
                let declared =
                    self.columns.iter().find(|known| known.name == column.name).map(|known| known.kind);
                cast.map(result).or(declared)
            }
            Expression::Static(_) | Expression::Lookup { .. } | Expression::Array(_) => None,
        };
        if !matches!(kind, Some(ColumnType::Json | ColumnType::Mixed)) {
            let bag = self.object.bag();
            let each = one_of(bag).replacen('a', "each", 1);
            self.problems.push(
                Problem::new(
                    Code::TYPE_MISMATCH,
                    format!("{} need an object, not a string or another value", bag.name()),
                )
                .at(&field.place)
                .help(format!(
                    "map {each} on its own, or use a JSON column; `as: json` reads an object from text"
                )),
            );
        }
    }

    fn fault(&mut self, code: Code, message: &str, field: &FieldSpec) {
        self.problems.push(Problem::new(code, message).at(&field.place));
    }
}

fn is_volatile(node: &Node) -> bool {
    match node {
        Node::Template(filled, _) => filled.template.is_volatile(),
        Node::Object(members) => members.iter().any(|(_, member)| is_volatile(member)),
        Node::Array(items) => items.iter().any(is_volatile),
        Node::Column(..) | Node::Static(_) | Node::Lookup(..) => false,
    }
}

/// The type that a cast gives.
fn result(cast: Cast) -> ColumnType {
    match cast {
        Cast::Text => ColumnType::Text,
        Cast::Number => ColumnType::Decimal,
        Cast::Integer => ColumnType::Int,
        Cast::Boolean => ColumnType::Bool,
        Cast::Date => ColumnType::Date,
        Cast::Timestamp => ColumnType::Timestamp,
        Cast::Json => ColumnType::Json,
    }
}

fn unknown_column(column: &ColumnRef, columns: &Columns) -> Problem {
    let problem = Problem::new(Code::UNKNOWN_COLUMN, format!("the model has no column `{}`", column.name));
    let problem = match nearest(&column.name, columns.names()) {
        Some(_) => suggest(problem, &column.name, columns.names()),
        None => problem.help(format!("the columns are {}", columns.names().collect::<Vec<_>>().join(", "))),
    };
    problem.at(&column.place)
}

fn suggest<'a>(problem: Problem, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Problem {
    match nearest(name, candidates) {
        Some(candidate) => problem.help(format!("did you mean `{candidate}`?")),
        None => problem,
    }
}
