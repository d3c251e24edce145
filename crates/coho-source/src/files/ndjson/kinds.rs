//! The names and types that an NDJSON file's objects have.

use std::collections::HashMap;

use coho_core::row::{Column, ColumnType};
use coho_core::value::Value;

use super::Object;
use crate::files::fault::FileFault;

/// The members of all objects so far, in the order in which they first occurred.
#[derive(Default)]
pub(super) struct Kinds {
    names: Vec<String>,
    found: Vec<Option<ColumnType>>,
    places: HashMap<String, usize>,
}

impl Kinds {
    /// Looks at one object.
    pub(super) fn see(&mut self, object: &Object) -> Result<(), FileFault> {
        for (name, value) in object {
            let at = self.place(name)?;
            if let Some(kind) = self.found.get_mut(at) {
                *kind = join(*kind, of(value));
            }
        }
        Ok(())
    }

    fn place(&mut self, name: &str) -> Result<usize, FileFault> {
        if let Some(at) = self.places.get(name) {
            return Ok(*at);
        }
        if name.is_empty() {
            return Err(FileFault::EmptyName(self.names.len() + 1));
        }
        let at = self.names.len();
        self.names.push(name.to_owned());
        self.found.push(None);
        self.places.insert(name.to_owned(), at);
        Ok(at)
    }

    /// All names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a name.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The columns, with declared types where there are any. Nothing but nulls is mixed.
    pub(super) fn columns(&self, declared: &[Option<ColumnType>]) -> Vec<Column> {
        let found = self.names.iter().zip(&self.found).zip(declared);
        let column = |((name, kind), declared): ((&String, &Option<ColumnType>), &Option<ColumnType>)| {
            Column { name: name.clone(), kind: declared.or(*kind).unwrap_or(ColumnType::Mixed) }
        };
        found.map(column).collect()
    }
}

fn of(value: &Value) -> Option<ColumnType> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(ColumnType::Bool),
        Value::Int(_) => Some(ColumnType::Int),
        Value::Decimal(_) | Value::Float(_) => Some(ColumnType::Decimal),
        Value::Text(_) | Value::Timestamp(_) | Value::LocalTimestamp(_) | Value::Date(_) => {
            Some(ColumnType::Text)
        }
        Value::Array(_) | Value::Object(_) => Some(ColumnType::Json),
    }
}

fn join(left: Option<ColumnType>, right: Option<ColumnType>) -> Option<ColumnType> {
    match (left, right) {
        (Some(left), Some(right)) if left == right => Some(left),
        (Some(ColumnType::Int | ColumnType::Decimal), Some(ColumnType::Int | ColumnType::Decimal)) => {
            Some(ColumnType::Decimal)
        }
        (Some(_), Some(_)) => Some(ColumnType::Mixed),
        (one, other) => one.or(other),
    }
}
