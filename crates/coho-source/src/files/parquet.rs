//! Parquet, by its columns: no Arrow is needed for that (docs/decisions/0056).
//!
//! [`shape`] says what a column's schema means and which types are safe. [`columns`] reads what somebody needs, [`flat`] a
//! column of single values; [`ahead`] says which bytes that takes, for files in object storage. [`records`] reads what is
//! nested, and all of a damaged file. [`value`] turns what was read into cells, and [`crate::digits`] spells decimals out. Spark's old
//! INT96 timestamps are read to the millisecond.

mod shape;
mod value;
mod flat;
mod ahead;
mod columns;
mod records;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};

use coho_core::row::{Cell, Column};

use super::contents::Contents;
use super::fault::{FileError, FileFault};
use super::path::Source;
use crate::outline::{Found, Layout, Needed};
use crate::quiet;
use crate::read::SourceError;
use crate::reading::Sink;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeValue};
use shape::Shape;
use value::Wrong;

/// Reads all of the files. The library panics on some damaged files; that is the file's fault, and is said of it.
pub(super) fn read(sources: Vec<Source>, sink: &mut Sink) -> Result<(), SourceError> {
    let several = sources.len() > 1;
    let mut first = None;
    for source in sources {
        let name = source.name.clone();
        let damaged = || {
            let words = ParquetError::General("its pages do not fit its schema".to_owned());
            FileError::new(&name, FileFault::Parquet(words))
        };
        let read = quiet::attempt(|| rows(&source, &mut first, sink)).ok_or_else(damaged)?;
        match read {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return Ok(()),
            Err(SourceError::UnsafeValue(value)) if several => {
                let what = format!("{}, in {name},", value.what);
                return Err(Box::new(UnsafeValue { what, ..*value }).into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The first file, whose columns all others have.
struct First {
    name: String,
    forms: Vec<(Column, Form)>,
    needed: Needed,
}

/// What a column's type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// It has the column's own.
    Own,
    /// Nothing but nulls, as pandas writes where a part of a table has no value: it fits every other.
    Nothing,
    /// It has no form that keeps its values.
    Refused,
}

/// Whether rows of the one can follow rows of the other.
fn fit((own, form): &(Column, Form), (that, first): &(Column, Form)) -> bool {
    let is_open = matches!((form, first), (Form::Nothing, Form::Own) | (Form::Own, Form::Nothing));
    own.name == that.name && (is_open || (own.kind == that.kind && form == first))
}

/// Gives the rows of a file; breaks where no more are wanted.
fn rows(source: &Source, first: &mut Option<First>, sink: &mut Sink) -> Result<ControlFlow<()>, SourceError> {
    let failed = |error| FileError::new(&source.name, FileFault::of_parquet(error));
    let contents = source.contents()?;
    let reader = SerializedFileReader::new(contents.clone()).map_err(failed)?;
    let mut table = Table::of(&reader, contents)?;
    if let Some(first) = &*first {
        first.compare(&source.name, &table)?;
        table.needed = first.needed.clone();
    } else {
        let ControlFlow::Continue(needed) = sink.open(table.layout.outline.clone()) else {
            return Ok(ControlFlow::Break(()));
        };
        let forms = table.forms().collect();
        *first = Some(First { name: source.name.clone(), forms, needed: needed.clone() });
        table.needed = needed;
    }
    let mut given = 0;
    let end = match quiet::attempt(|| columns::rows(&reader, &table, sink, &mut given)) {
        Some(Ok(end)) => end,
        Some(Err(columns::Halt::Unsafe(value))) => return Err(value.into()),
        Some(Err(columns::Halt::Object(fault))) => {
            return Err(FileError::new(&source.name, FileFault::Object(fault)).into());
        }
        // The records say what is wrong.
        Some(Err(columns::Halt::Damaged)) | None => records::rows(&reader, &table, sink, &mut given, failed)?,
    };
    let promised = reader.metadata().file_metadata().num_rows();
    if end.is_break() || i64::try_from(given) == Ok(promised) {
        return Ok(end);
    }
    let words = format!("it has {given} rows, and its footer says {promised}");
    Err(failed(ParquetError::General(words)).into())
}

impl First {
    /// Refuses a file with other columns.
    fn compare(&self, name: &str, table: &Table) -> Result<(), FileError> {
        let shown = |column: Option<&(Column, Form)>| match column {
            Some((column, form)) => {
                let kind = match form {
                    Form::Own => column.kind.name(),
                    Form::Nothing => "null",
                    Form::Refused => "a type that is not read",
                };
                format!("`{}` ({kind})", coho_core::value::preview(&column.name))
            }
            None => "no column".to_owned(),
        };
        let (mut own, mut those) = (table.forms(), self.forms.iter());
        loop {
            match (own.next(), those.next()) {
                (None, None) => return Ok(()),
                (Some(own), Some(that)) if fit(&own, that) => {}
                (own, that) => {
                    let what = format!("{} in place of {}", shown(own.as_ref()), shown(that));
                    let fault = FileFault::OtherColumns { first: self.name.clone(), what };
                    return Err(FileError::new(name, fault));
                }
            }
        }
    }
}

/// A file's columns.
struct Table {
    layout: Layout,
    /// What each field of the file holds; `None` where that has no form.
    shapes: Vec<Option<Shape>>,
    /// Which columns somebody reads.
    needed: Needed,
    contents: Contents,
}

impl Table {
    fn of(reader: &SerializedFileReader<Contents>, contents: Contents) -> Result<Self, SourceError> {
        let (mut found, mut shapes) = (Vec::new(), Vec::new());
        for field in reader.metadata().file_metadata().schema().get_fields() {
            let name = field.name().to_owned();
            let shape = Shape::of(field);
            let kind = shape.as_ref().map(Shape::column).map_err(|refusal| UnsafeColumn {
                column: name.clone(),
                kind: refusal.kind.clone(),
                cast: format!("`{name}` as {}", refusal.remedy),
            });
            found.push(Found { name, kind });
            shapes.push(shape.ok());
        }
        let layout = Layout::of(found, Remedy::InFile, None)?;
        Ok(Self { layout, shapes, needed: Needed::of(0, &[]), contents })
    }

    /// Its columns, each with what its type says.
    fn forms(&self) -> impl Iterator<Item = (Column, Form)> {
        self.layout.columns().map(|(column, field)| {
            let form = match self.shape(field) {
                Some(shape) if shape.is_nothing() => Form::Nothing,
                Some(_) => Form::Own,
                None => Form::Refused,
            };
            (column.clone(), form)
        })
    }

    /// What a field of the file holds.
    fn shape(&self, field: usize) -> Option<&Shape> {
        self.shapes.get(field).and_then(Option::as_ref)
    }

    /// The fields of the file that are read and that have a form.
    fn read_fields(&self) -> impl Iterator<Item = usize> {
        let needed = self.layout.columns().enumerate().filter(|(at, _)| !self.needed.leaves_out(*at));
        needed.map(|(_, (_, field))| field).filter(|field| self.shape(*field).is_some())
    }

    /// The cell of a row in the column at this place. What is wrong where nobody reads is null.
    #[inline]
    fn cell<'a>(
        &self,
        column: usize,
        row: u64,
        found: Result<Cell<'a>, Wrong>,
    ) -> Result<Cell<'a>, Box<UnsafeValue>> {
        found.or_else(|wrong| {
            if !self.needed.has(column) {
                return Ok(Cell::Null);
            }
            let name = self.layout.outline.columns().names().nth(column).unwrap_or_default();
            Err(Box::new(UnsafeValue {
                column: name.to_owned(),
                row,
                what: wrong.what.to_owned(),
                cast: format!("`{name}` as {}", wrong.remedy),
                remedy: Remedy::InFile,
            }))
        })
    }
}
