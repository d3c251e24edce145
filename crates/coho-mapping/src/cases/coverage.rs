//! What the passed cases reached of a mapping.

use std::collections::BTreeSet;

use coho_core::case::{BranchCoverage, FieldCoverage, Reach};
use coho_core::code::Code;
use coho_core::fields::{Rendered, Rendering};
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::sync::{Cast, Expression, FieldSpec, FieldTarget, Sync};

use crate::compile::is_email;
use coho_liquid::Branch;

/// The fields of a mapping, and what was reached of each.
pub(super) struct Reached<'a>(Vec<(&'a FieldSpec, FieldCoverage)>);

impl<'a> Reached<'a> {
    /// Nothing yet.
    pub(super) fn of(sync: &'a Sync) -> Self {
        Self(sync.fields.iter().map(|field| (field, nothing(sync, field))).collect())
    }

    /// A passed case expected the record that was rendered.
    pub(super) fn record(&mut self, rendered: &Rendered) {
        for (field, coverage) in &mut self.0 {
            let set = match &field.to {
                FieldTarget::Path(path) => matches!(rendered.fields.get(path), Some(Rendering::Set(_))),
                FieldTarget::AllTraits => any_custom(rendered),
            };
            reach(&mut coverage.set, set);
        }
        self.nulls(rendered);
    }

    /// A passed case rendered nulls, whatever else it expected: that a field must not be null is worth a test too.
    pub(super) fn nulls(&mut self, rendered: &Rendered) {
        for (field, coverage) in &mut self.0 {
            let null = match &field.to {
                FieldTarget::Path(path) => matches!(rendered.fields.get(path), Some(Rendering::Null(_))),
                FieldTarget::AllTraits => !any_custom(rendered),
            };
            reach(&mut coverage.null, null);
        }
    }

    /// A passed case expected these.
    pub(super) fn problems(&mut self, problems: &[Problem]) {
        for (field, coverage) in &mut self.0 {
            let failed = problems.iter().any(|problem| {
                problem.code == Code::CAST_FAILED && problem.place.as_ref() == Some(&field.place)
            });
            reach(&mut coverage.failed, failed);
        }
    }

    /// All of it, in the order of the fields.
    pub(super) fn into_coverage(self) -> Vec<FieldCoverage> {
        self.0.into_iter().map(|(_, coverage)| coverage).collect()
    }
}

/// The branches of templates, and which of them were reached.
pub(super) struct Branches(Vec<BranchCoverage>);

impl Branches {
    /// Nothing yet.
    pub(super) fn of(branches: Vec<Branch>) -> Self {
        let nothing = |Branch { label, place }| BranchCoverage { label, place, reached: false };
        Self(branches.into_iter().map(nothing).collect())
    }

    /// A passed case took these, whatever it expected.
    pub(super) fn taken(&mut self, taken: &BTreeSet<usize>) {
        for (at, branch) in self.0.iter_mut().enumerate() {
            branch.reached |= taken.contains(&at);
        }
    }

    /// All of it, in the order in which they stand.
    pub(super) fn into_coverage(self) -> Vec<BranchCoverage> {
        self.0
    }
}

fn any_custom(rendered: &Rendered) -> bool {
    let is_set = |(path, rendering): (&FieldPath, &Rendering)| {
        matches!((path, rendering), (FieldPath::Trait(_) | FieldPath::Property(_), Rendering::Set(_)))
    };
    rendered.fields.iter().any(is_set)
}

fn reach(what: &mut Reach, reached: bool) {
    if reached && *what == Reach::Missed {
        *what = Reach::Reached;
    }
}

fn nothing(sync: &Sync, field: &FieldSpec) -> FieldCoverage {
    let of = |possible: bool| if possible { Reach::Missed } else { Reach::Impossible };
    // Nobody is found by an address that is null: the row is invalid before there is a field.
    let finds = sync.matching.email().is_some() && is_email(&field.to);
    let null = match &field.from {
        _ if finds => false,
        Expression::Column { .. } | Expression::Template { .. } | Expression::Lookup { .. } => true,
        Expression::Static(_) | Expression::Object(_) | Expression::Array(_) => false,
    };
    let set = !matches!(&field.from, Expression::Static(value) if value.is_null());
    FieldCoverage {
        field: match &field.to {
            FieldTarget::Path(path) => path.to_string(),
            FieldTarget::AllTraits => sync.object.bag().name().to_owned(),
        },
        set: of(set),
        null: of(null),
        failed: of(casts(&field.from)),
    }
}

/// Whether there is a cast in an expression that can fail: anything has a text.
fn casts(from: &Expression) -> bool {
    match from {
        Expression::Column { cast, .. } | Expression::Template { cast, .. } => {
            cast.is_some_and(|cast| cast != Cast::Text)
        }
        Expression::Static(_) | Expression::Lookup { .. } => false,
        Expression::Object(members) => members.iter().any(|(_, member)| casts(member)),
        Expression::Array(items) => items.iter().any(casts),
    }
}
