//! Compiling `match`: what gives a row its target, and what finds its record.

use coho_core::code::Code;
use coho_core::object::FieldKind;
use coho_core::problem::Problem;
use coho_core::sync::{ColumnRef, Expression, FieldSpec, FieldTarget, Matching};

use super::Compiler;
use crate::fit::Slot;
use crate::source::Source;
use crate::specification::Specification;
use crate::target::Target;

impl Compiler<'_> {
    pub(super) fn target(&mut self, specification: &Specification<'_>) -> Option<Target> {
        match specification.matching {
            Matching::ExternalId(column) | Matching::Email { external_id: column, .. } => {
                self.id(column, "an external id").map(Target::ExternalId)
            }
            Matching::Message(Some(column)) => self.id(column, "a message id").map(Target::MessageId),
            Matching::Message(None) => Some(Target::OfKey(specification.sync.clone())),
        }
    }

    fn id(&mut self, column: &ColumnRef, what: &str) -> Option<Source> {
        let (source, kind) = self.column(column)?;
        if Slot::Field(FieldKind::ExternalId(self.object)).accepts(kind) {
            return Some(source);
        }
        self.mismatch(column, &format!("{}: {what} must be text or a whole number", kind.name()));
        None
    }

    pub(super) fn email(&mut self, column: &ColumnRef) -> Option<Source> {
        let (source, kind) = self.column(column)?;
        if Slot::Field(FieldKind::Text).accepts(kind) {
            return Some(source);
        }
        self.mismatch(column, &format!("{}: an e-mail address must be text", kind.name()));
        None
    }

    fn mismatch(&mut self, column: &ColumnRef, what: &str) {
        let message = format!("column `{}` is {what}", column.name);
        self.problems.push(
            Problem::new(Code::TYPE_MISMATCH, message).at(&column.place).help("cast it to text in the model"),
        );
    }

    /// The field `email` where `match` sets it: no other address may stand there, and there is nothing else to compile.
    pub(super) fn matched_email(&mut self, field: &FieldSpec, found_by: &ColumnRef) {
        if !matches!(&field.from, Expression::Column { column, .. } if column.name == found_by.name) {
            let message = format!("`match` already sets `email`, from column `{}`", found_by.name);
            let problem = Problem::new(Code::WRONG_VALUE, message).at(&field.place);
            self.problems.push(problem.help("remove it here"));
        }
    }
}

/// The field that a match by e-mail sets.
pub(crate) fn is_email(to: &FieldTarget) -> bool {
    match to {
        FieldTarget::Path(path) => path.as_field() == Some("email"),
        FieldTarget::AllTraits => false,
    }
}
