//! Which of PostgreSQL's types are read, as what, and which cast makes the others safe.

use coho_core::row::ColumnType;
use tokio_postgres::types::{self, Type};

use crate::table::identifier;

/// How a cell's bytes are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Uuid,
    Timestamp,
    LocalTimestamp,
    Date,
    Json,
    Jsonb,
    /// One dimension of elements of one kind.
    Array(Box<Kind>),
}

/// What to write in the model's SQL in place of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// `c::text AS c`
    Text,
    /// `c::text[] AS c`
    TextArray,
    /// `c::numeric AS c`
    Numeric,
    /// `encode(c, 'base64') AS c`
    Base64,
    /// `to_jsonb(c) AS c`
    Json,
    /// `hstore_to_jsonb(c) AS c`
    Hstore,
    /// `extract(epoch FROM c) AS c`
    Seconds,
    /// `nullif(c, 'NaN') AS c`
    NotNan,
    /// `CASE WHEN abs(c) < 'Infinity' THEN c END AS c`; there, NaN is larger than every number.
    FiniteNumber,
    /// `CASE WHEN isfinite(c) THEN c END AS c`
    Finite,
    /// `CASE WHEN c BETWEEN '0001-01-01' AND '9999-12-31' THEN c END AS c`
    InCalendar,
}

impl Cast {
    /// The SQL for a column.
    pub(super) fn sql(self, column: &str) -> String {
        let c = identifier(column);
        match self {
            Self::Text => format!("{c}::text AS {c}"),
            Self::TextArray => format!("{c}::text[] AS {c}"),
            Self::Numeric => format!("{c}::numeric AS {c}"),
            Self::Base64 => format!("encode({c}, 'base64') AS {c}"),
            Self::Json => format!("to_jsonb({c}) AS {c}"),
            Self::Hstore => format!("hstore_to_jsonb({c}) AS {c}"),
            Self::Seconds => format!("extract(epoch FROM {c}) AS {c}"),
            Self::NotNan => format!("nullif({c}, 'NaN') AS {c}"),
            Self::FiniteNumber => format!("CASE WHEN abs({c}) < 'Infinity' THEN {c} END AS {c}"),
            Self::Finite => format!("CASE WHEN isfinite({c}) THEN {c} END AS {c}"),
            Self::InCalendar => {
                format!("CASE WHEN {c} BETWEEN '0001-01-01' AND '9999-12-31' THEN {c} END AS {c}")
            }
        }
    }
}

impl Kind {
    /// The kind of a type, or the cast that makes it safe.
    pub(super) fn of(kind: &Type) -> Result<Self, Cast> {
        match kind.kind() {
            types::Kind::Simple => Self::simple(kind),
            types::Kind::Enum(_) => Ok(Self::Text),
            types::Kind::Domain(inner) => Self::of(inner),
            types::Kind::Array(element) => Self::array(element),
            types::Kind::Composite(_) => Err(Cast::Json),
            // What later versions bring is no safer than these.
            types::Kind::Pseudo | types::Kind::Range(_) | types::Kind::Multirange(_) | _ => Err(Cast::Text),
        }
    }

    fn array(element: &Type) -> Result<Self, Cast> {
        match Self::of(element) {
            // A list of lists has no fixed depth in PostgreSQL, but no array type's element is an array.
            Ok(Self::Array(_)) | Err(Cast::Json) => Err(Cast::Json),
            Ok(kind) => Ok(Self::Array(Box::new(kind))),
            Err(_) => Err(Cast::TextArray),
        }
    }

    fn simple(kind: &Type) -> Result<Self, Cast> {
        Ok(match *kind {
            Type::BOOL => Self::Bool,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Self::Text,
            Type::UUID => Self::Uuid,
            Type::TIMESTAMPTZ => Self::Timestamp,
            Type::TIMESTAMP => Self::LocalTimestamp,
            Type::DATE => Self::Date,
            Type::JSON => Self::Json,
            Type::JSONB => Self::Jsonb,
            Type::BYTEA => return Err(Cast::Base64),
            Type::MONEY => return Err(Cast::Numeric),
            Type::INTERVAL => return Err(Cast::Seconds),
            // Extensions' types have no fixed number, only a name.
            _ if kind.name() == "citext" => Self::Text,
            _ if kind.name() == "hstore" => return Err(Cast::Hstore),
            _ => return Err(Cast::Text),
        })
    }

    /// The type that Coho declares for such a column.
    pub(super) fn column(&self) -> ColumnType {
        match self {
            Self::Bool => ColumnType::Bool,
            Self::Int2 | Self::Int4 | Self::Int8 => ColumnType::Int,
            Self::Float4 | Self::Float8 => ColumnType::Float,
            Self::Numeric => ColumnType::Decimal,
            Self::Text | Self::Uuid => ColumnType::Text,
            Self::Timestamp => ColumnType::Timestamp,
            Self::LocalTimestamp => ColumnType::LocalTimestamp,
            Self::Date => ColumnType::Date,
            Self::Json | Self::Jsonb | Self::Array(_) => ColumnType::Json,
        }
    }
}

/// A type's name as a person writes it: `bytea`, `inet[]`.
pub(super) fn name(kind: &Type) -> String {
    if let types::Kind::Array(element) = kind.kind() {
        format!("{}[]", name(element))
    } else {
        kind.name().to_owned()
    }
}
