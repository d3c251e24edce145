//! Arrow's arrays as cells. [`super::shape`] says which types there are; here each column of a batch is looked at once, and its
//! values are then had by their place.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, RunEndIndexType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, GenericListArray, GenericListViewArray, GenericStringArray, OffsetSizeTrait, RunArray,
};
use arrow_schema::{DataType, Field, TimeUnit};
use coho_core::decimal::Decimal;
use coho_core::json::JsonError;
use coho_core::row::Cell;
use coho_core::value::{Float, Value};

use super::shape::Extension;
use crate::digits;
use crate::text::{day_in_calendar, in_calendar, uuid};

/// The most digits of a number.
const MOST_DIGITS: usize = 1_000;
const MILLIS_A_DAY: i64 = 86_400_000;

/// What a value is that has no form that keeps it.
pub(super) type Wrong = &'static str;

/// Of what a driver calls text, what is none.
pub(super) const NOT_UTF_8: Wrong = "text that is not UTF-8";

type Get<'a, T> = Box<dyn Fn(usize) -> T + 'a>;

/// A column of a batch.
pub(super) struct Column<'a> {
    array: &'a dyn Array,
    form: Form<'a>,
}

/// How a column's values are had.
enum Form<'a> {
    Null,
    Bool(Get<'a, bool>),
    Int(Get<'a, i64>),
    Float(Get<'a, f64>),
    /// A number's digits, written.
    Digits(Get<'a, String>),
    /// A number's digits, as the engine wrote them.
    Number(Get<'a, &'a [u8]>),
    Text(Get<'a, &'a [u8]>),
    Json(Get<'a, &'a [u8]>),
    Uuid(Get<'a, &'a [u8]>),
    /// Days since 1970; `None` is no day.
    Date(Get<'a, Option<i32>>),
    /// Microseconds since 1970; `None` is more than there are.
    Moment(Get<'a, Option<i64>>, Zone),
    List(Get<'a, Range<usize>>, Box<Column<'a>>),
    Structure(Vec<(&'a str, Column<'a>)>),
    Map(Get<'a, Range<usize>>, Box<Column<'a>>, Box<Column<'a>>),
    /// The value at a place among others.
    Elsewhere(Get<'a, Option<usize>>, Box<Column<'a>>),
}

/// Whether a moment is in a zone.
#[derive(Clone, Copy)]
enum Zone {
    Utc,
    None,
}

impl<'a> Column<'a> {
    /// A column; `None` where its type has no form, or the array is not of its type.
    pub(super) fn of(array: &'a dyn Array, field: &Field) -> Option<Self> {
        let form = match Extension::of(field) {
            Extension::Json => Form::Json(texts(array)?),
            Extension::Digits => Form::Number(texts(array)?),
            Extension::Uuid => {
                let array = array.as_fixed_size_binary_opt()?;
                Form::Uuid(Box::new(move |at| array.value(at)))
            }
            Extension::Bool => Form::Bool(primitive::<Int8Type, _>(array, |byte| byte != 0)?),
            Extension::Huge { has_sign } => Form::Digits(huge(array, has_sign)?),
            Extension::None | Extension::Foreign(_) | Extension::Unsafe(_) => {
                single(array).or_else(|| nested(array))?
            }
        };
        Some(Self { array, form })
    }

    /// The cell at a place. What is not in the array as it is, is spelled out in `scratch`.
    pub(super) fn cell<'s>(&'s self, at: usize, scratch: &'s mut String) -> Result<Cell<'s>, Wrong> {
        if self.array.is_null(at) {
            return Ok(Cell::Null);
        }
        Ok(match &self.form {
            Form::Null => Cell::Null,
            Form::Bool(get) => Cell::Bool(get(at)),
            Form::Int(get) => Cell::Int(get(at)),
            Form::Float(get) => float(get(at))?,
            Form::Digits(get) => {
                *scratch = get(at);
                if scratch.len() > MOST_DIGITS {
                    return Err("a number of more than 1,000 digits");
                }
                Cell::Decimal(scratch)
            }
            Form::Number(get) => number(text(get(at))?, scratch)?,
            Form::Text(get) => Cell::Text(text(get(at))?),
            Form::Json(get) => json(text(get(at))?, scratch)?,
            Form::Uuid(get) => {
                let bytes = get(at).try_into().map_err(|_| "bytes that are not of their type")?;
                *scratch = uuid(bytes);
                Cell::Text(scratch)
            }
            Form::Date(get) => match get(at) {
                Some(days) if day_in_calendar(days) => Cell::Date(days),
                Some(_) => return Err("a date outside the years 1 to 9999"),
                None => return Err("a date with a time of day"),
            },
            Form::Moment(get, zone) => moment(get(at), *zone)?,
            Form::Elsewhere(get, column) => match get(at) {
                Some(place) => column.cell(place, scratch)?,
                None => Cell::Null,
            },
            Form::List(..) | Form::Structure(_) | Form::Map(..) => {
                *scratch = coho_core::json::write(&self.value(at)?);
                Cell::Json(scratch)
            }
        })
    }

    fn value(&self, at: usize) -> Result<Value, Wrong> {
        if self.array.is_null(at) {
            return Ok(Value::Null);
        }
        match &self.form {
            Form::List(get, items) => {
                Ok(Value::Array(get(at).map(|place| items.value(place)).collect::<Result<_, _>>()?))
            }
            Form::Structure(members) => {
                let member =
                    |(name, column): &(&str, Column<'_>)| Ok(((*name).to_owned(), column.value(at)?));
                Ok(Value::Object(members.iter().map(member).collect::<Result<_, Wrong>>()?))
            }
            Form::Map(get, keys, values) => {
                let pair = |place| Ok((name(&keys.value(place)?), values.value(place)?));
                Ok(Value::Object(get(at).map(pair).collect::<Result<_, Wrong>>()?))
            }
            Form::Elsewhere(get, column) => get(at).map_or(Ok(Value::Null), |place| column.value(place)),
            Form::Null
            | Form::Bool(_)
            | Form::Int(_)
            | Form::Float(_)
            | Form::Digits(_)
            | Form::Number(_)
            | Form::Text(_)
            | Form::Json(_)
            | Form::Uuid(_)
            | Form::Date(_)
            | Form::Moment(..) => Ok(self.cell(at, &mut String::new())?.to_value()),
        }
    }
}

/// A map's key as a JSON object's name.
fn name(key: &Value) -> String {
    key.scalar_text().unwrap_or_else(|| coho_core::json::write(key))
}

fn float(number: f64) -> Result<Cell<'static>, Wrong> {
    let what = if number.is_nan() { "NaN" } else { "an infinity" };
    Float::new(number).map(Cell::Float).ok_or(what)
}

/// PostgreSQL's numbers have values that are none.
fn number<'a>(text: &str, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    let decimal = Decimal::parse(text).ok_or("NaN, an infinity, or a number of more than 1,000 digits")?;
    decimal.as_str().clone_into(scratch);
    Ok(Cell::Decimal(scratch))
}

fn moment(micros: Option<i64>, zone: Zone) -> Result<Cell<'static>, Wrong> {
    let micros =
        micros.filter(|micros| in_calendar(*micros)).ok_or("a moment outside the years 1 to 9999")?;
    Ok(match zone {
        Zone::Utc => Cell::Timestamp(micros),
        Zone::None => Cell::LocalTimestamp(micros),
    })
}

fn json<'a>(text: &str, scratch: &'a mut String) -> Result<Cell<'a>, Wrong> {
    let value = coho_core::json::parse_strict(text).map_err(|error| match error {
        JsonError::Doubled(_) => "a JSON object with one name twice",
        JsonError::Syntax(_) | JsonError::Number(_) => {
            "text that is not JSON, is nested too deep, or has a number beyond 1,000 digits"
        }
    })?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    *scratch = coho_core::json::write(&value);
    Ok(Cell::Json(scratch))
}

/// Single values.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other types are not of this kind")]
fn single(array: &dyn Array) -> Option<Form<'_>> {
    match array.data_type() {
        DataType::Null => Some(Form::Null),
        DataType::Boolean => {
            let array = array.as_boolean_opt()?;
            Some(Form::Bool(Box::new(move |at| array.value(at))))
        }
        DataType::Int8 => whole::<Int8Type>(array),
        DataType::Int16 => whole::<Int16Type>(array),
        DataType::Int32 => whole::<Int32Type>(array),
        DataType::Int64 => whole::<Int64Type>(array),
        DataType::UInt8 => whole::<UInt8Type>(array),
        DataType::UInt16 => whole::<UInt16Type>(array),
        DataType::UInt32 => whole::<UInt32Type>(array),
        // The shortest text of the bits: 0.1 stays 0.1, where widening gives 0.10000000149011612.
        DataType::Float16 => {
            primitive::<Float16Type, _>(array, |number| number.to_string().parse().unwrap_or(f64::NAN))
                .map(Form::Float)
        }
        DataType::Float32 => {
            primitive::<Float32Type, _>(array, |number| number.to_string().parse().unwrap_or(f64::NAN))
                .map(Form::Float)
        }
        DataType::Float64 => primitive::<Float64Type, _>(array, |number| number).map(Form::Float),
        DataType::UInt64 => primitive::<UInt64Type, _>(array, |number| number.to_string()).map(Form::Digits),
        DataType::Decimal32(_, scale) => decimal::<Decimal32Type, 4>(array, *scale, i32::to_be_bytes),
        DataType::Decimal64(_, scale) => decimal::<Decimal64Type, 8>(array, *scale, i64::to_be_bytes),
        DataType::Decimal128(_, scale) => decimal::<Decimal128Type, 16>(array, *scale, i128::to_be_bytes),
        DataType::Decimal256(_, scale) => decimal::<Decimal256Type, 32>(
            array,
            *scale,
            <Decimal256Type as ArrowPrimitiveType>::Native::to_be_bytes,
        ),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => texts(array).map(Form::Text),
        DataType::Date32 => primitive::<Date32Type, _>(array, Some).map(Form::Date),
        DataType::Date64 => primitive::<Date64Type, _>(array, |millis| {
            (millis % MILLIS_A_DAY == 0).then(|| i32::try_from(millis / MILLIS_A_DAY).unwrap_or(i32::MAX))
        })
        .map(Form::Date),
        DataType::Timestamp(unit, zone) => {
            let zone = if zone.is_some() { Zone::Utc } else { Zone::None };
            moments(array, *unit).map(|get| Form::Moment(get, zone))
        }
        _ => None,
    }
}

fn primitive<'a, T: ArrowPrimitiveType, R: 'a>(
    array: &'a dyn Array,
    convert: impl Fn(T::Native) -> R + 'a,
) -> Option<Get<'a, R>> {
    let array = array.as_primitive_opt::<T>()?;
    Some(Box::new(move |at| convert(array.value(at))))
}

fn whole<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<Form<'_>>
where
    T::Native: Into<i64>,
{
    primitive::<T, _>(array, Into::into).map(Form::Int)
}

fn decimal<'a, T: ArrowPrimitiveType, const N: usize>(
    array: &'a dyn Array,
    scale: i8,
    bytes: impl Fn(T::Native) -> [u8; N] + 'a,
) -> Option<Form<'a>> {
    let get = primitive::<T, _>(array, move |number| {
        let mut digits = String::new();
        digits::write(&bytes(number), usize::try_from(scale).unwrap_or(0), &mut digits);
        if scale < 0 && digits != "0" {
            digits.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
        }
        digits
    });
    get.map(Form::Digits)
}

/// DuckDB's largest whole numbers.
fn huge(array: &dyn Array, has_sign: bool) -> Option<Get<'_, String>> {
    let array = array.as_fixed_size_binary_opt().filter(|array| array.value_length() == 16)?;
    let bits = move |at: usize| array.value(at).try_into().map_or(0, u128::from_le_bytes);
    Some(if has_sign {
        Box::new(move |at| bits(at).cast_signed().to_string())
    } else {
        Box::new(move |at| bits(at).to_string())
    })
}

/// The bytes of texts. What a driver calls text need not be UTF-8: nobody has looked at it before.
fn texts(array: &dyn Array) -> Option<Get<'_, &[u8]>> {
    if let Some(array) = array.as_string_opt::<i32>() {
        return Some(bytes_of(array));
    }
    if let Some(array) = array.as_string_opt::<i64>() {
        return Some(bytes_of(array));
    }
    let array = array.as_string_view_opt()?;
    Some(Box::new(move |at| array.value(at).as_bytes()))
}

fn bytes_of<O: OffsetSizeTrait>(array: &GenericStringArray<O>) -> Get<'_, &[u8]> {
    let (bytes, offsets) = (array.value_data(), array.value_offsets());
    Box::new(move |at| bytes.get(between(offsets, at)).unwrap_or_default())
}

fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes).map_err(|_| NOT_UTF_8)
}

/// What is finer than a cell's microseconds is cut off, as in files: Vitally takes milliseconds.
fn moments(array: &dyn Array, unit: TimeUnit) -> Option<Get<'_, Option<i64>>> {
    match unit {
        TimeUnit::Second => {
            primitive::<TimestampSecondType, _>(array, |moment| moment.checked_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            primitive::<TimestampMillisecondType, _>(array, |moment| moment.checked_mul(1_000))
        }
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType, _>(array, Some),
        TimeUnit::Nanosecond => {
            primitive::<TimestampNanosecondType, _>(array, |moment| Some(moment.div_euclid(1_000)))
        }
    }
}

/// Values that have others in them, or that are elsewhere.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other types are not of this kind")]
fn nested(array: &dyn Array) -> Option<Form<'_>> {
    match array.data_type() {
        DataType::List(field) => list::<i32>(array, field),
        DataType::LargeList(field) => list::<i64>(array, field),
        DataType::ListView(field) => list_view::<i32>(array, field),
        DataType::LargeListView(field) => list_view::<i64>(array, field),
        DataType::FixedSizeList(field, _) => {
            let array = array.as_fixed_size_list_opt()?;
            let items = Column::of(array.values(), field)?;
            let length = place(array.value_length());
            let get = move |at| from(place(array.value_offset_at(at)), length);
            Some(Form::List(Box::new(get), Box::new(items)))
        }
        DataType::Struct(fields) => {
            let array = array.as_struct_opt()?;
            let member =
                |(at, field): (usize, &'_ std::sync::Arc<Field>)| Column::of(array.column(at), field);
            let columns = fields.iter().enumerate().map(member).collect::<Option<Vec<_>>>()?;
            Some(Form::Structure(fields.iter().map(|field| field.name().as_str()).zip(columns).collect()))
        }
        DataType::Map(entries, _) => {
            let array = array.as_map_opt()?;
            let DataType::Struct(pair) = entries.data_type() else { return None };
            let keys = Column::of(array.keys(), pair.first()?)?;
            let values = Column::of(array.values(), pair.get(1)?)?;
            let offsets = array.value_offsets();
            Some(Form::Map(Box::new(move |at| between(offsets, at)), Box::new(keys), Box::new(values)))
        }
        DataType::Dictionary(key, _) => dictionary(array, key),
        DataType::RunEndEncoded(ends, values) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, values),
            DataType::Int32 => runs::<Int32Type>(array, values),
            DataType::Int64 => runs::<Int64Type>(array, values),
            _ => None,
        },
        _ => None,
    }
}

fn place<T: TryInto<usize>>(offset: T) -> usize {
    offset.try_into().unwrap_or(0)
}

fn from(start: usize, length: usize) -> Range<usize> {
    start..start + length
}

fn between<O: OffsetSizeTrait>(offsets: &[O], at: usize) -> Range<usize> {
    match offsets.get(at..at + 2) {
        Some([start, end]) => start.as_usize()..end.as_usize(),
        Some(_) | None => 0..0,
    }
}

fn list<'a, O: OffsetSizeTrait>(array: &'a dyn Array, field: &Field) -> Option<Form<'a>> {
    let array: &GenericListArray<O> = array.as_list_opt()?;
    let items = Column::of(array.values(), field)?;
    let offsets = array.value_offsets();
    Some(Form::List(Box::new(move |at| between(offsets, at)), Box::new(items)))
}

fn list_view<'a, O: OffsetSizeTrait>(array: &'a dyn Array, field: &Field) -> Option<Form<'a>> {
    let array: &GenericListViewArray<O> = array.as_any().downcast_ref()?;
    let items = Column::of(array.values(), field)?;
    let get = move |at| from(array.value_offset(at).as_usize(), array.value_size(at).as_usize());
    Some(Form::List(Box::new(get), Box::new(items)))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other types are not of this kind")]
fn dictionary<'a>(array: &'a dyn Array, key: &DataType) -> Option<Form<'a>> {
    match key {
        DataType::Int8 => keyed::<Int8Type>(array),
        DataType::Int16 => keyed::<Int16Type>(array),
        DataType::Int32 => keyed::<Int32Type>(array),
        DataType::Int64 => keyed::<Int64Type>(array),
        DataType::UInt8 => keyed::<UInt8Type>(array),
        DataType::UInt16 => keyed::<UInt16Type>(array),
        DataType::UInt32 => keyed::<UInt32Type>(array),
        DataType::UInt64 => keyed::<UInt64Type>(array),
        _ => None,
    }
}

fn keyed<K: ArrowDictionaryKeyType>(array: &dyn Array) -> Option<Form<'_>> {
    let array = array.as_dictionary_opt::<K>()?;
    let values = array.values().as_ref();
    let form = single(values).or_else(|| nested(values))?;
    let get = move |at| array.key(at);
    Some(Form::Elsewhere(Box::new(get), Box::new(Column { array: values, form })))
}

fn runs<'a, R: RunEndIndexType>(array: &'a dyn Array, field: &Field) -> Option<Form<'a>> {
    let array: &RunArray<R> = array.as_any().downcast_ref()?;
    let values = Column::of(array.values(), field)?;
    let get = move |at| Some(array.get_physical_index(at));
    Some(Form::Elsewhere(Box::new(get), Box::new(values)))
}
