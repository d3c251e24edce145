//! A compiled mapping, and what it makes of a row.
//!
//! [`crate::compile`] builds it; here it is only evaluated.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use coho_core::code::Code;
use coho_core::digest::Digest;
use coho_core::fields::{FieldValue, Rendered, Rendering};
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::row::{Columns, Row};
use coho_core::sync::{Cast, ColumnRef, FieldSpec, NullPolicy};
use coho_core::target::ExternalId;
use coho_core::value::Value;

use crate::fit::Slot;
use crate::liquid::{Branch, Context, Start, Template, Watch};
use crate::{cast, fit, ids};

/// What is compiled: the parts of a sync that concern the mapping.
#[derive(Clone, Copy, Debug)]
pub struct Specification<'a> {
    /// What rows become.
    pub object: Object,
    /// The column that holds the external id.
    pub matching: &'a ColumnRef,
    /// What is mapped.
    pub fields: &'a [FieldSpec],
}

/// What templates may know besides the row: `sync`, `run`, and what time it is. Fields that read it never cause a request by
/// themselves.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What `sync` is: an object.
    pub sync: Value,
    /// What `run` is: an object.
    pub run: Value,
    /// What `'now' | date` shows. Without it, asking for it is a problem.
    pub now: Option<DateTime<Utc>>,
}

impl Facts {
    /// The facts of users' tests, the same on every day: the run is called `test` and began with the year 2000.
    pub fn of_tests(sync: Value) -> Self {
        let now = DateTime::from_timestamp(946_684_800, 0).unwrap_or_default();
        let run = Value::Object(vec![
            ("id".to_owned(), Value::text("test")),
            ("startedAt".to_owned(), Value::Timestamp(now)),
        ]);
        Self { sync, run, now: Some(now) }
    }

    /// Facts of which nothing that changes is the same: every part of the time, and every member of `run`.
    fn elsewhen(&self) -> Self {
        let shift =
            TimeDelta::seconds(86_400 * 400 + 3_600 * 5 + 60 * 7 + 11) + TimeDelta::microseconds(123_457);
        let now = self.now.map(|now| now + shift);
        let run = if let Value::Object(members) = &self.run {
            let others = members.iter().map(|(name, value)| (name.clone(), another(value, shift)));
            Value::Object(others.collect())
        } else {
            another(&self.run, shift)
        };
        Self { sync: self.sync.clone(), run, now }
    }
}

/// A value of the same kind that is not the same.
fn another(value: &Value, shift: TimeDelta) -> Value {
    if let Value::Timestamp(moment) = value {
        return Value::Timestamp(*moment + shift);
    }
    if let Value::Int(number) = value {
        return Value::Int(number.wrapping_add(1));
    }
    Value::Text(format!("{}~", value.as_text().unwrap_or_default()))
}

impl Default for Facts {
    fn default() -> Self {
        Self { sync: Value::Object(Vec::new()), run: Value::Object(Vec::new()), now: None }
    }
}

/// A row with the facts around it.
struct Scene<'a> {
    row: &'a dyn Row,
    facts: &'a Facts,
    /// The branches of templates that were taken, if anybody wants to know.
    taken: Option<&'a RefCell<BTreeSet<usize>>>,
}

/// A mapping that fits its model's columns.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(crate) matching: Source,
    pub(crate) fields: Vec<Field>,
    pub(crate) reads: Vec<usize>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) digest: Digest,
}

/// A compiled field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) to: To,
    pub(crate) from: Node,
    pub(crate) null: NullPolicy,
    pub(crate) place: Place,
    /// Whether the same row may give another value next time.
    pub(crate) volatile: bool,
}

/// What a compiled field sets.
#[derive(Clone, Debug)]
pub(crate) enum To {
    Path(FieldPath, Slot),
    AllTraits,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Column(Source, Option<Cast>),
    Static(Value),
    Lookup(Source, Object),
    Template(Filled, Option<Cast>),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
}

/// A template where it stands in a project.
#[derive(Clone, Debug)]
pub(crate) struct Filled {
    pub(crate) template: Arc<Template>,
    pub(crate) start: Start,
    /// The place of its first branch among the mapping's.
    pub(crate) first: usize,
}

/// A column by its place.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) column: usize,
    pub(crate) name: String,
}

impl Mapping {
    /// Checks a specification against a model's columns. All problems are found, not the first.
    pub fn compile(specification: &Specification<'_>, columns: &Columns) -> Result<Self, Vec<Problem>> {
        crate::compile::compile(specification, columns)
    }

    /// What is wrong with the templates of these fields, as far as that can be told without a model's columns.
    pub fn template_problems(fields: &[FieldSpec]) -> Vec<Problem> {
        crate::compile::template_problems(fields)
    }

    /// The places of the columns that are read, in the order of their names. Other columns never cause a request.
    pub fn reads(&self) -> &[usize] {
        &self.reads
    }

    /// Stands for all that the mapping says: another digest means that each row must be rendered again.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The branches of all templates, with their places in the project.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The fields of a rendered row that would differ at another time or in another run, though the row is the same: their
    /// templates read the clock or the run. What they alone change is no reason to send.
    pub fn volatile(&self, row: &impl Row, rendered: &Rendered, facts: &Facts) -> BTreeSet<FieldPath> {
        if !self.fields.iter().any(|field| field.volatile) {
            return BTreeSet::new();
        }
        let Ok(other) = self.render_with(row, &facts.elsewhen()) else { return BTreeSet::new() };
        let differs = |path: &&FieldPath| rendered.fields.get(*path) != other.fields.get(*path);
        rendered.fields.keys().chain(other.fields.keys()).filter(differs).cloned().collect()
    }

    /// Turns a row into fields, without facts around it. All problems of the row are found, not the first.
    pub fn render(&self, row: &impl Row) -> Result<Rendered, Vec<Problem>> {
        self.render_with(row, &Facts::default())
    }

    /// Turns a row into fields. All problems of the row are found, not the first.
    pub fn render_with(&self, row: &impl Row, facts: &Facts) -> Result<Rendered, Vec<Problem>> {
        self.render_scene(&Scene { row, facts, taken: None })
    }

    /// The same, and which of the [`branches`](Self::branches) were taken, whatever came of it.
    pub fn render_watched(
        &self,
        row: &impl Row,
        facts: &Facts,
    ) -> (Result<Rendered, Vec<Problem>>, BTreeSet<usize>) {
        let taken = RefCell::default();
        let rendered = self.render_scene(&Scene { row, facts, taken: Some(&taken) });
        (rendered, taken.into_inner())
    }

    fn render_scene(&self, scene: &Scene<'_>) -> Result<Rendered, Vec<Problem>> {
        let mut problems = Vec::new();
        let target = self.target_of(scene.row).map_err(|problem| problems.push(problem)).ok();
        let mut fields = BTreeMap::new();
        let mut absent_traits = None;
        for field in &self.fields {
            let rendered = match &field.to {
                To::Path(path, slot) => field.one(scene, path, *slot).map(|rendering| {
                    fields.insert(path.clone(), rendering);
                }),
                To::AllTraits => field.all_traits(scene).map(|traits| {
                    absent_traits = Some(field.null);
                    fields.extend(traits);
                }),
            };
            if let Err(problem) = rendered {
                let inside = problem.place.is_some();
                problems.push(if inside { problem } else { problem.at(&field.place) });
            }
        }
        match (target, problems.is_empty()) {
            (Some(target), true) => Ok(Rendered { target, fields, absent_traits }),
            _ => Err(problems),
        }
    }

    /// The external id of the record that a row becomes.
    pub fn target(&self, row: &impl Row) -> Result<ExternalId, Problem> {
        self.target_of(row)
    }

    fn target_of(&self, row: &dyn Row) -> Result<ExternalId, Problem> {
        let value = row.cell(self.matching.column).to_value();
        ids::external_id(&value).map_err(|problem| {
            let message = format!("External ID (column `{}`): {}", self.matching.name, problem.message);
            Problem { message, ..problem }
        })
    }
}

impl Field {
    fn one(&self, scene: &Scene<'_>, path: &FieldPath, slot: Slot) -> Result<Rendering, Problem> {
        let value = if let Node::Lookup(source, object) = &self.from {
            ids::references(&scene.row.cell(source.column).to_value(), *object, slot)
        } else {
            let fitted = self.from.value(scene).and_then(|value| fit::fit(value, slot));
            fitted.map(|value| if value.is_null() { None } else { Some(FieldValue::Value(value)) })
        };
        match value.map_err(|problem| problem.field(path))? {
            Some(value) => Ok(Rendering::Set(value)),
            None => Ok(Rendering::Null(self.null)),
        }
    }

    fn all_traits(&self, scene: &Scene<'_>) -> Result<Vec<(FieldPath, Rendering)>, Problem> {
        let value = self.from.value(scene)?;
        if value.is_null() {
            return Ok(Vec::new());
        }
        let (kind, preview) = (value.kind(), value.preview());
        let Value::Object(members) = value else {
            let message = format!("traits need an object, and this is {kind}: {preview}");
            return Err(Problem::new(Code::VALUE_TYPE, message));
        };
        members.into_iter().map(|(key, value)| self.member(key, value)).collect()
    }

    fn member(&self, key: String, value: Value) -> Result<(FieldPath, Rendering), Problem> {
        let path = FieldPath::Trait(key);
        if value.is_null() {
            return Ok((path, Rendering::Null(self.null)));
        }
        let value = fit::fit(value, Slot::Trait).map_err(|problem| problem.field(&path))?;
        Ok((path, Rendering::Set(FieldValue::Value(value))))
    }
}

impl Node {
    fn value(&self, scene: &Scene<'_>) -> Result<Value, Problem> {
        match self {
            Self::Column(source, cast) => {
                let value = scene.row.cell(source.column).to_value();
                match cast {
                    Some(cast) => cast::cast(value, *cast),
                    None => Ok(value),
                }
            }
            Self::Static(value) => Ok(value.clone()),
            Self::Lookup(source, _) => Ok(scene.row.cell(source.column).to_value()),
            Self::Template(filled, cast) => {
                let value = filled.render(scene)?;
                match cast {
                    Some(cast) => cast::cast(value, *cast),
                    None => Ok(value),
                }
            }
            Self::Object(members) => members
                .iter()
                .map(|(name, node)| Ok((name.clone(), node.value(scene)?)))
                .collect::<Result<_, Problem>>()
                .map(Value::Object),
            Self::Array(items) => {
                items.iter().map(|node| node.value(scene)).collect::<Result<_, Problem>>().map(Value::Array)
            }
        }
    }
}

impl Filled {
    fn render(&self, scene: &Scene<'_>) -> Result<Value, Problem> {
        let facts = scene.facts;
        let mut context = Context::row(scene.row).sync(&facts.sync).run(&facts.run);
        context = facts.now.map_or(context, |now| context.at(now));
        let value = match scene.taken {
            None => self.template.render(&context),
            Some(taken) => {
                let watch = Watch::default();
                let value = self.template.render(&context.watch(&watch));
                taken.borrow_mut().extend(watch.taken().into_iter().map(|at| self.first + at));
                value
            }
        };
        value.map_err(|problem| self.start.shift(problem))
    }
}
