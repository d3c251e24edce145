//! The types of a file's columns, found out from its values, beside those that were remembered.
//!
//! One odd value makes another type of a column, and so another value of each record that is made of it. The guard
//! `inferred-type` holds a plan that such a change makes.

use std::collections::BTreeMap;

use coho_core::row::ColumnType;
use coho_ledger::LedgerError;
use coho_mapping::{Mapping, Use};
use coho_source::{Outline, TypeChange};

use crate::job::Job;

/// What is known of the types of the columns whose types show in what is sent.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// The types that were found out, by column.
    pub(crate) now: BTreeMap<String, String>,
    /// Those that are others than before.
    pub(crate) changes: Vec<TypeChange>,
}

impl Types {
    /// Compares what a reading found out with what the ledger remembers.
    pub(crate) fn of(job: &Job<'_>, outline: &Outline, mapping: &Mapping) -> Result<Self, LedgerError> {
        let uses = mapping.uses();
        let how = |name: &str| outline.columns().index(name).and_then(|at| uses.get(&at)).copied();
        let inferred: Vec<_> =
            outline.inferred().iter().filter(|found| how(&found.column).is_some()).cloned().collect();
        if inferred.is_empty() {
            return Ok(Self::default());
        }
        let remembered = job.ledger.inferred_types(&job.model.name)?;
        let before = remembered.iter().filter_map(|(column, kind)| Some((column.as_str(), parsed(kind)?)));
        let mut changes = coho_source::compare(before, &inferred);
        changes.retain(|change| {
            how(&change.column) != Some(Use::Text) || !(keeps_text(change.was) && keeps_text(change.is))
        });
        let now = inferred.iter().map(|found| (found.column.clone(), found.kind.name().to_owned()));
        Ok(Self { now: now.collect(), changes })
    }
}

fn parsed(name: &str) -> Option<ColumnType> {
    ColumnType::ALL.into_iter().find(|kind| kind.name() == name)
}

/// Whether a value that was taken for this type has the text that it had in its file.
fn keeps_text(kind: ColumnType) -> bool {
    match kind {
        ColumnType::Bool
        | ColumnType::Int
        | ColumnType::Decimal
        | ColumnType::Text
        | ColumnType::Date
        | ColumnType::Mixed => true,
        ColumnType::Float | ColumnType::Timestamp | ColumnType::LocalTimestamp | ColumnType::Json => false,
    }
}
