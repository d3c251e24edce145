//! Compiled fields and expressions, and the values that they have for a row.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use coho_core::code::Code;
use coho_core::fields::{FieldValue, Rendering};
use coho_core::key::Key;
use coho_core::object::{Bag, Object};
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::row::Row;
use coho_core::sync::{Blanks, By, Cast, NullPolicy};
use coho_core::value::Value;
use coho_liquid::{Context, Start, Template, Watch};

use super::Facts;
use crate::fit::Slot;
use crate::source::Source;
use crate::{fit, ids};

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
    All(Bag),
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Column(Source, Option<Cast>),
    Static(Value),
    Lookup(Source, Lookup),
    Template(Filled, Option<Cast>),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
}

/// How the ids of a column are read.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// What they are ids of.
    pub(crate) object: Object,
    /// Which ids they are.
    pub(crate) by: By,
    /// What stands between ids in text.
    pub(crate) split: Option<String>,
}

/// A template where it stands in a project.
#[derive(Clone, Debug)]
pub(crate) struct Filled {
    pub(crate) template: Arc<Template>,
    pub(crate) start: Start,
    /// The place of its first branch among the mapping's.
    pub(crate) first: usize,
    /// What it gives where it renders nothing but blanks.
    pub(crate) blanks: Blanks,
}

/// A row with the facts around it.
pub(super) struct Scene<'a> {
    pub(super) key: Option<&'a Key>,
    pub(super) row: &'a dyn Row,
    pub(super) facts: &'a Facts,
    /// The branches of templates that were taken, if anybody wants to know.
    pub(super) taken: Option<&'a RefCell<BTreeSet<usize>>>,
}

impl Field {
    pub(super) fn one(&self, scene: &Scene<'_>, path: &FieldPath, slot: Slot) -> Result<Rendering, Problem> {
        let value = if let Node::Lookup(source, lookup) = &self.from {
            ids::references(&lookup.listed(source, scene), lookup.object, lookup.by, slot)
        } else {
            let fitted = self.from.value(scene).and_then(|value| fit::fit(value, slot));
            fitted.map(|value| if value.is_null() { None } else { Some(FieldValue::Value(value)) })
        };
        match value.map_err(|problem| problem.field(path))? {
            Some(value) => Ok(Rendering::Set(value)),
            None => Ok(Rendering::Null(self.null)),
        }
    }

    /// What it means that a custom value is no longer in the object. An event is what it is: nothing of it is ever cleared.
    pub(super) fn absent(&self, bag: Bag) -> Option<NullPolicy> {
        match bag {
            Bag::Traits => Some(self.null),
            Bag::Properties => None,
        }
    }

    pub(super) fn all(&self, scene: &Scene<'_>, bag: Bag) -> Result<Vec<(FieldPath, Rendering)>, Problem> {
        let value = self.from.value(scene)?;
        if value.is_null() {
            return Ok(Vec::new());
        }
        let (kind, preview) = (value.kind(), value.preview());
        let Value::Object(members) = value else {
            let message = format!("{} need an object, found {kind}: {preview}", bag.name());
            return Err(Problem::new(Code::VALUE_TYPE, message));
        };
        members.into_iter().map(|(key, value)| self.member(bag, key, value)).collect()
    }

    fn member(&self, bag: Bag, key: String, value: Value) -> Result<(FieldPath, Rendering), Problem> {
        if key.trim().is_empty() {
            let message = format!("{} needs a name, and a key of the object is empty", fit::one_of(bag));
            return Err(Problem::new(Code::VALUE_TYPE, message).help("leave this key out in the model"));
        }
        let path = bag.path(key);
        if value.is_null() {
            return Ok((path, Rendering::Null(self.null)));
        }
        let value = fit::fit(value, Slot::Custom(bag)).map_err(|problem| problem.field(&path))?;
        Ok((path, Rendering::Set(FieldValue::Value(value))))
    }
}

impl Lookup {
    /// The column's value, text in its parts.
    fn listed(&self, source: &Source, scene: &Scene<'_>) -> Value {
        let value = scene.row.cell(source.column).to_value();
        match &self.split {
            Some(separator) => ids::split(value, separator),
            None => value,
        }
    }
}

impl Node {
    fn value(&self, scene: &Scene<'_>) -> Result<Value, Problem> {
        match self {
            Self::Column(source, cast) => {
                let value = scene.row.cell(source.column).to_value();
                match cast {
                    Some(cast) => coho_liquid::cast::cast(value, *cast),
                    None => Ok(value),
                }
            }
            Self::Static(value) => Ok(value.clone()),
            Self::Lookup(source, ..) => Ok(scene.row.cell(source.column).to_value()),
            Self::Template(filled, cast) => {
                let value = filled.render(scene)?;
                match cast {
                    Some(cast) => coho_liquid::cast::cast(value, *cast),
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
        let value = value.map_err(|problem| self.start.shift(problem))?;
        let blank = matches!(&value, Value::Text(text) if text.trim().is_empty());
        Ok(if blank && self.blanks == Blanks::Null { Value::Null } else { value })
    }
}
