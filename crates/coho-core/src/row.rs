//! Rows as sources give them: typed columns, borrowed cells, and one encoding that is spilled, hashed and read back.
//!
//! A [`RowBuf`] holds a row in Coho's own encoding: for each column one tag byte and its content. The same bytes are
//! written to spill files, digested for change detection and read as [`Cell`]s without being decoded first.
//! [`crate::digest::ENCODING`] is the encoding's version.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};

use crate::decimal::Decimal;
use crate::digest::{Digest, Parts};
use crate::value::{Float, Value};

/// The type that a source declares for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// Whole numbers of 64 bits.
    Int,
    /// Floating-point numbers.
    Float,
    /// Exact decimals.
    Decimal,
    /// Text.
    Text,
    /// Moments with a zone.
    Timestamp,
    /// Dates with a time of day, without a zone.
    LocalTimestamp,
    /// Calendar dates.
    Date,
    /// JSON values: objects, lists, or anything else that JSON can hold.
    Json,
    /// Anything: each cell has a type of its own (SQLite).
    Mixed,
}

impl ColumnType {
    /// All types.
    pub const ALL: [Self; 10] = [
        Self::Bool,
        Self::Int,
        Self::Float,
        Self::Decimal,
        Self::Text,
        Self::Timestamp,
        Self::LocalTimestamp,
        Self::Date,
        Self::Json,
        Self::Mixed,
    ];

    /// The name that configuration files and messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "local-timestamp",
            Self::Date => "date",
            Self::Json => "json",
            Self::Mixed => "mixed",
        }
    }
}

/// A column of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, exactly as the source spells it.
    pub name: String,
    /// Its declared type.
    pub kind: ColumnType,
}

/// The columns of a model, in the source's order. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Arc<[Column]>);

impl Columns {
    /// These columns. Two of one name are refused, with that name.
    pub fn new(columns: Vec<Column>) -> Result<Self, DuplicateColumn> {
        for (at, column) in columns.iter().enumerate() {
            if columns.iter().take(at).any(|earlier| earlier.name == column.name) {
                return Err(DuplicateColumn { name: column.name.clone() });
            }
        }
        Ok(Self(columns.into()))
    }

    /// The place of a column, by its exact name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column.name == name)
    }

    /// All columns in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.into_iter()
    }

    /// All names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|column| column.name.as_str())
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a Column;
    type IntoIter = std::slice::Iter<'a, Column>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A model gave one column name twice.
#[derive(Debug, thiserror::Error)]
#[error("the model has two columns named `{name}`")]
pub struct DuplicateColumn {
    /// The name that occurs twice.
    pub name: String,
}

/// One cell of a row, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite floating-point number.
    Float(Float),
    /// The digits of an exact decimal, in the form of [`Decimal::as_str`].
    Decimal(&'a str),
    /// Text.
    Text(&'a str),
    /// A moment, as microseconds since 1970 in UTC.
    Timestamp(i64),
    /// A date and time of day without zone, as microseconds since 1970-01-01T00:00:00 of its own clock.
    LocalTimestamp(i64),
    /// A date, as days since 1970-01-01.
    Date(i32),
    /// The compact JSON text of an object, a list or any JSON value.
    Json(&'a str),
}

impl Cell<'_> {
    /// The cell as a value of its own. JSON is parsed here and only here.
    pub fn to_value(&self) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(number) => Value::Int(number),
            Self::Float(number) => Value::Float(number),
            Self::Decimal(digits) => Decimal::parse(digits).map_or(Value::Null, Value::Decimal),
            Self::Text(text) => Value::text(text),
            Self::Timestamp(micros) => {
                DateTime::from_timestamp_micros(micros).map_or(Value::Null, Value::Timestamp)
            }
            Self::LocalTimestamp(micros) => DateTime::from_timestamp_micros(micros)
                .map_or(Value::Null, |moment| Value::LocalTimestamp(moment.naive_utc())),
            Self::Date(days) => date_from_days(days).map_or(Value::Null, Value::Date),
            Self::Json(text) => crate::json::parse(text).unwrap_or(Value::Null),
        }
    }

    /// Whether this is [`Cell::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

fn date_from_days(days: i32) -> Option<NaiveDate> {
    DateTime::from_timestamp(i64::from(days) * 86_400, 0).map(|moment| moment.date_naive())
}

/// Days since 1970-01-01 of a date.
pub fn days_from_date(date: NaiveDate) -> Option<i32> {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Anything that has cells: a row read from a source, or one written in a test.
pub trait Row {
    /// The cell in this column; [`Cell::Null`] where there is none.
    fn cell(&self, column: usize) -> Cell<'_>;
}

/// A row in Coho's encoding.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RowBuf(Vec<u8>);

impl RowBuf {
    /// A row of these cells.
    pub fn from_cells<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> Self {
        let mut row = Self::default();
        cells.into_iter().for_each(|cell| row.push(cell));
        row
    }

    /// Adds the next cell.
    #[inline]
    pub fn push(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Null => self.0.push(0),
            Cell::Bool(flag) => self.0.extend([1, u8::from(flag)]),
            Cell::Int(number) => self.fixed(2, &number.to_le_bytes()),
            Cell::Float(number) => self.fixed(3, &number.get().to_le_bytes()),
            Cell::Decimal(digits) => self.text(4, digits),
            Cell::Text(text) => self.text(5, text),
            Cell::Timestamp(micros) => self.fixed(6, &micros.to_le_bytes()),
            Cell::LocalTimestamp(micros) => self.fixed(7, &micros.to_le_bytes()),
            Cell::Date(days) => self.fixed(8, &days.to_le_bytes()),
            Cell::Json(text) => self.text(9, text),
        }
    }

    fn fixed(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(bytes);
    }

    /// Sources refuse texts beyond 4 GiB long before; what would not fit a length of 32 bits is cut at a character.
    fn text(&mut self, tag: u8, text: &str) {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.0.push(tag);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(text.as_bytes().get(..length as usize).unwrap_or_default());
    }

    /// The encoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A row from bytes that [`RowBuf::as_bytes`] gave.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The cells in order.
    pub fn cells(&self) -> Cells<'_> {
        Cells { rest: &self.0 }
    }

    /// All cells at once, for whoever looks at many of them.
    pub fn all_cells(&self) -> AllCells<'_> {
        AllCells(self.cells().collect())
    }

    /// The digest of the cells in these columns, in this order, so that other columns don't count.
    pub fn fingerprint(&self, columns: &[usize]) -> Digest {
        Fingerprinter::new(columns).of(self)
    }
}

/// Digests the cells of the same columns of many rows.
#[derive(Debug)]
pub struct Fingerprinter {
    columns: Vec<usize>,
    /// Where the cells of the row at hand begin and end.
    places: Vec<(usize, usize)>,
    parts: Parts,
}

impl Fingerprinter {
    /// Of these columns, in this order.
    pub fn new(columns: &[usize]) -> Self {
        Self { columns: columns.to_vec(), places: Vec::new(), parts: Parts::default() }
    }

    /// The digest of their cells, so that other columns don't count.
    pub fn of(&mut self, row: &RowBuf) -> Digest {
        let bytes = row.as_bytes();
        self.places.clear();
        let mut rest = bytes;
        while let Some(after) = skip(rest) {
            self.places.push((bytes.len() - rest.len(), bytes.len() - after.len()));
            rest = after;
        }
        self.parts.clear();
        for column in &self.columns {
            let cell = self.places.get(*column).and_then(|(start, end)| bytes.get(*start..*end));
            self.parts.part(cell.unwrap_or(&[0]));
        }
        self.parts.finish()
    }
}

impl Row for RowBuf {
    fn cell(&self, column: usize) -> Cell<'_> {
        let mut rest = self.0.as_slice();
        for _ in 0..column {
            let Some(after) = skip(rest) else { return Cell::Null };
            rest = after;
        }
        split(rest).map_or(Cell::Null, |(cell, _)| cell)
    }
}

/// The cells of a row, each found by its place.
#[derive(Debug)]
pub struct AllCells<'a>(Vec<Cell<'a>>);

impl Row for AllCells<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        self.0.get(column).copied().unwrap_or(Cell::Null)
    }
}

/// The cells of a row, in order.
pub struct Cells<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        let (cell, rest) = split(self.rest)?;
        self.rest = rest;
        Some(cell)
    }
}

/// What follows the first cell, without a look into it.
fn skip(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = bytes.split_first()?;
    match tag {
        0 => Some(rest),
        1 => rest.get(1..),
        2 | 3 | 6 | 7 => rest.get(8..),
        8 => rest.get(4..),
        4 | 5 | 9 => {
            let length = u32::from_le_bytes(*rest.first_chunk::<4>()?) as usize;
            rest.get(4 + length..)
        }
        _ => None,
    }
}

/// The first cell of encoded bytes, and what follows it. `None` at the end, and where bytes are not Coho's encoding.
fn split(bytes: &[u8]) -> Option<(Cell<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let wide = |rest: &[u8]| rest.first_chunk::<8>().map(|bytes| i64::from_le_bytes(*bytes));
    Some(match tag {
        0 => (Cell::Null, rest),
        1 => (Cell::Bool(*rest.first()? == 1), rest.get(1..)?),
        2 => (Cell::Int(wide(rest)?), rest.get(8..)?),
        3 => (Cell::Float(Float::new(f64::from_le_bytes(*rest.first_chunk::<8>()?))?), rest.get(8..)?),
        6 => (Cell::Timestamp(wide(rest)?), rest.get(8..)?),
        7 => (Cell::LocalTimestamp(wide(rest)?), rest.get(8..)?),
        8 => (Cell::Date(i32::from_le_bytes(*rest.first_chunk::<4>()?)), rest.get(4..)?),
        4 | 5 | 9 => {
            let length = u32::from_le_bytes(*rest.first_chunk::<4>()?) as usize;
            let text = std::str::from_utf8(rest.get(4..4 + length)?).ok()?;
            let cell = match tag {
                4 => Cell::Decimal(text),
                5 => Cell::Text(text),
                _ => Cell::Json(text),
            };
            (cell, rest.get(4 + length..)?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells() -> impl Strategy<Value = Vec<Value>> {
        let cell = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter_map("finite", Float::new).prop_map(Value::Float),
            ".*".prop_map(Value::Text),
        ];
        prop::collection::vec(cell, 0..12)
    }

    fn borrowed(value: &Value) -> Cell<'_> {
        match value {
            Value::Bool(flag) => Cell::Bool(*flag),
            Value::Int(number) => Cell::Int(*number),
            Value::Float(number) => Cell::Float(*number),
            Value::Text(text) => Cell::Text(text),
            Value::Null
            | Value::Decimal(_)
            | Value::Timestamp(_)
            | Value::LocalTimestamp(_)
            | Value::Date(_)
            | Value::Array(_)
            | Value::Object(_) => Cell::Null,
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(values in cells()) {
            let row = RowBuf::from_cells(values.iter().map(borrowed));
            let back: Vec<_> = row.cells().collect();
            prop_assert_eq!(back, values.iter().map(borrowed).collect::<Vec<_>>());
            let all = row.all_cells();
            for (column, value) in values.iter().enumerate() {
                prop_assert_eq!(row.cell(column), borrowed(value));
                prop_assert_eq!(all.cell(column), borrowed(value));
            }
            prop_assert_eq!(row.cell(values.len()), Cell::Null);
            prop_assert_eq!(all.cell(values.len()), Cell::Null);
        }

        #[test]
        fn the_row_before_leaves_nothing_in_a_fingerprint(one in cells(), other in cells()) {
            let [one, other] = [one, other].map(|values| RowBuf::from_cells(values.iter().map(borrowed)));
            let mut fingerprinter = Fingerprinter::new(&[3, 0, 1, 3]);
            fingerprinter.of(&one);
            prop_assert_eq!(fingerprinter.of(&other), other.fingerprint(&[3, 0, 1, 3]));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let row = RowBuf::from_bytes(bytes);
            let count = row.cells().count();
            row.fingerprint(&(0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_column_that_nobody_reads_does_not_count() {
        let row = |text| RowBuf::from_cells([Cell::Int(1), Cell::Text(text), Cell::Null]);
        assert_eq!(row("a").fingerprint(&[0, 2]), row("b").fingerprint(&[0, 2]));
        assert_ne!(row("a").fingerprint(&[0, 1]), row("b").fingerprint(&[0, 1]));
    }

    #[test]
    fn null_and_empty_text_differ() {
        let row = |cell| RowBuf::from_cells([cell]).fingerprint(&[0]);
        assert_ne!(row(Cell::Null), row(Cell::Text("")));
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let column = |name: &str| Column { name: name.to_owned(), kind: ColumnType::Text };
        assert!(Columns::new(vec![column("a"), column("b"), column("a")]).is_err());
    }

    #[test]
    fn dates_before_1970_read_back() {
        let date = NaiveDate::from_ymd_opt(1899, 12, 31).unwrap();
        assert_eq!(Cell::Date(days_from_date(date).unwrap()).to_value(), Value::Date(date));
    }
}
