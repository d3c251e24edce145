//! NDJSON: one JSON object a line.
//!
//! Files are read twice: once for the names, in the order in which they first occur, and their types; once for the rows.
//! A column's type is what all its values are, and mixed where they differ; numbers keep their digits.

mod lines;
mod kinds;

use std::ops::ControlFlow;

use coho_core::row::{Cell, ColumnType, RowBuf};
use coho_core::value::Value;

use super::fault::{FileError, FileFault};
use super::path::Source;
use super::types;
use crate::outline::{Layout, Needed};
use crate::read::SourceError;
use crate::reading::Sink;
use crate::text;
use crate::unsafe_type::Remedy;
use kinds::Kinds;
use lines::Lines;

/// Reads all of the files.
pub(super) fn read(
    sources: &[Source],
    declared: &[(String, ColumnType)],
    sink: &mut Sink,
) -> Result<(), SourceError> {
    let Some(first) = sources.first() else { return Ok(()) };
    let mut kinds = Kinds::default();
    for source in sources {
        let mut lines = Lines::start(source)?;
        let mut is_empty = true;
        while let Some(object) = lines.next()? {
            is_empty = false;
            kinds.see(&object, || lines.place());
            if sink.listening().is_break() {
                return Ok(());
            }
        }
        if is_empty {
            return Err(FileError::new(&source.name, FileFault::Empty).into());
        }
    }
    let declared = types::by_column(&first.name, kinds.names(), declared)?;
    let layout = Layout::of(kinds.fields(&declared), Remedy::InFile, None)?;
    let outline = layout.outline.clone().with_inferred(kinds.inferred(&declared));
    let ControlFlow::Continue(needed) = sink.open(outline) else { return Ok(()) };
    for source in sources {
        source.unchanged()?;
        let mut lines = Lines::start(source)?;
        while let Some(object) = lines.next()? {
            let row = encode(&object, &layout, &needed, &kinds).map_err(|fault| lines.fault(fault))?;
            if sink.row(row).is_break() {
                return Ok(());
            }
        }
        source.unchanged()?;
    }
    Ok(())
}

/// A line's object: names with values.
type Object = Vec<(String, Value)>;

fn encode(object: &Object, layout: &Layout, needed: &Needed, kinds: &Kinds) -> Result<RowBuf, FileFault> {
    let mut values = vec![&Value::Null; kinds.names().len()];
    for (name, value) in object {
        if let Some(slot) = kinds.index(name).and_then(|at| values.get_mut(at)) {
            *slot = value;
        }
    }
    let mut row = RowBuf::default();
    let mut scratch = String::new();
    for (at, (column, field)) in layout.columns().enumerate() {
        let value = values.get(field).copied().filter(|_| !needed.leaves_out(at)).unwrap_or(&Value::Null);
        match cell(column.kind, value, &mut scratch) {
            Some(cell) => row.push(cell),
            None if !needed.has(at) => row.push(Cell::Null),
            None => {
                let (column, kind) = (column.name.clone(), column.kind);
                return Err(FileFault::Type { column, kind, preview: value.preview() });
            }
        }
    }
    Ok(row)
}

/// A value as a cell of this type; `None` where it does not fit.
fn cell<'a>(kind: ColumnType, value: &'a Value, scratch: &'a mut String) -> Option<Cell<'a>> {
    match (kind, value) {
        (_, Value::Null) => Some(Cell::Null),
        (ColumnType::Json, _) | (ColumnType::Mixed, Value::Array(_) | Value::Object(_)) => {
            *scratch = coho_core::json::write(value);
            Some(Cell::Json(scratch))
        }
        (ColumnType::Mixed, Value::Int(number)) => Some(Cell::Int(*number)),
        (ColumnType::Mixed, Value::Decimal(number)) => Some(Cell::Decimal(number.as_str())),
        (ColumnType::Bool | ColumnType::Mixed, Value::Bool(flag)) => Some(Cell::Bool(*flag)),
        (_, Value::Text(text)) => text::cell(kind, text, scratch),
        (_, Value::Int(_) | Value::Decimal(_)) if kind != ColumnType::Bool => {
            let digits = coho_core::json::write(value);
            number(kind, &digits, scratch)
        }
        _ => None,
    }
}

/// A number in a column with another type than its own.
fn number<'a>(kind: ColumnType, digits: &str, scratch: &'a mut String) -> Option<Cell<'a>> {
    match kind {
        ColumnType::Int => digits.parse().ok().map(Cell::Int),
        ColumnType::Float => digits.parse().ok().and_then(coho_core::value::Float::new).map(Cell::Float),
        ColumnType::Decimal => {
            digits.clone_into(scratch);
            Some(Cell::Decimal(scratch))
        }
        ColumnType::Text => {
            digits.clone_into(scratch);
            Some(Cell::Text(scratch))
        }
        ColumnType::Bool
        | ColumnType::Timestamp
        | ColumnType::LocalTimestamp
        | ColumnType::Date
        | ColumnType::Json
        | ColumnType::Mixed => None,
    }
}
