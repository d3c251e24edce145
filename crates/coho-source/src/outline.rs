//! What a model's rows will be: their columns, and which of them cannot be read.
//!
//! A column that has no name is left out. One that cannot be read, since its type has no form or since another has its name,
//! harms nobody until it is asked for: [`Outline::allow`] says no. [`Layout`] is the same for readers: which field of the
//! source each column is.

use coho_core::place::Place;
use coho_core::row::{Column, ColumnType, Columns, DuplicateColumn};

use crate::files::{FileError, FileFault};
use crate::inferred::Inferred;
use crate::read::SourceError;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeTypes};

/// What a model's rows will be.
#[derive(Clone, Debug)]
pub struct Outline {
    columns: Columns,
    refused: Vec<(usize, Why)>,
    remedy: Remedy,
    inferred: Vec<Inferred>,
}

/// Why a column cannot be read.
#[derive(Clone, Debug)]
enum Why {
    /// Its type has no form that keeps its values.
    Type(UnsafeColumn),
    /// Another column has its name; with the place of the names, where there is one.
    Doubled(Option<Place>),
    /// A value of it is no text, at this place.
    Bytes(Place),
}

impl Outline {
    /// The columns, in the order of each row's cells. A column whose type has no form is mixed here.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The columns whose types were found out from their values.
    pub fn inferred(&self) -> &[Inferred] {
        &self.inferred
    }

    /// The same, with the columns whose types were found out.
    pub(crate) fn with_inferred(self, inferred: Vec<Inferred>) -> Self {
        Self { inferred, ..self }
    }

    /// The same, where the column at this place of the row has a value that is no text.
    pub(crate) fn with_bytes(mut self, column: usize, place: Place) -> Self {
        self.refused.push((column, Why::Bytes(place)));
        self
    }

    /// Whether these columns, by their places, can be read; all of those whose types have no form are named at once.
    pub fn allow(&self, needed: &[usize]) -> Result<(), SourceError> {
        let refused = || self.refused.iter().filter(|(at, _)| needed.contains(at));
        let types = refused().filter_map(|(_, why)| match why {
            Why::Type(column) => Some(column.clone()),
            Why::Doubled(_) | Why::Bytes(_) => None,
        });
        let columns: Vec<UnsafeColumn> = types.collect();
        if !columns.is_empty() {
            return Err(Box::new(UnsafeTypes { columns, remedy: self.remedy }).into());
        }
        match refused().next() {
            Some((at, Why::Doubled(place))) => Err(self.doubled(*at, place.clone())),
            Some((_, Why::Bytes(place))) => {
                Err(FileError { place: place.clone(), fault: FileFault::NotUtf8 }.into())
            }
            Some((_, Why::Type(_))) | None => Ok(()),
        }
    }

    fn doubled(&self, at: usize, place: Option<Place>) -> SourceError {
        let name = self.columns.names().nth(at).unwrap_or_default();
        match place {
            Some(place) => {
                FileError { place, fault: FileFault::DuplicateName(coho_core::value::preview(name)) }.into()
            }
            None => DuplicateColumn { name: name.to_owned() }.into(),
        }
    }
}

/// A field of a source, before it is a column.
pub(crate) struct Found {
    /// Its name; none makes it no column.
    pub(crate) name: String,
    /// The type of its cells, or why it has none.
    pub(crate) kind: Result<ColumnType, UnsafeColumn>,
}

impl Found {
    /// A field that can be read.
    pub(crate) fn plain(name: &str, kind: ColumnType) -> Self {
        Self { name: name.to_owned(), kind: Ok(kind) }
    }
}

/// An outline, and the fields that its columns are.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// What the rows will be.
    pub(crate) outline: Outline,
    /// Which field of the source each column is.
    pub(crate) fields: Vec<usize>,
}

impl Layout {
    /// The layout of a source with these fields. `names` is the place of their names, where that is one.
    pub(crate) fn of(
        found: Vec<Found>,
        remedy: Remedy,
        names: Option<&Place>,
    ) -> Result<Self, DuplicateColumn> {
        let mut columns: Vec<Column> = Vec::new();
        let (mut fields, mut refused) = (Vec::new(), Vec::new());
        for (field, Found { name, kind }) in found.into_iter().enumerate() {
            if let Some(earlier) = columns.iter().position(|column| column.name == name) {
                refused.push((earlier, Why::Doubled(names.cloned())));
            } else if !name.is_empty() {
                let kind = kind.unwrap_or_else(|column| {
                    refused.push((columns.len(), Why::Type(column)));
                    ColumnType::Mixed
                });
                columns.push(Column { name, kind });
                fields.push(field);
            }
        }
        let columns = Columns::new(columns)?;
        Ok(Self { outline: Outline { columns, refused, remedy, inferred: Vec::new() }, fields })
    }

    /// The columns with the fields that they are.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&Column, usize)> {
        self.outline.columns.iter().zip(self.fields.iter().copied())
    }
}

/// The columns that somebody reads: what is wrong in the others harms nobody, and they are null where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    needed: Vec<bool>,
    /// Whether the others are null everywhere.
    only: bool,
}

impl Needed {
    /// These of so many columns.
    pub(crate) fn of(columns: usize, needed: &[usize]) -> Self {
        Self { needed: (0..columns).map(|at| needed.contains(&at)).collect(), only: false }
    }

    /// The same, and the others are null.
    pub(crate) fn only(self) -> Self {
        Self { only: true, ..self }
    }

    /// Whether somebody reads the column at this place.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.needed.get(column).copied().unwrap_or(true)
    }

    /// Whether the column at this place is null, whatever the source has there.
    pub(crate) fn leaves_out(&self, column: usize) -> bool {
        self.only && !self.has(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asks_for_is_not_refused() {
        let blob = UnsafeColumn { column: "b".into(), kind: "bytea".into(), cast: "hex(b)".into() };
        let found = vec![
            Found::plain("a", ColumnType::Int),
            Found::plain("", ColumnType::Int),
            Found { name: "b".into(), kind: Err(blob) },
            Found::plain("c", ColumnType::Text),
            Found::plain("c", ColumnType::Text),
        ];
        let layout = Layout::of(found, Remedy::InSql, None).unwrap();
        assert_eq!(layout.outline.columns().names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(layout.fields, [0, 2, 3]);
        assert!(layout.outline.allow(&[0]).is_ok());
        assert!(matches!(layout.outline.allow(&[0, 1, 2]), Err(SourceError::UnsafeTypes(_))));
        assert!(matches!(layout.outline.allow(&[2]), Err(SourceError::Columns(error)) if error.name == "c"));
    }
}
