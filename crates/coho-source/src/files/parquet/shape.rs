//! What a Parquet column's schema means: the type of its cells, or the nested values that become JSON.
//!
//! The rules for lists and maps, old forms included, are those of the record reader in `parquet` and of the format's
//! LogicalTypes.md (<https://github.com/apache/parquet-format>, read 2026-11-24).

use ::parquet::basic::{self, ConvertedType, LogicalType, Repetition, TimeUnit};
use ::parquet::schema::types::Type;
use coho_core::row::ColumnType;

/// What a column or a part of one holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Single values.
    Leaf(Leaf),
    /// Named members.
    Group(Vec<Shape>),
    /// A list.
    List(Box<Shape>),
    /// Keys with values.
    Map(Box<Shape>, Box<Shape>),
}

/// Single values of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The type of the cells.
    pub(super) kind: ColumnType,
    /// What the reader's own value does not say.
    pub(super) form: Form,
}

/// What a value of the record reader means where that is not plain from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It is plain.
    Plain,
    /// A whole number is a moment in nanoseconds.
    Nanos,
    /// Sixteen bytes are a UUID.
    Uuid,
}

/// A type that has no form that keeps its values.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The type, as Parquet's tools name it.
    pub(super) kind: String,
    /// As what it can be written.
    pub(super) remedy: &'static str,
}

impl Shape {
    /// The shape of a field.
    pub(super) fn of(field: &Type) -> Result<Self, Refusal> {
        let element = if field.is_primitive() { Self::leaf(field)? } else { Self::group(field)? };
        let repeated = field.get_basic_info().has_repetition()
            && field.get_basic_info().repetition() == Repetition::REPEATED;
        Ok(if repeated { Self::List(Box::new(element)) } else { element })
    }

    fn group(field: &Type) -> Result<Self, Refusal> {
        let converted = field.get_basic_info().converted_type();
        let inner = field.get_fields().first();
        match (converted, inner) {
            (ConvertedType::LIST, Some(repeated)) => Ok(Self::List(Box::new(Self::element(repeated)?))),
            (ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE, Some(pair)) if pair.is_group() => {
                match pair.get_fields() {
                    [key, value] => Ok(Self::Map(Box::new(Self::of(key)?), Box::new(Self::of(value)?))),
                    [key] => Ok(Self::List(Box::new(Self::of(key)?))),
                    _ => Err(refuse("a map with an unusual layout")),
                }
            }
            _ if field.get_basic_info().logical_type_ref().is_some_and(is_foreign) => {
                Err(refuse("a variant or geometry"))
            }
            _ => Ok(Self::Group(
                field.get_fields().iter().map(|member| Self::of(member)).collect::<Result<_, _>>()?,
            )),
        }
    }

    /// The element of a list, whose repeated field is either the element itself or a group around it.
    fn element(repeated: &Type) -> Result<Self, Refusal> {
        if repeated.is_primitive() {
            return Self::leaf(repeated);
        }
        let members = repeated.get_fields();
        let wraps = match members {
            [only] => {
                let list = repeated.get_basic_info().converted_type() == ConvertedType::LIST;
                let named = repeated.name() == "array" || repeated.name().ends_with("_tuple");
                let inner = only.get_basic_info().has_repetition()
                    && only.get_basic_info().repetition() == Repetition::REPEATED;
                list || inner || !named
            }
            _ => false,
        };
        match members.first() {
            Some(only) if wraps => Self::of(only),
            _ => Self::group(repeated),
        }
    }

    fn leaf(field: &Type) -> Result<Self, Refusal> {
        let logical = field.get_basic_info().logical_type_ref();
        let converted = field.get_basic_info().converted_type();
        let plain = |kind| Ok(Self::Leaf(Leaf { kind, form: Form::Plain }));
        match (logical, converted, field.get_physical_type()) {
            (Some(LogicalType::Timestamp(moment)), _, basic::Type::INT64) => {
                let kind = if moment.is_adjusted_to_u_t_c {
                    ColumnType::Timestamp
                } else {
                    ColumnType::LocalTimestamp
                };
                let form = if moment.unit == TimeUnit::NANOS { Form::Nanos } else { Form::Plain };
                Ok(Self::Leaf(Leaf { kind, form }))
            }
            (Some(LogicalType::Uuid), _, basic::Type::FIXED_LEN_BYTE_ARRAY) => {
                Ok(Self::Leaf(Leaf { kind: ColumnType::Text, form: Form::Uuid }))
            }
            (Some(LogicalType::Float16), ..) => plain(ColumnType::Float),
            (Some(LogicalType::Unknown), ..) => plain(ColumnType::Mixed),
            (Some(LogicalType::Time(_)), ..) => Err(refuse_time()),
            (Some(logical), ..) if is_foreign(logical) => Err(refuse(&format!("{logical:?}").to_lowercase())),
            (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS, basic::Type::INT64) => {
                plain(ColumnType::Timestamp)
            }
            (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS, _) => Err(refuse_time()),
            (_, ConvertedType::DECIMAL, physical) if is_decimal(field, physical) => {
                plain(ColumnType::Decimal)
            }
            (_, ConvertedType::DATE, basic::Type::INT32) => plain(ColumnType::Date),
            (_, ConvertedType::UTF8 | ConvertedType::ENUM, basic::Type::BYTE_ARRAY) => {
                plain(ColumnType::Text)
            }
            (_, ConvertedType::JSON, basic::Type::BYTE_ARRAY) => plain(ColumnType::Json),
            (_, ConvertedType::UINT_64, basic::Type::INT64) => plain(ColumnType::Decimal),
            (_, converted, physical) => Self::number(converted, physical),
        }
    }

    fn number(converted: ConvertedType, physical: basic::Type) -> Result<Self, Refusal> {
        let small = matches!(
            converted,
            ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
        );
        let none = converted == ConvertedType::NONE;
        let kind = match physical {
            basic::Type::BOOLEAN if none => ColumnType::Bool,
            basic::Type::INT32 if small => ColumnType::Int,
            basic::Type::INT64 if none || converted == ConvertedType::INT_64 => ColumnType::Int,
            basic::Type::INT96 if none => ColumnType::Timestamp,
            basic::Type::FLOAT | basic::Type::DOUBLE if none => ColumnType::Float,
            basic::Type::BOOLEAN
            | basic::Type::INT32
            | basic::Type::INT64
            | basic::Type::INT96
            | basic::Type::FLOAT
            | basic::Type::DOUBLE
            | basic::Type::BYTE_ARRAY
            | basic::Type::FIXED_LEN_BYTE_ARRAY => {
                let suffix = if none { String::new() } else { format!(" ({converted})") };
                return Err(refuse(&format!("{physical}{suffix}")));
            }
        };
        Ok(Self::Leaf(Leaf { kind, form: Form::Plain }))
    }

    /// Whether the column's type is that of nothing but nulls.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Leaf(Leaf { kind: ColumnType::Mixed, .. }))
    }

    /// The type that Coho declares for such a column.
    pub(super) fn column(&self) -> ColumnType {
        match self {
            Self::Leaf(leaf) => leaf.kind,
            Self::Group(_) | Self::List(_) | Self::Map(..) => ColumnType::Json,
        }
    }
}

fn is_decimal(field: &Type, physical: basic::Type) -> bool {
    let whole = matches!(
        physical,
        basic::Type::INT32 | basic::Type::INT64 | basic::Type::BYTE_ARRAY | basic::Type::FIXED_LEN_BYTE_ARRAY
    );
    whole && (0..=1_000).contains(&field.get_scale())
}

/// Types that neither the record reader nor JSON has a form for.
fn is_foreign(logical: &LogicalType) -> bool {
    match logical {
        LogicalType::Bson
        | LogicalType::Variant(_)
        | LogicalType::Geometry(_)
        | LogicalType::Geography(_)
        | LogicalType::File
        | LogicalType::_Unknown { .. } => true,
        LogicalType::String
        | LogicalType::Map
        | LogicalType::List
        | LogicalType::Enum
        | LogicalType::Decimal(_)
        | LogicalType::Date
        | LogicalType::Time(_)
        | LogicalType::Timestamp(_)
        | LogicalType::Integer(_)
        | LogicalType::Unknown
        | LogicalType::Json
        | LogicalType::Uuid
        | LogicalType::Float16 => false,
    }
}

fn refuse(kind: &str) -> Refusal {
    Refusal { kind: kind.to_owned(), remedy: "text" }
}

fn refuse_time() -> Refusal {
    Refusal { kind: "time".to_owned(), remedy: "text" }
}
