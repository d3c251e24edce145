//! Parquet by its records, with the library's record reader: what is wrong with a damaged file is told by it.

use std::ops::ControlFlow;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row};
use ::parquet::schema::types::Type;
use coho_core::row::{Cell, RowBuf};

use super::Table;
use super::value;
use crate::files::contents::Contents;
use crate::files::fault::FileError;
use crate::read::SourceError;
use crate::reading::Sink;
use crate::unsafe_type::UnsafeValue;

/// Gives the rows that the sink does not have yet, and counts them in `given` too.
pub(super) fn rows(
    reader: &SerializedFileReader<Contents>,
    table: &Table,
    sink: &mut Sink,
    given: &mut u64,
    failed: impl Fn(ParquetError) -> FileError,
) -> Result<ControlFlow<()>, SourceError> {
    let records = Records::of(reader, table);
    let mut number = 0;
    for row in reader.get_row_iter(records.projection.clone()).map_err(&failed)? {
        number += 1;
        let row = row.map_err(&failed)?;
        if number <= *given {
            continue;
        }
        let row = records.encode(&row, number)?;
        *given = number;
        if sink.row(row).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// What is read of each record.
struct Records<'a> {
    table: &'a Table,
    /// The fields that have a form: the record reader panics on some of the others.
    projection: Option<Type>,
    /// The place of each field of the file in a record, where it has one.
    places: Vec<Option<usize>>,
}

impl<'a> Records<'a> {
    fn of(reader: &SerializedFileReader<Contents>, table: &'a Table) -> Self {
        let schema = reader.metadata().file_metadata().schema();
        let (mut read, mut places) = (Vec::new(), Vec::new());
        for (at, field) in schema.get_fields().iter().enumerate() {
            let has_form = table.shape(at).is_some();
            places.push(has_form.then_some(read.len()));
            read.extend(has_form.then(|| field.clone()));
        }
        let all = read.len() == places.len() || read.is_empty();
        let projection = Type::group_type_builder(schema.name()).with_fields(read).build();
        Self { table, projection: projection.ok().filter(|_| !all), places }
    }

    fn encode(&self, row: &Row, number: u64) -> Result<RowBuf, Box<UnsafeValue>> {
        let table = self.table;
        let mut buffer = RowBuf::default();
        let mut scratch = String::new();
        let values: Vec<&Field> = row.get_column_iter().map(|(_, value)| value).collect();
        for (at, (_, field)) in table.layout.columns().enumerate() {
            let place = self.places.get(field).copied().flatten().filter(|_| !table.needed.leaves_out(at));
            let value = place.and_then(|place| Some((values.get(place)?, table.shape(field)?)));
            let cell = value.map_or(Ok(Cell::Null), |(value, shape)| value::cell(value, shape, &mut scratch));
            buffer.push(table.cell(at, number, cell)?);
        }
        Ok(buffer)
    }
}
