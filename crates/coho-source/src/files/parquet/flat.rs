//! A column of single values: some rows of it at once, which become cells one after the other.

use ::parquet::basic::{ConvertedType, Type};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{
    AsBytes, BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type, Int96Type,
};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::record::Field;
use ::parquet::schema::types::ColumnDescPtr;
use coho_core::row::{Cell, ColumnType};

use super::shape::{Form, Leaf};
use super::value::{self, Wrong};

/// A column of a row group.
pub(super) struct Flat {
    values: Values,
    descriptor: ColumnDescPtr,
    leaf: Leaf,
    kind: Kind,
    /// For each row that was filled in last, whether it has a value: then its level is the deepest.
    levels: Vec<i16>,
    deepest: i16,
    /// How many of the values were taken.
    taken: usize,
    /// A value that is spelled out by way of the record reader's own.
    field: Field,
}

/// How a value becomes a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// As the record reader's value does.
    Field,
    /// The truth value or number itself.
    Plain,
    /// A number with its point in place.
    Decimal(usize),
    /// So many microseconds each.
    Moment(i64),
    /// UTF-8.
    Text,
    /// UTF-8 that is JSON.
    Json,
}

impl Kind {
    /// What the record reader goes by is the converted type.
    fn of(descriptor: &ColumnDescPtr, leaf: Leaf) -> Self {
        let scale = usize::try_from(descriptor.type_scale()).unwrap_or(0);
        match (descriptor.converted_type(), descriptor.physical_type()) {
            (ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON, Type::BYTE_ARRAY) => {
                if leaf.kind == ColumnType::Json { Self::Json } else { Self::Text }
            }
            (
                ConvertedType::DECIMAL,
                Type::INT32 | Type::INT64 | Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY,
            ) => Self::Decimal(scale),
            (ConvertedType::TIMESTAMP_MILLIS, Type::INT64) => Self::Moment(1_000),
            (ConvertedType::TIMESTAMP_MICROS, Type::INT64) => Self::Moment(1),
            (ConvertedType::NONE | ConvertedType::INT_32, Type::INT32)
            | (ConvertedType::NONE | ConvertedType::INT_64, Type::INT64)
            | (ConvertedType::NONE, Type::BOOLEAN | Type::DOUBLE)
                if leaf.form == Form::Plain =>
            {
                Self::Plain
            }
            _ => Self::Field,
        }
    }
}

impl Flat {
    /// A column that this reader reads.
    pub(super) fn new(reader: ColumnReader, descriptor: ColumnDescPtr, leaf: Leaf) -> Self {
        let (kind, deepest) = (Kind::of(&descriptor, leaf), descriptor.max_def_level());
        Self {
            values: Values::of(reader),
            descriptor,
            leaf,
            kind,
            levels: Vec::new(),
            deepest,
            taken: 0,
            field: Field::Null,
        }
    }

    /// Reads so many rows.
    pub(super) fn fill(&mut self, rows: usize) -> Result<()> {
        self.levels.clear();
        self.taken = 0;
        let read = self.values.fill(rows, &mut self.levels)?;
        if read == rows { Ok(()) } else { Err(ParquetError::General("a column is too short".to_owned())) }
    }

    /// The cell of the row at this place. `None` where the column is damaged.
    pub(super) fn cell<'a>(
        &'a mut self,
        row: usize,
        scratch: &'a mut String,
    ) -> Option<Result<Cell<'a>, Wrong>> {
        if self.deepest > 0 && *self.levels.get(row)? < self.deepest {
            return Some(Ok(Cell::Null));
        }
        self.taken += 1;
        self.value(self.taken - 1, scratch)
    }

    fn value<'a>(&'a mut self, at: usize, scratch: &'a mut String) -> Option<Result<Cell<'a>, Wrong>> {
        match (self.kind, &self.values) {
            (Kind::Plain, Values::Bool(column)) => Some(Ok(Cell::Bool(*column.values.get(at)?))),
            (Kind::Plain, Values::Int32(column)) => Some(Ok(Cell::Int((*column.values.get(at)?).into()))),
            (Kind::Plain, Values::Int64(column)) => Some(Ok(Cell::Int(*column.values.get(at)?))),
            (Kind::Plain, Values::Double(column)) => Some(value::float(*column.values.get(at)?)),
            (Kind::Moment(factor), Values::Int64(column)) => {
                Some(value::moment(column.values.get(at)?.checked_mul(factor), self.leaf))
            }
            (Kind::Text, Values::Bytes(column)) => {
                std::str::from_utf8(column.values.get(at)?.data()).ok().map(|text| Ok(Cell::Text(text)))
            }
            (Kind::Json, Values::Bytes(column)) => {
                let text = std::str::from_utf8(column.values.get(at)?.data()).ok()?;
                Some(value::json(text, scratch))
            }
            (Kind::Decimal(scale), Values::Int32(column)) => {
                Some(value::decimal(&column.values.get(at)?.to_be_bytes(), scale, scratch))
            }
            (Kind::Decimal(scale), Values::Int64(column)) => {
                Some(value::decimal(&column.values.get(at)?.to_be_bytes(), scale, scratch))
            }
            (Kind::Decimal(scale), Values::Bytes(column)) => {
                Some(value::decimal(column.values.get(at)?.data(), scale, scratch))
            }
            (Kind::Decimal(scale), Values::Fixed(column)) => {
                Some(value::decimal(column.values.get(at)?.data(), scale, scratch))
            }
            _ => {
                self.field = self.values.field(at, &self.descriptor)?;
                Some(value::single(&self.field, self.leaf, scratch))
            }
        }
    }
}

/// A column's reader, and the values that are there and were read last.
struct Typed<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
}

impl<T: DataType> Typed<T> {
    fn of(reader: ColumnReaderImpl<T>) -> Self {
        Self { reader, values: Vec::new() }
    }

    fn fill(&mut self, rows: usize, levels: &mut Vec<i16>) -> Result<usize> {
        self.values.clear();
        let (records, ..) = self.reader.read_records(rows, Some(levels), None, &mut self.values)?;
        Ok(records)
    }
}

/// The same by the type of the values.
enum Values {
    Bool(Typed<BoolType>),
    Int32(Typed<Int32Type>),
    Int64(Typed<Int64Type>),
    Int96(Typed<Int96Type>),
    Float(Typed<FloatType>),
    Double(Typed<DoubleType>),
    Bytes(Typed<ByteArrayType>),
    Fixed(Typed<FixedLenByteArrayType>),
}

impl Values {
    fn of(reader: ColumnReader) -> Self {
        match reader {
            ColumnReader::BoolColumnReader(reader) => Self::Bool(Typed::of(reader)),
            ColumnReader::Int32ColumnReader(reader) => Self::Int32(Typed::of(reader)),
            ColumnReader::Int64ColumnReader(reader) => Self::Int64(Typed::of(reader)),
            ColumnReader::Int96ColumnReader(reader) => Self::Int96(Typed::of(reader)),
            ColumnReader::FloatColumnReader(reader) => Self::Float(Typed::of(reader)),
            ColumnReader::DoubleColumnReader(reader) => Self::Double(Typed::of(reader)),
            ColumnReader::ByteArrayColumnReader(reader) => Self::Bytes(Typed::of(reader)),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Self::Fixed(Typed::of(reader)),
        }
    }

    fn fill(&mut self, rows: usize, levels: &mut Vec<i16>) -> Result<usize> {
        match self {
            Self::Bool(column) => column.fill(rows, levels),
            Self::Int32(column) => column.fill(rows, levels),
            Self::Int64(column) => column.fill(rows, levels),
            Self::Int96(column) => column.fill(rows, levels),
            Self::Float(column) => column.fill(rows, levels),
            Self::Double(column) => column.fill(rows, levels),
            Self::Bytes(column) => column.fill(rows, levels),
            Self::Fixed(column) => column.fill(rows, levels),
        }
    }

    /// The value as the record reader gives it.
    fn field(&self, at: usize, descriptor: &ColumnDescPtr) -> Option<Field> {
        Some(match self {
            Self::Bool(column) => Field::convert_bool(descriptor, *column.values.get(at)?),
            Self::Int32(column) => Field::convert_int32(descriptor, *column.values.get(at)?),
            Self::Int64(column) => Field::convert_int64(descriptor, *column.values.get(at)?),
            Self::Int96(column) => Field::convert_int96(descriptor, *column.values.get(at)?),
            Self::Float(column) => Field::convert_float(descriptor, *column.values.get(at)?),
            Self::Double(column) => Field::convert_double(descriptor, *column.values.get(at)?),
            Self::Bytes(column) => {
                Field::convert_byte_array(descriptor, column.values.get(at)?.clone()).ok()?
            }
            Self::Fixed(column) => {
                let bytes = ByteArray::from(column.values.get(at)?.as_bytes().to_vec());
                Field::convert_byte_array(descriptor, bytes).ok()?
            }
        })
    }
}
