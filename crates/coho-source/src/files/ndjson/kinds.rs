//! The names and types that an NDJSON file's objects have.

use std::collections::HashMap;

use coho_core::place::Place;
use coho_core::row::ColumnType;
use coho_core::value::Value;

use super::Object;
use crate::inferred::{Inferred, Misfit};
use crate::outline::Found;

/// The members of all objects so far, in the order in which they first occurred.
#[derive(Default)]
pub(super) struct Kinds {
    names: Vec<String>,
    found: Vec<Seen>,
    places: HashMap<String, usize>,
}

/// What was seen of a member.
#[derive(Default)]
struct Seen {
    /// What all its values are.
    kind: Option<ColumnType>,
    /// The first value of each kind, with its line.
    first: Vec<Misfit>,
}

impl Kinds {
    /// Looks at one object. `place` is asked where something is new in it.
    pub(super) fn see(&mut self, object: &Object, place: impl Fn() -> Place) {
        for (name, value) in object {
            let at = self.place(name);
            if let (Some(seen), Some(kind)) = (self.found.get_mut(at), of(value)) {
                seen.kind = join(seen.kind, Some(kind));
                if !seen.first.iter().any(|first| first.kind == kind) {
                    seen.first.push(Misfit { kind, place: place(), preview: value.preview() });
                }
            }
        }
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(at) = self.places.get(name) {
            return *at;
        }
        let at = self.names.len();
        self.names.push(name.to_owned());
        self.found.push(Seen::default());
        self.places.insert(name.to_owned(), at);
        at
    }

    /// All names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a name.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The fields, with declared types where there are any. Nothing but nulls is mixed.
    pub(super) fn fields(&self, declared: &[Option<ColumnType>]) -> Vec<Found> {
        let found = self.names.iter().zip(&self.found).zip(declared);
        let field = |((name, seen), declared): ((&String, &Seen), &Option<ColumnType>)| {
            Found::plain(name, declared.or(seen.kind).unwrap_or(ColumnType::Mixed))
        };
        found.map(field).collect()
    }

    /// What was found out of the members without a declared type.
    pub(super) fn inferred(&self, declared: &[Option<ColumnType>]) -> Vec<Inferred> {
        let named = self.names.iter().zip(&self.found).zip(declared);
        let open = named.filter(|((name, _), kind)| kind.is_none() && !name.is_empty());
        let found = |(name, seen): (&String, &Seen)| {
            let misfits = KINDS.into_iter().filter_map(|kind| seen.misfit(kind)).collect();
            Some(Inferred { column: name.clone(), kind: seen.kind?, misfits })
        };
        open.filter_map(|(named, _)| found(named)).collect()
    }
}

/// What a member's type may be, besides mixed.
const KINDS: [ColumnType; 5] =
    [ColumnType::Bool, ColumnType::Int, ColumnType::Decimal, ColumnType::Text, ColumnType::Json];

impl Seen {
    /// The first value that is not of a type.
    fn misfit(&self, kind: ColumnType) -> Option<Misfit> {
        let odd = self.first.iter().find(|first| join(Some(kind), Some(first.kind)) != Some(kind))?;
        Some(Misfit { kind, ..odd.clone() })
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
