//! Keys: which row this is.
//!
//! A key is the canonical text of the model's primary key. It never says which record of Vitally a row becomes; that is a
//! [`crate::target::ExternalId`].

use std::fmt;

use crate::row::{Cell, Row};
use crate::value::Value;

/// The longest key, in bytes. Longer ones are no keys that a person could name.
pub const LONGEST_KEY: usize = 1_024;

/// A primary key in its canonical text: `42`, `acme`, `2026-11-24`; of several columns a JSON array of their texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a row has no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A column of the key is null.
    #[error("the primary key column `{column}` is null")]
    Null {
        /// The column.
        column: String,
    },
    /// A column of the key has a type whose text is not stable.
    #[error("the primary key column `{column}` holds a {kind}")]
    Type {
        /// The column.
        column: String,
        /// The kind of value that was found there.
        kind: &'static str,
    },
    /// The key's text is longer than [`LONGEST_KEY`].
    #[error("the primary key is {length} bytes long")]
    Long {
        /// The length in bytes.
        length: usize,
    },
}

impl Key {
    /// A key whose canonical text is known already, as a person types it or the ledger stored it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key of a row: `columns` are the places and names of the model's primary key.
    pub fn of(row: &impl Row, columns: &[(usize, String)]) -> Result<Self, KeyError> {
        let parts = columns
            .iter()
            .map(|(place, name)| part(row.cell(*place), name))
            .collect::<Result<Vec<String>, KeyError>>()?;
        let text = match <[String; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => serde_json::Value::from(parts).to_string(),
        };
        if text.len() > LONGEST_KEY { Err(KeyError::Long { length: text.len() }) } else { Ok(Self(text)) }
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn part(cell: Cell<'_>, column: &str) -> Result<String, KeyError> {
    let wrong = |kind| Err(KeyError::Type { column: column.to_owned(), kind });
    match cell {
        Cell::Null => Err(KeyError::Null { column: column.to_owned() }),
        Cell::Bool(flag) => Ok(flag.to_string()),
        Cell::Int(number) => Ok(number.to_string()),
        Cell::Text(text) => Ok(text.to_owned()),
        Cell::Decimal(_) => {
            let number = cell.to_value().number();
            Ok(number.map(|number| number.normalized().to_owned()).unwrap_or_default())
        }
        Cell::Timestamp(_) | Cell::LocalTimestamp(_) | Cell::Date(_) => Ok(exact_time(cell)),
        Cell::Float(_) => wrong("float"),
        Cell::Json(_) => wrong("json value"),
    }
}

/// A key keeps microseconds, where a value that is sent has milliseconds: two rows must not fall together.
fn exact_time(cell: Cell<'_>) -> String {
    let value = cell.to_value();
    if let Value::Timestamp(moment) = value {
        moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    } else if let Value::LocalTimestamp(moment) = value {
        moment.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    } else {
        value.scalar_text().unwrap_or_default()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::RowBuf;
    use crate::value::Float;

    fn key(cells: &[Cell<'_>]) -> Result<String, KeyError> {
        let row = RowBuf::from_cells(cells.iter().copied());
        let columns: Vec<_> = (0..cells.len()).map(|at| (at, format!("c{at}"))).collect();
        Key::of(&row, &columns).map(|key| key.to_string())
    }

    #[test]
    fn one_column_is_its_text() {
        assert_eq!(key(&[Cell::Int(-7)]), Ok("-7".to_owned()));
        assert_eq!(key(&[Cell::Decimal("1.50")]), Ok("1.5".to_owned()));
        assert_eq!(key(&[Cell::Timestamp(1)]), Ok("1970-01-01T00:00:00.000001Z".to_owned()));
    }

    #[test]
    fn borders_between_columns_count() {
        assert_eq!(key(&[Cell::Text("a\",\"b"), Cell::Text("c")]), Ok(r#"["a\",\"b","c"]"#.to_owned()));
        assert_ne!(key(&[Cell::Text("a,b"), Cell::Text("c")]), key(&[Cell::Text("a"), Cell::Text("b,c")]));
    }

    #[test]
    fn null_and_floats_are_no_keys() {
        assert_eq!(key(&[Cell::Null]), Err(KeyError::Null { column: "c0".to_owned() }));
        let float = Cell::Float(Float::new(1.5).unwrap());
        assert_eq!(key(&[float]), Err(KeyError::Type { column: "c0".to_owned(), kind: "float" }));
    }

    #[test]
    fn an_endless_key_is_refused() {
        assert_eq!(key(&[Cell::Text(&"x".repeat(2_000))]), Err(KeyError::Long { length: 2_000 }));
    }
}
