//! Parquet, by its columns: no Arrow is needed for that (docs/decisions/0056).
//!
//! [`shape`] says what a column's schema means and which types are safe. [`columns`] reads what somebody needs, [`flat`] a
//! column of single values; [`records`] reads what is nested, and all of a damaged file. [`value`] turns what was read into
//! cells, and [`digits`] spells decimals out. Spark's old INT96 timestamps are read to the millisecond.

mod shape;
mod value;
mod digits;
mod flat;
mod columns;
mod records;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::ops::ControlFlow;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};

use coho_core::row::Cell;

use super::fault::{FileError, FileFault};
use super::path::Source;
use crate::outline::{Found, Layout, Needed};
use crate::quiet;
use crate::read::SourceError;
use crate::reading::Sink;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeValue};
use shape::Shape;
use value::Wrong;

/// Reads the whole file. The library panics on some damaged files; that is the file's fault, and is said of it.
pub(super) fn read(source: Source, sink: &mut Sink) -> Result<(), SourceError> {
    let name = source.name.clone();
    let damaged = || {
        let words = ParquetError::General("its pages do not fit its schema".to_owned());
        FileError::new(&name, FileFault::Parquet(words))
    };
    quiet::attempt(|| rows(source, sink)).ok_or_else(damaged)?
}

fn rows(source: Source, sink: &mut Sink) -> Result<(), SourceError> {
    let name = source.name.clone();
    let failed = |error| FileError::new(&name, FileFault::Parquet(error));
    let reader = SerializedFileReader::new(source.into_file()).map_err(failed)?;
    let mut table = Table::of(&reader)?;
    let ControlFlow::Continue(needed) = sink.open(table.layout.outline.clone()) else { return Ok(()) };
    table.needed = needed;
    let mut given = 0;
    let end = match quiet::attempt(|| columns::rows(&reader, &table, sink, &mut given)) {
        Some(Ok(end)) => end,
        Some(Err(columns::Halt::Unsafe(value))) => return Err(value.into()),
        // The records say what is wrong.
        Some(Err(columns::Halt::Damaged)) | None => records::rows(&reader, &table, sink, &mut given, failed)?,
    };
    let promised = reader.metadata().file_metadata().num_rows();
    if end.is_break() || i64::try_from(given) == Ok(promised) {
        return Ok(());
    }
    let words = format!("it has {given} rows, and its footer says {promised}");
    Err(failed(ParquetError::General(words)).into())
}

/// A file's columns.
struct Table {
    layout: Layout,
    /// What each field of the file holds; `None` where that has no form.
    shapes: Vec<Option<Shape>>,
    /// Which columns somebody reads.
    needed: Needed,
}

impl Table {
    fn of(reader: &SerializedFileReader<File>) -> Result<Self, SourceError> {
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
        Ok(Self { layout, shapes, needed: Needed::of(0, &[]) })
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
