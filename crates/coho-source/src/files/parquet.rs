//! Parquet, through its record reader: no Arrow is needed to read one row after the other.
//!
//! [`shape`] says what a column's schema means and which types are safe, [`value`] turns what was read into cells, and
//! [`digits`] spells decimals out. Spark's old INT96 timestamps are read to the millisecond.

mod shape;
mod value;
mod digits;

use std::ops::ControlFlow;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::Type;
use coho_core::row::{Cell, RowBuf};

use super::fault::{FileError, FileFault};
use super::path::Source;
use crate::outline::{Found, Layout, Needed};
use crate::quiet;
use crate::read::SourceError;
use crate::reading::Sink;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeValue};
use shape::Shape;

/// Reads the whole file. The record reader panics on some damaged files; that is the file's fault, and is said of it.
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
    let table = Table::of(&reader)?;
    let ControlFlow::Continue(needed) = sink.open(table.layout.outline.clone()) else { return Ok(()) };
    let mut number = 0;
    for row in reader.get_row_iter(table.projection.clone()).map_err(failed)? {
        number += 1;
        if sink.row(table.encode(&row.map_err(failed)?, number, &needed)?).is_break() {
            return Ok(());
        }
    }
    let promised = reader.metadata().file_metadata().num_rows();
    if i64::try_from(number) == Ok(promised) {
        return Ok(());
    }
    let words = format!("it has {number} rows, and its footer says {promised}");
    Err(failed(ParquetError::General(words)).into())
}

/// A file's columns.
struct Table {
    layout: Layout,
    /// What is read: the fields that have a form. The record reader panics on some of the others.
    projection: Option<Type>,
    /// What each field of the file holds, and its place among those that are read; `None` where that has no form.
    shapes: Vec<Option<(Shape, usize)>>,
}

impl Table {
    fn of(reader: &SerializedFileReader<std::fs::File>) -> Result<Self, SourceError> {
        let (mut found, mut shapes, mut read) = (Vec::new(), Vec::new(), Vec::new());
        let schema = reader.metadata().file_metadata().schema();
        for field in schema.get_fields() {
            let name = field.name().to_owned();
            let shape = Shape::of(field);
            let kind = shape.as_ref().map(Shape::column).map_err(|refusal| UnsafeColumn {
                column: name.clone(),
                kind: refusal.kind.clone(),
                cast: format!("`{name}` as {}", refusal.remedy),
            });
            found.push(Found { name, kind });
            shapes.push(shape.ok().map(|shape| (shape, read.len())));
            read.extend(shapes.last().and_then(Option::as_ref).map(|_| field.clone()));
        }
        let all = read.len() == shapes.len() || read.is_empty();
        let projection = Type::group_type_builder(schema.name()).with_fields(read).build();
        let projection = projection.ok().filter(|_| !all);
        Ok(Self { layout: Layout::of(found, Remedy::InFile, None)?, projection, shapes })
    }

    fn encode(&self, row: &Row, number: u64, needed: &Needed) -> Result<RowBuf, Box<UnsafeValue>> {
        let mut buffer = RowBuf::from_bytes(Vec::with_capacity(16 * self.shapes.len()));
        let mut scratch = String::new();
        let values: Vec<&Field> = row.get_column_iter().map(|(_, value)| value).collect();
        for (at, (column, field)) in self.layout.columns().enumerate() {
            let shape = self.shapes.get(field).and_then(Option::as_ref);
            let value = shape.and_then(|(shape, place)| Some((values.get(*place)?, shape)));
            let cell = value.map_or(Ok(Cell::Null), |(value, shape)| value::cell(value, shape, &mut scratch));
            match cell {
                Ok(cell) => buffer.push(cell),
                Err(_) if !needed.has(at) => buffer.push(Cell::Null),
                Err(wrong) => {
                    return Err(Box::new(UnsafeValue {
                        column: column.name.clone(),
                        row: number,
                        what: wrong.what.to_owned(),
                        cast: format!("`{}` as {}", column.name, wrong.remedy),
                        remedy: Remedy::InFile,
                    }));
                }
            }
        }
        Ok(buffer)
    }
}
