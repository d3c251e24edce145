//! Models: where a sync's rows come from, as the project declares it.

use crate::place::Place;
use crate::row::ColumnType;

/// A model: one relation of one source, with a primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name in the project.
    pub name: String,
    /// The name of its source in the project.
    pub source: String,
    /// The columns that identify a row; at least one.
    pub key: Vec<String>,
    /// The columns whose values are personal data: fields that come from them are hidden from people.
    pub masked: Vec<String>,
    /// What is read.
    pub relation: Relation,
    /// Where it is declared.
    pub place: Place,
}

/// What a model reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// One SQL query.
    Sql(SqlText),
    /// A whole table, optionally with its schema: `public.customers`.
    Table(String),
    /// A file, by its path relative to its source's folder.
    File {
        /// The path.
        path: String,
        /// How the file is read.
        format: FileFormat,
    },
    /// A model of dbt.
    Dbt(DbtModel),
}

/// A model of dbt: dbt's manifest, which is read whenever the model is, says which table or view it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbtModel {
    /// Its name as `ref` takes it: `customers`, `package.customers`, `customers.v2`.
    pub name: String,
    /// Where the name stands.
    pub place: Place,
    /// The table or view, quoted as its database needs it; `None` before the manifest was read.
    pub relation: Option<String>,
}

impl DbtModel {
    /// The query that reads all its rows, once the manifest was read.
    pub fn select_all(&self) -> Option<String> {
        self.relation.as_ref().map(|relation| format!("SELECT * FROM {relation}"))
    }
}

/// A query as a file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlText {
    /// The query.
    pub text: String,
    /// Where its first character stands; a place without a line where it stands in no file.
    pub place: Place,
    /// The columns before its second and later lines: a YAML block's indentation.
    pub indent: u32,
}

impl SqlText {
    /// Where a line and a column of the query, from 1, stand in its file.
    pub fn place_of(&self, line: usize, column: usize) -> Option<Place> {
        let (line, column) = (u32::try_from(line).ok()?, u32::try_from(column).ok()?);
        if self.place.line == 0 || line == 0 {
            return None;
        }
        let before = if line == 1 { self.place.column.saturating_sub(1) } else { self.indent };
        let line = self.place.line.checked_add(line - 1)?;
        Some(Place { file: self.place.file.clone(), line, column: before.checked_add(column)?, length: 1 })
    }
}

impl From<&str> for SqlText {
    /// A query that stands in no file.
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), place: Place::default(), indent: 0 }
    }
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values.
    Csv(Csv),
    /// One JSON object a line.
    Ndjson {
        /// Declared types by column; others keep their JSON types.
        types: Vec<(String, ColumnType)>,
    },
    /// Apache Parquet.
    Parquet,
}

/// How a CSV file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csv {
    /// The character between fields; one byte.
    pub delimiter: u8,
    /// Whether the first line has the names.
    pub header: Header,
    /// Declared types by column; others are inferred or text, as `undeclared` says.
    pub types: Vec<(String, ColumnType)>,
    /// What a column without a declared type holds.
    pub undeclared: Undeclared,
}

/// Where a CSV file's column names come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// The first line.
    FirstLine,
    /// The file has no line of names: the project has them, in order.
    Named(Vec<String>),
    /// The first line has names, and those of the project take their place, in order.
    Replaced(Vec<String>),
}

/// What a column without a declared type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeclared {
    /// The narrowest type that fits all values of the whole file.
    Infer,
    /// Text.
    Text,
}

impl Default for Csv {
    fn default() -> Self {
        Self { delimiter: b',', header: Header::FirstLine, types: Vec::new(), undeclared: Undeclared::Infer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_query_is_one_in_its_file() {
        let place = Place { line: 5, column: 4, ..Place::file("models/a.yaml") };
        let sql = SqlText { text: "select a,\n  b".to_owned(), place, indent: 3 };
        let shown = |line, column| sql.place_of(line, column).map(|place| place.to_string());
        assert_eq!(shown(1, 8).as_deref(), Some("models/a.yaml:5:11"));
        assert_eq!(shown(2, 3).as_deref(), Some("models/a.yaml:6:6"));
        assert_eq!(SqlText::from("select 1").place_of(1, 1), None);
    }
}
