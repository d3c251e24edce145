//! Which of MySQL's types are read, as what, and which cast makes the others safe.
//!
//! MariaDB has no type for JSON: its `JSON` columns are text, and so are they here.

use coho_core::row::ColumnType;
use mysql_async::Column;
use mysql_async::consts::{self, ColumnFlags};

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

/// How a cell's value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `TINYINT(1)`, which is what MySQL makes of `BOOLEAN`.
    Bool,
    /// `BIT(1)`
    Bit,
    Int,
    Float,
    Decimal,
    Text,
    Timestamp,
    LocalTimestamp,
    Date,
    Json,
}

/// What to write in the model's SQL in place of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// `CAST(c AS CHAR) AS c`
    Text,
    /// `HEX(c) AS c`
    Hex,
    /// `c + 0 AS c`
    Number,
    /// `CAST(c AS DECIMAL(20)) AS c`
    Decimal,
    /// `ST_AsText(c) AS c`
    Shape,
    /// `VECTOR_TO_STRING(c) AS c`
    Vector,
    /// `CASE WHEN YEAR(c) > 0 AND MONTH(c) > 0 AND DAY(c) > 0 THEN c END AS c`
    WholeDate,
}

impl Cast {
    /// The SQL for a column.
    pub(super) fn sql(self, column: &str) -> String {
        let c = identifier(column);
        match self {
            Self::Text => format!("CAST({c} AS CHAR) AS {c}"),
            Self::Hex => format!("HEX({c}) AS {c}"),
            Self::Number => format!("{c} + 0 AS {c}"),
            Self::Decimal => format!("CAST({c} AS DECIMAL(20)) AS {c}"),
            Self::Shape => format!("ST_AsText({c}) AS {c}"),
            Self::Vector => format!("VECTOR_TO_STRING({c}) AS {c}"),
            Self::WholeDate => {
                format!("CASE WHEN YEAR({c}) > 0 AND MONTH({c}) > 0 AND DAY({c}) > 0 THEN {c} END AS {c}")
            }
        }
    }
}

impl Kind {
    /// The kind of a column, or the cast that makes it safe.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other types are text, or bytes")]
    pub(super) fn of(column: &Column) -> Result<Self, Cast> {
        Ok(match column.column_type() {
            consts::ColumnType::MYSQL_TYPE_TINY if column.column_length() == 1 => Self::Bool,
            consts::ColumnType::MYSQL_TYPE_TINY
            | consts::ColumnType::MYSQL_TYPE_SHORT
            | consts::ColumnType::MYSQL_TYPE_INT24
            | consts::ColumnType::MYSQL_TYPE_LONG
            | consts::ColumnType::MYSQL_TYPE_LONGLONG
            | consts::ColumnType::MYSQL_TYPE_YEAR => Self::Int,
            consts::ColumnType::MYSQL_TYPE_FLOAT | consts::ColumnType::MYSQL_TYPE_DOUBLE => Self::Float,
            consts::ColumnType::MYSQL_TYPE_DECIMAL | consts::ColumnType::MYSQL_TYPE_NEWDECIMAL => {
                Self::Decimal
            }
            consts::ColumnType::MYSQL_TYPE_BIT if column.column_length() == 1 => Self::Bit,
            consts::ColumnType::MYSQL_TYPE_BIT => return Err(Cast::Number),
            consts::ColumnType::MYSQL_TYPE_TIMESTAMP | consts::ColumnType::MYSQL_TYPE_TIMESTAMP2 => {
                Self::Timestamp
            }
            consts::ColumnType::MYSQL_TYPE_DATETIME | consts::ColumnType::MYSQL_TYPE_DATETIME2 => {
                Self::LocalTimestamp
            }
            consts::ColumnType::MYSQL_TYPE_DATE | consts::ColumnType::MYSQL_TYPE_NEWDATE => Self::Date,
            consts::ColumnType::MYSQL_TYPE_JSON => Self::Json,
            // A column of nothing but nulls.
            consts::ColumnType::MYSQL_TYPE_NULL => Self::Text,
            consts::ColumnType::MYSQL_TYPE_GEOMETRY => return Err(Cast::Shape),
            consts::ColumnType::MYSQL_TYPE_VECTOR => return Err(Cast::Vector),
            consts::ColumnType::MYSQL_TYPE_TIME
            | consts::ColumnType::MYSQL_TYPE_TIME2
            | consts::ColumnType::MYSQL_TYPE_TYPED_ARRAY
            | consts::ColumnType::MYSQL_TYPE_UNKNOWN => return Err(Cast::Text),
            _ if is_binary(column) => return Err(Cast::Hex),
            _ => Self::Text,
        })
    }

    /// Its name, as a person writes the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Bit => "bit(1)",
            Self::Int => "int",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "datetime",
            Self::Date => "date",
            Self::Json => "json",
        }
    }

    /// The type that Coho declares for such a column.
    pub(super) fn column(self) -> ColumnType {
        match self {
            Self::Bool | Self::Bit => ColumnType::Bool,
            Self::Int => ColumnType::Int,
            Self::Float => ColumnType::Float,
            Self::Decimal => ColumnType::Decimal,
            Self::Text => ColumnType::Text,
            Self::Timestamp => ColumnType::Timestamp,
            Self::LocalTimestamp => ColumnType::LocalTimestamp,
            Self::Date => ColumnType::Date,
            Self::Json => ColumnType::Json,
        }
    }
}

/// Whether text is bytes. The names of an `ENUM` or a `SET` are text, whatever their character set.
fn is_binary(column: &Column) -> bool {
    let has_names = column.flags().intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG);
    column.character_set() == BINARY && !has_names
}

/// The name of a type that is not read, as a person writes it.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other types are read, or are no column's")]
pub(super) fn name(column: &Column) -> &'static str {
    match column.column_type() {
        consts::ColumnType::MYSQL_TYPE_BIT => "bit",
        consts::ColumnType::MYSQL_TYPE_TIME | consts::ColumnType::MYSQL_TYPE_TIME2 => "time",
        consts::ColumnType::MYSQL_TYPE_GEOMETRY => "geometry",
        consts::ColumnType::MYSQL_TYPE_VECTOR => "vector",
        consts::ColumnType::MYSQL_TYPE_STRING => "binary",
        consts::ColumnType::MYSQL_TYPE_VARCHAR | consts::ColumnType::MYSQL_TYPE_VAR_STRING => "varbinary",
        consts::ColumnType::MYSQL_TYPE_TINY_BLOB
        | consts::ColumnType::MYSQL_TYPE_BLOB
        | consts::ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | consts::ColumnType::MYSQL_TYPE_LONG_BLOB => "blob",
        _ => "unknown",
    }
}

/// An identifier that stands for exactly this name, in every mode of the server.
pub(super) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// An identifier as a person would write it: quoted only where it must be.
fn identifier(name: &str) -> String {
    let start = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if start && plain { name.to_owned() } else { quote(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(wire: consts::ColumnType, character_set: u16) -> Result<Kind, Cast> {
        Kind::of(&Column::new(wire).with_character_set(character_set).with_column_length(20))
    }

    /// MariaDB, which the other tests read, has neither of these types.
    #[test]
    fn types_of_mysql_alone_are_known() {
        assert_eq!(kind(consts::ColumnType::MYSQL_TYPE_JSON, BINARY), Ok(Kind::Json));
        assert_eq!(kind(consts::ColumnType::MYSQL_TYPE_VECTOR, BINARY), Err(Cast::Vector));
        assert_eq!(kind(consts::ColumnType::MYSQL_TYPE_TYPED_ARRAY, BINARY), Err(Cast::Text));
    }

    #[test]
    fn a_column_is_quoted_where_it_must_be() {
        assert_eq!(Cast::Hex.sql("Photo"), "HEX(Photo) AS Photo");
        assert_eq!(Cast::Number.sql("odd `name`"), "`odd ``name``` + 0 AS `odd ``name```");
    }
}
