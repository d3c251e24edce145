//! Rows of the server's as rows of Coho's, cell by cell: [`super::decode`] has the cells.

use coho_core::row::{Cell, RowBuf};
use mysql_async::{Statement, Value};

use super::decode;
use super::types::Kind;
use crate::buckets::Moved;
use crate::database::refuse_value;
use crate::outline::{Layout, Needed};
use crate::read::SourceError;
use crate::unsafe_type::Remedy;

/// Makes rows of the server's.
pub(super) struct Encoder<'a> {
    layout: &'a Layout,
    /// How each column's cells are read, and the field that it is; no kind where they cannot be, and nobody needs them.
    kinds: Vec<(usize, Option<Kind>)>,
    needed: &'a Needed,
    remedy: Remedy,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(statement: &Statement, layout: &'a Layout, needed: &'a Needed, remedy: Remedy) -> Self {
        let kind = |field: usize| statement.columns().get(field).and_then(|column| Kind::of(column).ok());
        let kinds = layout.fields.iter().map(|field| (*field, kind(*field))).collect();
        Self { layout, kinds, needed, remedy }
    }

    /// The same for rows in which each column is another field.
    pub(super) fn at(mut self, field: impl Fn(usize) -> usize) -> Self {
        for (column, (place, _)) in self.kinds.iter_mut().enumerate() {
            *place = field(column);
        }
        self
    }

    pub(super) fn encode(&self, values: &[Value], number: u64) -> Result<RowBuf, SourceError> {
        let mut buffer = RowBuf::from_bytes(Vec::with_capacity(16 * self.kinds.len()));
        let mut scratch = String::new();
        for (at, (field, kind)) in self.kinds.iter().enumerate() {
            let value = values.get(*field).unwrap_or(&Value::NULL);
            let (Some(kind), false) = (kind, self.needed.leaves_out(at)) else {
                buffer.push(Cell::Null);
                continue;
            };
            match decode::cell(*kind, value, &mut scratch) {
                Ok(cell) => buffer.push(cell),
                Err(_) if !self.needed.has(at) => buffer.push(Cell::Null),
                Err(wrong) => {
                    let cast = |column: &str| wrong.cast.sql(column);
                    return Err(refuse_value(self.layout, at, number, wrong.what, cast, self.remedy));
                }
            }
        }
        Ok(buffer)
    }
}

/// Counts a row of the model that the server sent; a whole number as eight bytes.
pub(super) fn count(moved: &mut Moved, values: &[Value]) {
    moved.rows += 1;
    moved.bytes += size(values);
}

/// The bytes of some values.
pub(super) fn size(values: &[Value]) -> u64 {
    values.iter().map(Value::bin_len).sum()
}
