//! Parquet, through its record reader: no Arrow is needed to read one row after the other.
//!
//! [`shape`] says what a column's schema means and which types are safe, [`value`] turns what was read into cells, and
//! [`digits`] spells decimals out. Spark's old INT96 timestamps are read to the millisecond.

mod shape;
mod value;
mod digits;

use std::panic::AssertUnwindSafe;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Row;
use coho_core::row::{Column, Columns, RowBuf};

use super::fault::{FileError, FileFault};
use super::path::Source;
use crate::read::SourceError;
use crate::reading::Sink;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeTypes, UnsafeValue};
use shape::Shape;

/// Reads the whole file. The record reader panics on some damaged files; that is the file's fault, and is said of it.
pub(super) fn read(source: Source, sink: &mut Sink) -> Result<(), SourceError> {
    let name = source.name.clone();
    let damaged = |_| {
        let words = ParquetError::General("its pages do not fit its schema".to_owned());
        FileError::new(&name, FileFault::Parquet(words))
    };
    std::panic::catch_unwind(AssertUnwindSafe(|| rows(source, sink))).map_err(damaged)?
}

fn rows(source: Source, sink: &mut Sink) -> Result<(), SourceError> {
    let name = source.name.clone();
    let failed = |error| FileError::new(&name, FileFault::Parquet(error));
    let reader = SerializedFileReader::new(source.into_file()).map_err(failed)?;
    let table = Table::of(&reader)?;
    if sink.open(Columns::new(table.columns.clone())?).is_break() {
        return Ok(());
    }
    let mut number = 0;
    for row in reader.get_row_iter(None).map_err(failed)? {
        number += 1;
        if sink.row(table.encode(&row.map_err(failed)?, number)?).is_break() {
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
    columns: Vec<Column>,
    shapes: Vec<Shape>,
}

impl Table {
    fn of(reader: &SerializedFileReader<std::fs::File>) -> Result<Self, Box<UnsafeTypes>> {
        let mut table = Self { columns: Vec::new(), shapes: Vec::new() };
        let mut refused = Vec::new();
        for field in reader.metadata().file_metadata().schema().get_fields() {
            let column = field.name().to_owned();
            match Shape::of(field) {
                Ok(shape) => {
                    table.columns.push(Column { name: column, kind: shape.column() });
                    table.shapes.push(shape);
                }
                Err(refusal) => {
                    let cast = format!("`{column}` as {}", refusal.remedy);
                    refused.push(UnsafeColumn { column, kind: refusal.kind, cast });
                }
            }
        }
        if refused.is_empty() {
            Ok(table)
        } else {
            Err(Box::new(UnsafeTypes { columns: refused, remedy: Remedy::InFile }))
        }
    }

    fn encode(&self, row: &Row, number: u64) -> Result<RowBuf, Box<UnsafeValue>> {
        let mut buffer = RowBuf::from_bytes(Vec::with_capacity(16 * self.shapes.len()));
        let mut scratch = String::new();
        for ((column, shape), (_, field)) in self.columns.iter().zip(&self.shapes).zip(row.get_column_iter())
        {
            match value::cell(field, shape, &mut scratch) {
                Ok(cell) => buffer.push(cell),
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
