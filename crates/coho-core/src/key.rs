//! Keys: which row this is.
//!
//! A key is the canonical text of the model's primary key. It never says which record of Vitally a row becomes; that is a
//! [`crate::target::ExternalId`].

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::row::{Cell, Row};
use crate::value::Value;

/// The longest key, in bytes. Longer ones are no keys that a person could name.
pub const LONGEST_KEY: usize = 1_024;

/// A primary key in its canonical text: `42`, `acme`, `2026-11-24`; of several columns a JSON array of their texts.
///
/// A row may become another record. The one that it left goes on under the key's next *departure*: 0 is the row's own record,
/// 1 the first one that it left. Keys are ordered by their text, and those of one text by their departures.
#[derive(Clone, Debug)]
pub struct Key {
    row: String,
    departed: Option<Box<Departed>>,
}

/// What tells a departed key from that of its row.
#[derive(Clone, Debug)]
struct Departed {
    number: u32,
    /// What people read: `acme (was org-2)`. Nothing ever reads it back.
    shown: String,
}

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
        Self { row: text.into(), departed: None }
    }

    /// The key of a record that a row left: of the `number`th, counted from 1; 0 is the row's own. `target` is that record.
    pub fn departed(row: impl Into<String>, number: u32, target: &str) -> Self {
        let row = row.into();
        let departed = (number > 0).then(|| {
            let shown = format!("{row} (was {target})");
            Box::new(Departed { number, shown })
        });
        Self { row, departed }
    }

    /// The key of a row: `columns` are the places and names of the model's primary key.
    pub fn of(row: &impl Row, columns: &[(usize, String)]) -> Result<Self, KeyError> {
        let part = |(place, name): &(usize, String)| part(row.cell(*place), name);
        let text = match columns {
            [only] => part(only)?,
            several => {
                let parts = several.iter().map(part).collect::<Result<Vec<String>, KeyError>>()?;
                serde_json::Value::from(parts).to_string()
            }
        };
        if text.len() > LONGEST_KEY {
            Err(KeyError::Long { length: text.len() })
        } else {
            Ok(Self::new(text))
        }
    }

    /// What people read: the canonical text, and of a record that a row left, which record that is. Two keys may read alike.
    pub fn as_str(&self) -> &str {
        self.departed.as_ref().map_or(&self.row, |departed| &departed.shown)
    }

    /// The canonical text of the row's key.
    pub fn row(&self) -> &str {
        &self.row
    }

    /// Which record that the row left; 0 for the row's own.
    pub fn departure(&self) -> u32 {
        self.departed.as_ref().map_or(0, |departed| departed.number)
    }

    /// Whether it stands for a record that its row left.
    pub fn is_departed(&self) -> bool {
        self.departed.is_some()
    }

    /// The key of the row itself.
    #[must_use]
    pub fn of_row(&self) -> Self {
        Self::new(&self.row)
    }

    fn parts(&self) -> (&str, u32) {
        (&self.row, self.departure())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
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
        f.write_str(self.as_str())
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
    fn a_departed_key_reads_like_a_row_and_is_none() {
        let departed = Key::departed("acme", 1, "foo");
        assert_eq!(departed.as_str(), "acme (was foo)");
        assert_ne!(departed, Key::new("acme (was foo)"));
        assert_eq!((departed.row(), departed.departure()), ("acme", 1));
        assert_eq!(departed.of_row(), Key::new("acme"));
        assert_eq!(Key::departed("acme", 0, "foo"), Key::new("acme"));
        assert!(Key::new("acme") < departed && departed < Key::departed("acme", 2, "a"));
        assert!(departed < Key::new("acme\0"));
    }

    #[test]
    fn an_endless_key_is_refused() {
        assert_eq!(key(&[Cell::Text(&"x".repeat(2_000))]), Err(KeyError::Long { length: 2_000 }));
    }
}
