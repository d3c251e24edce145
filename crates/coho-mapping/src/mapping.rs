//! A compiled mapping, and what it makes of a row.
//!
//! `crate::compile` builds it; here it is only evaluated.

mod facts;
mod node;
mod uses;
mod lineage;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use coho_core::code::Code;
use coho_core::digest::Digest;
use coho_core::fields::{FieldValue, Rendered, Rendering, own_field};
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::row::Row;
use coho_core::sync::{Associations, NullPolicy};
use coho_core::target::ExternalId;
use coho_core::time::Time;
use coho_core::value::Value;

use crate::source::Source;
use crate::target::{self, Target};
use coho_liquid::Branch;

pub use crate::specification::Specification;
pub use facts::Facts;
use node::Scene;
pub(crate) use node::{Field, Filled, Lookup, Node, To};
pub use uses::Use;

/// A mapping that fits its model's columns.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(crate) target: Target,
    /// The column with the e-mail address that finds the record, where that is how it is found.
    pub(crate) email: Option<Source>,
    pub(crate) associations: Associations,
    pub(crate) fields: Vec<Field>,
    pub(crate) reads: Vec<usize>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) digest: Digest,
}

impl Mapping {
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
        let facts = facts.elsewhen();
        let other = self.fields_of(&Scene { key: None, row, facts: &facts, taken: None });
        if !other.problems.is_empty() {
            return BTreeSet::new();
        }
        let other: BTreeMap<_, _> = other.fields.into_iter().collect();
        let differs = |path: &&FieldPath| rendered.fields.get(*path) != other.get(*path);
        rendered.fields.keys().chain(other.keys()).filter(differs).cloned().collect()
    }

    /// Turns a row into fields, without facts around it. All problems of the row are found, not the first.
    pub fn render(&self, row: &impl Row) -> Result<Rendered, Vec<Problem>> {
        self.render_with(row, &Facts::default())
    }

    /// Turns a row into fields, for callers who have no key. An event whose `messageId` is made of the key has none then, and
    /// that is a problem: an id that is not the same next time would make the event happen twice.
    pub fn render_with(&self, row: &impl Row, facts: &Facts) -> Result<Rendered, Vec<Problem>> {
        self.render_scene(&Scene { key: None, row, facts, taken: None })
    }

    /// Turns a row with this key into fields. All problems of the row are found, not the first.
    pub fn render_row<'a>(
        &self,
        key: impl Into<Option<&'a Key>>,
        row: &impl Row,
        facts: &Facts,
    ) -> Result<Rendered, Vec<Problem>> {
        self.render_scene(&Scene { key: key.into(), row, facts, taken: None })
    }

    /// The same, and which of the [`branches`](Self::branches) were taken, whatever came of it.
    pub fn render_watched(
        &self,
        key: Option<&Key>,
        row: &impl Row,
        facts: &Facts,
    ) -> (Result<Rendered, Vec<Problem>>, BTreeSet<usize>) {
        let taken = RefCell::default();
        let rendered = self.render_scene(&Scene { key, row, facts, taken: Some(&taken) });
        (rendered, taken.into_inner())
    }

    /// The external id of the record that a row becomes; an event's `messageId`.
    pub fn target(&self, key: Option<&Key>, row: &impl Row) -> Result<ExternalId, Problem> {
        self.target.of(key, row)
    }

    /// The e-mail address that finds the record of a row, exactly as it is; the problem of the row where it has none. It is
    /// also the field `email` of what is rendered. A sync that does not match by e-mail has no such address.
    pub fn email(&self, row: &impl Row) -> Result<String, Problem> {
        match &self.email {
            Some(source) => target::email(source, row),
            None => Err(Problem::new(
                Code::NULL_TARGET,
                "Email: this is not the address that the sync matches by",
            )),
        }
    }

    /// When an event happened, where its mapping says so.
    pub fn moment(rendered: &Rendered) -> Option<Time> {
        match own_field(&rendered.fields, "timestamp") {
            Some(Rendering::Set(FieldValue::Value(Value::Timestamp(moment)))) => Some(*moment),
            Some(Rendering::Set(_) | Rendering::Null(_)) | None => None,
        }
    }

    fn render_scene(&self, scene: &Scene<'_>) -> Result<Rendered, Vec<Problem>> {
        let mut problems = Vec::new();
        let target = self.target.of(scene.key, scene.row).map_err(|problem| problems.push(problem)).ok();
        let email = self.email.as_ref().map(|source| target::email(source, scene.row));
        let email = email.transpose().map_err(|problem| problems.push(problem)).ok().flatten();
        let mut found = self.fields_of(scene);
        problems.append(&mut found.problems);
        if let Some(address) = email {
            let address = Rendering::Set(FieldValue::Value(Value::Text(address)));
            found.fields.push((FieldPath::new("email"), address));
        }
        match (target, problems.is_empty()) {
            (Some(target), true) => Ok(Rendered {
                target,
                fields: found.fields.into_iter().collect(),
                absent_traits: found.absent_traits,
                associations: self.associations,
            }),
            _ => Err(problems),
        }
    }

    fn fields_of(&self, scene: &Scene<'_>) -> Found {
        let mut found = Found { fields: Vec::with_capacity(self.fields.len() + 1), ..Found::default() };
        for field in &self.fields {
            let rendered = match &field.to {
                To::Path(path, slot) => field.one(scene, path, *slot).map(|rendering| {
                    found.fields.push((path.clone(), rendering));
                }),
                To::All(bag) => field.all(scene, *bag).map(|values| {
                    found.absent_traits = field.absent(*bag);
                    found.fields.extend(values);
                }),
            };
            if let Err(problem) = rendered {
                let inside = problem.place.is_some();
                found.problems.push(if inside { problem } else { problem.at(&field.place) });
            }
        }
        found
    }
}

/// What became of a row's fields.
#[derive(Default)]
struct Found {
    /// Of a path that comes twice the last one counts.
    fields: Vec<(FieldPath, Rendering)>,
    absent_traits: Option<NullPolicy>,
    problems: Vec<Problem>,
}
