//! Which of Arrow's types are read, as what, and which cast makes the others safe. [`super::cells`] reads them.

use arrow_schema::{DataType, Field};
use coho_core::json::parse_strict;
use coho_core::row::ColumnType;
use coho_core::value::Value;

use crate::adbc::engine::Engine;
use crate::adbc::frame::{self, Refusal};

/// What a field's metadata calls its type, where that is more than Arrow's own.
const EXTENSION: &str = "ARROW:extension:name";
/// What is said of that type.
const METADATA: &str = "ARROW:extension:metadata";

/// How the name begins that BigQuery gives its own types.
const BIGQUERY: &str = "google:sqlType:";
/// Where Snowflake's driver says what a column is: these are JSON, as text.
const SNOWFLAKE: &str = "logicalType";
/// Where PostgreSQL's driver does; of an array, the name of its elements' type behind `_`.
const POSTGRESQL: &str = "POSTGRESQL:type";

/// A type that has no form: its name, and what makes it text.
struct NoForm {
    name: String,
    cast: Cast,
}

/// What makes a value text.
#[derive(Clone, Copy)]
enum Cast {
    Text,
    Bytes,
    Nested,
}

impl NoForm {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), cast: Cast::Text }
    }
}

/// A field as a column of rows.
pub(super) fn column(field: &Field, engine: Engine) -> frame::Field {
    let name = field.name().clone();
    let kind = kind(field).map_err(|refused| {
        let cast = match refused.cast {
            Cast::Text => engine.text(&name),
            Cast::Bytes => engine.encoded(&name),
            Cast::Nested => engine.written(&name),
        };
        Refusal { kind: refused.name, cast }
    });
    let is_whole = is_whole(field);
    frame::Field { name, kind, signature: signature(field), is_whole }
}

/// Whether all values of a field are whole numbers.
fn is_whole(field: &Field) -> bool {
    match Extension::of(field) {
        Extension::Huge { .. } => true,
        Extension::None => is_whole_number(field.data_type()),
        Extension::Json
        | Extension::Uuid
        | Extension::Bool
        | Extension::Digits
        | Extension::Foreign(_)
        | Extension::Unsafe(_) => false,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other types are not of numbers, or have decimals")]
fn is_whole_number(data: &DataType) -> bool {
    match data {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale == 0,
        other => other.is_integer(),
    }
}

/// All that decides what values of a field are, always in the same words: metadata has no order.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other types have nothing in them")]
fn signature(field: &Field) -> String {
    let extension = Extension::of(field);
    let of_all = |fields: &arrow_schema::Fields| {
        let members = fields.iter().map(|field| format!("{:?}: {}", field.name(), signature(field)));
        members.collect::<Vec<_>>().join(", ")
    };
    let data = field.data_type();
    let words = match data {
        DataType::List(inner)
        | DataType::LargeList(inner)
        | DataType::ListView(inner)
        | DataType::LargeListView(inner)
        | DataType::RunEndEncoded(_, inner) => format!("[{}]", signature(inner)),
        DataType::FixedSizeList(inner, length) => format!("[{}; {length}]", signature(inner)),
        DataType::Struct(members) => format!("{{{}}}", of_all(members)),
        DataType::Map(entries, _) => format!("map {}", signature(entries)),
        // The zone is that of the session, and changes no moment.
        DataType::Timestamp(unit, zone) => format!("Timestamp {unit:?} {}", zone.is_some()),
        _ => format!("{data:?}"),
    };
    format!("{words} {extension:?}")
}

/// What the type of a field adds to Arrow's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    None,
    Json,
    Uuid,
    /// True or false, in a byte.
    Bool,
    /// A number, spelled out.
    Digits,
    /// A whole number of 128 bits, its lowest byte first, with a sign or without.
    Huge {
        has_sign: bool,
    },
    /// Another one, by its name in the engine; text is taken as it is.
    Foreign(String),
    /// One that Arrow's type does not tell, by its name in the engine.
    Unsafe(String),
}

impl Extension {
    pub(super) fn of(field: &Field) -> Self {
        let metadata = field.metadata();
        match metadata.get(EXTENSION).map(String::as_str) {
            Some("arrow.json" | "google:sqlType:json") => Self::Json,
            // A moment without a zone, as Arrow's type says too.
            Some("google:sqlType:datetime") => Self::None,
            Some("arrow.uuid") => Self::Uuid,
            Some("arrow.bool8") => Self::Bool,
            Some("arrow.opaque") => {
                Self::named(metadata.get(METADATA).and_then(|text| type_name(text)).unwrap_or_default())
            }
            Some(name) => match name.strip_prefix(BIGQUERY) {
                Some(kind) => Self::Foreign(kind.to_ascii_uppercase()),
                None => Self::by_driver(field),
            },
            None => Self::by_driver(field),
        }
    }

    /// By what drivers say in their own way.
    fn by_driver(field: &Field) -> Self {
        match field.metadata().get(SNOWFLAKE).map(String::as_str) {
            Some("VARIANT" | "OBJECT" | "ARRAY") => return Self::Json,
            // Text in a form that the session chooses.
            Some(name @ ("GEOGRAPHY" | "GEOMETRY")) => return Self::Foreign(name.to_owned()),
            Some(_) | None => {}
        }
        // Hundredths, numbers whose sign is wrong from 2^31 on, and what the driver cannot read.
        match field.metadata().get(POSTGRESQL).map(|name| name.trim_start_matches('_')) {
            Some(name @ ("money" | "oid" | "xid" | "xid8" | "cid" | "record")) => {
                Self::Unsafe(name.to_owned())
            }
            Some(name) if name.starts_with("reg") => Self::Unsafe(name.to_owned()),
            Some(_) | None => Self::None,
        }
    }

    /// By the engine's own name of the type.
    fn named(name: String) -> Self {
        match name.as_str() {
            "numeric" => Self::Digits,
            "hugeint" => Self::Huge { has_sign: true },
            "uhugeint" => Self::Huge { has_sign: false },
            _ => Self::Foreign(name),
        }
    }
}

fn type_name(metadata: &str) -> Option<String> {
    let Value::Object(members) = parse_strict(metadata).ok()? else { return None };
    let (_, name) = members.into_iter().find(|(name, _)| name == "type_name")?;
    name.scalar_text()
}

fn kind(field: &Field) -> Result<ColumnType, NoForm> {
    let data = field.data_type();
    match (Extension::of(field), data) {
        (Extension::Json, _) if is_text(data) => Ok(ColumnType::Json),
        (Extension::Digits, _) if is_text(data) => Ok(ColumnType::Decimal),
        (Extension::Uuid, DataType::FixedSizeBinary(16)) => Ok(ColumnType::Text),
        (Extension::Bool, DataType::Int8) => Ok(ColumnType::Bool),
        (Extension::Huge { .. }, DataType::FixedSizeBinary(16)) => Ok(ColumnType::Decimal),
        (Extension::Foreign(name), _) if !is_text(data) => Err(NoForm::new(name)),
        (Extension::Unsafe(name), _) => Err(NoForm::new(name)),
        _ => plain(data),
    }
}

fn is_text(data: &DataType) -> bool {
    matches!(data, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn plain(data: &DataType) -> Result<ColumnType, NoForm> {
    Ok(match data {
        DataType::Null => ColumnType::Mixed,
        DataType::Boolean => ColumnType::Bool,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => ColumnType::Int,
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => ColumnType::Decimal,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => ColumnType::Float,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(_, None) => ColumnType::LocalTimestamp,
        DataType::Timestamp(_, Some(_)) => ColumnType::Timestamp,
        DataType::List(inner)
        | DataType::LargeList(inner)
        | DataType::ListView(inner)
        | DataType::LargeListView(inner)
        | DataType::FixedSizeList(inner, _) => within(kind(inner), "list")?,
        DataType::Struct(members) => structure(members)?,
        DataType::Map(entries, _) => {
            let DataType::Struct(pair) = entries.data_type() else { return Err(NoForm::new("map")) };
            within(structure(pair), "map")?
        }
        DataType::Dictionary(_, values) => plain(values)?,
        DataType::RunEndEncoded(_, values) => kind(values)?,
        DataType::Time32(_) | DataType::Time64(_) => return Err(NoForm::new("time")),
        DataType::Interval(_) => return Err(NoForm::new("interval")),
        DataType::Duration(_) => return Err(NoForm::new("duration")),
        DataType::Union(..) => return Err(NoForm::new("union")),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            return Err(NoForm { name: "binary".to_owned(), cast: Cast::Bytes });
        }
    })
}

/// JSON, unless something within has no form.
fn within(kind: Result<ColumnType, NoForm>, what: &str) -> Result<ColumnType, NoForm> {
    match kind {
        Ok(_) => Ok(ColumnType::Json),
        Err(refused) => Err(NoForm { name: format!("{what} of {}", refused.name), cast: Cast::Nested }),
    }
}

fn structure(members: &arrow_schema::Fields) -> Result<ColumnType, NoForm> {
    for (at, member) in members.iter().enumerate() {
        if members.iter().take(at).any(|earlier| earlier.name() == member.name()) {
            return Err(NoForm::new(format!("structure with two members named `{}`", member.name())));
        }
        within(kind(member), "structure")?;
    }
    Ok(ColumnType::Json)
}
