//! Parquet by its columns: some rows of each column that somebody reads at once, and rows made of them.
//!
//! What is nested is read by records, beside the columns. What is damaged is not told here: who finds it reads the file by
//! records from the first row that is missing, and they say what is wrong.

use std::ops::ControlFlow;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::record::Row;
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::Type;
use coho_core::row::{Cell, RowBuf};

use super::Table;
use super::ahead;
use super::flat::Flat;
use super::shape::Shape;
use super::value;
use crate::files::contents::Contents;
use crate::reading::Sink;
use crate::storage::StorageFault;
use crate::unsafe_type::UnsafeValue;

/// How many rows are read of each column at once.
const AT_ONCE: usize = 1_000;

/// Why there are no further rows.
#[derive(Debug)]
pub(super) enum Halt {
    /// The columns cannot be read; the records say why.
    Damaged,
    /// A value has no form that keeps it.
    Unsafe(Box<UnsafeValue>),
    /// The object that the file is cannot be read.
    Object(StorageFault),
}

impl From<ParquetError> for Halt {
    fn from(_: ParquetError) -> Self {
        Self::Damaged
    }
}

/// Gives all rows, and counts in `given` those that the sink has.
pub(super) fn rows(
    reader: &SerializedFileReader<Contents>,
    table: &Table,
    sink: &mut Sink,
    given: &mut u64,
) -> Result<ControlFlow<()>, Halt> {
    let places = Places::of(reader, table);
    for group in 0..reader.num_row_groups() {
        table.contents.bring(ahead::parts(reader, table, group)).map_err(Halt::Object)?;
        let group = reader.get_row_group(group)?;
        let mut part = Part::of(group.as_ref(), table, &places)?;
        let rows = usize::try_from(group.metadata().num_rows()).map_err(|_| Halt::Damaged)?;
        for first in (0..rows).step_by(AT_ONCE) {
            let rows = AT_ONCE.min(rows - first);
            part.fill(rows)?;
            for at in 0..rows {
                let row = part.row(at, *given + 1)?;
                *given += 1;
                if sink.row(row).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Where the file has what the table's columns are.
struct Places {
    /// The leaf that each field of the file is, where it is one.
    leaves: Vec<Option<usize>>,
    /// The fields that are nested and are read, as a schema.
    nested: Option<Type>,
}

impl Places {
    fn of(reader: &SerializedFileReader<Contents>, table: &Table) -> Self {
        let schema = reader.metadata().file_metadata().schema_descr();
        let root = schema.root_schema();
        let mut leaves = vec![None; root.get_fields().len()];
        for leaf in 0..schema.num_columns() {
            let field = schema.get_column_root_idx(leaf);
            let is_flat = matches!(table.shape(field), Some(Shape::Leaf(_)));
            if let Some(place) = leaves.get_mut(field).filter(|_| is_flat) {
                *place = Some(leaf);
            }
        }
        let is_nested =
            |field: &usize| matches!(table.shape(*field), Some(shape) if !matches!(shape, Shape::Leaf(_)));
        let nested = table.read_fields().filter(is_nested).filter_map(|field| root.get_fields().get(field));
        let nested: Vec<_> = nested.cloned().collect();
        let has_some = !nested.is_empty();
        let nested = Type::group_type_builder(root.name()).with_fields(nested).build();
        Self { leaves, nested: nested.ok().filter(|_| has_some) }
    }
}

/// A row group that is being read.
struct Part<'a> {
    table: &'a Table,
    columns: Vec<Column>,
    nested: Option<RowIter<'a>>,
    /// The nested values of the rows that were filled in last.
    records: Vec<Row>,
    /// How long the row before was in bytes.
    length: usize,
    scratch: String,
}

/// Where the cells of a column come from.
enum Column {
    /// It has no form, or nobody looks at it.
    Null,
    /// A column of the file.
    Flat(Box<Flat>),
    /// A value of the record, by its place there.
    Nested(usize, Shape),
}

impl<'a> Part<'a> {
    fn of(group: &'a dyn RowGroupReader, table: &'a Table, places: &Places) -> Result<Self, Halt> {
        let mut columns = Vec::new();
        let mut nested = 0;
        for (at, (_, field)) in table.layout.columns().enumerate() {
            let shape = table.shape(field).filter(|_| !table.needed.leaves_out(at));
            columns.push(match (shape, places.leaves.get(field).copied().flatten()) {
                (None, _) => Column::Null,
                (Some(Shape::Leaf(leaf)), Some(place)) => {
                    let descriptor = group.metadata().schema_descr().column(place);
                    Column::Flat(Box::new(Flat::new(group.get_column_reader(place)?, descriptor, *leaf)))
                }
                (Some(Shape::Leaf(_)), None) => return Err(Halt::Damaged),
                (Some(shape), _) => {
                    nested += 1;
                    Column::Nested(nested - 1, shape.clone())
                }
            });
        }
        let nested = places.nested.clone().map(|nested| group.get_row_iter(Some(nested))).transpose()?;
        Ok(Self { table, columns, nested, records: Vec::new(), length: 0, scratch: String::new() })
    }

    /// Reads so many rows of each column.
    fn fill(&mut self, rows: usize) -> Result<(), Halt> {
        for column in &mut self.columns {
            match column {
                Column::Flat(flat) => flat.fill(rows)?,
                Column::Null | Column::Nested(..) => {}
            }
        }
        if let Some(nested) = &mut self.nested {
            self.records = nested.take(rows).collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// The row at this place among those that were filled in last, whose number in the file is told where it is wrong. All
    /// rows are asked for, in their order.
    fn row(&mut self, at: usize, number: u64) -> Result<RowBuf, Halt> {
        let mut row = RowBuf::from_bytes(Vec::with_capacity(self.length));
        for (place, column) in self.columns.iter_mut().enumerate() {
            let cell = match column {
                Column::Null => Ok(Cell::Null),
                Column::Flat(flat) => flat.cell(at, &mut self.scratch).ok_or(Halt::Damaged)?,
                Column::Nested(place, shape) => {
                    let record = self.records.get(at).ok_or(Halt::Damaged)?;
                    let (_, field) = record.get_column_iter().nth(*place).ok_or(Halt::Damaged)?;
                    value::cell(field, shape, &mut self.scratch)
                }
            };
            row.push(self.table.cell(place, number, cell).map_err(Halt::Unsafe)?);
        }
        self.length = row.as_bytes().len();
        Ok(row)
    }
}
