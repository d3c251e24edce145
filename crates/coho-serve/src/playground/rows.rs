//! Rows that are typed as JSON, with the types that their columns have.

use coho_core::case::{Case, Expected, Given};
use coho_core::code::Code;
use coho_core::json;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::row::ColumnType;
use coho_core::value::{Value, preview};
use coho_engine::preview::ModelSample;

/// So many rows are tried at once.
const MOST: usize = 100;

/// Types that can be named, as in tests.
const TYPES: [ColumnType; 9] = [
    ColumnType::Bool,
    ColumnType::Int,
    ColumnType::Float,
    ColumnType::Decimal,
    ColumnType::Text,
    ColumnType::Timestamp,
    ColumnType::LocalTimestamp,
    ColumnType::Date,
    ColumnType::Json,
];

/// Rows.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Rows {
    /// The types that were named.
    pub(crate) types: Vec<(String, ColumnType)>,
    /// Objects.
    pub(crate) rows: Vec<Value>,
}

impl Rows {
    /// What a source gave. A column whose cells have types of their own has none here.
    pub(crate) fn of(sample: &ModelSample) -> Self {
        let named = sample.columns.iter().filter(|column| TYPES.contains(&column.kind));
        let types = named.map(|column| (column.name.clone(), column.kind)).collect();
        Self { types, rows: sample.rows.clone() }
    }

    /// What was typed: an object, several one after the other, or a list of them; and the types as an object of names.
    pub(crate) fn parse(rows: &str, types: &str) -> Result<Self, Problem> {
        let rows = if rows.trim().is_empty() { vec![Value::Object(Vec::new())] } else { objects(rows)? };
        if rows.len() > MOST {
            return Err(wrong(format!("found {} rows; the limit is {MOST}", rows.len())));
        }
        Ok(Self { types: named(types)?, rows })
    }

    /// The rows as cases that expect nothing in particular.
    pub(super) fn cases(&self) -> Vec<Case> {
        let case = |(at, row): (usize, &Value)| Case {
            name: format!("row {}", at + 1),
            place: Place::default(),
            row: given(row),
            expected: Expected::Problems(Vec::new()),
            expected_at: Place::default(),
        };
        self.rows.iter().enumerate().map(case).collect()
    }

    /// The names of all columns, in the order of the alphabet.
    pub(crate) fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = self.types.iter().map(|(name, _)| name.clone()).collect();
        names.extend(self.rows.iter().flat_map(members).map(|(name, _)| name.clone()));
        names.sort();
        names.dedup();
        names
    }

    /// The rows as text, a line each.
    pub(crate) fn rows_text(&self) -> String {
        self.rows.iter().map(|row| json::write(row) + "\n").collect()
    }

    /// The types as text.
    pub(crate) fn types_text(&self) -> String {
        if self.types.is_empty() {
            return String::new();
        }
        let types: Vec<(&str, Value)> =
            self.types.iter().map(|(name, kind)| (name.as_str(), Value::text(kind.name()))).collect();
        json::write_object(types.iter().map(|(name, kind)| (*name, kind)))
    }
}

fn members(row: &Value) -> &[(String, Value)] {
    if let Value::Object(members) = row { members } else { &[] }
}

fn given(row: &Value) -> Vec<Given> {
    let given = |(column, value): &(String, Value)| Given {
        column: column.clone(),
        value: value.clone(),
        place: Place::default(),
    };
    members(row).iter().map(given).collect()
}

/// Objects in a list, or one after the other.
fn objects(text: &str) -> Result<Vec<Value>, Problem> {
    let mut objects = Vec::new();
    for found in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        let found = found.map_err(|error| {
            wrong(format!("cannot read the rows as JSON: {error}"))
                .help("write `{\"plan\": \"pro\"}`, one row per line")
        })?;
        let value = json::from_serde(found).map_err(|error| wrong(error.to_string()))?;
        if let Value::Array(items) = value { objects.extend(items) } else { objects.push(value) }
    }
    match objects.iter().find(|object| !matches!(object, Value::Object(_))) {
        Some(other) => Err(wrong(format!("expected a row as an object, found {}", other.preview()))),
        None => Ok(objects),
    }
}

fn named(text: &str) -> Result<Vec<(String, ColumnType)>, Problem> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let form = "write `{\"joined_on\": \"timestamp\"}`";
    let value = json::parse(text)
        .map_err(|error| wrong(format!("cannot read the types as JSON: {error}")).help(form))?;
    let Value::Object(members) = value else { return Err(wrong("expected an object of types").help(form)) };
    let one = |(name, kind): (String, Value)| {
        let word = kind.as_text().unwrap_or_default().to_owned();
        if let Some(kind) = TYPES.into_iter().find(|kind| kind.name() == word) {
            return Ok((name, kind));
        }
        let names: Vec<_> = TYPES.iter().map(|kind| kind.name()).collect();
        let message = format!("the column `{}` has the type {}", preview(&name), kind.preview());
        Err(wrong(message).help(format!("the types are {}", names.join(", "))))
    };
    members.into_iter().map(one).collect()
}

fn wrong(message: impl Into<String>) -> Problem {
    Problem::new(Code::WRONG_VALUE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_one_after_the_other_or_from_a_list_and_keep_their_digits() {
        for text in ["{\"a\":1.50}\n{\"a\":2}", "[{\"a\":1.50},{\"a\":2}]"] {
            let rows = Rows::parse(text, "{\"a\":\"decimal\"}").unwrap();
            assert_eq!(rows.rows_text(), "{\"a\":1.50}\n{\"a\":2}\n");
            assert_eq!(rows.types_text(), "{\"a\":\"decimal\"}");
            assert_eq!(rows.columns(), ["a"]);
        }
    }

    #[test]
    fn what_is_no_row_is_told() {
        for (rows, types) in [("{", ""), ("[1]", ""), ("{}", "{\"a\":\"colour\"}"), ("{}", "[]")] {
            assert!(Rows::parse(rows, types).is_err(), "{rows} {types}");
        }
        let many = "{}".repeat(MOST + 1);
        assert!(Rows::parse(&many, "").is_err());
    }
}
